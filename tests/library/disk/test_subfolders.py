"""A large library spreads over sub-folders by date, and nothing else about it changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import LibraryError
from opeai_nb.library import Library, LibraryWarning, Record, Slot
from opeai_nb.library.disk.files import Disk
from opeai_nb.library.disk.subfolder import is_subfolder, part_of
from opeai_nb.library.lineage import info
from opeai_nb.library.records.spreading import FULL, MANY, Subfolders
from tests.library.conftest import Clock
from tests.library.replaying import shown
from tests.pictures import png

DAY = "2026-11-22"
PICTURE = png((8, 8))


def make(library: Library, prompt: str, slot: str = "c", data: bytes = PICTURE) -> Record:
    request = ImageRequest(prompt)
    entry = library.begin(
        request, key="k", base_url="http://x", origin="platform", slot=Slot(slot, 1)
    )
    entry.sending()
    library.keep(entry, Generation((Picture(data),), request))
    return library.record(entry.id)


@pytest.fixture
def spread(folder: Path, clock: Clock) -> Library:
    return Library(folder, clock=clock, subfolders="always")


def only_subfolder(folder: Path) -> Path:
    (found,) = [path for path in folder.iterdir() if is_subfolder(path.name)]
    return found


def test_pictures_and_records_lie_in_a_folder_of_their_day(spread: Library, folder: Path) -> None:
    record = make(spread, "a fox")
    day = only_subfolder(folder)
    assert record.file == f"{day.name}/{record.stem}.json"
    assert {path.name for path in day.iterdir()} == {f"{record.stem}.json", f"{record.stem}-1.png"}
    assert record.stem.startswith(day.name)
    assert not [*folder.glob("*.png"), *folder.glob("*.json")]
    assert record.paths[0].read_bytes()
    assert spread.problems() == []


@pytest.mark.parametrize("name", ["2026-11-22", "2026-11-22-002", "2026-11-22-100"])
def test_the_name_of_a_subfolder_is_one_on_every_system(name: str) -> None:
    assert is_subfolder(name)
    assert set(name) <= set("0123456789-")


@pytest.mark.parametrize(
    "name", ["", "..", "2026-11-22/..", "\uff12026-11-22", "2026-11-22-2", "2026-11-22\n", "cats"]
)
def test_nothing_else_is_a_subfolder(name: str) -> None:
    assert not is_subfolder(name)


# -- the same life, with and without


MARKS = ("trash", "star", "tag")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["make", "again", "trash", "star", "tag", "lose", "spoil", "move", "reopen"]
        ),
        st.integers(0, 5),
    ),
    max_size=8,
)


class NoWaiting(Disk):
    """A disk that no power cut can hit: what is shown does not depend on when it is safe."""

    def fsync(self, handle: int) -> None:
        pass


class Shelf:
    """A library, and what is done to it by its user and by hand."""

    def __init__(self, folder: Path, choices: tuple[Any, ...]) -> None:
        self.folder = folder
        self.clock = Clock()
        self.choices = choices
        self.opened = 0
        self.made: list[Record] = []
        self.library = self.open()

    def open(self) -> Library:
        self.opened += 1
        choice = self.choices[self.opened % len(self.choices)]
        disk = NoWaiting()
        return Library(self.folder, clock=self.clock, subfolders=choice, disk=disk)

    def do(self, step: str, number: int) -> None:
        self.clock.pass_(40_000.0)
        if step == "make" or (step == "again" and not self.made):
            self.made.append(make(self.library, f"fox {number}", f"c{number}"))
        elif step == "again":
            at = self.made[number % len(self.made)]
            self.made.append(make(self.library, at.prompt, "again"))
        elif step == "reopen":
            self.library.close()
            self.library = self.open()
        elif self.made:
            self.by_hand(step, self.made[number % len(self.made)])

    def by_hand(self, step: str, record: Record) -> None:
        if step in MARKS:
            change: Any = {step: ["red"] if step == "tag" else True}
            try:
                self.library.mark(record.id, **change)
            except LibraryError:
                assert not record.paths[0].exists() or not record.path_of(record.file).exists()
        elif step == "lose":
            (self.folder / record.file).unlink(missing_ok=True)
        elif step == "spoil" and record.paths[0].exists():
            record.paths[0].write_bytes(b"spoiled")
        elif step == "move":
            self.library.close()
            self.folder = self.folder.rename(self.folder.with_name(f"moved {self.opened}"))
            self.made = [_in(self.folder, record) for record in self.made]
            self.library = self.open()

    def shows(self) -> dict[str, Any]:
        """Return what a person sees, with ids by the order in which they were made."""
        number = {record.id: place for place, record in enumerate(self.made)}
        library = self.library
        takes = [shown(library, ImageRequest(f"fox {n}"), slot=Slot(f"c{n}", 1)) for n in range(6)]
        return {
            "history": [number[record.id] for record in library.records()],
            "trash": [number[record.id] for record in library.search(trashed=True)],
            "starred": [number[record.id] for record in library.search(starred=True)],
            "tagged": [number[record.id] for record in library.search(tag="red")],
            "takes": [None if take is None else number[take.id] for take in takes],
            "usage": library.usage().total.pictures,
            "skipped": len(library.problems()),
            "inside": [[p.is_relative_to(self.folder) for p in r.paths] for r in library.records()],
        }


def _in(folder: Path, record: Record) -> Record:
    return Record(folder, record.file, record.stands)


@given(STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
def test_the_same_life_shows_the_same_with_and_without_subfolders_and_with_both(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    root = tmp_path_factory.mktemp("lives")
    shelves = [
        Shelf(root / name / "imagine", choices)
        for name, choices in (
            ("flat", ("never",)),
            ("spread", ("always",)),
            ("mixed", ("always", "never")),
        )
    ]
    for step, number in steps:
        for shelf in shelves:
            shelf.do(step, number)
    flat, *others = (shelf.shows() for shelf in shelves)
    assert others == [flat, flat]
    for shelf in shelves:
        shelf.library.close()


# -- who else uses it


def test_another_kernel_shows_it_whatever_its_own_setting(spread: Library, folder: Path) -> None:
    other = Library(folder, subfolders="never")
    assert other.search("fox") == []
    record = make(spread, "a fox")
    assert shown(other, ImageRequest("a fox"), slot=Slot("c", 1)) == record
    flat = make(other, "a hare")
    assert "/" not in flat.file
    assert [each.prompt for each in spread.records()] == ["a hare", "a fox"]


def test_another_user_who_has_it_open_sees_it_at_once(
    spread: Library, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user has another index: ours learns it from the folder."""
    make(spread, "a fox", "c1")
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "another cache"))
    other = Library(folder, subfolders="always")
    for number in range(3):
        assert shown(other, ImageRequest(f"hare {number}"), slot=Slot("c2", 1)) is None
        record = make(spread, f"hare {number}", "c2")
        assert shown(other, ImageRequest(f"hare {number}"), slot=Slot("c2", 1)) == record
        assert other.search("hare", limit=1) == [record]


