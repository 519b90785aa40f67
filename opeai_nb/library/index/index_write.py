"""What is written into the index: rows, and what was noted of the folders that they are from."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.disk.files import LARGEST_MARK, mark_of
from opeai_nb.library.index.index_database import transaction
from opeai_nb.library.index.index_row import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CACHE: Final = 64_000
"""kB for the index while many records come into it: else its pages are written again and again."""
_ROW: Final = f"({','.join('?' * len(COLUMNS))})"
_AT_ONCE: Final = 400
"""Rows that one statement writes, where SQLite takes so many values."""
_INSERT: Final = "INSERT OR REPLACE INTO records VALUES "
_INSERT_NEW: Final = "INSERT OR IGNORE INTO records VALUES "
_NAMED: Final = "WHERE home = ? AND file IN (SELECT value FROM json_each(?))"
_STATS: Final = f"SELECT file, mtime, size FROM records {_NAMED}"  # noqa: S608  our own
_DELETE: Final = f"DELETE FROM records {_NAMED}"  # noqa: S608  our own


def write_down(
    database: sqlite3.Connection, home: int, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Put *rows* in the place of what is known of the records *names*, in a transaction."""
    with transaction(database):
        time_before, mark = noted(database, home)
        note(database, home, time_before, put(database, home, mark, names, rows))


def put(
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
    if len(names) == len(rows) >= _AT_ONCE and _put_all_new(database, rows):
        return _moved(mark, [], [(row[1], *row[2:4]) for row in rows])
    named = (home, json.dumps(names))
    mark = _moved(mark, database.execute(_STATS, named), [(row[1], *row[2:4]) for row in rows])
    database.execute(_DELETE, named)
    _insert(database, _INSERT, rows)
    return mark


def _put_all_new(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> bool:
    """Put *rows*, unless there is one of a record among them: then none, and say so.

    Of very many that are read most are new, and to look for each first costs a third of it.
    """
    database.execute("SAVEPOINT rows")
    are_new = _insert(database, _INSERT_NEW, rows) == len(rows)
    if not are_new:
        database.execute("ROLLBACK TO rows")
    database.execute("RELEASE rows")
    return are_new


def _insert(database: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert *rows*, many with one statement; return how many were."""
    most = database.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    at_once = min(_AT_ONCE, most // len(COLUMNS))
    count = 0
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        values = [*chain.from_iterable(part)]
        count += database.execute(into + ",".join([_ROW] * len(part)), values).rowcount
    return count


def put_new(
    database: sqlite3.Connection, home: int, mark: int | None, row: tuple[Any, ...]
) -> int | None:
    """Put the row of a record that is mostly new; return the mark then."""
    if _insert(database, _INSERT_NEW, [row]):
        return _moved(mark, [], [(row[1], *row[2:4])])
    return put(database, home, mark, [row[1]], [row])  # more of it came


def _moved(
    mark: int | None, gone: Iterable[tuple[str, int, int]], new: Iterable[tuple[str, int, int]]
) -> int | None:
    """Return a home's mark without some records and with others; None where it is not known."""
    return None if mark is None else (mark - mark_of(gone) + mark_of(new)) & LARGEST_MARK


@contextmanager
def room_for_many(database: sqlite3.Connection) -> Iterator[None]:
    """Let the index hold many pages meanwhile."""
    database.execute(f"PRAGMA cache_size = -{CACHE}")
    try:
        yield
    finally:
        with suppress(sqlite3.ProgrammingError):  # it was closed meanwhile
            database.execute("PRAGMA cache_size = -2000")


def noted(database: sqlite3.Connection, home: int) -> tuple[int | None, int | None]:
    """Return a home's time, and the mark of all that is known of it; None for what is not known."""
    row = database.execute(
        "SELECT time, mark FROM folder WHERE home = ? AND subfolder = ''", (home,)
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def home_noted(database: sqlite3.Connection, home: int) -> tuple[dict[str, int | None], int | None]:
    """Return the times of a home and of its sub-folders, and its mark: see `noted`."""
    rows = database.execute("SELECT subfolder, time, mark FROM folder WHERE home = ?", (home,))
    times, mark = {}, None
    for subfolder, time, its_mark in rows:
        times[subfolder] = time
        mark = mark if subfolder else its_mark
    return times, mark


def times_noted(database: sqlite3.Connection) -> dict[int, dict[str, int | None]]:
    """Return the times of each home and its sub-folders, by their names; its own by none."""
    times: defaultdict[int, dict[str, int | None]] = defaultdict(dict)
    for home, subfolder, time in database.execute("SELECT home, subfolder, time FROM folder"):
        times[home][subfolder] = time
    return times


def note(database: sqlite3.Connection, home: int, stamp: int | None, mark: int | None) -> None:
    """Note a home's time and mark."""
    database.execute("INSERT OR REPLACE INTO folder VALUES (?, '', ?, ?)", (home, stamp, mark))


def note_subfolder(
    database: sqlite3.Connection, home: int, subfolder: str, stamp: int | None
) -> None:
    """Note the time of a sub-folder: the mark of its home covers it, too."""
    database.execute(
        "INSERT OR REPLACE INTO folder VALUES (?, ?, ?, NULL)", (home, subfolder, stamp)
    )


def drop_subfolders(database: sqlite3.Connection, home: int, subfolders: Iterable[str]) -> None:
    """Forget sub-folders that are no more."""
    gone = [(home, subfolder) for subfolder in subfolders]
    database.executemany("DELETE FROM folder WHERE home = ? AND subfolder = ?", gone)
