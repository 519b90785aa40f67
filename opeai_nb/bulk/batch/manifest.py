"""The manifest of a batch: what became of each row, one line of JSON each, written as it comes."""

from __future__ import annotations

import json
import os
import secrets
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError
from opeai_nb.library.files import write_whole
from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point

NAME: Final = "manifest.jsonl"
OURS: Final = ("row", "status", "files", "id", "tokens", "error")
_FLUSH_EACH: Final = 64


class Manifest:
    """Lines in `manifest.jsonl` of *folder*: `row` from 0, its own cells, `status`, `files`.

    While a batch runs, lines are added in the order in which outcomes come; the last line of a row
    counts. `close` puts them in order. The pictures themselves are safe without it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()
        self._written = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.fdopen(open_plain(self.path, flags), "a", encoding="utf-8")
            self._file.write("\n")  # a line that a crash cut short stays alone
        except OSError as error:
            raise LibraryError(f"The manifest cannot be written: {error.strerror}.") from error

    def add(self, point: Point, row: dict[str, Any], outcome: Outcome) -> None:
        """Write what became of a row. Raises `LibraryError` when the disk refuses."""
        line = json.dumps(line_of(point, row, outcome), ensure_ascii=False, default=str)
        with self._lock:
            if self._file.closed:
                return  # it came after an interrupt: the next run finds it in the library
            try:
                self._file.write(f"{line}\n")
                self._written += 1
                if self._written % _FLUSH_EACH == 0:
                    self._file.flush()
            except OSError as error:
                raise LibraryError(f"The manifest cannot be written: {error.strerror}.") from error

    def close(self, rows: int) -> list[dict[str, Any]]:
        """Put the lines of the first *rows* rows in order, the last one of each, and return them.

        With pandas and pyarrow, a `manifest.parquet` beside it holds the same.
        """
        with self._lock:
            self._file.close()
        lines = [line for line in read_manifest(self.path) if line["row"] < rows]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        try:
            write_whole(self.path, text.encode())
            _write_parquet(lines, self.path.with_suffix(".parquet"))
        except OSError as error:
            raise LibraryError(f"The manifest cannot be written: {error.strerror}.") from error
        return lines


def line_of(point: Point, row: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Return one line: the same for a picture that was sent and for one from the library."""
    # A manifest may be read as a batch: what it told of another run is not told again.
    line: dict[str, Any] = {
        "row": point.number,
        **{
            name: value
            for name, value in row.items()
            if isinstance(value, str | int | float | bool) and name not in OURS
        },
        "prompt": point.request.prompt,
        "model": point.request.model,
        "status": "done" if outcome.is_good else outcome.state,
        "files": outcome.files,
    }
    if outcome.generation is not None:
        line["id"] = outcome.id
        line["tokens"] = (outcome.generation.usage or {}).get("total_tokens")
    if outcome.reason:
        line["error"] = outcome.reason
    return line


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the last line of each row, in the order of the rows; what is cut short is passed over.

    Raises `LibraryError` when the file cannot be read.
    """
    found: dict[int, dict[str, Any]] = {}
    try:
        with os.fdopen(open_plain(path), encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if isinstance(line, dict) and isinstance(line.get("row"), int):
                    found[line["row"]] = line
    except OSError as error:
        raise LibraryError(f"{path.name} cannot be read: {error.strerror}.") from error
    return [found[number] for number in sorted(found)]


def _write_parquet(lines: list[dict[str, Any]], path: Path) -> None:
    if find_spec("pandas") is None or find_spec("pyarrow") is None:
        return
    import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there

    part = path.with_name(f".{secrets.token_hex(8)}.part")
    table = pd.DataFrame.from_records(lines)
    for name in table.columns:
        kinds = {type(value) for value in table[name].dropna()}
        if len(kinds) > 1:  # Parquet wants one kind in a column; the JSON lines keep them apart
            table[name] = table[name].map(lambda value: None if value is None else str(value))
    table.to_parquet(part, index=False)
    part.replace(path)
