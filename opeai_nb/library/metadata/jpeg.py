"""Metadata in JPEG files: a segment put in at the head, or two, and taken out again."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.library.metadata import exif

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.library.metadata.iptc import Fields

_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _APP11, _SCAN = 0xE0, 0xE1, 0xEB, 0xDA
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_HEAD: Final = len(_EXTENSION) + 32 + 8  # of a part: whose it is, how long all is, where it stands
_LONGEST: Final = 0xFFFF - 2


def insert(data: bytes, told: str, parameters: str, fields: Fields | None = None) -> bytes:
    """Return the file with our EXIF, or with our XMP where it has an EXIF already.

    *fields* of others stand in XMP, where the file brings none of its own.

    Where one segment (64 KB) has no room for both texts, each gets its own, and what is longer than
    a segment is XMP in parts, as XMP's specification (part 3, 1.1.3.1) cuts it: exiftool reads it,
    readers of the user comment alone do not. Where the file has both blocks already, it is returned
    as it is.
    """
    heads = [block for _, _, block in _app1(data)]
    has_exif, has_xmp = (any(it.startswith(kind) for it in heads) for kind in (_EXIF, _XMP))
    start = _start(data)
    if (has_exif and has_xmp) or start is None:
        return data
    ours = _Ours(told, parameters, None if has_xmp else fields)
    fitting = (each for each in _choices(ours, has_exif=has_exif, has_xmp=has_xmp))
    contents = next((each for each in fitting if max(map(len, each)) <= _LONGEST), ())
    segments = [struct.pack(">BBH", 0xFF, _APP1, len(it) + 2) + it for it in contents]
    rest = memoryview(data)
    return b"".join((rest[:start], *segments, rest[start:]))


class _Ours(NamedTuple):
    told: str
    parameters: str | None = None
    fields: Fields | None = None


def _choices(ours: _Ours, *, has_exif: bool, has_xmp: bool) -> Iterator[tuple[bytes, ...]]:
    """Yield what may be put in, best first; ours is the first of its segments."""
    told, parameters, fields = ours
    comment = _EXIF + exif.tiff(None, parameters)
    if not has_exif:
        further = () if fields is None else (_XMP + exif.xmp(None, fields),)
        yield (_EXIF + exif.tiff(told, parameters), *further)
        if has_xmp:
            yield (_EXIF + exif.tiff(told, None),)
    if not has_xmp:
        own = () if has_exif else (comment,)
        yield (_XMP + exif.xmp(told, fields), *own)
        yield (*_in_parts(ours._replace(parameters=None)), *own)
        yield _in_parts(ours)


def _in_parts(ours: _Ours) -> tuple[bytes, ...]:
    """Return XMP of any length: a packet that names the rest, and the parts of that."""
    rest = exif.xmp_extension(*ours)
    name = hashlib.md5(rest, usedforsecurity=False).hexdigest().upper()
    step = _LONGEST - _HEAD
    parts = (
        _EXTENSION + name.encode() + struct.pack(">II", len(rest), place) + rest[place:][:step]
        for place in range(0, len(rest), step)
    )
    return (_XMP + exif.xmp_of_parts(name), *parts)


def without(data: bytes) -> Iterator[bytes]:
    """Yield the file without our segment, and without those behind it, which may be ours too."""
    start, heads = _start(data), _app1(data)
    end = start
    for place, behind, block in heads:
        if place != end or start is None:
            return
        if place == start and exif.told_in(block) is None and not exif.is_of_parts(block):
            return
        end = behind
        yield data[:start] + data[end:]


def blocks(data: bytes) -> Iterator[bytes]:
    """Yield the EXIF and XMP blocks, what was put in last first; XMP in parts is put together."""
    parts: dict[bytes, list[tuple[int, bytes]]] = {}
    for _, _, block in _app1(data):
        if block.startswith((_EXIF, _XMP)):
            yield block
        elif block.startswith(_EXTENSION) and len(block) >= _HEAD:
            name, place = block[len(_EXTENSION) :][:32], int.from_bytes(block[_HEAD - 4 : _HEAD])
            parts.setdefault(name, []).append((place, block[_HEAD:]))
    for each in parts.values():
        yield b"".join(part for _, part in sorted(each))


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
