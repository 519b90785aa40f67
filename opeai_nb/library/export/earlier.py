"""An earlier export, which a new one may take the place of: nothing of a person's own is in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.library.export.card import MARK
from opeai_nb.library.export.data_set import CARD, TABLE
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD: Final = 4096
"""Bytes of a card in which the mark stands."""


def is_data_set(folder: Path) -> bool:
    """Tell whether a folder holds a data set that was exported, and no other file."""
    try:
        if MARK.encode() not in read_plain(folder / CARD, _HEAD, head=True):
            return False
        found = set(_files(folder))
        tables = [path for path in found if path.name == TABLE]
        return found == {folder / CARD, *tables, *_told(tables)}
    except (OSError, ValueError, KeyError, TypeError):  # not as we wrote it
        return False


def is_page_or_sheet(path: Path) -> bool:
    """Tell whether a file is a page or a contact sheet that was exported: each says so in itself.

    A PDF does behind its pages, in letters of 16 bits, all else at its head.
    """
    try:
        if path.suffix.lower() == ".pdf":
            return MARK.encode("utf-16-be") in read_plain(path)
        return MARK.encode() in read_plain(path, _HEAD, head=True)
    except OSError:
        return False


def _files(folder: Path) -> Iterator[Path]:
    """Yield all that lies in a folder but plain folders."""
    for place, folders, files in os.walk(folder):
        links = (name for name in folders if Path(place, name).is_symlink())
        yield from (Path(place, name) for name in (*files, *links))


def _told(tables: list[Path]) -> Iterator[Path]:
    """Yield the pictures that tables tell of."""
    for table in tables:
        for line in read_plain(table).splitlines():
            yield table.parent / json.loads(line)["file_name"]
