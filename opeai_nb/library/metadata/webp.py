"""Metadata in WebP files: a chunk or two put in at the end, and taken out again."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.library.metadata import exif

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.library.metadata.iptc import Fields

_HEADER: Final = 12
_KINDS: Final = {b"EXIF": 0x08, b"XMP ": 0x04}
_ALPHA: Final = 0x10
_EXTENDED_SIZE: Final = 18


class _Chunk(NamedTuple):
    kind: bytes
    place: int
    end: int


def insert(data: bytes, told: str, parameters: str, fields: Fields | None = None) -> bytes:
    """Return the file with our EXIF, or with our XMP where it has an EXIF already.

    *fields* of others stand in XMP, where the file brings none of its own.

    A simple file becomes an extended one, which metadata needs. One that is not sound, or has both
    already, is returned as it is.
    """
    chunks, end = _chunks(data)
    there = kinds(data)
    if not chunks or there >= _KINDS.keys():
        return data
    ours = {}
    if b"EXIF" not in there:
        ours[b"EXIF"] = exif.tiff(told, parameters)
    if b"XMP " not in there and (fields is not None or not ours):
        ours[b"XMP "] = exif.xmp(None if ours else told, fields)
    body = data[_HEADER:end]
    if chunks[0].kind != b"VP8X":
        if (head := _extended_head(data, chunks[0])) is None:
            return data
        body = head + body
    for kind, content in ours.items():
        body = _with_flag(body, _KINDS[kind], on=True) + _chunk(kind, content)
    return _riff(body) + data[end:]


def without(data: bytes) -> Iterator[bytes]:
    """Yield the file without our chunks: as an extended file, then as the simple one it was."""
    chunks, end = _chunks(data)
    if not chunks or chunks[0].kind != b"VP8X":
        return
    for count in (1, 2):
        ours = chunks[-count:]
        if not {chunk.kind for chunk in ours} <= _KINDS.keys():
            return
        if all(exif.told_in(data[chunk.place + 8 : chunk.end]) is None for chunk in ours):
            continue
        body = data[_HEADER : ours[0].place]
        for chunk in ours:
            body = _with_flag(body, _KINDS[chunk.kind], on=False)
        yield _riff(body) + data[end:]
        yield _riff(body[_EXTENDED_SIZE:]) + data[end:]


def blocks(data: bytes) -> Iterator[bytes]:
    """Yield the EXIF and XMP blocks, what was put in last first."""
    for kind, place, end in reversed(_chunks(data)[0]):
        if kind in _KINDS:
            yield data[place + 8 : end]


def kinds(data: bytes) -> set[bytes]:
    """Return the kinds of chunks in the file."""
    return {chunk.kind for chunk in _chunks(data)[0]}


def _chunks(data: bytes) -> tuple[list[_Chunk], int]:
    """Return the chunks and where they end; no chunks when the file is not sound."""
    end = 8 + int.from_bytes(data[4:8], "little")
    found: list[_Chunk] = []
    place = _HEADER
    while place + 8 <= min(end, len(data)):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        following = place + 8 + length + length % 2
        found.append(_Chunk(data[place : place + 4], place, following))
        place = following
    return (found, end) if place == end <= len(data) else ([], end)


def _extended_head(data: bytes, chunk: _Chunk) -> bytes | None:
    """Return the chunk that opens an extended file, from the header of the only picture in it."""
    start = data[chunk.place + 8 : chunk.place + 18]
    flags = 0
    if chunk.kind == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", start[6:10]))
    elif chunk.kind == b"VP8L" and start[:1] == b"\x2f":
        bits = int.from_bytes(start[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _ALPHA if bits >> 28 & 1 else 0
    else:
        return None
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", struct.pack("<I", flags) + sides)


def _with_flag(body: bytes, flag: int, *, on: bool) -> bytes:
    flags = body[8] | flag if on else body[8] & ~flag
    return body[:8] + bytes([flags]) + body[9:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
