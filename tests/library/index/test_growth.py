"""What it costs to ask a library does not grow with it: files opened, listed, looked at, counted.

A record is opened once, when it is new, and looked at once by each session.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Library, Session, Slot, identity
from opeai_nb.library.disk.subfolder import is_subfolder, part_of
from opeai_nb.library.index.growing import Growth, tell_growth
from opeai_nb.library.index.index import Index
from opeai_nb.library.records.record import Record
from opeai_nb.library.replay.replay import decide
from tests.profiled import profiled

SIZES = (40, 240)
"""Both have more than a page of the gallery, which is 32."""
ASKED = {"open", "stat", "lstat", "listdir", "scandir"}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count what this thread asks of the disk meanwhile."""
    counts: Counter[str] = Counter()

    def count(_: object, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in ASKED:
            counts[called.__name__] += 1

    with profiled(count):
        yield counts


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Libraries of each size, their index made."""
    made = {}
    for size in SIZES:
        folder = tmp_path_factory.mktemp("growth") / "imagine"
        library = Library(folder, metadata=False)
        keep(library, "fox 0")
        (file,), (image,) = folder.glob("*.json"), folder.glob("*.png")
        stands = json.loads(file.read_text())
        for number in range(1, size):
            id_ = f"{number:08x}"
            name = f"2026-11-22-fox-{id_}"
            shutil.copy(image, folder / f"{name}-1.png")
            stands |= {"id": id_, "slot": {"cell": f"c{number}", "call": 1}}
            stands["request"]["prompt"] = f"fox {number}"
            stands["pictures"][0]["file"] = f"{name}-1.png"
            (folder / f"{name}.json").write_text(json.dumps(stands))
        assert len(library.search("fox")) == size
        library.close()
        made[size] = folder
    return made


@pytest.fixture(scope="module")
def spread(shelves: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The same libraries in sub-folders of ten records each."""
    made = {}
    for size, flat in shelves.items():
        folder = tmp_path_factory.mktemp("spread") / "imagine"
        shutil.copytree(flat, folder)
        for number, file in enumerate(sorted(folder.glob("*.json"))):
            part = folder / part_of("2026-11-22", number // 10 + 1)
            part.mkdir(exist_ok=True)
            for path in folder.glob(f"{file.stem}*"):
                path.rename(part / path.name)
        library = Library(folder, subfolders="always")
        assert len(library.search("fox")) == size
        library.close()
        made[size] = folder
    return made


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015e4bd5c30000000049454e44ae426082"
)


def keep(library: Library, prompt: str) -> None:
    entry = library.begin(
        ImageRequest(prompt), key="k", base_url="http://x", origin="platform", slot=Slot("c0")
    )
    entry.sending()
    library.keep(entry, Generation((Picture(PNG),), entry.request))


def replay(library: Library) -> None:
    request = identity(ImageRequest("fox 7"))
    look = library.look(request, Session(), origins={"platform"}, server="http://x")
    choice = decide(look.scene, Slot("c7"), caller="cell", fresh=False)
    assert choice.does == "show"
    assert library.kept(look.files[choice.take])


WARM: dict[str, Callable[[Library], object]] = {
    "a replay": replay,
    "a new picture": lambda library: keep(library, "a new hare"),
    "the newest of the history": lambda library: library.search(limit=10),
    "a page of the gallery": lambda library: [*islice(library.records(), 10)],
    "one record": lambda library: library.record("00000007"),
    "what is unfinished": Library.pending,
}


@pytest.mark.parametrize("name", WARM)
def test_once_it_is_open_no_question_costs_more_in_a_larger_library(
    shelves: dict[int, Path], name: str
) -> None:
    costs = []
    for folder in shelves.values():
        library = Library(folder, metadata=False)
        library.search(limit=1)
        keep(library, "warm")  # what is made with the first of a session
        with counting() as counts:
            WARM[name](library)
        costs.append(counts)
        library.close()
    small, large = costs
    assert small == large


@pytest.mark.parametrize("name", WARM)
def test_once_it_is_open_sqlite_takes_no_more_steps_in_a_larger_library(
    shelves: dict[int, Path], name: str
) -> None:
    steps = []
    for folder in shelves.values():
        library = Counted(folder)
        library.search(limit=1)
        keep(library, "warm")
        with library.index.steps() as counts:
            WARM[name](library)
        steps.append(counts.total())
        library.close()
    small, large = steps
    assert large <= small + SIZES[0]


def test_no_question_costs_more_where_many_records_are_marked(
    shelves: dict[int, Path], tmp_path: Path
) -> None:
    library = Library(shutil.copytree(shelves[SIZES[1]], tmp_path / "imagine"), metadata=False)
    ids = [record.id for record in library.records()]
    costs = []
    for marked in (ids[:2], ids[2:100]):
        with counting() as counts:
            library.mark_all(marked, star=True)
        assert counts["scandir"] <= 2  # the marks, before and after all of them
        asked = []
        for question in (replay, Library.search, lambda it: it.trashed):
            question(library)  # the folder's time was set by the last change
            with counting() as counts:
                question(library)
            asked.append(counts)
        costs.append(asked)
    library.close()
    assert costs[0] == costs[1]


def test_what_is_damaged_is_looked_for_in_all_pictures_once(shelves: dict[int, Path]) -> None:
    """`%imagine tasks` tells of it, and may be asked again and again."""
    costs = []
    for folder in shelves.values():
        library = Library(folder, metadata=False)
        assert library.problems(new=True) == []
        with counting() as counts:
            library.problems(new=True)
        costs.append(counts)
        library.close()
    assert costs[0] == costs[1]


def test_a_session_s_notes_cost_no_more_after_many_others(tmp_path: Path) -> None:
    library = Library(tmp_path / "imagine")
    costs = []
    for count in (40, 400):
        for number in range(count):
            library.note("a request", Session(), Slot(f"c{number}"), "3f2a9c1d")
        asked = Library(library.folder)
        asked.look("another", Session(), origins={"platform"}, server="http://x")
        calls: Counter[str] = Counter()

        def count_call(_: object, event: str, __: object, calls: Counter[str] = calls) -> None:
            calls[event] += event == "call"

        with profiled(count_call):
            asked.look("another", Session(), origins={"platform"}, server="http://x")
        costs.append(calls["call"])
        asked.close()
    library.close()
    assert costs[0] == costs[1]


def test_before_each_request_that_pays_no_folder_is_listed_again(shelves: dict[int, Path]) -> None:
    """A listing of a large library takes as long as all else: what is lost is known from one."""
    library = Library(shelves[SIZES[1]], metadata=False)
    assert not library.lost([("of nothing", "a hare")])
    with counting() as counts:
        assert not library.lost([("of nothing", "a hare")])
    library.close()
    assert not counts["listdir"] + counts["scandir"]


class Counting(Index):
    """Counts the rows that it returns."""

    count = 0

    @contextmanager
    def steps(self) -> Iterator[Counter[str]]:
        """Count what SQLite does meanwhile, step by step."""
        counts: Counter[str] = Counter()
        database = self._database.connection()
        database.set_progress_handler(lambda: counts.update(["step"]), 1)
        yield counts
        database.set_progress_handler(None, 1)

    def rows(self, *asked: Any, **how: Any) -> list[tuple[Any, ...]]:
        found = super().rows(*asked, **how)
        self.count += len(found)
        return found


class Counted(Library):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, metadata=False)
        self.index = self._index = Counting(*self.homes.all)