def test_what_is_done_by_hand_in_a_subfolder_is_seen_by_an_open_library(
    spread: Library, folder: Path
) -> None:
    fox, hare = make(spread, "a fox"), make(spread, "a hare")
    (folder / fox.file).rename(folder / fox.beside("renamed.json"))
    assert {each.file for each in spread.records()} == {fox.beside("renamed.json"), hare.file}
    for path in (*hare.paths, folder / hare.file):
        path.rename(folder / path.name)
    assert {each.prompt for each in spread.records()} == {"a fox", "a hare"}
    shutil.rmtree(only_subfolder(folder))
    assert [each.prompt for each in spread.records()] == ["a hare"]


def a_day_twice(day: Path) -> None:
    shutil.copytree(day, day.with_name("2020-01-01"))
    shutil.copytree(day, day.with_name(f"{day.name}-999"))


def conflicts(day: Path) -> None:
    for path in [*day.glob("*.json")]:
        shutil.copy(path, path.with_name(f"{path.stem} (conflicted copy).json"))


@pytest.mark.parametrize("copy", [a_day_twice, conflicts])
def test_copies_of_a_record_are_told_as_one(
    spread: Library, folder: Path, copy: Callable[[Path], None]
) -> None:
    """What they cost was told twice, and nobody could mark any of them."""
    ids = [make(spread, f"fox {number}").id for number in range(3)]
    before = spread.usage().total
    copy(only_subfolder(folder))
    for library in (spread, Library(folder)):
        assert library.usage().total == before
        assert [record.id for record in library.records(newest_first=False)] == ids
        assert [record.id for record in library.search("fox", limit=2)] == ids[:0:-1]
        assert [record.id for record in library.selected("fox")] == ids[::-1]
        assert library.mark(ids[0], star=True).starred
        assert shown(library, ImageRequest("fox 1"), slot=Slot("c", 1)) is not None


def test_a_library_with_subfolders_that_was_copied_replays(
    spread: Library, folder: Path, tmp_path: Path
) -> None:
    record = make(spread, "a fox")
    shutil.copytree(folder, tmp_path / "elsewhere" / "imagine")
    copy = Library(tmp_path / "elsewhere" / "imagine")
    found = shown(copy, ImageRequest("a fox"), slot=Slot("c", 1))
    assert found is not None
    assert (found.id, found.file) == (record.id, record.file)
    assert found.paths[0].is_relative_to(tmp_path / "elsewhere")


