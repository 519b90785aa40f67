"""What may be paid for already, in a folder that came in part or elsewhere: what is asked first."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.errors import OptionError
from opeai_nb.library import Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.studio import Studio
    from tests.studio.conftest import Watched

CELL = Slot("a cell")
PLATFORM = {"base_url": "http://127.0.0.1:9", "api_key": "sk-any"}


def lose(path: Path) -> None:
    path.unlink()


def point(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def rename(path: Path) -> None:
    path.rename(path.with_name("mine.png"))


@pytest.mark.parametrize("spoil", [lose, point, rename])
@pytest.mark.parametrize("slot", [CELL, None])
def test_a_first_run_asks_before_it_pays_for_a_picture_whose_file_is_gone(
    new_studio: Callable[..., Studio],
    transport: Watched,
    spoil: Callable[[Path], None],
    slot: Slot | None,
) -> None:
    first = new_studio(**PLATFORM)
    spoil(first.start("a fox", slot=slot).result().paths[0])
    studio = new_studio(**PLATFORM)
    assert studio.start("an owl", slot=slot).result()
    assert transport.posts == 2
    with pytest.raises(OptionError, match="is missing or damaged"):
        studio.start("a fox", slot=slot).result()
    assert transport.posts == 2
    made = studio.start("a fox", slot=slot).result()
    assert transport.posts == 3
    assert new_studio(**PLATFORM).start("a fox", slot=slot).result().paths == made.paths
    assert transport.posts == 3


def test_a_first_run_above_the_notebooks_folder_asks_before_it_pays_again(
    new_studio: Callable[..., Studio], transport: Watched, tmp_path: Path
) -> None:
    """So papermill runs it: in the folder where papermill was started."""
    below = tmp_path / "notebooks" / "imagine"
    first = new_studio(**PLATFORM, library=below).start("a fox", slot=CELL).result()
    studio = new_studio(**PLATFORM)
    with pytest.raises(OptionError, match="notebooks/imagine has a picture for this") as caught:
        studio.start("a fox", slot=CELL).result()
    assert "OPEAI_NB_LIBRARY=notebooks/imagine" in caught.value.advice
    told = new_studio(**PLATFORM, library=below).start("a fox", slot=CELL).result()
    assert (told.paths, transport.posts) == (first.paths, 1)
    studio.start("a fox", slot=CELL).result()  # run again, it pays
    assert transport.posts == 2
    new_studio(**PLATFORM).start("a fox, twice", slot=CELL).result()  # one works here from now on


@pytest.mark.parametrize("left", [b"", b'{"opeai_nb": 1, "id":', b"<<<<<<< HEAD\n"])
def test_a_first_run_asks_before_it_pays_where_the_record_itself_is_damaged(
    new_studio: Callable[..., Studio], transport: Watched, left: bytes
) -> None:
    """A copy that was cut off, or a merge: the file's name tells what it is of."""
    (path,) = new_studio(**PLATFORM).start("a fox", slot=CELL).result().paths
    (record,) = path.parent.glob("*.json")
    record.write_bytes(left)
    (path.parent / "my settings.json").write_bytes(left)
    studio = new_studio(**PLATFORM)
    assert studio.start("an owl", slot=CELL).result()
    with pytest.raises(OptionError, match="is missing or damaged"):
        studio.start("a fox", slot=CELL).result()
    assert transport.posts == 2
    assert studio.start("a fox", slot=CELL).result()
    assert transport.posts == 3


def test_fresh_asks_nothing(new_studio: Callable[..., Studio], transport: Watched) -> None:
    lose(new_studio(**PLATFORM).start("a fox", slot=CELL).result().paths[0])
    assert new_studio(**PLATFORM).start("a fox", slot=CELL, fresh=True).result()
    assert transport.posts == 2


def test_what_came_back_is_shown(new_studio: Callable[..., Studio], transport: Watched) -> None:
    (path,) = new_studio(**PLATFORM).start("a fox", slot=CELL).result().paths
    picture = path.read_bytes()
    lose(path)
    studio = new_studio(**PLATFORM)
    with pytest.raises(OptionError, match="git lfs pull"):
        studio.start("a fox", slot=CELL).result()
    path.write_bytes(picture)
    assert studio.start("a fox", slot=CELL).result().paths == [path]
    assert transport.posts == 1


def test_a_picture_lost_while_the_session_runs_is_asked_for_anew(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio = new_studio(**PLATFORM)
    lose(studio.start("a fox", slot=CELL).result().paths[0])
    assert studio.start("a fox", slot=CELL).result()
    assert transport.posts == 2


def test_what_the_engine_painted_is_painted_again(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    lose(new_studio().start("a fox", slot=CELL).result().paths[0])
    assert new_studio().start("a fox", slot=CELL).result()
    assert transport.posts == 2


def test_the_engine_paints_again_where_a_record_is_damaged(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """A kernel may have been killed while it wrote it, and nothing is to be paid."""
    (path,) = new_studio().start("a fox", slot=CELL).result().paths
    (record,) = path.parent.glob("*.json")
    record.write_bytes(b"")
    assert new_studio().start("a fox", slot=CELL).result()
    assert transport.posts == 2


def test_the_engine_paints_nothing_in_place_of_a_lost_picture_that_was_paid_for(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    lose(new_studio(**PLATFORM).start("a fox", slot=CELL).result().paths[0])
    with pytest.raises(OptionError, match="is missing or damaged"):
        new_studio().start("a fox", slot=CELL).result()
    assert transport.posts == 1


def test_a_first_run_asks_before_it_pays_for_what_another_server_may_have_made(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """The base URL was changed while a request was open: its journal lists it all the same."""
    library = new_studio(**PLATFORM).library
    asked = ImageRequest("a fox", size="1024x1024")
    entry = library.begin(asked, key="k", base_url="https://before.example", origin="platform")
    entry.unknown("it was cut off")
    entry.release()
    assert new_studio().start(asked, slot=CELL).result(), "the engine costs nothing"
    assert new_studio(**PLATFORM).start(asked, slot=CELL, fresh=True).result()
    assert transport.posts == 2
    studio = new_studio(**PLATFORM, library=library.folder.parent / "another")
    shutil.copytree(library.folder / ".pending", studio.library.folder / ".pending")
    with pytest.raises(OptionError, match="another server"):
        studio.start(asked, slot=CELL).result()
    assert transport.posts == 2
    assert studio.start(asked, slot=CELL).result()
    assert studio.start(asked, slot=CELL).result(), "a further run is meant"
    assert transport.posts == 4
    assert len(studio.library.pending()) == 1
