"""Commands run as a person runs them: in a folder of their own, on the engine, without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bulk.conftest import _parquet_here

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["_parquet_here"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where a command runs; its library and the engine's cache are inside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPEAI_BASE_URL", "engine:")
    monkeypatch.setenv("OPEAI_NB_LIBRARY", str(tmp_path / "imagine"))
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPEAI_API_KEY", raising=False)
    return tmp_path
