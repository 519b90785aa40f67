"""What a batch leaves for its producer: reasons in few lines, a file to mend, a log."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from opeai_nb.bulk.batch.manifest_line import json_cell, ours
from opeai_nb.bulk.batch.rows import REASON
from opeai_nb.errors import InputError
from opeai_nb.library.disk.files import write_whole
from opeai_nb.printable import printable_cell
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opeai_nb.bulk.batch.batch import Batch

_MOST_ROWS: Final = 5
_MOST_REASONS: Final = 10
_SEND_UNKNOWN: Final = "--send-unknown sends them again, and may pay twice."


def reasons(lines: Iterable[Mapping[str, Any]], advice: Mapping[str, str]) -> list[str]:
    """Return why rows have no pictures, equal reasons in one line, each with what helps."""
    rows: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        if message := ours(line, "error"):
            rows.setdefault((str(ours(line, "status")), message), []).append(ours(line, "row"))
    told = []
    for (status, message), numbers in list(rows.items())[:_MOST_REASONS]:
        told.append(f"{_rows(numbers)}: {message}")
        step = _SEND_UNKNOWN if status == "unknown" else advice.get(message, "")
        told += [f"  → {step}"] * bool(step)
    if more := len(rows) - _MOST_REASONS if len(rows) > _MOST_REASONS else 0:
        told.append(f"… and {counted(more, 'more reason')}")
    return told


def _rows(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Row {numbers[0]}"
    shown = ", ".join(map(str, numbers[:_MOST_ROWS]))
    return f"{len(numbers)} rows ({shown}{', …' if len(numbers) > _MOST_ROWS else ''})"


def write_errors(path: Path, rows: Batch) -> int:
    """Write the rows that have no pictures as a table to mend and run again; return how many.

    As JSON lines where *path* ends so, else as CSV that Excel opens. Raises `InputError`.
    """
    lines = zip(rows.rows.table.rows, rows.manifest, strict=True)
    bad = [
        {**row.cells, REASON: printable_cell(str(ours(line, "error") or ours(line, "status")))}
        for row, line in lines
        if ours(line, "status") != "done"
    ]
    data = _json_lines(bad) if path.suffix in (".jsonl", ".ndjson") else _csv(bad)
    try:
        write_whole(path, data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", advice="") from error
    return len(bad)


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    lines = (json.dumps(json_cell(dict(row)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row)) or [REASON]
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _text(value: Any) -> str:
    cell = json_cell(value)
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


class Log:
    """A file with a line for each event and the time in front; without a path it is nowhere.

    Raises `InputError` where it cannot be written.
    """

    def __init__(self, path: str | None) -> None:
        self._file = None
        if path is not None:
            try:
                self._file = Path(path).expanduser().open("a", encoding="utf-8")
            except OSError as error:
                raise InputError(f"The log {path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, text: str) -> None:
        """Add a line, on the disk at once."""
        if self._file is not None:
            self._file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}\n")
            self._file.flush()

    def row(self, line: Mapping[str, Any]) -> None:
        """Add what became of a row."""
        error = f": {ours(line, 'error')}" if ours(line, "error") else ""
        self.write(f"row {ours(line, 'row')} {ours(line, 'status')}{error}")