@pytest.mark.parametrize("ask", [Library.records, Library.selected])
def test_who_looks_at_few_has_few_read_and_who_looks_at_all_has_each_read_once(
    shelves: dict[int, Path], ask: Callable[[Library], Iterator[Record]]
) -> None:
    """In a large index each lies somewhere else."""
    size = max(SIZES)
    library = Counted(shelves[size])
    records = ask(library)
    assert len([*islice(records, 24)]) == 24
    assert library.index.count <= 32
    assert 24 + len([*records]) == library.index.count >= size
    library.close()


@pytest.mark.parametrize("name", WARM)
def test_in_subfolders_a_question_looks_once_at_each_of_them_and_a_replay_at_none(
    spread: dict[int, Path], name: str
) -> None:
    """One of them has a thousand records: so what grows is a thousandth of what there is."""
    costs, folders = [], []
    for folder in spread.values():
        library = Library(folder, metadata=False, subfolders="always")
        library.search(limit=1)
        keep(library, "warm")
        with counting() as counts:
            WARM[name](library)
        costs.append(counts)
        folders.append(len([path for path in folder.iterdir() if is_subfolder(path.name)]))
        library.close()
    small, large = costs
    more = {"a replay": 0, "what is unfinished": 0}.get(name, folders[1] - folders[0])
    assert {**large, "lstat": large["lstat"] - more} == {**small, "lstat": small["lstat"]}


