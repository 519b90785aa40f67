"""The manifest on disk: lines of JSON, and the same as Parquet where pyarrow is there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.manifest_line import Line, ours, plain
from opeai_nb.errors import LibraryError
from opeai_nb.library.disk.files import DISK, write_part, write_whole
from opeai_nb.library.documents import document_in
from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

NAME: Final = "manifest.jsonl"


def read_lines(path: Path) -> dict[str, Line]:
    """Return the last line of each request, in the order of the first; none without a file.

    What is cut short is passed over. Raises `LibraryError` when the file cannot be read.
    """
    lines: dict[str, Line] = {}
    try:
        with os.fdopen(open_plain(path), encoding="utf-8", errors="replace") as file:
            for text in file:
                line = document_in(text)
                if line is not None and isinstance(ours(line, "row"), int):
                    lines[str(ours(line, "request") or f"row {ours(line, 'row')}")] = line
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LibraryError(f"{path.name} cannot be read: {error.strerror}.") from error
    return lines


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Write all lines anew. Raises `OSError`."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_whole(path, text.encode("utf-8", "replace"))


def write_parquet(path: Path, lines: Sequence[Line]) -> None:
    """Write the lines as Parquet, which needs pyarrow. Raises `OSError`."""
    data = None if "pyarrow" in sys.modules else _parquet_from_aside(lines)
    part = write_part(path.parent, parquet_of(lines) if data is None else data, durable=False)
    DISK.rename(part, path)


def _parquet_from_aside(lines: Sequence[Line]) -> bytes | None:
    """Let another process make it: pyarrow and what it imports would stay here, 90 MB for one file.

    None where there can be no such process: then this one makes it.
    """
    # -P: what lies in the folder that a person works in is no module of ours.
    code = f"from {__name__} import _serve; _serve()"
    text = json.dumps(lines, ensure_ascii=False).encode("utf-8", "replace")
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and our own words
            [sys.executable, "-P", "-c", code], input=text, capture_output=True, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout or None


class _WithoutPandas(MetaPathFinder):
    """Finds no pandas, which pyarrow would import to ask whether a list is a Series: 50 MB."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def _serve() -> None:
    """Be that process."""
    sys.meta_path.insert(0, _WithoutPandas())
    sys.stdout.buffer.write(parquet_of(json.loads(sys.stdin.buffer.read())))


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
            columns[plain(name)] = pa.array(values)
        except (pa.ArrowException, OverflowError, ValueError):
            columns[plain(name)] = pa.array(
                [None if value is None else _text(value) for value in values], pa.string()
            )
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def _text(value: Any) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
