"""A library of 0.1.0, which sent files as they were: its edits replay, and cost nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Script

# Written by 0.1.0 itself: six edits of the files in `inputs`, each as "edit NAME".
OLD = Path(__file__).parents[2] / "library" / "from_0_1_0"
INPUTS = sorted((OLD / "inputs").iterdir())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
@pytest.mark.parametrize("form", [str, Path, Path.read_bytes])
def test_an_edit_of_an_old_library_replays(path: Path, form: object, tmp_path: Path) -> None:
    shutil.copytree(OLD / "kept", tmp_path / "imagine")
    script = Script()
    chosen = settings(base_url="http://platform.test", api_key="k", library=tmp_path / "imagine")
    client = AsyncClient(base_url="http://platform.test", api_key="k", transport=script)
    studio = Studio(chosen, client=client)
    assert callable(form)
    generation = studio.generate(f"edit {path.stem}", image=form(path), model="gpt-image-1")
    assert generation.replayed_from is not None
    assert script.requests == []
