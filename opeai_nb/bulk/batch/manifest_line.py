"""A line of a manifest: a row's own cells, and what became of its request under our columns."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opeai_nb.bulk.batch.source_table import Row
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point

OURS: Final = (
    *("row", "request", "prompt", "model", "status", "files", "id", "tokens", "cost", "currency"),
    *("error", "then", "current"),
)
_PREFIX: Final = "opeai_nb_"
_REQUEST: Final = re.compile(r"[0-9a-f]{16}-(\d+|[0-9a-f]{12})")

Line = dict[str, Any]


def request_name(point: Point) -> str:
    """Return what names a point's request in a manifest: its identity, and its key or call.

    A region that the answer is laid over has its name behind that.
    """
    key = point.call if point.key is None else hashlib.sha256(point.key.encode()).hexdigest()[:12]
    region = "" if point.only is None else f"-{point.only.digest}"
    return f"{point.identity[:16]}-{key}{region}"


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
    return line.get(our_name(line, name))


def our_name(line: Mapping[str, Any], name: str) -> str:
    """Return what our column of that name is called in a line."""
    return f"{_PREFIX}{name}" if f"{_PREFIX}{name}" in line else name


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
    cells = {plain(name): json_cell(value) for name, value in row.cells.items()}
    named = {renamed.get(name, name): value for name, value in made.items()}
    return {"row": row.number, **cells, **named} if "row" not in renamed else {**cells, **named}


def _facts(outcome: Outcome | None) -> Line:
    if outcome is None or outcome.state == "stopped":
        return {"status": "not sent", "files": []}
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
        return plain(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple | set | frozenset):
        return [json_cell(item) for item in value]
    if isinstance(value, dict):
        return {plain(str(name)): json_cell(item) for name, item in value.items()}
    if isinstance(value, date | time):
        return value.isoformat()
    if hasattr(value, "tolist"):  # of numpy
        return json_cell(value.tolist())
    if isinstance(value, Path):
        return str(value)
    return f"<{type(value).__name__}>" if hasattr(value, "tobytes") else str(value)


def plain(text: str) -> str:
    """Return *text* without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
