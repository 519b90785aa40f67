"""Studios over an engine with a canned painter: what runs many requests is tested, not painting."""

from __future__ import annotations

import contextlib
import importlib

import pytest

from tests.studio.conftest import engine, new_studio, studio, transport

__all__ = ["engine", "new_studio", "studio", "transport"]


@pytest.fixture(scope="session", autouse=True)
def _parquet_here() -> None:
    """Let each batch write its Parquet here: a process of its own, for each, takes half a second.

    `test_manifest.py` holds that there is one where pyarrow is not loaded yet.
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("pyarrow")
