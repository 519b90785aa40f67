"""A library of 0.1.0, which sent files as they were: its edits replay, and cost nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from opeai_nb import sweep
from opeai_nb.client import AsyncClient, Generation
from opeai_nb.imaging.open_picture import open_picture
from opeai_nb.library.replay.slot import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Script
from tests.studio.conftest import Watched

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


def as_elsewhere(record: dict[str, Any], folder: Path) -> None:
    """Let the input be encoded as another system, or another Pillow, would have done it."""
    (image,) = record["request"]["image"]
    encoded = BytesIO()
    open_picture((folder / ".inputs" / image["sha256"]).read_bytes()).save(
        encoded, "PNG", optimize=True
    )
    digest = hashlib.sha256(encoded.getvalue()).hexdigest()
    assert digest != image["sha256"]
    (folder / ".inputs" / digest).write_bytes(encoded.getvalue())
    image["sha256"] = digest


def as_before(record: dict[str, Any], folder: Path) -> None:
    """Let it be of a version that knew only the bytes."""
    assert folder.is_dir()
    del record["request"]["image"][0]["pixels"]


@pytest.mark.parametrize("made", [as_elsewhere, as_before])
@pytest.mark.parametrize("kind", ["image", "array"])
@pytest.mark.parametrize("many", [False, True])
def test_an_edit_of_decoded_pixels_replays(
    new_studio: Callable[..., Studio],
    transport: Watched,
    made: Callable[[dict[str, Any], Path], None],
    kind: str,
    many: bool,
) -> None:
    given: Any = Image.linear_gradient("L").convert("RGB").resize((96, 64))
    given = np.asarray(given) if kind == "array" else given

    def edit(studio: Studio) -> Generation:
        if many:
            (shown,) = sweep("bluer", image={"image": given}, studio=studio).run()
            return shown
        return studio.generate("bluer", image=given)

    first = edit(new_studio())
    (path,) = first.paths[0].parent.glob("*.json")
    record = json.loads(path.read_bytes())
    made(record, path.parent)
    path.write_text(json.dumps(record))
    assert edit(new_studio()).replayed_from == record["id"]
    assert transport.posts == 1


def test_what_was_made_anew_of_an_old_edit_is_shown_after_a_restart(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    given, slot = Image.linear_gradient("L").convert("RGB").resize((96, 64)), Slot("cell-1")

    def edit(studio: Studio) -> Generation:
        return studio.start("bluer", image=given, slot=slot).result(60)

    (path,) = edit(new_studio()).paths[0].parent.glob("*.json")
    record = json.loads(path.read_bytes())
    as_before(record, path.parent)
    path.write_text(json.dumps(record))
    later = new_studio()
    assert edit(later).replayed_from == record["id"]
    anew = edit(later)
    assert transport.posts == 2, "who runs a cell again wants another"
    assert edit(new_studio()).paths == anew.paths
    assert transport.posts == 2
