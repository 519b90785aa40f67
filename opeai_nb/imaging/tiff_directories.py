"""The directories of a TIFF, which EXIF is, too: what in them would be read over and over."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PARTS: Final = 50_000
"""Strips of a TIFF, and likewise segments of a JPEG or chunks of a PNG: Pillow takes 10 µs each."""
_BYTES_OF: Final = dict(enumerate((0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)))
_ARRAYS: Final = {3: "H", 4: "I", 16: "Q"}
_PLAIN: Final = frozenset({1, 2, 3, 4, 5, 8, 32773, 32946})
"""No compression, CCITT, LZW, deflate, PackBits; the others hold JPEGs, or large dictionaries."""
_COMPRESSION: Final = 259
_OFFSETS: Final = frozenset({273, 324})  # of strips, of tiles
_LENGTHS: Final = frozenset({279, 325})
_DIRECTORIES: Final = 2  # Pillow reads the second to tell whether there is one
_READ_AGAIN: Final = 16  # times the file: values of a broken one reach beyond its end
_BIG: Final = 43  # BigTIFF's number where TIFF's is 42


class _Entry(NamedTuple):
    tag: int
    kind: int
    length: int
    """How many values it has."""
    data: memoryview
    """The bytes of its values."""


def is_costly_tiff(data: bytes) -> bool:
    """Tell strips that share their bytes, too many of them, and a compression that is not plain."""
    if is_costly_exif(data):
        return True
    for entry in _entries(data):
        if entry.tag in _OFFSETS and entry.length > MOST_PARTS:
            return True
        if entry.tag in _LENGTHS and sum(_numbers(entry, data)) > _READ_AGAIN * len(data):
            return True
        if entry.tag == _COMPRESSION and not _PLAIN.issuperset(_numbers(entry, data)):
            return True
    return False


def is_costly_exif(data: bytes) -> bool:
    """Tell values that lie upon each other, so that few bytes would be read a thousand times."""
    total = 0
    for number, entry in enumerate(_entries(data)):
        total += len(entry.data)
        if number > MOST_PARTS or total > _READ_AGAIN * len(data) + 1_000_000:
            return True
    return False


def _entries(data: bytes) -> Iterator[_Entry]:
    """Yield the entries of the first directories; raises `struct.error` where the file ends."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return
    is_big = struct.unpack_from(f"{order}H", data, 2)[0] == _BIG
    head, entry, word = (
        order + text for text in (("Q", "HHQ", "Q") if is_big else ("H", "HHI", "I"))
    )
    inline, step = struct.calcsize(word), struct.calcsize(entry) + struct.calcsize(word)
    view, at = memoryview(data), struct.unpack_from(word, data, inline)[0]
    for _ in range(_DIRECTORIES):
        if at == 0:
            return
        number = struct.unpack_from(head, data, at)[0]
        at += struct.calcsize(head)
        for place in range(at, at + number * step, step):
            tag, kind, count = struct.unpack_from(entry, data, place)
            size, start = count * _BYTES_OF.get(kind, 0), place + step - inline
            if size > inline:
                start = struct.unpack_from(word, data, start)[0]
            yield _Entry(tag, kind, count, view[start : start + size])
        at = struct.unpack_from(word, data, at + number * step)[0]


def _numbers(entry: _Entry, data: bytes) -> list[int]:
    values = array(_ARRAYS.get(entry.kind, "B"))
    whole = len(entry.data) // values.itemsize * values.itemsize
    values.frombytes(entry.data[:whole])
    if (data[:2] == b"MM") == (sys.byteorder == "little"):
        values.byteswap()
    return list(values)
