"""What may be paid for already, in a folder that came in part or elsewhere: what is asked first."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb import batch, sweep
from opeai_nb.bulk.run.before_paying import ask_before_paying
from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.bulk.sweep.plan import Point
from opeai_nb.client import ImageRequest
from opeai_nb.errors import OptionError
from opeai_nb.library import Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.bulk import Batch, Sweep
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


@pytest.mark.parametrize("many", ["sweep", "batch"])
@pytest.mark.parametrize("ending", ["png", "json"])
def test_many_requests_ask_once_before_they_pay_for_what_is_gone(
    new_studio: Callable[..., Studio], transport: Watched, tmp_path: Path, many: str, ending: str
) -> None:
    """A clone without Git LFS, or one that leaves the records out: all were paid for again."""
    clone = tmp_path / "clone" / "imagine"

    def planned(studio: Studio) -> Sweep | Batch:
        if many == "sweep":
            return sweep("{colour} fox", colour=["red", "blue", "grey"], studio=studio)
        rows = ["red fox", "blue fox", "grey fox"]
        return batch(rows, studio=studio, out=studio.library.folder)

    planned(new_studio(**PLATFORM)).run()
    without = shutil.ignore_patterns(".*", f"*-red-*.{ending}", f"*-grey-*.{ending}")
    shutil.copytree(new_studio().library.folder, clone, ignore=without)
    studio = new_studio(**PLATFORM, library=clone)
    with pytest.raises(OptionError, match=r"Of 2 requests here .* is missing or damaged"):
        planned(studio).run()
    assert transport.posts == 3
    planned(studio).run()
    assert transport.posts == 5
    planned(new_studio(**PLATFORM, library=clone)).run()
    assert transport.posts == 5


def test_a_picture_that_is_gone_when_its_point_is_to_be_shown_stops_the_run_once(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    colours = ["red", "blue", "grey"]
    sweep("{colour} fox", colour=colours, studio=new_studio(**PLATFORM)).run()
    studio = new_studio(**PLATFORM)
    (path,) = studio.library.folder.glob("*-grey-*.png")
    lose(path)
    foxes = sweep("{colour} fox", colour=colours, studio=studio).run()
    (error,) = foxes.failed.values()
    assert "is missing or damaged" in error.message
    assert transport.posts == 3
    assert not foxes.run().failed
    assert transport.posts == 4


def test_a_program_says_that_it_pays_for_what_is_gone(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    lose(
        new_studio(**PLATFORM).start("a fox", caller="point", slot=Slot("sweep")).result().paths[0]
    )
    sweep("a fox", studio=new_studio(**PLATFORM)).run(send_unknown=True)
    assert transport.posts == 2


class Untouched(Sequence[Point]):
    """A plan of which no point may be made."""

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, place: Any) -> Any:
        raise AssertionError("a point was made")


def test_no_point_of_a_large_table_is_made_where_nothing_is_gone(
    new_studio: Callable[..., Studio], tmp_path: Path
) -> None:
    studio, clone = new_studio(**PLATFORM), tmp_path / "clone"
    studio.start("a fox").result()
    ask_before_paying(studio, Untouched(), BulkOptions())
    shutil.copytree(studio.library.folder, clone, ignore=shutil.ignore_patterns(".*", "*.json"))
    with pytest.raises(AssertionError, match="a point was made"):
        ask_before_paying(new_studio(**PLATFORM, library=clone), Untouched(), BulkOptions())


def test_a_first_run_asks_where_pictures_came_without_their_records(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    first = new_studio(**PLATFORM).start("a fox", slot=CELL).result()
    (record,) = first.paths[0].parent.glob("*.json")
    text = record.read_bytes()
    record.unlink()
    studio = new_studio(**PLATFORM)
    assert studio.start("an owl", slot=CELL).result()
    with pytest.raises(OptionError, match="is missing or damaged"):
        studio.start("a fox", slot=CELL).result()
    record.write_bytes(text)
    assert studio.start("a fox", slot=CELL).result().paths == first.paths
    assert transport.posts == 2


def renamed(day: Path) -> None:
    day.rename(day.with_name("old pictures"))


def archived(day: Path) -> None:
    day.with_name("2026").mkdir()
    day.rename(day.parent / "2026" / day.name)


def on_another_disk(day: Path) -> None:
    other = day.rename(day.parents[1] / "other disk")
    day.symlink_to(other, target_is_directory=True)


def without_records(day: Path) -> None:
    for path in day.glob("*.json"):
        path.unlink()


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (renamed, "not that of a day"),
        (archived, "not that of a day"),
        (on_another_disk, "it is a link"),
        (without_records, ""),
    ],
)
def test_a_first_run_asks_where_the_folder_of_a_day_was_moved_by_hand(
    new_studio: Callable[..., Studio],
    transport: Watched,
    move: Callable[[Path], None],
    told: str,
) -> None:
    """As large libraries are put in order: all that was in it was paid for again."""
    first = new_studio(**PLATFORM, subfolders="always").start("a fox", slot=CELL).result()
    day = first.paths[0].parent
    day = day.rename(day.with_name("2020-01-01"))
    opened = new_studio(**PLATFORM)
    assert opened.start("a bat", slot=CELL).result()
    move(day)
    for studio in (opened, new_studio(**PLATFORM)):
        with pytest.raises(OptionError, match="is missing or damaged"):
            studio.start("a fox", slot=CELL).result()
        assert studio.start(f"an owl of {studio.session.name}", slot=CELL).result()
        assert told in " ".join(studio.library.problems())
    assert transport.posts == 4


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
