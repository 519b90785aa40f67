"""How many frames the pictures of an AVIF file are made of: a decoder decodes all to show one.

Boxes are those of ISO/IEC 14496-12, the units in them (OBUs) those of AV1, section 5.3.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME_UNITS: Final = frozenset({3, 6})  # OBU_FRAME_HEADER and OBU_FRAME
_SEQUENCE: Final = (b"trak", b"mdia", b"minf", b"stbl")
_MOST_BYTES: Final = 2  # times the file, in all items: more, and they lie upon each other


def frames_of_pictures(data: bytes) -> Iterator[int]:
    """Yield for each coded picture of a file how many frames it is made of; of a track the first.

    Raises `struct.error` or `IndexError` where the file ends in the middle, and `ValueError` for
    pictures that are made of the same bytes.
    """
    left = _MOST_BYTES * len(data)
    for extents in (*_items(data), *_samples(data)):
        left -= sum(len(extent) for extent in extents)
        if left < 0:
            raise ValueError("its pictures are made of the same bytes")
        yield _frames(extents[0] if len(extents) == 1 else b"".join(extents))


def _boxes(box: memoryview, *path: bytes) -> Iterator[memoryview]:
    """Yield the contents of the boxes that *path* leads to."""
    at = 0
    while at + 8 <= len(box):
        size, kind = struct.unpack_from(">I4s", box, at)
        head = 8
        if size == 1:  # the size stands behind the kind, in 64 bits
            size, head = struct.unpack_from(">Q", box, at + 8)[0], 16
        inner = box[at + head : at + size if size else len(box)]
        if kind == path[0]:
            yield from _boxes(inner, *path[1:]) if path[1:] else (inner,)
        at += max(size, head) if size else len(box)


def _items(data: bytes) -> Iterator[list[memoryview]]:
    """Yield the extents of each item that is coded in AV1."""
    for meta in _boxes(memoryview(data), b"meta"):
        coded = {
            struct.unpack_from(">I" if entry[0] > 2 else ">H", entry, 4)[0]  # noqa: PLR2004  infe version 3
            for info in _boxes(meta[4:], b"iinf")
            for entry in _boxes(info[8 if info[0] else 6 :], b"infe")
            if b"av01" in bytes(entry[8:14])
        }
        within = next(_boxes(meta[4:], b"idat"), memoryview(b""))
        for location in _boxes(meta[4:], b"iloc"):
            for number, is_within, extents in _locations(location):
                source = within if is_within else memoryview(data)
                if number in coded:
                    yield [source[start : start + size or None] for start, size in extents]


def _locations(box: memoryview) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Yield the number of each item, whether it lies in `idat`, and its extents."""
    version, at = box[0], 6
    widths = (box[4] >> 4, box[4] & 15, box[5] >> 4, box[5] & 15 if version else 0)

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(box):
            raise IndexError
        at += width
        return int.from_bytes(box[at - width : at], "big")

    offset, length, base, index = widths
    wide = 4 if version > 1 else 2
    for _ in range(number(wide)):
        item = number(wide)
        is_within = bool(version and number(2) & 15)
        number(2)  # of the file that holds it: this one
        start = number(base)
        extents = []
        for _ in range(number(2)):
            number(index)
            extents.append((start + number(offset), number(length)))
        yield item, is_within, extents


def _samples(data: bytes) -> Iterator[list[memoryview]]:
    """Yield the first sample of each track of a moving picture."""
    for table in _boxes(memoryview(data), b"moov", *_SEQUENCE):
        for sizes, places in zip(_boxes(table, b"stsz"), _chunks(table), strict=False):
            size = struct.unpack_from(">I", sizes, 4)[0] or struct.unpack_from(">I", sizes, 12)[0]
            yield [memoryview(data)[places : places + size]]


def _chunks(table: memoryview) -> Iterator[int]:
    for kind, word in ((b"stco", ">I"), (b"co64", ">Q")):
        for box in _boxes(table, kind):
            yield struct.unpack_from(word, box, 8)[0]


def _frames(units: memoryview | bytes) -> int:
    """Return how many frames a run of OBUs holds."""
    at, frames = 0, 0
    while at < len(units) and not units[at] & 0x80:  # a bit that no unit has
        head = units[at]
        frames += (head >> 3) & 15 in _FRAME_UNITS
        at += 2 if head & 4 else 1
        if not head & 2:  # without a size it is the last
            break
        size = shift = 0
        while True:
            size |= (units[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not units[at - 1] & 128 or shift > 56:  # noqa: PLR2004  eight bytes at most
                break
        at += size
    return frames
