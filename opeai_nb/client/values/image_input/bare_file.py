"""PNG, JPEG and WebP files without what does not belong to the picture: no pixel is touched.

A photo says where it was taken, with which camera, and often has a second picture or a film behind
its end; a picture of ours says what was asked. None of that is anybody's business at the platform.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_OF_THE_PICTURE: Final = frozenset(
    [
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"),
        *(b"cICP", b"sBIT", b"bKGD", b"pHYs"),
    ]
)
_WEBP_PARTS: Final = frozenset([b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"])
_EXIF_AND_XMP: Final = 0b1100  # their flags in VP8X
_EOI, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_APP0, _APP2, _APP14, _APP15 = 0xE0, 0xE2, 0xEE, 0xEF
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")  # a scan's own 0xff is followed by 0 or RSTn


def bare_file(data: bytes) -> bytes | None:
    """Return *data* without its metadata and without what follows its end; None where it is odd.

    The very object comes back where there is nothing to take out.
    """
    try:
        if data.startswith(_PNG_HEAD):
            parts = list(_png(data))
        elif data.startswith(b"\xff\xd8\xff"):
            parts = list(_jpeg(data))
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            parts = list(_webp(data))
        else:
            return None
    except (ValueError, struct.error, IndexError):
        return None
    bare = b"".join(parts)
    return data if bare == data else bare


def with_profile(data: bytes, profile: bytes) -> bytes:
    """Return a PNG or JPEG that has no colour profile with *profile* in it: no pixel is touched."""
    if data.startswith(_PNG_HEAD):
        chunk = b"iCCP" + b"ICC Profile\0\0" + zlib.compress(profile)
        framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        place = len(_PNG_HEAD) + _IHDR
    else:
        parts = [profile[at : at + _ICC_AT_ONCE] for at in range(0, len(profile), _ICC_AT_ONCE)]
        heads = (_ICC_MARK + bytes([number, len(parts)]) for number in range(1, len(parts) + 1))
        segments = (head + part for head, part in zip(heads, parts, strict=True))
        framed = b"".join(
            b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment for segment in segments
        )
        place = 2  # readers take it before or behind the JFIF head, which some want to be first
        if data[2:4] == b"\xff\xe0":
            place += 2 + struct.unpack_from(">H", data, 4)[0]
    return data[:place] + framed + data[place:]


_IHDR: Final = 25
_ICC_MARK: Final = b"ICC_PROFILE\0"
_ICC_AT_ONCE: Final = 65_519  # what a segment of a JPEG can hold beside its head


def _png(data: bytes) -> Iterator[bytes]:
    yield _PNG_HEAD
    place, kind = len(_PNG_HEAD), b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + size
        if end > len(data):
            raise ValueError("cut")
        if kind in _OF_THE_PICTURE:
            yield data[place:end]
        place = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    place = 2
    while True:
        if data[place] != 0xFF:  # noqa: PLR2004  every segment begins with it
            raise ValueError("no segment")
        kind = data[place + 1]
        if kind == 0xFF:  # noqa: PLR2004  padding
            place += 1
            continue
        if kind == _EOI:
            yield data[place : place + 2]
            return
        end = place + 2 + struct.unpack_from(">H", data, place + 2)[0]
        segment = data[place:end]
        if _belongs(kind, segment):
            yield segment
        place = end
        if kind == _SCAN:
            if (following := _MARKER.search(data, place)) is None:
                raise ValueError("cut")
            yield data[place : following.end() - 2]
            place = following.end() - 2


def _belongs(kind: int, segment: bytes) -> bool:
    if kind == _APP2:
        return segment[4:16] == _ICC_MARK
    is_told = _APP0 < kind <= _APP15 and kind != _APP14  # that one says how the colours are stored
    return not is_told and kind != _COMMENT


def _webp(data: bytes) -> Iterator[bytes]:
    body = b"".join(_webp_parts(data, 8 + struct.unpack_from("<I", data, 4)[0]))
    yield b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _webp_parts(data: bytes, whole: int) -> Iterator[bytes]:
    place = 12
    while place + 8 <= whole:
        kind, size = struct.unpack_from("<4sI", data, place)
        end = place + 8 + size + size % 2
        if place + 8 + size > len(data):
            raise ValueError("cut")
        part = data[place:end]
        if kind == b"VP8X":
            part = part[:8] + bytes([part[8] & ~_EXIF_AND_XMP]) + part[9:]
        if kind in _WEBP_PARTS:
            yield part
        place = end
