"""The database of an index: opened, shared with other processes, made anew when it is broken."""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.library.disk.files import discard
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.index.index_row import ORDERS, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

Result = TypeVar("Result")

_BROKEN: Final = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_COUNT_OF_ORDERS: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"

_inherited: list[sqlite3.Connection] = []
"""Those of a parent process, never closed here: its threads may have been in the middle of one."""


class _OtherMakeError(sqlite3.DatabaseError):
    """A file that is a database, and not our index."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


class IndexDatabase:
    """The file of *library*'s index, or memory where no file can be had. For one thread at a time.

    *patience* is how many seconds it waits for another process that writes the same file. *age*
    counts what was opened: what is known of one database is not known of the next.
    """

    def __init__(self, library: Path, patience: float) -> None:
        self._library = library
        self._patience = patience
        self._database: sqlite3.Connection | None = None
        self._file = library  # until it is opened
        self.opened = (0, 0)
        self.is_shared = False
        self.age = 0

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection; of what it holds nothing is known yet without."""
        return self._database is not None

    def ask(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what *question* does with the database; a broken file is made anew."""
        for _ in range(2):
            try:
                return question(self.connection())
            except sqlite3.Error as error:
                if self.forsake(error):
                    break  # it was waited for once; what is in memory lasts
        return question(self.in_memory())

    def connection(self) -> sqlite3.Connection:
        """Return the connection of this process to the file as it lies there now."""
        if self._database is not None and (not self.is_shared or self._is_current()):
            return self._database
        self.close()
        self.is_shared = True
        try:
            self._file = index_file(self._library)
            database = self._connect(f"{self._file.as_uri()}?mode=rwc")
            _make_ready(database)  # whoever cannot write learns it here
            self.opened = (os.getpid(), self._file.stat().st_ino)
        except (OSError, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.Error) and _code_of(error) in _BROKEN:
                raise
            return self.in_memory()
        return database

    def _connect(self, uri: str) -> sqlite3.Connection:
        database = sqlite3.connect(
            uri, uri=True, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        self._database, self._finalizer = database, weakref.finalize(self, database.close)
        self.age += 1
        # A row has a kilobyte: in larger pages a hundred thousand are put in order a fifth sooner.
        database.execute("PRAGMA page_size = 16384")
        # Losing the index costs a second of reading; waiting for the disk each time costs more.
        database.execute("PRAGMA synchronous = OFF")
        # The journal's file stays: making and removing one for each record costs more than the row.
        database.execute("PRAGMA journal_mode = PERSIST")
        return database

    def in_memory(self) -> sqlite3.Connection:
        """Return an index in memory, where no file can be had: it lasts as long as this object."""
        self.close()
        database = self._connect("file::memory:")
        _make_ready(database)
        return database

    def _is_current(self) -> bool:
        """Tell whether the file is still the one that was opened, by this process."""
        try:
            return self.opened == (os.getpid(), self._file.stat().st_ino)
        except OSError:
            return False

    def _is_ours(self) -> bool:
        """Tell whether this process opened it: SQLite forbids to take one along through a fork."""
        return not self.is_shared or self.opened[0] == os.getpid()

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None and not self._is_ours():
            _inherited.append(self._database)
            self._finalizer.detach()
        elif self._database is not None:
            self._finalizer()
        self._database, self.is_shared = None, False
        self.age += 1

    def forsake(self, error: sqlite3.Error) -> bool:
        """Drop a database that does not work; a broken file is removed, and all are read again.

        Tell whether it was only held by another process.
        """
        # Broken is the file itself, and not the disk or another process.
        is_broken = self.is_shared and _code_of(error) in _BROKEN
        self.close()
        if is_broken:
            for ending in ("", "-journal"):
                discard(self._file.with_name(f"{self._file.name}{ending}"))
        return _code_of(error) == sqlite3.SQLITE_BUSY


def _code_of(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _make_ready(database: sqlite3.Connection) -> None:
    """Make what an index has. Raises `_OtherMakeError` where it is none of ours.

    It may lack its orders while another session fills it (`put_in_order`): whoever opens it then
    neither makes them nor takes it for broken. So one transaction looks and makes.
    """
    with transaction(database):
        for table in TABLES:
            database.execute(table)
        if not database.execute("SELECT 1 FROM records LIMIT 1").fetchall():
            put_in_order(database)
        make = _make_of(database)
    tables, whole = _our_makes()
    if not tables <= make <= whole:
        raise _OtherMakeError("it has other tables, views or triggers than ours")


def is_in_order(database: sqlite3.Connection) -> bool:
    """Tell whether an index has all that makes questions quick."""
    ((count,),) = database.execute(_COUNT_OF_ORDERS)
    return bool(count == len(ORDERS))


def put_in_order(database: sqlite3.Connection) -> None:
    """Make what makes questions quick, where it is not there."""
    for order in ORDERS:
        database.execute(order)


def _make_of(database: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return {*database.execute("SELECT type, name, sql FROM sqlite_master")}


@lru_cache(1)
def _our_makes() -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """Return the make of an index without its orders, and with all of them."""
    with closing(sqlite3.connect(":memory:")) as database:
        for table in TABLES:
            database.execute(table)
        tables = _make_of(database)
        put_in_order(database)
        return tables, _make_of(database)


def reading(database: sqlite3.Connection) -> AbstractContextManager[None]:
    """Read from the file as it is at one moment: what others write meanwhile is not seen."""
    return transaction(database, "BEGIN")


@contextmanager
def transaction(database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Write all of what is done inside, or nothing of it."""
    database.execute(begin)
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
