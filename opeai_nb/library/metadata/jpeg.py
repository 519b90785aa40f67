"""Metadata in JPEG files: a segment put in at the head, or two, and taken out again."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from opeai_nb.library.metadata import exif

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _APP11, _SCAN = 0xE0, 0xE1, 0xEB, 0xDA
_LONGEST: Final = 0xFFFF - 2


def insert(data: bytes, told: str, parameters: str) -> bytes:
    """Return the file with our EXIF, or with our XMP where it has an EXIF already.

    Where one segment (64 KB) has no room for both texts, each gets its own; where the parameters
    have none either, they are left out. Without room for our own text, or with both blocks there
    already, the file is returned as it is.
    """
    heads = [block for _, _, block in _app1(data)]
    has_exif, has_xmp = (any(it.startswith(kind) for it in heads) for kind in (_EXIF, _XMP))
    choices: list[tuple[bytes, ...]] = []
    if not has_exif:
        choices = [(_EXIF + exif.tiff(told, parameters),), (_EXIF + exif.tiff(told, None),)]
        if not has_xmp:
            choices.insert(1, (_XMP + exif.xmp(told), _EXIF + exif.tiff(None, parameters)))
    elif not has_xmp:
        choices = [(_XMP + exif.xmp(told),)]
    contents = next((each for each in choices if max(map(len, each)) <= _LONGEST), None)
    start = _start(data)
    if contents is None or start is None:
        return data
    segments = [struct.pack(">BBH", 0xFF, _APP1, len(it) + 2) + it for it in contents]
    rest = memoryview(data)
    return b"".join((rest[:start], *segments, rest[start:]))


def without(data: bytes) -> Iterator[bytes]:
    """Yield the file without our segment, and without the EXIF behind it, which may be ours too."""
    start, heads = _start(data), _app1(data)
    for number, (place, end, block) in enumerate(heads):
        if place == start and exif.told_in(block) is not None:
            yield data[:place] + data[end:]
            for following, behind, other in heads[number + 1 : number + 2]:
                if following == end and other.startswith(_EXIF):
                    yield data[:place] + data[behind:]


def blocks(data: bytes) -> Iterator[bytes]:
    """Yield the EXIF and XMP blocks, what was put in last first."""
    for _, _, block in _app1(data):
        if block.startswith((_EXIF, _XMP)):
            yield block


def jumbf(data: bytes) -> Iterator[bytes]:
    """Yield the content of each JUMBF segment (ISO 19566-5)."""
    for kind, place, end in _segments(data):
        if kind == _APP11 and data[place + 4 : place + 6] == b"JP":
            yield data[place + 6 : end]


def _app1(data: bytes) -> list[tuple[int, int, bytes]]:
    return [
        (place, end, data[place + 4 : end]) for kind, place, end in _segments(data) if kind == _APP1
    ]


def _start(data: bytes) -> int | None:
    """Return where our segment belongs: after JFIF's, which has to stand first."""
    start = 2
    for kind, place, end in _segments(data):
        if kind != _APP0 or place != start:
            return start
        start = end
    return None  # it is cut off before anything else


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and end of each segment before the first scan."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:  # noqa: PLR2004  every marker's first byte
        kind = data[place + 1]
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end > len(data) or end < place + 4:
            return
        yield kind, place, end
        if kind == _SCAN:
            return
        place = end
