"""How many records at once come into the index: read and written down step by step."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from opeai_nb.library.disk.files import names_in
from opeai_nb.library.disk.subfolder import subfolder_of
from opeai_nb.library.index.index_row import COLUMNS, DISORDER, FileStat, row_of
from opeai_nb.library.index.index_write import room_for_many, write_down
from opeai_nb.library.index.quick_row import quick_row
from opeai_nb.library.records.record import read_record_and_text
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    import sqlite3
    from concurrent.futures import Future
    from pathlib import Path

MANY: Final = 10_000
"""Fewer records are read before anybody wonders."""


class Read(Protocol):
    """Returns the row of a record; None where it is gone since it was listed."""

    def __call__(
        self, folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        """Where *there*, the names beside it, is known, its pictures are not looked at."""


def read_row(
    folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
) -> tuple[Any, ...] | None:
    """Return the row of a record, as `Read` says: its pictures are looked at when it is shown."""
    if there and (row := quick_row(str(folder), home, file, there)) is not None:
        return row
    try:
        status = os.lstat(f"{folder}{os.sep}{file}")
    except OSError:
        return None
    stat = FileStat(status.st_mtime_ns, status.st_size)
    try:
        record, text = read_record_and_text(folder, file)
        return row_of(home, file, record.stands, text, stat, look=record.look())
    except UnusableRecordError as error:
        unknown = dict.fromkeys(COLUMNS)
        broken = {"home": home, "file": file, **stat._asdict(), "problem": str(error)}
        return tuple({**unknown, **broken}.values())


class Source(NamedTuple):
    """Where records are read: the number of their home, its folder, and by what."""

    home: int
    folder: Path
    read: Read


def grow(
    database: sqlite3.Connection, source: Source, files: list[str], *, step: int, is_first: bool
) -> None:
    """Read many records. A step's rows are written down while the next ones are read.

    With *is_first* nothing was known of the home.
    """
    home, folder, read = source
    there = lru_cache(4)(lambda subfolder: frozenset(names_in(folder / subfolder)))
    disorder = DISORDER if is_first and len(files) >= MANY else ""
    with room_for_many(database, disorder), ThreadPoolExecutor(1) as pool:
        writing: Future[None] | None = None
        for start in range(0, len(files), step):
            part = files[start : start + step]
            rows = [
                row
                for file in part
                if (row := read(folder, home, file, there(subfolder_of(file)))) is not None
            ]
            if writing is not None:
                writing.result()
            writing = pool.submit(write_down, database, home, part, rows)
            _tell(start + len(part), len(files))
        if writing is not None:
            writing.result()


def _tell(count: int, total: int) -> None:
    if total >= MANY:
        end = "\n" if total == count else ""
        sys.stderr.write(f"\r{count:,} of {total:,} records read into the index{end}")
        sys.stderr.flush()
