"""A very large library is used while its index is made: at once, and nothing of it is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.client.values.filename import slug
from opeai_nb.errors import LibraryError
from opeai_nb.library import Library, Session, Slot, identity
from opeai_nb.library.disk.subfolder import slug_in
from opeai_nb.library.index.growing import Read, read_row
from opeai_nb.library.index.index import Index
from opeai_nb.library.index.index_database import is_in_order
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.index.index_row import DISORDER
from opeai_nb.library.index.names_there import NamesThere
from tests.library.replaying import SERVER
from tests.profiled import profiled

COUNT = 24


class Slow:
    """Reads records; after the first *free* it waits until it is let go on."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.files: list[str] = []
        self.is_there = threading.Event()
        self.goes_on = threading.Event()

    def __call__(
        self, folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        if there:  # in the background
            if len(self.files) == self.free:
                self.is_there.set()
                assert self.goes_on.wait(60)
            self.files.append(file)
        return read_row(folder, home, file, there)


class Growing(Library):
    """A library whose index takes ten records for very many, and reads them as it is told."""

    def __init__(self, folder: Path, read: Read, index: type[Index] = Index) -> None:
        super().__init__(folder)
        self._index = index(*self.homes.all, step=4, many=10, read=read)


class EndsBehindALook(Index):
    """An index whose last records are read in the very moment after it was asked."""

    def answers_at_once(self, *asked: Any, whole: bool = True) -> list[list[tuple[Any, ...]]]:
        found = super().answers_at_once(*asked, whole=whole)
        if isinstance(self._read, Slow):
            self._read.goes_on.set()
        self.wait(bool)
        return found


@pytest.fixture
def shelf(keep: Callable[..., Generation], library: Library, folder: Path) -> Path:
    """A library of some records, without its index."""
    for number in range(COUNT):
        keep(f"fox {number}", slot=Slot(f"c{number}"), into=library)
    library.close()
    index_file(folder).unlink()
    return folder


@pytest.fixture
def slow() -> Iterator[Slow]:
    read = Slow(free=9)
    yield read
    read.goes_on.set()


@pytest.fixture
def growing(shelf: Path, slow: Slow) -> Iterator[Growing]:
    """The library in the middle of its growth: the newest eight are in, and the next one waits."""
    library = Growing(shelf, slow)
    assert library.growth() is not None
    assert slow.is_there.wait(60)
    yield library
    slow.goes_on.set()
    library.close()


def takes_of(library: Library, prompt: str) -> list[str]:
    request = ImageRequest(prompt)
    look = library.look(
        identity(request), Session(), origins={"platform"}, server=SERVER, prompt=prompt
    )
    return [path.name for path in look.files.values()]


def finish(library: Library, slow: Slow) -> None:
    slow.goes_on.set()
    assert len([*library.records()]) >= COUNT
    assert library.growth() is None


def test_what_is_there_is_shown_and_how_much_of_it(growing: Growing, slow: Slow) -> None:
    count, total = growing.growth() or (0, 0)
    assert 4 <= count < total == COUNT
    found = growing.search("fox", whole=False)
    assert 4 <= len(found) < COUNT
    newest = {f"fox {number}" for number in range(COUNT)}
    assert {record.prompt for record in found} < newest
    finish(growing, slow)
    assert len(growing.search("fox")) == COUNT


@pytest.mark.parametrize("number", range(0, COUNT, 5))
def test_any_record_replays_at_once(growing: Growing, slow: Slow, number: int) -> None:
    prompt = f"fox {number}"
    assert growing.holds([identity(ImageRequest(prompt))], prompt=prompt)
    (file,) = takes_of(growing, prompt)
    assert f"-fox-{number}-" in file
    assert not slow.goes_on.is_set()
    finish(growing, slow)
    assert takes_of(growing, prompt) == [file]


def test_what_is_read_in_the_moment_after_a_look_is_found(shelf: Path, slow: Slow) -> None:
    library = Growing(shelf, slow, EndsBehindALook)
    assert library.growth() is not None
    (file,) = takes_of(library, "fox 0")
    assert "-fox-0-" in file
    assert library.growth() is None
    library.close()


def test_a_new_picture_is_kept_at_once_and_is_there_once_it_has_grown(
    growing: Growing, slow: Slow, keep: Callable[..., Generation]
) -> None:
    keep("a new hare", into=growing)
    (file,) = takes_of(growing, "a new hare")
    assert [record.prompt for record in growing.search("hare", whole=False)] == ["a new hare"]
    finish(growing, slow)
    assert takes_of(growing, "a new hare") == [file]
    assert len([*growing.records()]) == COUNT + 1


def test_a_record_that_was_renamed_replays_at_once(shelf: Path, slow: Slow) -> None:
    (record,) = shelf.glob("*-fox-0-*.json")
    record.rename(shelf / "favourite.json")
    library = Growing(shelf, slow)
    assert takes_of(library, "fox 0") == ["favourite.json"]
    finish(library, slow)
    library.close()


def test_what_another_kernel_keeps_meanwhile_replays(
    growing: Growing, slow: Slow, keep: Callable[..., Generation]
) -> None:
    keep("a hare", into=Library(growing.folder))
    assert takes_of(growing, "a hare")
    finish(growing, slow)
    assert len([*growing.records()]) == COUNT + 1


def test_what_another_user_keeps_meanwhile_replays(
    growing: Growing, slow: Slow, keep: Callable[..., Generation], tmp_path: Path
) -> None:
    """Another user has another index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_CACHE", str(tmp_path / "another cache"))
        keep("an otter", into=Library(growing.folder))
    assert takes_of(growing, "an otter")
    finish(growing, slow)
    assert len([*growing.records()]) == COUNT + 1


def test_who_needs_all_waits_for_all(growing: Growing, slow: Slow) -> None:
    """Sums, plans and exports are not made of a part."""
    found: list[int] = []
    asks = threading.Thread(target=lambda: found.append(growing.usage().total.requests))
    asks.start()
    asks.join(0.2)
    assert asks.is_alive()
    slow.goes_on.set()
    asks.join(60)
    assert found == [COUNT]


def test_where_names_do_not_tell_records_apart_it_waits(
    shelf: Path, slow: Slow, keep: Callable[..., Generation]
) -> None:
    """Of a thousand rows of one batch the beginning of the prompt is the same."""
    alike = [f"a fox in the snow on a hill far away, in soft light, {n}" for n in range(8)]
    other = Library(shelf)
    for prompt in alike:
        keep(prompt, into=other)
    other.close()
    index_file(shelf).unlink()
    slow.free = 1
    growing = Growing(shelf, slow)
    assert growing.growth() is not None
    assert slow.is_there.wait(60)
    found: list[list[str]] = []
    asks = threading.Thread(target=lambda: found.append(takes_of(growing, alike[3])))
    asks.start()
    asks.join(0.2)
    assert asks.is_alive()
    slow.goes_on.set()
    asks.join(60)
    assert len(found[0]) == 1
    growing.close()


def test_while_it_grows_no_folder_is_listed_again_for_what_is_kept_or_made_here(
    growing: Growing, slow: Slow, keep: Callable[..., Generation]
) -> None:
    def listed(work: Callable[[], object]) -> int:
        count = 0

        def look(_: object, event: str, called: Any) -> None:
            nonlocal count
            count += event == "c_call" and called.__name__ in {"listdir", "scandir"}

        with profiled(look):
            work()
        return count

    keep("a hare", into=growing)  # makes what a library makes once
    takes_of(growing, "a hare")
    for number in range(3):
        prompt = f"an otter {number}"
        assert listed(partial(keep, prompt, into=growing)) <= 1  # the journal
        assert listed(partial(growing._index.of_prompt, slug(prompt), bool)) == 0
        assert takes_of(growing, prompt)
    keep("an owl", into=Library(growing.folder))
    assert takes_of(growing, "an owl")
    finish(growing, slow)


def test_what_comes_into_a_new_subfolder_while_it_grows_replays(
    shelf: Path, slow: Slow, keep: Callable[..., Generation]
) -> None:
    growing, other = Growing(shelf, slow), Library(shelf)
    growing.subfolders = other.subfolders = "always"
    assert growing.growth() is not None
    for library, prompt in ((growing, "a hare"), (other, "an otter"), (growing, "an owl")):
        keep(prompt, into=library)
        (name,) = takes_of(growing, prompt)
        assert len([*shelf.glob(f"2*/{name}")]) == 1
    finish(growing, slow)
    assert len([*growing.records()]) == COUNT + 3
    growing.close()


def test_closing_ends_it_and_the_next_session_goes_on(shelf: Path, slow: Slow) -> None:
    library = Growing(shelf, slow)
    library.growth()
    assert slow.is_there.wait(60)
    library.close()
    slow.goes_on.set()
    rest = Slow(free=COUNT + 1)
    again = Growing(shelf, rest)
    assert len([*again.records()]) == COUNT
    assert len(rest.files) <= COUNT - 4
    again.close()


def test_what_was_closed_while_it_grew_is_not_opened_again_by_what_is_left_of_it(
    shelf: Path, slow: Slow
) -> None:
    library = Growing(shelf, slow)
    library.growth()
    assert slow.is_there.wait(60)
    library.close()
    index_file(shelf).unlink()
    slow.goes_on.set()
    growth = library._index._following.last
    assert growth is not None
    growth.wait()
    assert not index_file(shelf).exists()
    assert len(slow.files) < COUNT


def test_what_grows_stands_whatever_another_session_sees_of_it_while_it_opens_it(
    growing: Growing, slow: Slow, shelf: Path
) -> None:
    """Between any two of its statements the orders that it may have made are taken away again."""
    inode = index_file(shelf).stat().st_ino
    taken = 0
    with closing(sqlite3.connect(index_file(shelf), timeout=0)) as grows:

        def take(_: object, event: str, called: Any) -> None:
            nonlocal taken
            if event == "c_return" and called.__name__ in {"execute", "executescript"}:
                with suppress(sqlite3.OperationalError):  # it is locked: no one sees it half made
                    grows.executescript(";".join(DISORDER))
                    taken += 1

        second = Library(shelf)
        with profiled(take):
            assert second.growth() is None
    assert taken
    second.close()
    assert index_file(shelf).stat().st_ino == inode
    finish(growing, slow)
    assert len(slow.files) == COUNT


def test_an_index_that_was_left_without_its_orders_has_them_after_the_next_question(
    shelf: Path,
) -> None:
    library = Library(shelf)
    assert len([*library.records()]) == COUNT
    library.close()
    with closing(sqlite3.connect(index_file(shelf))) as database:
        database.executescript(";".join(DISORDER))
    library = Library(shelf)
    assert len([*library.records()]) == COUNT
    library.close()
    with closing(sqlite3.connect(index_file(shelf))) as database:
        assert is_in_order(database)


def test_what_ends_the_growth_is_told_to_who_waits_for_it(shelf: Path) -> None:
    """It would end the next one, too: a question that began one after another would not end."""

    def refuse(
        folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        raise PermissionError(13, "Permission denied")

    library = Growing(shelf, refuse)
    with pytest.raises(LibraryError, match="cannot be read: Permission denied"):
        library.origins()
    library.close()


def test_a_process_that_is_killed_in_it_loses_nothing(shelf: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from tests.library.index.test_growing import Growing, Slow
        slow = Slow(free=9)
        library = Growing(Path(sys.argv[1]), slow)
        library.growth()
        assert slow.is_there.wait(60)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = [sys.executable, "-c", textwrap.dedent(code), str(shelf)]
    assert subprocess.run(run, check=False).returncode == -9
    library = Library(shelf)
    assert {record.prompt for record in library.records()} == {f"fox {n}" for n in range(COUNT)}
    assert library.problems() == []
    library.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_makes_its_own_way(growing: Growing, slow: Slow) -> None:
    child = os.fork()
    if child == 0:
        slow.goes_on.set()
        os._exit(len([*growing.records()]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == COUNT
    finish(growing, slow)


def test_the_folder_may_go_while_it_grows(growing: Growing, slow: Slow, shelf: Path) -> None:
    shelf.rename(shelf.with_name("elsewhere"))
    slow.goes_on.set()
    assert [*growing.records()] == []


def test_a_file_that_came_and_is_listed_is_named_once(shelf: Path) -> None:
    names = NamesThere(shelf, lambda _: None)
    file = next(shelf.glob("*-fox-0-*.json")).name
    names.came("", None, [file, file])
    assert names.of("fox-0") == [file]
    names.came("", None, [file])
    assert names.of("fox-0") == [file]
    assert names.of("hare") == []


@pytest.mark.parametrize(
    ("file", "tells"),
    [
        ("2026-11-22-a-red-fox-3f2a9c1d.json", "a-red-fox"),
        ("2026-11-22/2026-11-22-a-red-fox-3f2a9c1d.json", "a-red-fox"),
        ("2026-11-22-002/2026-11-22-a-red-fox-3f2a9c1d.json", "a-red-fox"),
        ("favourite.json", None),
        ("2026-11-22/favourite.json", None),
        ("2026-11-22-ru\u0308be-3f2a9c1d.json", "r\u00fcbe"),
        ("2026-11-22-r\u00fcbe-3f2a9c1d.json", "r\u00fcbe"),
    ],
)
def test_a_name_tells_the_slug_of_its_prompt_in_either_spelling(
    file: str, tells: str | None
) -> None:
    assert slug_in(file) == tells
