"""A data set: an image folder that `datasets` loads, with a table of what was asked.

    cats/
        README.md                       the card
        metadata.jsonl                  a line for each picture
        2026-11-26-fox-3f2a9c1d-1.png   the files, byte for byte as they lie in the library

With a split, tables and files lie in `train/`, `validation/` and `test/`.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.filename import extension
from opeai_nb.library.disk.files import Disk, sync_file, write_new
from opeai_nb.library.export.card import COLUMNS, Census, card
from opeai_nb.library.export.split import part_of
from opeai_nb.printable import escaped_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opeai_nb.library.export.piece import Piece

TABLE: Final = "metadata.jsonl"
CARD: Final = Path("README").with_suffix(".md")  # no message: it names no document
UNLOADED: Final = frozenset({"svg", "heif"})
"""Formats that Pillow does not decode by itself: one such file makes the whole set unreadable."""
_WAITING: Final = 16  # threads that wait for the disk
_AT_ONCE: Final = 1000
_OWN_COLUMNS: Final = frozenset({"prompt", "negative_prompt", "model", "image"})


class DataSet:
    """Writes pictures and tables into *folder*, one at a time; *shares* are those of a split."""

    def __init__(self, folder: Path, shares: Mapping[str, float], disk: Disk) -> None:
        self.census = Census()
        self._folder, self._shares, self._disk = folder, shares, disk

    def write(self, pieces: Iterable[Piece]) -> None:
        """Write the files and the tables. Raises `OSError`."""
        with ExitStack() as stack:
            tables: dict[str, int] = {}
            for piece in pieces:
                part = part_of(piece.record.prompt, self._shares) if self._shares else ""
                if part not in tables:
                    tables[part] = self._table(part)
                    stack.callback(os.close, tables[part])
                name = self._write_picture(piece, self._folder / part)
                line = escaped_json(json.dumps(row_of(piece, name), ensure_ascii=False))
                data = f"{line}\n".encode("utf-8", "replace")
                self._disk.write_all(tables[part], data, durable=False)
                self.census.count(piece, part)

    def close(self, name: str) -> None:
        """Write the card, last of all, and wait until everything is on the disk. Raises `OSError`.

        After all writing, and for many files at once: disks take about as long for one.
        """
        files = (path for part in self.census.parts for path in (self._folder / part).iterdir())
        plain = filter(Path.is_file, files)
        with ThreadPoolExecutor(_WAITING) as pool:
            while some := list(islice(plain, _AT_ONCE)):
                list(pool.map(partial(sync_file, disk=self._disk), some))
        text = card(name, self.census, is_split=bool(self._shares))
        write_new(
            self._folder / CARD,
            text.encode("utf-8", "replace"),
            disk=self._disk,
        )

    def _table(self, part: str) -> int:
        self._disk.mkdir(self._folder / part)
        path = self._folder / part / TABLE
        return self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    def _write_picture(self, piece: Piece, folder: Path) -> str:
        """Write the file under its own name, and return that; a second one of it gets a number."""
        data, stem = piece.read(), Path(piece.file).stem
        ending, number = extension(piece.picture.format), 1
        while True:
            name = f"{stem}.{ending}" if number == 1 else f"{stem}.{number}.{ending}"
            try:
                write_new(folder / name, data, durable=False, disk=self._disk)
            except FileExistsError:
                number += 1
            else:
                return name


def row_of(piece: Piece, file_name: str) -> dict[str, Any]:
    """Return the line of the table for a picture.

    Each column holds text, a whole number or a yes or no in every line: of a list that is empty in
    one part of a set and not in another, the loader makes two types, and refuses the set.
    """
    record, picture, marks = piece.record, piece.picture, piece.marks
    written = record.written
    width, height = picture.size or (0, 0)
    rest = {name: value for name, value in written.items() if name not in _OWN_COLUMNS}
    row = {
        "file_name": file_name,
        "prompt": record.prompt,
        "negative_prompt": str(written.get("negative_prompt") or ""),
        "revised_prompt": str(picture.revised_prompt or ""),
        "model": record.model,
        "axes": dict(piece.axes),
        "alt": piece.words.alt,
        "caption": piece.words.caption,
        "tags": " ".join(marks.tags),
        "starred": marks.starred,
        "note": marks.note,
        "width": width,
        "height": height,
        "created": str(record.stands["created"]),
        "origin": record.origin,
        "id": piece.id,
        "sha256": str(picture.sha256 or ""),
        "inputs": " ".join(str(image["sha256"]) for image in written.get("image", ())),
        "request": json.dumps(rest, ensure_ascii=False, sort_keys=True),
    }
    return {column: row[column] for column in COLUMNS if column != "axes" or piece.axes}
