"""The manifest of a batch: a line of JSON for each row that its folder ever made.

    {"row": 78, "sku": "P-017", "request": "3f0c…-1", "status": "done", "files": ["….png"], …}

The user's columns stand under their own names. Where one of ours has the same, ours is called
`opeai_nb_status` instead. A line belongs to a request, so a second table in the same folder adds
lines and takes none away; `current` tells those of the last table.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import threading
from contextlib import contextmanager, nullcontext
from datetime import date, time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from filelock import FileLock

from opeai_nb.errors import LibraryError
from opeai_nb.library.files import append_line, write_part, write_whole
from opeai_nb.plain_file import open_plain
from opeai_nb.studio.pricing import paid_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opeai_nb.bulk.batch.source_table import Row
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.prices.price_list import PriceList

NAME: Final = "manifest.jsonl"
OURS: Final = (
    *("row", "request", "prompt", "model", "status", "files", "id", "tokens", "cost", "currency"),
    *("error", "then", "current"),
)
_PREFIX: Final = "opeai_nb_"
_REQUEST: Final = re.compile(r"[0-9a-f]{16}-(\d+|[0-9a-f]{12})")
_SETTLED: Final = ("done", "unknown")
_CARRIED: Final = ("status", "files", "id", "tokens", "cost", "currency", "error", "then")
NOT_SENT: Final = "not sent"
FLUSH_AFTER: Final = 1.0
"""Seconds after which whoever looks from another terminal sees a line."""
_PATIENCE: Final = 60.0  # another batch writes for a moment, unless its process is suspended

Line = dict[str, Any]


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
            self._write([*self._planned(before), *self._others(before, current=False)])
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
            self._write(every)
            if find_spec("pyarrow") is not None:
                part = write_part(self.path.parent, parquet_of(every), durable=False)
                part.replace(self.path.with_suffix(".parquet"))
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
                line[f"{_PREFIX}current" if f"{_PREFIX}current" in line else "current"] = current
        return others

    # -- the file

    def _write(self, lines: Iterable[Line]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_whole(self.path, text.encode("utf-8", "replace"))

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


def _unknown_reasons(lines: Mapping[str, Line]) -> dict[str, str]:
    return {
        name: ours(line, "error")
        for name, line in lines.items()
        if ours(line, "status") == "unknown" and ours(line, "error")
    }


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


def request_name(point: Point) -> str:
    """Return what names a point's request in a manifest: its identity, and its key or call."""
    key = point.call if point.key is None else hashlib.sha256(point.key.encode()).hexdigest()[:12]
    return f"{point.identity[:16]}-{key}"


def clashes(rows: Sequence[Row], points: Sequence[Point]) -> dict[str, str]:
    """Return what our columns are called where the user's have their names.

    `prompt` and `model` are the same in both where they are sent as they stand: no clash.
    """
    columns = {name for row in rows for name in row.cells}
    for name in ("prompt", "model"):
        if all(
            row.cells.get(name, asked) == asked
            for row, point in zip(rows, points, strict=True)
            for asked in (getattr(point.request, name),)
        ):
            columns.discard(name)
    return {name: f"{_PREFIX}{name}" for name in OURS if name in columns}


def ours(line: Mapping[str, Any], name: str) -> Any:
    """Return our own value of that name in a line; None where there is none."""
    return line.get(f"{_PREFIX}{name}", line.get(name))


def is_manifest(rows: Iterable[Row]) -> bool:
    """Tell whether the rows are lines of a manifest, given as a batch of its own."""
    return all(
        _REQUEST.fullmatch(str(ours(row.cells, "request")))
        and ours(row.cells, "status") is not None
        and ours(row.cells, "current") is not None
        for row in rows
    )


