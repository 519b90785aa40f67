"""The index: what the records say, in SQLite, so that ten thousand need not be read.

It is derived. The files are the truth: it can be deleted at any time, and it is compared with the
folder's listing whenever the folder has changed. It lies in the user's cache (`index_file`); where
it cannot be written it is held in memory. An `.index` in the folder, from 0.1.0, is passed over.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from opeai_nb.errors import LibraryError
from opeai_nb.guard import Guard
from opeai_nb.library.disk.subfolder import subfolder_of, time_in
from opeai_nb.library.index.folder_time import alone_in
from opeai_nb.library.index.following import Following, Limits
from opeai_nb.library.index.growing import read_row
from opeai_nb.library.index.index_database import IndexDatabase, reading, transaction
from opeai_nb.library.index.index_row import FileStat, row_of
from opeai_nb.library.index.index_write import (
    home_noted,
    note,
    note_subfolder,
    put_new,
    write_down,
)
from opeai_nb.library.index.placing import Placing
from opeai_nb.library.library_warning import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opeai_nb.library.index.growing import Growth, Read
    from opeai_nb.library.records.record import Record

Result = TypeVar("Result")


class Index:
    """Answers questions about the records of a library's *homes*. Any thread may ask.

    A record's home is told by its number, its file by its name there: `2026-11-22/….json` in a
    sub-folder. *patience* is how many seconds it waits for another process that writes the same
    file. Of a folder with many new records what is read, by *read*, is written down at each *step*:
    an interrupt costs no more than that. From *many* on they are read in the background.
    """

    def __init__(
        self,
        *homes: Path,
        patience: float = 5.0,
        step: int = Limits().step,
        many: int = Limits().many,
        read: Read = read_row,
    ) -> None:
        self._homes = homes
        self._lock = Guard()
        self._read = read
        self._database = IndexDatabase(homes[0], patience)
        self._following = Following(homes, self._database, read, self._lock, Limits(step, many))
        self._placings: list[Placing] = []

    # -- asking

    def rows(
        self, query: str, values: Mapping[str, Any] | Sequence[Any] = (), *, whole: bool = True
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query, after a look at whether a home has changed.

        While very many records are read, it waits for them; without *whole*, it returns what is
        there. Raises `LibraryError` when it cannot be read.
        """
        return self.answers((query, values), whole=whole)[0]

    @property
    def growth(self) -> tuple[int, int] | None:
        """How many of how many records were read, while very many are; else None."""
        growth = self._following.growth
        return None if growth is None else (growth.count, growth.total)

    @property
    def drops(self) -> int:
        """How often records were found to be no more where they were."""
        return self._following.drops

    def answers(
        self, *asked: tuple[str, Mapping[str, Any] | Sequence[Any]], whole: bool = True
    ) -> list[list[tuple[Any, ...]]]:
        """Return the rows of several queries, all as of one moment, as `rows` does of one.

        Raises `LibraryError` when it cannot be read.
        """
        while True:
            with self._lock:
                growth, last = self._following.growth, self._following.last
                found = self._answers(asked)
                if self._following.last is not last:  # it has begun with this question
                    growth = self._following.last
            if not whole or growth is None:
                return found
            with _errors_of_folder():
                growth.wait()

    def _answers(
        self, asked: Sequence[tuple[str, Mapping[str, Any] | Sequence[Any]]]
    ) -> list[list[tuple[Any, ...]]]:
        def ask(database: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
            # One transaction: SQLite locks its file for each, and looks for a journal beside it.
            with reading(database):
                if not (changed := self._following.changed(database)):
                    return [database.execute(*each).fetchall() for each in asked]
            self._following.follow(database, changed)
            return [database.execute(*each).fetchall() for each in asked]

        with self._lock, _errors_of_folder():
            if not any(map(os.path.isdir, self._homes)):
                return [[] for _ in asked]
            return self._database.ask(ask)

    def answers_at_once(
        self, *asked: tuple[str, Mapping[str, Any] | Sequence[Any]], whole: bool = True
    ) -> list[list[tuple[Any, ...]]]:
        """Return what `answers` does, with no look at all of a home that is as it was.

        That tells the home's time, but for records that were edited in place, and for what was put
        into a sub-folder by hand: each row of the first query ends with home, file, time and size
        of its record, and where there is none, or one whose file has changed, all are looked at.
        Raises `LibraryError`, as `answers`.
        """

        def ask(database: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
            homes = range(len(self._homes))
            if any(self._following.has_other_time(database, home) for home in homes):
                return [[]]
            return [database.execute(query, values).fetchall() for query, values in asked]

        with self._lock:
            following = self._following
            # Of a library in one folder a look at all is a look at that.
            is_shorter = following.is_spread or not following.has_seen_all
            if is_shorter or not self._database.is_open:
                with suppress(OSError):
                    found = self._database.ask(ask)
                    if found[0] and all(following.is_as_noted(*row[-4:]) for row in found[0]):
                        return found
        return self.answers(*asked, whole=whole)

    def wait(self, tell: Callable[[], object]) -> None:
        """Wait until the records are read, where very many are. *tell* is called before."""
        with self._lock:
            growth = self._following.growth
        if growth is None:
            return
        tell()
        with _errors_of_folder():
            growth.wait()

    def of_prompt(self, slug: str, ask: Callable[[], Result]) -> tuple[Result, bool]:
        """Return what *ask* returns once what there is of a prompt, by the *slug* in names, is in.

        *ask* takes what there is while very many are read; that is told, too. What was edited by
        hand, and is named as it was before, is found with the rest (`wait`). They may all be read
        in the very moment after it was asked: it is asked again all the same.
        """
        met: Growth | None = None
        while True:
            with self._lock:
                growth, last = self._following.growth, self._following.last
            found = ask()
            with self._lock:
                if self._following.last is not last:  # it has begun with this question
                    growth = self._following.last
                if growth is None or growth is met:
                    return found, met is not None
                met = growth
                has_all = self._database.ask(lambda it: self._following.meet(it, slug))
            if not has_all:
                with _errors_of_folder():
                    growth.wait()

    def reread(self, home: int, *files: str) -> None:
        """Read records again: something in them was found to be changed in place, or is new."""

        def read(database: sqlite3.Connection) -> None:
            folder = self._homes[home]
            rows = [row for file in files if (row := self._read(folder, home, file)) is not None]
            write_down(database, home, files, rows)

        with self._lock:
            self._database.ask(read)

    # -- publishing

    def publish(self, record: Record, place: Callable[[], None]) -> None:
        """Let *place* put a record's files into the folder, and know it.

        What several threads publish at once is one transaction, and one change of the folder.

        While it does, nobody else publishes, neither a process of this user's (the index is locked)
        nor another user (the folder is): so the change of the folder's time is known to be this
        one, and nobody has to list ten thousand names for it. Raises what *place* raises.
        """
        placing = Placing(record, place)
        self._placings.append(placing)
        with self._lock:
            # Group commit: who waited for the lock meanwhile finds that it is done.
            if not placing.is_done:
                self._publish(self._now(placing))
        if placing.error is not None:
            raise placing.error

    def _now(self, placing: Placing) -> list[Placing]:
        """Return what is to be published with *placing*: all that waits for the same home."""
        folder = placing.record.folder
        alike = [each for each in tuple(self._placings) if each.record.folder == folder]
        for each in alike:
            self._placings.remove(each)
        return [placing, *(each for each in alike if each is not placing)]

    def _publish(self, placings: Sequence[Placing]) -> None:
        database = self._writable()
        if database is not None:
            try:
                with transaction(database):
                    self._place(database, placings)
            except sqlite3.Error as error:
                if self._database.forsake(error):
                    self._database.in_memory()  # it was waited for once
        if not all(placing.is_put for placing in placings):  # this process has no index: others do
            with alone_in(placings[0].record.folder):
                for placing in placings:
                    placing.put()
        for placing in placings:
            placing.is_done = True

    def _place(self, database: sqlite3.Connection, placings: Sequence[Placing]) -> None:
        folder = placings[0].record.folder
        home = self._homes.index(folder)
        parts = {subfolder_of(placing.record.file) for placing in placings} - {""}
        with alone_in(folder) as is_alone:
            before: dict[str, int | None] = {part: time_in(folder, part) for part in parts}
            before[""] = folder.stat().st_mtime_ns
            times, mark = home_noted(database, home)
            if parts:  # before, too: a process may be killed in between
                _touch(folder)
            for placing in placings:
                if placing.put():
                    mark = self._insert(database, home, placing, mark)
            if parts:
                _touch(folder)
            for part in ("", *parts):
                stamp = times.get(part)
                if is_alone and (not part or time_in(folder, part) is not None):
                    files = [placing.record.file for placing in placings]
                    stamp = self._following.came(home, part, before[part], stamp, files)
                if part:
                    note_subfolder(database, home, part, stamp)
                else:
                    note(database, home, stamp, mark)

    def _writable(self) -> sqlite3.Connection | None:
        try:
            return self._database.connection()
        except sqlite3.Error as error:
            self._database.forsake(error)
            return None

    def _insert(
        self, database: sqlite3.Connection, home: int, placing: Placing, mark: int | None
    ) -> int | None:
        """Put a record's row into the index and return what the mark of its home is then."""
        record = placing.record
        try:
            status = os.stat(f"{record.folder}{os.sep}{record.file}")  # noqa: PTH116  a Path costs more
        except OSError as error:
            placing.error = error
            return mark
        stat = FileStat(status.st_mtime_ns, status.st_size)
        text = record.dumps().decode()
        row = row_of(home, record.file, record.stands, text, stat, look=record.look())
        return put_new(database, home, mark, row)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()


def _touch(folder: Path) -> None:
    """Let whoever looks at a home alone see that there is more in its sub-folders."""
    with suppress(OSError):  # another user's folder
        os.utime(folder)


@contextmanager
def _errors_of_folder() -> Iterator[None]:
    """Raise `LibraryError` for a folder that cannot be read."""
    try:
        yield
    except OSError as error:
        raise LibraryError(
            f"The library folder cannot be read: {reason(error)}.",
            advice="Check its permissions, or set another one as Imagine.library.",
        ) from error
