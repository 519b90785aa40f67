"""The index: what the records say, in SQLite, so that ten thousand need not be read.

It is derived. The files are the truth: it can be deleted at any time, and it is compared with the
folder's listing whenever the folder has changed. It lies in the user's cache (`index_file`); where
it cannot be written it is held in memory. An `.index` in the folder, from 0.1.0, is passed over.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.errors import LibraryError
from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import (
    LARGEST_MARK,
    discard,
    is_plain_name,
    mark_of,
    names_in,
    times_in,
)
from opeai_nb.library.disk.locks import try_lock
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.index.index_row import COLUMNS, DISORDER, ORDERS, SCHEMA, FileStat, row_of
from opeai_nb.library.index.placing import Placing
from opeai_nb.library.index.quick_row import quick_row
from opeai_nb.library.library_warning import reason
from opeai_nb.library.records.record import ENDING, read_record_and_text
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from opeai_nb.library.records.record import Record

Result = TypeVar("Result")

_SETTLED_NS: Final = 2_000_000_000
"""A folder's time that is older than this cannot be given twice, even on coarse file systems."""
_STEP_NS: Final = 1_000
_BROKEN: Final = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MANY: Final = 10_000
"""Fewer records are read before anybody wonders."""
_CACHE: Final = 64_000
"""kB for the index while many records come into it: else its pages are written again and again."""
_ROW: Final = f"({','.join('?' * len(COLUMNS))})"
_AT_ONCE: Final = 40
"""Rows that one statement writes: its 800 values are fewer than any SQLite takes."""
_SOUND: Final = "SELECT file, mtime, size FROM records WHERE home = ? AND problem IS NULL"
_EACH: Final = "SELECT file, mtime, size FROM records WHERE home = ?"
_BROKEN_FILES: Final = "SELECT file FROM records WHERE home = ? AND problem IS NOT NULL"
_ANY: Final = "SELECT 1 FROM records WHERE home = ? LIMIT 1"
_NOT_THERE: Final = (FileNotFoundError, NotADirectoryError)
_INSERT: Final = "INSERT OR REPLACE INTO records VALUES "
_INSERT_NEW: Final = f"INSERT OR IGNORE INTO records VALUES {_ROW}"  # noqa: S608  our own
_NAMED: Final = "WHERE home = ? AND file IN (SELECT value FROM json_each(?))"
_STATS: Final = f"SELECT file, mtime, size FROM records {_NAMED}"  # noqa: S608  our own
_DELETE: Final = f"DELETE FROM records {_NAMED}"  # noqa: S608  our own

_inherited: list[sqlite3.Connection] = []
"""Those of a parent process, never closed here: its threads may have been in the middle of one."""