def without_ours(row: Row) -> Row:
    """Return the row of a manifest as it was in its table: what a run told of it is left out."""
    prefixed = {name for name in OURS if f"{_PREFIX}{name}" in row.cells}
    gone = {f"{_PREFIX}{name}" for name in prefixed} | (
        set(OURS) - prefixed - {"prompt", "model"} if row.cells else set()
    )
    return row._replace(cells={n: value for n, value in row.cells.items() if n not in gone})


def line_of(
    point: Point, row: Row, outcome: Outcome | None, renamed: Mapping[str, str] | None = None
) -> Line:
    """Return one line: the same for a picture that was sent and for one from the library.

    Without an *outcome* the row was not sent. *renamed* is what our columns are called here.
    """
    made: Line = {
        "row": row.number,
        "request": request_name(point),
        "prompt": point.request.prompt,
        "model": point.request.model,
        **_facts(outcome),
        "current": True,
    }
    renamed = renamed or {}
    cells = {_plain(name): json_cell(value) for name, value in row.cells.items()}
    named = {renamed.get(name, name): value for name, value in made.items()}
    return {"row": row.number, **cells, **named} if "row" not in renamed else {**cells, **named}


def _facts(outcome: Outcome | None) -> Line:
    if outcome is None or outcome.state == "stopped":
        return {"status": NOT_SENT, "files": []}
    facts: Line = {"status": "done" if outcome.is_good else outcome.state, "files": outcome.files}
    if outcome.generation is not None:
        facts["id"] = outcome.id
        facts["tokens"] = (outcome.generation.usage or {}).get("total_tokens")
    if outcome.is_handed_on:
        facts["then"] = json_cell(outcome.value)
    if outcome.reason:
        facts["error"] = outcome.reason
    return facts


def json_cell(value: Any) -> Any:
    """Return a cell as JSON has it; a date as ISO text, what JSON has no word for as text."""
    if isinstance(value, str):
        return _plain(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple | set | frozenset):
        return [json_cell(item) for item in value]
    if isinstance(value, dict):
        return {_plain(str(name)): json_cell(item) for name, item in value.items()}
    if isinstance(value, date | time):
        return value.isoformat()
    if hasattr(value, "tolist"):  # of numpy
        return json_cell(value.tolist())
    if isinstance(value, Path):
        return str(value)
    return f"<{type(value).__name__}>" if hasattr(value, "tobytes") else str(value)


def read_lines(path: Path) -> dict[str, Line]:
    """Return the last line of each request, in the order of the first; none without a file.

    What is cut short is passed over. Raises `LibraryError` when the file cannot be read.
    """
    lines: dict[str, Line] = {}
    try:
        with os.fdopen(open_plain(path), encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except (ValueError, RecursionError):
                    continue
                if isinstance(line, dict) and isinstance(ours(line, "row"), int):
                    lines[str(ours(line, "request") or f"row {ours(line, 'row')}")] = line
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LibraryError(f"{path.name} cannot be read: {error.strerror}.") from error
    return lines


def read_manifest(path: Path) -> list[Line]:
    """Return the lines of the last table, in the order of its rows.

    Raises `LibraryError` when the file cannot be read.
    """
    lines = [line for line in read_lines(path).values() if ours(line, "current") is not False]
    return sorted(lines, key=lambda line: cast("int", ours(line, "row")))


def parquet_of(lines: Sequence[Line]) -> bytes:
    """Return the lines as Parquet, which wants one kind in a column: what is mixed is JSON text.

    Needs pyarrow.
    """
    import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there
    import pyarrow.parquet as pq  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there

    names = list(dict.fromkeys(name for line in lines for name in line))
    columns = {}
    for name in names:
        values = [line.get(name) for line in lines]
        try:
            columns[_plain(name)] = pa.array(values)
        except (pa.ArrowException, OverflowError, ValueError):
            columns[_plain(name)] = pa.array(
                [None if value is None else _text(value) for value in values], pa.string()
            )
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def _text(value: Any) -> str:
    return _plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    """Return *text* without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