def test_what_was_begun_is_finished_where_it_was_to_lie(spread: Library, folder: Path) -> None:
    request = ImageRequest("a fox")
    entry = spread.begin(request, key="k", base_url="http://x", origin="platform")
    entry.sending()
    later = Library(folder, subfolders="never")
    (left,) = later.pending()
    later.keep(left, Generation((Picture(PICTURE),), request))
    (record,) = later.records()
    assert record.file.startswith(f"{only_subfolder(folder).name}/")
    assert later.pending() == spread.pending() == []


# -- from strangers


def test_a_link_in_the_place_of_a_subfolder_is_not_followed(
    spread: Library, folder: Path, tmp_path: Path
) -> None:
    record = make(spread, "a fox")
    day = only_subfolder(folder)
    day.rename(tmp_path / "outside")
    day.symlink_to(tmp_path / "outside", target_is_directory=True)
    for library in (spread, Library(folder)):
        assert [*library.records()] == []
        assert shown(library, ImageRequest("a fox"), slot=Slot("c", 1)) is None
        assert library.kept(folder / record.file) is None
    entry = spread.begin(ImageRequest("a hare"), key="k", base_url="http://x", origin="platform")
    entry.sending()
    with pytest.warns(LibraryWarning, match="is a link"):
        spread.keep(entry, Generation((Picture(PICTURE),), entry.request))
    assert not [*(tmp_path / "outside").glob("*hare*")]


@pytest.mark.parametrize("subfolder", ["..", "/tmp", "2026-11-22/..", ".pending", "cats", 7])
def test_an_entry_that_leads_elsewhere_is_not_believed(
    spread: Library, folder: Path, subfolder: object
) -> None:
    spread.begin(ImageRequest("a fox"), key="k", base_url="http://x", origin="platform")
    assert len(Library(folder).pending()) == 1
    (journal,) = folder.glob(".pending/*/journal.jsonl")
    facts = json.loads(journal.read_text().splitlines()[-1])
    journal.write_text(json.dumps({**facts, "subfolder": subfolder}))
    assert Library(folder).pending() == []


# -- what else names files


def test_a_picture_in_a_subfolder_tells_of_itself_and_of_what_is_said_of_it(
    spread: Library,
) -> None:
    record = make(spread, "a fox")
    spread.mark(record.id, star=True, tag=["red"])
    told = info(record.paths[0])
    assert (told["id"], told["starred"], told["tags"]) == (record.id, True, ["red"])
    assert spread.names_of(record.paths) == (record.beside(record.paths[0].name),)


def test_it_is_exported_as_ever(spread: Library, tmp_path: Path) -> None:
    record = make(spread, "a fox")
    spread.export(tmp_path / "set")
    (copy,) = (tmp_path / "set").rglob("*.png")
    assert copy.name == record.paths[0].name
    assert copy.read_bytes() == record.paths[0].read_bytes()


# -- when


def test_a_library_of_many_records_spreads_by_itself_and_a_small_one_does_not(
    folder: Path,
) -> None:
    assert Subfolders(folder, lambda: False).of(f"{DAY}-fox", "auto") is None
    assert Subfolders(folder, lambda: True).of(f"{DAY}-fox", "auto") == DAY


def test_many_records_are_more_than_ten_thousand() -> None:
    assert MANY == 10_000


def test_once_one_kernel_has_spread_all_do(library: Library, folder: Path, clock: Clock) -> None:
    """As does a batch of many rows, whose workers are other processes."""
    other = Library(folder, clock=clock)
    make(other, "a fox")
    library.spread()
    assert "/" in make(other, "a hare").file
    assert "/" in make(library, "a hare").file


def test_who_wants_no_subfolders_gets_none(library: Library, folder: Path, clock: Clock) -> None:
    library.spread()
    assert "/" not in make(Library(folder, clock=clock, subfolders="never"), "a fox").file


@given(st.lists(st.integers(0, FULL + 50), max_size=4), st.integers(1, 300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_no_subfolder_gets_much_more_than_a_thousand_records_and_the_last_is_filled_first(
    tmp_path_factory: pytest.TempPathFactory, there: list[int], begun: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    for number, count in enumerate(there, 1):
        (folder / part_of(DAY, number)).mkdir()
        for name in range(count if number == len(there) else 0):
            (folder / part_of(DAY, number) / f"{name}.json").touch()
    subfolders = Subfolders(folder, lambda: False)
    last = there[-1] if there else 0
    for number in range(begun):
        part = subfolders.of(f"{DAY}-fox-{number}", "always")
        assert part is not None
        place = folder / part
        place.mkdir(exist_ok=True)
        (place / f"of-{number}.json").touch()
    full = part_of(DAY, max(1, len(there)))
    assert len([*(folder / full).glob("*.json")]) == (
        last if last >= FULL else min(FULL, last + begun)
    )
    assert len([*folder.iterdir()]) == max(1, len(there)) + (last + begun > max(last, FULL))