class _OtherMakeError(sqlite3.DatabaseError):
    """A file that is a database, and not our index."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


class Index:
    """Answers questions about the records of a library's *homes*. Any thread may ask.

    A record's home is told by its number. *patience* is how many seconds it waits for another
    process that writes the same file. Of a folder with many new records what is read is written
    down at each *step*: an interrupt costs no more than that.
    """

    def __init__(self, *homes: Path, patience: float = 5.0, step: int = 1_000) -> None:
        self._homes = homes
        self._step = step
        self._patience = patience
        self._lock = Guard()
        self._database: sqlite3.Connection | None = None
        self._is_shared = False
        self._file = homes[0]  # until it is opened
        self._opened = (0, 0)
        self._compared: set[int] = set()
        self._absent: set[int] = set()
        self._placings: list[Placing] = []

    # -- asking

    def rows(
        self, query: str, values: Mapping[str, Any] | Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query, after a look at whether a home has changed.

        Raises `LibraryError` when it cannot be read.
        """
        return self.answers((query, values))[0]

    def answers(
        self, *asked: tuple[str, Mapping[str, Any] | Sequence[Any]]
    ) -> list[list[tuple[Any, ...]]]:
        """Return the rows of several queries, all as of one moment, as `rows` does of one.

        Raises `LibraryError` when it cannot be read.
        """

        def ask(database: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
            # One transaction: SQLite locks its file for each, and looks for a journal beside it.
            with _reading(database):
                if not (changed := self._changed(database)):
                    return [database.execute(*each).fetchall() for each in asked]
            self._follow(database, changed)
            return [database.execute(*each).fetchall() for each in asked]

        with self._lock:
            try:
                if not any(map(os.path.isdir, self._homes)):
                    return [[] for _ in asked]
                return self._with_database(ask)
            except OSError as error:
                raise LibraryError(
                    f"The library folder cannot be read: {reason(error)}.",
                    advice="Check its permissions, or set another one as Imagine.library.",
                ) from error

    def answers_at_once(
        self, *asked: tuple[str, Mapping[str, Any] | Sequence[Any]]
    ) -> list[list[tuple[Any, ...]]]:
        """Return what `answers` does, with no look at all of a home that is as it was.

        That tells the home's time, but for records that were edited in place: each row of the first
        query ends with home, file, time and size of its record, and where there is none, or one
        whose file has changed, all are looked at. Raises `LibraryError`, as `answers`.
        """

        def ask(database: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
            if any(self._has_other_time(database, home) for home in range(len(self._homes))):
                return [[]]
            return [database.execute(query, values).fetchall() for query, values in asked]

        with self._lock:
            if self._database is None or not self._knows_all():
                with suppress(OSError):
                    found = self._with_database(ask)
                    if found[0] and all(self._is_as_noted(*row[-4:]) for row in found[0]):
                        return found
            return self.answers(*asked)

    def _knows_all(self) -> bool:
        """Tell whether each home was compared, or looked for: most libraries have one alone."""
        return len(self._compared | self._absent) == len(self._homes)

    def _has_other_time(self, database: sqlite3.Connection, home: int) -> bool:
        """Tell whether a home's time is not as noted; where it is not there, whether it was."""
        try:
            return _time_of(self._homes[home]) != _noted(database, home)[0]
        except (FileNotFoundError, NotADirectoryError):
            return bool(database.execute(_ANY, (home,)).fetchall())

    def _is_as_noted(self, home: int, file: str, mtime: int, size: int) -> bool:
        try:
            status = os.lstat(f"{self._homes[home]}{os.sep}{file}")
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_size) == (mtime, size)

    def reread(self, home: int, *files: str) -> None:
        """Read records again: something in them was found to be changed in place, or is new."""

        def read(database: sqlite3.Connection) -> None:
            rows = [row for file in files if (row := self._read(home, file)) is not None]
            _write_down(database, home, files, rows)

        with self._lock:
            self._with_database(read)

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
        """Return what is to be published with *placing*: all that waits for the same folder."""
        folder = placing.record.folder
        alike = [each for each in tuple(self._placings) if each.record.folder == folder]
        for each in alike:
            self._placings.remove(each)
        return [placing, *(each for each in alike if each is not placing)]

    def _publish(self, placings: Sequence[Placing]) -> None:
        database = self._writable()
        if database is not None:
            try:
                with _transaction(database):
                    self._place(database, placings)
            except sqlite3.Error as error:
                self._forsake(error)
                if _code_of(error) == sqlite3.SQLITE_BUSY:
                    self._in_memory()  # it was waited for once
        for placing in placings:
            placing.put()
            placing.is_done = True

    def _place(self, database: sqlite3.Connection, placings: Sequence[Placing]) -> None:
        folder = placings[0].record.folder
        home = self._homes.index(folder)
        with _alone_in(folder) as is_alone:
            before = folder.stat().st_mtime_ns
            time_before, mark = _noted(database, home)
            for placing in placings:
                if placing.put():
                    mark = self._insert(database, home, placing, mark)
            is_only_change = is_alone and before == time_before
            _note(database, home, self._stamp(home) if is_only_change else time_before, mark)

    def _writable(self) -> sqlite3.Connection | None:
        try:
            return self._connection()
        except sqlite3.Error as error:
            self._forsake(error)
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
        if database.execute(_INSERT_NEW, row).rowcount:
            return _moved(mark, [], [(record.file, *stat)])
        return _put(database, home, mark, [record.file], [row])  # more of it came

    # -- following the homes

    def _changed(self, database: sqlite3.Connection) -> list[int]:
        """Return the homes that are not as they were noted."""
        noted = dict(database.execute("SELECT home, time FROM folder").fetchall())
        return [home for home in range(len(self._homes)) if self._has_changed(home, noted)]

    def _has_changed(self, home: int, noted: Mapping[int, int | None]) -> bool:
        try:
            return home not in self._compared or _time_of(self._homes[home]) != noted.get(home)
        except _NOT_THERE:
            return home not in self._absent or noted.get(home) is not None

    def _follow(self, database: sqlite3.Connection, homes: Iterable[int]) -> None:
        for home in homes:
            try:
                self._compare(database, home)
            except _NOT_THERE:  # or removed just now
                self._drop(database, home)

    def _compare(self, database: sqlite3.Connection, home: int) -> None:
        """Bring the index up to a home: list it, and read what is new.

        Files are read before the transaction, so that no other process waits for it.
        """
        self._absent.discard(home)
        stamp = self._stamp(home)
        new, gone = self._changes(database, home)
        many, few = (new, []) if len(new) >= self._step else ([], new)
        if many:
            self._grow(database, home, many)
        rows = [row for name in few if (row := self._read(home, name)) is not None]
        if new or gone or stamp != _noted(database, home)[0]:
            with _transaction(database):
                time_before, mark = _noted(database, home)
                mark = _put(database, home, mark, [*gone, *few], rows)
                is_still = _time_of(self._homes[home]) == stamp
                _note(database, home, stamp if is_still else time_before, mark)
        self._compared.add(home)

    def _changes(self, database: sqlite3.Connection, home: int) -> tuple[list[str], set[str]]:
        """Return the records of a home that are to be read, and those that are no more.

        A hundred thousand are mostly as they were: then their mark is. Else whole rows are compared
        as sets. Once that is done, a change of the folder's time tells of new names alone, and none
        is looked at.
        """
        folder = self._homes[home]
        broken = {name for (name,) in database.execute(_BROKEN_FILES, (home,))}
        if home not in self._compared:
            _, noted = _noted(database, home)
            if noted is not None and noted == mark_of(times_in(folder, ENDING)):
                return sorted(broken), set()  # what they lacked may have come
        known = set(database.execute(_SOUND, (home,)))
        if home in self._compared:
            there = {name for name in names_in(folder) if name.endswith(ENDING)}
            names = {name for name, _, _ in known}
            new = there - names
        else:
            _note(
                database, home, _noted(database, home)[0], mark_of(database.execute(_EACH, (home,)))
            )
            found = set(times_in(folder, ENDING))
            there, names = {name for name, _, _ in found}, {name for name, _, _ in known}
            new = {name for name, _, _ in found - known}
        # Names begin with their day: the newest are read first.
        return sorted(filter(is_plain_name, new), reverse=True), (names | broken) - there

    def _grow(self, database: sqlite3.Connection, home: int, names: list[str]) -> None:
        """Read many records. A step's rows are written down while the next ones are read."""
        is_first = len(names) >= _MANY and not database.execute(_ANY, (home,)).fetchall()
        with _room_for_many(database, DISORDER if is_first else ""), ThreadPoolExecutor(1) as pool:
            writing: Future[None] | None = None
            there = frozenset(names_in(self._homes[home]))
            for start in range(0, len(names), self._step):
                part = names[start : start + self._step]
                rows = [row for name in part if (row := self._read(home, name, there)) is not None]
                if writing is not None:
                    writing.result()
                writing = pool.submit(_write_down, database, home, part, rows)
                tell_growth(start + len(part), len(names), is_first=start == 0)
            if writing is not None:
                writing.result()

    def _drop(self, database: sqlite3.Connection, home: int) -> None:
        """Forget the records of a home that is not there."""
        if _noted(database, home)[0] is not None or database.execute(_ANY, (home,)).fetchall():
            with _transaction(database):
                database.execute("DELETE FROM records WHERE home = ?", (home,))
                database.execute("DELETE FROM folder WHERE home = ?", (home,))
        self._compared.add(home)
        self._absent.add(home)

    def _read(
        self, home: int, name: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        """Return the row of a record; None where it is gone since it was listed.

        Where *there*, the names in its folder, is known, its pictures are not looked at: that is
        done when it is shown.
        """
        folder = self._homes[home]
        if there and (row := quick_row(str(folder), home, name, there)) is not None:
            return row
        try:
            status = os.lstat(f"{folder}{os.sep}{name}")
        except OSError:
            return None
        stat = FileStat(status.st_mtime_ns, status.st_size)
        try:
            record, text = read_record_and_text(folder, name)
            return row_of(home, name, record.stands, text, stat, look=record.look())
        except UnusableRecordError as error:
            unknown = dict.fromkeys(COLUMNS)
            return tuple(
                {
                    **unknown,
                    "home": home,
                    "file": name,
                    **stat._asdict(),
                    "problem": str(error),
                }.values()
            )

    def _stamp(self, home: int) -> int | None:
        """Return the folder's time as a mark that any later change differs from; None without one.

        File systems tell times in steps of up to two seconds. The mark is set a little back: a
        change in the same step then shows all the same.
        """
        folder = self._homes[home]
        with _told_anew(folder) as time_now:
            now = time_now()
            if self._is_shared:
                try:
                    os.utime(folder, ns=(now, now - _STEP_NS))
                    return time_now()
                except OSError:  # somebody else's folder
                    pass
        return now if time.time_ns() - now > _SETTLED_NS else None

    # -- the database

    def _with_database(self, ask: Callable[[sqlite3.Connection], Result]) -> Result:
        for _ in range(2):  # a broken file is made anew
            try:
                return ask(self._connection())
            except sqlite3.Error as error:
                self._forsake(error)
                if _code_of(error) == sqlite3.SQLITE_BUSY:
                    break  # it was waited for once; what is in memory lasts
        return ask(self._in_memory())

    def _connection(self) -> sqlite3.Connection:
        if self._database is not None and (not self._is_shared or self._is_current()):
            return self._database
        self._close()
        self._is_shared = True
        try:
            self._file = index_file(self._homes[0])
            database = self._connect(f"{self._file.as_uri()}?mode=rwc")
            database.executescript(SCHEMA)
            if _make_of(database) != _our_make():
                raise _OtherMakeError("it has other tables, views or triggers than ours")
            with _transaction(database):
                pass  # whoever cannot write learns it here
            self._opened = (os.getpid(), self._file.stat().st_ino)
        except (OSError, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.Error) and _is_broken(error):
                raise
            return self._in_memory()
        return database

    def _connect(self, uri: str) -> sqlite3.Connection:
        database = sqlite3.connect(
            uri, uri=True, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        self._database, self._finalizer = database, weakref.finalize(self, database.close)
        # Losing the index costs a second of reading; waiting for the disk each time costs more.
        database.execute("PRAGMA synchronous = OFF")
        # The journal's file stays: making and removing one for each record costs more than the row.
        database.execute("PRAGMA journal_mode = PERSIST")
        return database

    def _in_memory(self) -> sqlite3.Connection:
        """Return an index in memory, where no file can be had: it lasts as long as this object."""
        self._close()
        database = self._connect("file::memory:")
        database.executescript(SCHEMA)
        return database

    def _is_ours(self) -> bool:
        """Tell whether this process opened it: SQLite forbids to take one along through a fork."""
        return not self._is_shared or self._opened[0] == os.getpid()

    def _is_current(self) -> bool:
        """Tell whether the file is still the one that was opened, by this process."""
        try:
            return self._opened == (os.getpid(), self._file.stat().st_ino)
        except OSError:
            return False

    def _close(self) -> None:
        if self._database is not None and not self._is_ours():
            _inherited.append(self._database)
            self._finalizer.detach()
        elif self._database is not None:
            self._finalizer()
        self._database, self._is_shared = None, False
        self._compared, self._absent = set(), set()

    def _forsake(self, error: sqlite3.Error) -> None:
        """Drop a database that does not work; a broken file is removed, and all are read again."""
        is_broken = self._is_shared and _is_broken(error)
        self._close()
        if is_broken:
            for ending in ("", "-journal"):
                discard(self._file.with_name(f"{self._file.name}{ending}"))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()


def tell_growth(count: int, total: int, *, is_first: bool) -> None:
    """Tell how far it is: over and over on one line of a terminal, elsewhere at both ends."""
    stream = sys.stderr
    if total < _MANY or stream is None:  # a program without a console has none
        return
    text = f"{count:,} of {total:,} records read into the index"
    if stream.isatty():
        stream.write(f"\r{text}" + "\n" * (count == total))
    elif is_first or count == total:
        stream.write(f"{text}\n")
    stream.flush()


def _is_broken(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is at fault, and not the disk or another process."""
    return _code_of(error) in _BROKEN


def _code_of(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _make_of(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


@lru_cache(1)
def _our_make() -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        return _make_of(database)


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock, if it is to be had at once: no other user publishes meanwhile."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        yield False
        return
    try:
        yield _is_locked(handle)
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    try:
        return try_lock(handle)
    except OSError:  # this file system has no locks
        return False


def _reading(database: sqlite3.Connection) -> AbstractContextManager[None]:
    """Read from the file as it is at one moment: what others write meanwhile is not seen."""
    return _transaction(database, "BEGIN")


@contextmanager
def _transaction(database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    database.execute(begin)
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


@contextmanager
def _told_anew(folder: Path) -> Iterator[Callable[[], int]]:
    """Yield what returns a folder's time as it is now.

    A network file system remembers for up to a minute what it was told of a folder; opening it has
    the server asked anew.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:  # Windows opens no folders
        yield lambda: folder.stat().st_mtime_ns
        return
    try:
        yield lambda: os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)


def _time_of(folder: Path) -> int:
    with _told_anew(folder) as time_now:
        return time_now()


def _write_down(
    database: sqlite3.Connection, home: int, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Put *rows* in the place of what is known of the records *names*, in a transaction."""
    with _transaction(database):
        time_before, mark = _noted(database, home)
        _note(database, home, time_before, _put(database, home, mark, names, rows))


def _put(
    database: sqlite3.Connection,
    home: int,
    mark: int | None,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> int | None:
    """Put *rows* in the place of what is known of the records *names*; return the mark then.

    *names* are each once, and those of the rows are among them.
    """
    if not names:
        return mark
    named = (home, json.dumps(names))
    mark = _moved(mark, database.execute(_STATS, named), [(row[1], *row[2:4]) for row in rows])
    database.execute(_DELETE, named)
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        database.execute(_INSERT + ",".join([_ROW] * len(part)), [*chain.from_iterable(part)])
    return mark


def _moved(
    mark: int | None, gone: Iterable[tuple[str, int, int]], new: Iterable[tuple[str, int, int]]
) -> int | None:
    """Return a home's mark without some records and with others; None where it is not known."""
    return None if mark is None else (mark - mark_of(gone) + mark_of(new)) & LARGEST_MARK


@contextmanager
def _room_for_many(database: sqlite3.Connection, disorder: str) -> Iterator[None]:
    """Let the index hold many pages meanwhile; with *disorder* it is ordered anew at the end."""
    database.execute(f"PRAGMA cache_size = -{_CACHE}")
    database.executescript(disorder)
    try:
        yield
    finally:
        database.executescript(ORDERS)
        database.execute("PRAGMA cache_size = -2000")


def _noted(database: sqlite3.Connection, home: int) -> tuple[int | None, int | None]:
    """Return a home's time, and the mark of all that is known of it; None for what is not known."""
    row = database.execute("SELECT time, mark FROM folder WHERE home = ?", (home,)).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def _note(database: sqlite3.Connection, home: int, stamp: int | None, mark: int | None) -> None:
    database.execute("INSERT OR REPLACE INTO folder VALUES (?, ?, ?)", (home, stamp, mark))
