"""Cells in the tests' own process, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.shell import Cells, shell_cells


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cells]:
    """One shell for the tests of a file, which may say by `FRONTEND` who looks at its outputs."""
    with shell_cells() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_FRONTEND", getattr(request.module, "FRONTEND", "script"))
        made.begin(tmp_path_factory.mktemp("shell"))
        yield made


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    """Those cells as in a new kernel, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    shared.begin(tmp_path)
    return shared
