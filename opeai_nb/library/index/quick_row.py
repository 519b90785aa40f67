"""A record's row by the shortest way: for a hundred thousand that are read at once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import orjson

from opeai_nb.library.index.index_row import FileStat, row_of
from opeai_nb.library.records.record import LARGEST, VERSION, has_half_letters
from opeai_nb.library.records.request_json import is_plain
from opeai_nb.library.records.validate import MOST_PICTURES
from opeai_nb.plain_file import read_with_stat

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


_NUMBER: Final = (float, int, type(None))
_LONG: Final = 2.0**63
"""From here on `orjson` may have made a float of a whole number."""


def quick_row(folder: str, home: int, name: str, there: Container[str]) -> tuple[Any, ...] | None:
    """Return the row of a record that nobody has looked at yet; None for what takes more care.

    *there* are all names in the folder. Only what the row says is checked: the rest of the record
    and its pictures are, as ever, when it is shown. It is read by `orjson`, which differs from
    `json` where it refuses, and in numbers that are too long for it: a record whose row may depend
    on one is read again.
    """
    try:
        data, status = read_with_stat(f"{folder}{os.sep}{name}", LARGEST)
        text, stands = data.decode(), orjson.loads(data)
        if not is_plain(stands["request"]) or _has_long_number(stands):
            stands = json.loads(text)
        if not _is_sound(stands, there) or has_half_letters(text):
            return None
        stat = FileStat(status.st_mtime_ns, status.st_size)
        return row_of(home, name, stands, text, stat, look=None)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _has_long_number(stands: Mapping[str, Any]) -> bool:
    numbers = [stands.get("duration"), *(stands.get("usage") or {}).values()]
    return bool([1 for number in numbers if number.__class__ is float and abs(number) >= _LONG])


def _is_sound(stands: Mapping[str, Any], there: Container[str]) -> bool:
    """Tell whether a record is of this version, what its row says is, and its files are there."""
    request, slot, pictures = stands["request"], stands.get("slot"), stands["pictures"]
    for text in (stands["id"], stands["origin"], request["prompt"], request["model"]):
        if text.__class__ is not str or not text:
            return False
    for item in pictures:
        if (file := item.get("file")) is not None and not (file.isascii() and file in there):
            return False
    return (
        0 <= stands["opeai_nb"] <= VERSION
        and 0 < len(pictures) <= MOST_PICTURES
        and stands.get("duration").__class__ in _NUMBER
        and (slot is None or slot["call"].__class__ is int)
    )
