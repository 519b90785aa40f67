"""A process that reads records beside this one: a hundred thousand take the time of half as many.

Threads of one process read no faster than one does. It is asked for the rows of some files, and
answers with them; where it cannot be started, or is no more, whoever asks reads them as well.
"""

from __future__ import annotations

import json
import marshal
import os
import struct
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from opeai_nb.library.disk.files import names_in
from opeai_nb.library.disk.subfolder import subfolder_of
from opeai_nb.library.index.quick_row import quick_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from types import TracebackType

_LENGTH: Final = struct.Struct("<Q")
# Nothing is imported from the folder that a notebook lies in: `-I`, and absolute paths alone.
_CODE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from opeai_nb.library.index.row_process import answer; answer()"
)
_AHEAD: Final = 2

Rows = list[tuple[Any, ...] | None]


class RowProcess:
    """Reads the records of a *home*, by its number, in *folder*."""

    def __init__(self, folder: Path, home: int) -> None:
        self._source = (str(folder), home)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, where that can be; it lists the folder at once."""
        if not _has_room():
            return
        path = json.dumps([each for each in sys.path if Path(each).is_absolute()])
        try:
            self._process = subprocess.Popen(  # noqa: S603  this Python, with our own code
                [sys.executable, "-I", "-c", _CODE, path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt is for who has started it
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:  # no more processes, or none of this kind
            self._process = None
        self._send(None)

    def end(self) -> None:
        """End it: nothing is lost with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not read of a question
                        stream.close()

    @property
    def is_there(self) -> bool:
        """Tell whether it can be asked."""
        return self._process is not None and self._process.poll() is None

    def ask(self, files: Sequence[str]) -> None:
        """Ask for the rows of *files*; returns once it has begun to read the question."""
        self._send(list(files))

    def _send(self, files: list[str] | None) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):  # it is gone: so no answer comes
                _write(process.stdin, (*self._source, files))

    def answer(self) -> Rows | None:
        """Return the rows of the oldest question that has no answer yet; None once it is gone.

        A file that takes more care has None for a row.
        """
        process = self._process
        if process is None or process.stdout is None:
            return None
        try:
            rows: Rows = _read(process.stdout)
        except (OSError, EOFError, ValueError, TypeError):
            process.kill()
            return None
        return rows


class RowQueue:
    """A *process* that reads parts of what is to be read while this one reads and writes others.

    It has *count* parts in hand. Unless it *is_used* it is not started, and wants none.
    """

    def __init__(self, process: RowProcess, *, is_used: bool) -> None:
        self._process = process
        self._is_used = is_used
        self._asked: deque[tuple[list[str], Future[Rows | None]]] = deque()

    def __enter__(self) -> Self:
        if self._is_used:
            if not self._process.is_there:
                self._process.start()
            self._asks = ThreadPoolExecutor(1, "opeai_nb-ask")
            self._answers = ThreadPoolExecutor(1, "opeai_nb-rows")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.end()
        if self._is_used:
            self._asks.shutdown(cancel_futures=True)
            self._answers.shutdown(cancel_futures=True)

    @property
    def count(self) -> int:
        """How many parts it was asked for and has not given back."""
        return len(self._asked)

    @property
    def wants_more(self) -> bool:
        """Tell whether it should be asked for another part: the next is there when one is done."""
        return len(self._asked) < _AHEAD and self._process.is_there

    @property
    def has_answer(self) -> bool:
        """Tell whether the oldest part is read."""
        return bool(self._asked) and self._asked[0][1].done()

    def ask(self, part: list[str]) -> None:
        """Have a part read."""
        self._asks.submit(self._process.ask, part)
        self._asked.append((part, self._answers.submit(self._process.answer)))

    def answer(self) -> tuple[list[str], Rows | None]:
        """Return the oldest part and its rows; None for them where it could not read it."""
        part, rows = self._asked.popleft()
        return part, rows.result()


def answer() -> None:
    """Answer whoever has started this process, until there is no more question.

    A question without files has no answer: the folder is listed before the first with some comes.
    """
    there = lru_cache(4)(lambda folder: frozenset(names_in(folder)))
    written: Future[None] | None = None
    with ThreadPoolExecutor(1) as writing:  # what is not fetched yet holds up no reading
        while True:
            try:
                folder, home, files = _read(sys.stdin.buffer)
            except EOFError:
                return
            if files is None:
                there(f"{folder}{os.sep}")
                continue
            parts = [there(f"{folder}{os.sep}{subfolder_of(file)}") for file in files]
            rows = [quick_row(folder, home, *each) for each in zip(files, parts, strict=True)]
            if written is not None:
                written.result()
            written = writing.submit(_write, sys.stdout.buffer, rows)


def _has_room() -> bool:
    """Tell whether there is a Python to start, and a second processor for it."""
    is_python = bool(sys.executable) and not getattr(sys, "frozen", False)
    if hasattr(os, "sched_getaffinity"):
        return is_python and len(os.sched_getaffinity(0)) > 1
    return is_python and (os.cpu_count() or 1) > 1


def _write(stream: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes]) -> Any:
    """Return what the other side has written. Raises `EOFError` where it is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    data = stream.read(_LENGTH.unpack(head)[0])
    return marshal.loads(data)  # noqa: S302  by our own other process
