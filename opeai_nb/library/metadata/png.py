"""Text in PNG files: chunks put in after the header, and taken out again."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from opeai_nb.library.metadata import exif
from opeai_nb.library.metadata.infotext import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.library.metadata.iptc import Fields

OURS: Final = "opeai_nb"
XMP: Final = "XML:com.adobe.xmp"
"""The keyword of XMP, by its specification (part 3, 1.1.5)."""
_START: Final = 33  # signature and IHDR: what stands first in every PNG
_MOST: Final = 4_000_000
_TEXTS: Final = (b"tEXt", b"iTXt", b"zTXt")


def insert(data: bytes, told: str, parameters: str, fields: Fields | None = None) -> bytes:
    """Return the file with our chunks after its header: `parameters` first, then `opeai_nb`.

    Behind them, *fields* of others in XMP. A file that has `parameters` or XMP of its own keeps
    them. What is no PNG is returned as it is.
    """
    if data[12:16] != b"IHDR" or len(data) < _START:
        return data
    there = {name for name, _ in texts(data)}
    chunks = [_text(KEYWORD, parameters)] if KEYWORD not in there else []
    chunks.append(_text(OURS, told))
    if fields is not None and XMP not in there:
        chunks.append(_utf8(XMP, exif.xmp(None, fields)))
    rest = memoryview(data)
    return b"".join((rest[:_START], *chunks, rest[_START:]))


def without(data: bytes) -> Iterator[bytes]:
    """Yield the file without our chunks, likeliest first."""
    if data[12:16] != b"IHDR":
        return
    start = _START
    for _ in range(3):
        if start + 12 > len(data) or data[start + 4 : start + 8] not in _TEXTS:
            return
        start += 12 + int.from_bytes(data[start : start + 4], "big")
        yield data[:_START] + data[start:]


def texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield keyword and text of each text chunk; one that is broken or huge is passed over."""
    for kind, start, length in _chunks(data):
        if kind in _TEXTS and length <= _MOST and (text := _read(kind, data, start, length)):
            yield text


def kinds(data: bytes) -> Iterator[bytes]:
    """Yield the kind of each chunk."""
    return (kind for kind, _, _ in _chunks(data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and its length."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], place + 8, length
        place += 12 + length


def _read(kind: bytes, data: bytes, start: int, length: int) -> tuple[str, str] | None:
    keyword, found, rest = data[start : start + length].partition(b"\0")
    if not found:
        return None
    try:
        if kind == b"tEXt":
            return keyword.decode("latin-1"), rest.decode("latin-1")
        if kind == b"zTXt":
            return keyword.decode("latin-1"), _inflated(rest[1:]).decode("latin-1")
        packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[2]
        return keyword.decode("latin-1"), (_inflated(text) if packed else text).decode()
    except (UnicodeDecodeError, IndexError, zlib.error):
        return None


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _MOST)


def _text(keyword: str, text: str) -> bytes:
    """Return a text chunk: Latin-1 where that is enough, as old readers expect; else UTF-8."""
    name = keyword.encode("latin-1") + b"\0"
    try:
        kind, content = b"tEXt", name + text.encode("latin-1")
        if "\0" in text:
            kind, content = b"tEXt", name + text.replace("\0", "").encode("latin-1")
    except UnicodeEncodeError:
        return _utf8(keyword, text.encode())
    return _chunk(kind, content)


def _utf8(keyword: str, text: bytes) -> bytes:
    return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
