"""The manifest of a batch: a line of JSON for each row that its folder ever made.

    {"row": 78, "sku": "P-017", "request": "3f0c…-1", "status": "done", "files": ["….png"], …}

The user's columns stand under their own names. Where one of ours has the same, ours is called
`opeai_nb_status` instead. A line belongs to a request, so a second table in the same folder adds
lines and takes none away; `current` tells those of the last table.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock

from opeai_nb.bulk.batch.manifest_file import NAME, read_lines, write_lines, write_parquet
from opeai_nb.bulk.batch.manifest_line import (
    Line,
    clashes,
    line_of,
    our_name,
    ours,
    request_name,
)
from opeai_nb.errors import LibraryError
from opeai_nb.library.disk.files import append_line
from opeai_nb.studio.pricing import paid_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from opeai_nb.bulk.batch.source_table import Row
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.prices.price_list import PriceList

_SETTLED: Final = ("done", "unknown")
_CARRIED: Final = ("status", "files", "id", "tokens", "cost", "currency", "error", "then")
FLUSH_AFTER: Final = 1.0
"""Seconds after which whoever looks from another terminal sees a line."""
_PATIENCE: Final = 60.0  # another batch writes for a moment, unless its process is suspended


class Manifest:
    """`manifest.jsonl` in *folder*, while a batch of *rows* and *points* runs.

    `begin` writes a line for each row, `add` a new one for a row that is settled (the last line of
    a request counts), within a second; `close` puts them in order. Several batches may run in one
    folder: each writes under a lock and keeps the others' lines. The pictures are safe without it.
    *asked* are the places of the rows that this run is for (None: all). With *prices* a line has
    what its pictures cost. Raises `LibraryError` when the disk refuses.
    """

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        points: Sequence[Point],
        asked: frozenset[int] | None = None,
        prices: PriceList | None = None,
    ) -> None:
        self.path = folder / NAME
        self._points = points
        self._asked = asked
        self._prices = prices
        self._rows = rows
        self._clashes = clashes(rows, points)
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._timer: threading.Timer | None = None
        self._is_closed = False
        self._error: LibraryError | None = None
        self._reasons: dict[str, str] = {}

    def begin(self) -> dict[str, Line]:
        """Write a line for each row, not sent where nothing is known; return the earlier lines."""
        before: dict[str, Line] = {}
        with _refused(), self._alone():
            before = read_lines(self.path)
            self._reasons = _unknown_reasons(before)
            write_lines(self.path, [*self._planned(before), *self._others(before, current=False)])
        return before

    def add(self, point: Point, outcome: Outcome) -> Line:
        """Take what became of a row and return its line.

        What comes after `close` the library alone knows of.
        """
        line = self._line(point, outcome)
        if outcome.state == "unknown" and (first := self._reasons.get(request_name(point))):
            line[self._clashes.get("error", "error")] = first  # a re-run knows only that it is so
        text = json.dumps(line, ensure_ascii=False).encode()
        with self._lock:
            if self._is_closed:
                return line
            if self._error is not None:
                raise self._error
            self._waiting.append(text)
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_AFTER, self._flush_in_time)
                self._timer.daemon = True
                self._timer.start()
        return line

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            lines, self._waiting, self._timer = self._waiting, [], None
        if lines:
            with _refused(), self._alone():
                append_line(self.path, b"\n".join(lines), durable=False)

    def close(self) -> list[Line]:
        """Put the lines in order, those of this table first, and return these.

        With pyarrow, a `manifest.parquet` beside it holds the same.
        """
        self.flush()
        with self._lock:
            self._is_closed = True
        with _refused(), self._alone():
            lines = read_lines(self.path)
            ours = self._planned(lines, keep_all=True)
            every = [*ours, *self._others(lines)]
            write_lines(self.path, every)
            if find_spec("pyarrow") is not None:
                write_parquet(self.path.with_suffix(".parquet"), every)
        return ours

    def planned(self, outcomes: Mapping[int, Outcome]) -> list[Line]:
        """Return the lines of *outcomes* without any file: for a folder that cannot be written."""
        return [self._line(point, outcomes.get(point.number)) for point in self._points]

    # -- lines

    def _line(self, point: Point, outcome: Outcome | None) -> Line:
        line = line_of(point, self._rows[point.number], outcome, self._clashes)
        cost = paid_for(self._prices, outcome.generation if outcome else None)
        if cost is not None and cost.is_known:
            # As text: a number of JSON is read as a float, which holds no tenth.
            for name, value in (("cost", f"{cost.amount:f}"), ("currency", cost.currency)):
                line[self._clashes.get(name, name)] = value
        return line

    def _planned(self, lines: Mapping[str, Line], *, keep_all: bool = False) -> list[Line]:
        """Return a line for each row: what is known of its request, under the row's cells of now.

        Before a run only what cost something is known; after it *keep_all*.
        """
        made = []
        for point in self._points:
            line = self._line(point, None)
            known = lines.get(request_name(point))
            is_asked = self._asked is None or point.number in self._asked
            if known is not None and (
                keep_all or not is_asked or ours(known, "status") in _SETTLED
            ):
                for name in _CARRIED:
                    if (value := ours(known, name)) is not None:
                        line[self._clashes.get(name, name)] = value
            made.append(line)
        return made

    def _others(self, lines: Mapping[str, Line], current: bool | None = None) -> list[Line]:
        """Return the lines of other tables, less those that 0.1.0 wrote of the same rows."""
        names = {request_name(point) for point in self._points}
        asked = {(point.request.prompt, point.request.model) for point in self._points}
        others = [
            line
            for name, line in lines.items()
            if name not in names
            and not (
                ours(line, "request") is None and (line.get("prompt"), line.get("model")) in asked
            )
        ]
        if current is not None:
            for line in others:
                line[our_name(line, "current")] = current
        return others

    # -- the file

    def _flush_in_time(self) -> None:
        try:
            self.flush()
        except LibraryError as error:
            self._error = error  # the next row tells of it

    def _alone(self) -> Any:
        """Hold the lock of the folder's manifest; where a file system has none, go without."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_name(f".{NAME}.lock"), timeout=_PATIENCE, mode=0o666)
        try:
            lock.acquire()
        except NotImplementedError:
            return nullcontext()
        return _released(lock)


@contextmanager
def _released(lock: FileLock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LibraryError(f"The manifest cannot be written: {error.strerror or error}.") from error


def _unknown_reasons(lines: Mapping[str, Line]) -> dict[str, str]:
    return {
        name: ours(line, "error")
        for name, line in lines.items()
        if ours(line, "status") == "unknown" and ours(line, "error")
    }
