"""How many records at once come into the index: read and written down step by step."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from opeai_nb.library.disk.files import names_in
from opeai_nb.library.disk.subfolder import subfolder_of
from opeai_nb.library.index.index_row import COLUMNS, FileStat, row_of
from opeai_nb.library.index.quick_row import quick_row
from opeai_nb.library.index.row_process import RowProcess, RowQueue
from opeai_nb.library.records.record import read_record_and_text
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from opeai_nb.library.index.row_process import Rows

MANY: Final = 10_000
"""Fewer records are read before anybody wonders."""
_BEAT: Final = 0.2  # seconds between two words about how far it is
_NAMES: Final = 100
"""Bytes of a folder for each record in it: a file system that counts others is found out later."""


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
    """Where records are read: the number of their home, its folder, and by what.

    *names* are all in the folder itself, where they were listed just now; *process* is what was
    started meanwhile to read them, too.
    """

    home: int
    folder: Path
    read: Read
    names: Sequence[str] = ()
    process: RowProcess | None = None

    def end(self) -> None:
        """End what was started."""
        if self.process is not None:
            self.process.end()


def early_process(home: int, folder: Path, read: Read) -> RowProcess | None:
    """Start the process that reads very many before they are listed, where there seem to be.

    Raises `OSError` where the folder is not there.
    """
    if read is not read_row or folder.stat().st_size < MANY * _NAMES:
        return None
    process = RowProcess(folder, home)
    process.start()
    return process


class Growth:
    """Very many records on their way into the index, by a thread of its own: *count* of *total*.

    *age* is that of the database which they come into.
    """

    def __init__(self, total: int, age: int) -> None:
        self.count = 0
        self.total = total
        self.age = age
        self._process = os.getpid()
        self._error: Exception | None = None
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing works on it any more; a fork takes no thread along."""
        return self._over.is_set() or self._process != os.getpid()

    def begin(self, work: Callable[[], None]) -> None:
        """Do *work* in the background: what is written down of it lasts if this process ends."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  raised where it is waited for
                self._error = error
            finally:
                self._over.set()

        threading.Thread(target=run, name="opeai_nb-index", daemon=True).start()

    def wait(self) -> None:
        """Return when it is over, and tell meanwhile how far it is. Raises what has ended it."""
        is_first = True
        while not self._over.wait(_BEAT):
            if self.count < self.total:  # then it is put in order, and that ends with a word
                tell_growth(self.count, self.total, is_first=is_first)
                is_first = False
        if self._error is not None:  # begun anew, it would end so again
            raise self._error
        tell_growth(self.count, self.total, is_first=False)


def grow(
    source: Source,
    files: list[str],
    write: Callable[[Sequence[str], Sequence[tuple[Any, ...]]], bool],
    step: int,
) -> bool:
    """Read many records, and *write* each step's rows; very many are read by another process, too.

    It ends before its time, and says so, where *write* says that nothing more is to be written.
    """
    home, folder, read, names, process = source

    @lru_cache(4)
    def there(part: str) -> frozenset[str]:
        return frozenset(names if names and not part else names_in(folder / part))

    def rows_of(part: list[str], rows: Rows | None = None) -> list[tuple[Any, ...]]:
        found = (
            row or read(folder, home, file, there(subfolder_of(file)))
            for file, row in zip(part, rows or [None] * len(part), strict=True)
        )
        return [row for row in found if row is not None]

    parts = deque(files[start : start + step] for start in range(0, len(files), step))
    is_used = len(files) >= MANY and read is read_row
    with RowQueue(process or RowProcess(folder, home), is_used=is_used) as queue:
        while parts or queue.count:
            while parts and queue.wants_more:
                queue.ask(parts.popleft())
            if queue.has_answer or not parts:
                part, answer = queue.answer()
                rows = rows_of(part, answer)
            else:
                part = parts.popleft()
                rows = rows_of(part)
            if not write(part, rows):
                return False
    return True


def tell_growth(count: int, total: int, *, is_first: bool) -> None:
    """Tell how far it is: over and over on one line of a terminal, elsewhere at both ends."""
    stream = sys.stderr
    if total < MANY or stream is None:  # a program without a console has none
        return
    text = f"{count:,} of {total:,} records read into the index"
    if stream.isatty():
        stream.write(f"\r{text}" + "\n" * (count == total))
    elif is_first or count == total:
        stream.write(f"{text}\n")
    stream.flush()
