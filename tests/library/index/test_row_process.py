"""A hundred thousand records are read by two processes, and by one where there is no other."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation
from opeai_nb.library import Library, Slot
from opeai_nb.library.index.growing import Source, early_process, grow, read_row
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.index.quick_row import quick_row
from opeai_nb.library.index.row_process import RowProcess, RowQueue

COUNT = 12
BROKEN = "2026-11-22-broken-00000000.json"


@pytest.fixture
def shelf(keep: Callable[..., Generation], library: Library, folder: Path) -> Path:
    """A library of some records, one of which is none."""
    for number in range(COUNT):
        keep(f"fox {number}", slot=Slot(f"c{number}"), into=library)
    library.close()
    (folder / BROKEN).write_text("{")
    return folder


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has two, whatever this one has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def rows_by(process: RowProcess, files: list[str]) -> list[tuple[Any, ...] | None] | None:
    process.ask(files)
    return process.answer()


def own_rows(folder: Path, files: list[str]) -> list[tuple[Any, ...] | None]:
    there = frozenset(path.name for path in folder.iterdir())
    return [None if file == BROKEN else read_row(folder, 0, file, there) for file in files]


@pytest.mark.usefixtures("two_processors")
def test_its_rows_are_those_that_are_read_here(shelf: Path) -> None:
    files = files_in(shelf)
    process = RowProcess(shelf, 0)
    process.start()
    assert process.is_there
    assert rows_by(process, files) == own_rows(shelf, files)
    assert rows_by(process, files[:2]) == own_rows(shelf, files[:2])
    process.end()
    assert not process.is_there
    assert rows_by(process, files) is None


def test_a_record_with_half_a_letter_takes_more_care(shelf: Path) -> None:
    """JSON may tell `\\ud83d` alone, which no file and no index takes."""
    (file,) = shelf.glob("*-fox-3-*.json")
    file.write_text(file.read_text().replace('"fox 3"', '"fox 3 \\ud83d"', 1))
    there = frozenset(path.name for path in shelf.iterdir())
    assert quick_row(str(shelf), 0, file.name, there) is None
    row = read_row(shelf, 0, file.name, there)
    assert row is not None
    assert "\ufffd" in row[-1] or "?" in row[-1]
    assert row[4] is None


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
@pytest.mark.usefixtures("two_processors")
def test_one_that_was_killed_answers_nothing(shelf: Path) -> None:
    process = RowProcess(shelf, 0)
    process.start()
    assert rows_by(process, files_in(shelf)[:1])
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    assert rows_by(process, files_in(shelf)) is None
    process.end()


@pytest.mark.usefixtures("two_processors")
def test_what_it_cannot_read_is_read_here(shelf: Path) -> None:
    """A record that takes more care comes back without its row, and so do all once it is gone."""
    files = files_in(shelf)
    with RowQueue(RowProcess(shelf, 0), is_used=True) as queue:
        queue.ask(files)
        part, rows = queue.answer()
        assert (part, rows) == (files, own_rows(shelf, files))
        queue._process.end()
        queue.ask(files)
        assert queue.answer() == (files, None)
        assert not queue.wants_more


def test_where_no_process_can_be_started_there_is_none(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(shelf / "no-python"))
    for processors in ({0}, {0, 1}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, few=processors: few, raising=False)
        process = RowProcess(shelf, 0)
        process.start()
        assert not process.is_there
        assert rows_by(process, files_in(shelf)) is None
        process.end()


@pytest.mark.usefixtures("two_processors")
def test_all_are_written_down_once_whoever_reads_them(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, written = files_in(shelf), list[tuple[Any, ...]]()
    monkeypatch.setattr("opeai_nb.library.index.growing.MANY", 5)
    names: list[str] = []

    def write(part: Any, rows: Any) -> bool:
        names.extend(part)
        written.extend(rows)
        return True

    assert grow(Source(0, shelf, read_row), files, write, 2)
    assert sorted(names) == files
    assert {row[1] for row in written} == set(files)
    assert [row[1] for row in written if row[4] is not None] == [BROKEN]


@pytest.mark.usefixtures("two_processors")
def test_it_starts_before_a_large_folder_is_listed(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert early_process(0, shelf, read_row) is None, "the folder is small"
    monkeypatch.setattr("opeai_nb.library.index.growing.MANY", 0)
    process = early_process(0, shelf, read_row)
    assert process is not None
    assert process.is_there
    assert rows_by(process, files_in(shelf)) == own_rows(shelf, files_in(shelf))
    process.end()


@pytest.mark.usefixtures("two_processors")
def test_it_ends_where_a_large_folder_has_few_records(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = list[RowProcess | None]()

    def watched(*arguments: Any) -> RowProcess | None:
        started.append(process := early_process(*arguments))
        return process

    monkeypatch.setattr("opeai_nb.library.index.growing.MANY", 0)
    monkeypatch.setattr("opeai_nb.library.index.following.early_process", watched)
    index_file(shelf).unlink()
    library = Library(shelf)
    assert len(list(library.records())) == COUNT
    library.close()
    (process,) = (each for each in started if each is not None)
    assert not process.is_there


@pytest.mark.usefixtures("two_processors")
def test_who_wants_no_more_ends_it(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opeai_nb.library.index.growing.MANY", 5)
    parts: list[Any] = []

    def write(part: Any, _: Any) -> bool:
        parts.append(part)
        return len(parts) < 2

    assert not grow(Source(0, shelf, read_row), files_in(shelf), write, 2)
    assert len(parts) == 2


@pytest.mark.usefixtures("two_processors")
def test_it_imports_nothing_from_the_folder_of_the_notebook(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("orjson.py", "json.py", "marshal.py", "subprocess.py"):
        (tmp_path / name).write_text("raise SystemExit('a module of the notebook was run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", *sys.path])
    files = files_in(shelf)
    process = RowProcess(shelf, 0)
    process.start()
    assert rows_by(process, files) == own_rows(shelf, files)
    process.end()