def test_what_has_changed_in_one_subfolder_has_only_that_listed(spread: dict[int, Path]) -> None:
    costs = []
    for folder in spread.values():
        library = Library(folder)
        assert library.search("fox", limit=1)
        new = folder / "2026-11-22" / "2026-11-22-heron-00ffffff.json"
        file = next((folder / "2026-11-22").glob("*.json"))
        stands = json.loads(file.read_text())
        stands |= {"id": "00ffffff", "request": {**stands["request"], "prompt": "a heron"}}
        new.write_text(json.dumps(stands))
        with counting() as counts:
            assert len(library.search("heron")) == 1
        costs.append(counts)
        library.close()
    small, large = costs
    assert small["listdir"] == large["listdir"] == 1
    assert {**small, "lstat": 0} == {**large, "lstat": 0}


def test_the_first_replay_of_a_session_looks_at_nothing_but_its_own_record(
    shelves: dict[int, Path],
) -> None:
    costs = []
    for folder in shelves.values():
        for _ in range(2):  # the folder's time is noted by the first
            library = Library(folder)
            library.search(limit=1)
            library.close()
        library = Library(folder)
        with counting() as counts:
            replay(library)
        costs.append(counts)
        library.close()
    assert costs[0] == costs[1]


def test_opening_looks_once_at_each_record_and_opens_none(shelves: dict[int, Path]) -> None:
    counted, sizes = [], []
    for folder in shelves.values():
        library = Library(folder)
        with counting() as counts:
            assert len(library.search("fox 7", limit=1)) == 1
            assert library.origins() == {"platform"}
            assert library.usage().total.requests >= min(SIZES)
        sizes.append(len([*folder.glob("*.json")]))
        counted.append(counts)
        library.close()
    small, large = counted
    assert large["stat"] - small["stat"] == sizes[1] - sizes[0]
    assert {**large, "stat": 0} == {**small, "stat": 0}


def test_an_index_that_is_made_anew_lists_the_folder_once_and_puts_many_rows_on_a_page(
    shelves: dict[int, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path))
    size = max(shelves)
    index = Index(shelves[size], step=size // 4)
    with counting() as counts:
        assert len(index.rows("SELECT id FROM kept")) >= size
    assert counts["listdir"] + counts["scandir"] == 3  # the library once, and the cache
    assert index.rows("PRAGMA page_count")[0][0] < size / 4
    index.close()


def test_of_what_another_user_adds_nothing_else_is_read(shelves: dict[int, Path]) -> None:
    """Another user has another index: ours learns it from the folder."""
    costs = []
    for folder in shelves.values():
        ours = Library(folder)
        ours.search(limit=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPEAI_NB_CACHE", str(folder.parent / "another cache"))
            other = Library(folder, metadata=False)
            keep(other, "an otter")
            other.close()
        with counting() as counts:
            assert ours.search("otter", limit=1)
        costs.append(counts)
        ours.close()
    assert costs[0] == costs[1]


class Console(StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.isatty = lambda: is_terminal  # type: ignore[method-assign]  # a terminal or none


def test_growth_is_told_on_one_line_of_a_terminal_and_elsewhere_at_both_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(console: Console | None) -> str:
        monkeypatch.setattr(sys, "stderr", console)
        for count in (5_000, 10_000, 12_000):
            tell_growth(count, 12_000, is_first=count == 5_000)
        return console.getvalue() if console is not None else ""

    assert told(Console(is_terminal=True)).splitlines()[1:] == [
        f"{count} of 12,000 records read into the index" for count in ("5,000", "10,000", "12,000")
    ]
    assert told(Console(is_terminal=False)) == "".join(
        f"{count} of 12,000 records read into the index\n" for count in ("5,000", "12,000")
    )
    assert told(None) == ""


def test_the_end_of_growth_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is put in order then, and that takes longer than the beat of words."""
    console = Console(is_terminal=False)
    monkeypatch.setattr(sys, "stderr", console)
    growth = Growth(12_000, age=0)

    def work() -> None:
        growth.count = 12_000
        threading.Event().wait(0.6)

    growth.begin(work)
    growth.wait()
    assert console.getvalue() == "12,000 of 12,000 records read into the index\n"
