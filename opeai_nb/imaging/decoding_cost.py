"""What a small picture file may be built of to keep a decoder busy for hours: refused unopened.

A decoder runs in C, in a thread that nobody can end, and a process for each picture would cost more
than the picture. So the parts of a file that each cost time are counted before it is decoded. The
figures in comments are of Pillow 13 on one slow core.
"""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Final

from opeai_nb.formats import sniff_format
from opeai_nb.imaging.avif_frames import frames_of_pictures
from opeai_nb.imaging.tiff_directories import MOST_PARTS, is_costly_exif, is_costly_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MOST_EXIF: Final = 32  # segments of 64 KB, each of which Pillow copies once more with the next
_USUAL_SCANS: Final = 20  # mozjpeg writes at most so many
_SCANNED_PIXELS: Final = 1_000_000_000  # in all scans; 0.3 s for 89 million
_RUN_LENGTH_BYTES: Final = 4_000_000  # of a BMP, decoded in Python: 0.7 s a megabyte
_RUN_LENGTH_PIXELS: Final = 16_000_000
_MOST_BLOCKS: Final = 10_000  # of 255 bytes, before the first frame of a GIF
_MOST_FRAMES: Final = 8  # of an AVIF's item: its quality layers are four at most


class CostlyError(ValueError):
    """A file that would take a decoder far longer than any picture of its size."""


def check_cost(data: bytes) -> None:
    """Raise `CostlyError` for a file that is built to be slow; a broken one is left to Pillow."""
    check = _CHECKS.get(sniff_format(data[:16]) or "")
    try:
        is_costly = check is not None and check(data)
    except (struct.error, IndexError):  # it ends in the middle
        return
    if is_costly:
        raise CostlyError("it is built to take minutes to decode")


# -- PNG and WebP: chunks


def _is_costly_png(data: bytes) -> bool:
    chunks = list(islice(_chunks(data, 8, ">I4s", 12), MOST_PARTS + 1))
    return len(chunks) > MOST_PARTS or any(
        is_costly_exif(body) for kind, body in chunks if kind == b"eXIf"
    )


def _is_costly_webp(data: bytes) -> bool:
    chunks = islice(_chunks(data, 12, "<4sI", 8), MOST_PARTS)
    return any(is_costly_exif(body.removeprefix(_EXIF)) for kind, body in chunks if kind == b"EXIF")


def _chunks(data: bytes, at: int, head: str, around: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and, of EXIF alone, content of each chunk; RIFF's begin at even places."""
    while at + 8 <= len(data):
        one, other = struct.unpack_from(head, data, at)
        kind, size = (one, other) if isinstance(one, bytes) else (other, one)
        yield kind, data[at + 8 : at + 8 + size] if kind.lower() == b"exif" else b""
        at += around + size + (size & 1 if around == _RIFF else 0)


_RIFF: Final = 8


# -- JPEG: segments and scans

_EXIF: Final = b"Exif\0\0"
_MARKER: Final = re.compile(rb"\xff+[^\x00\xff]", re.DOTALL)
_BEHIND_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)  # no stuffing, no restart
_SOS, _EOI = 0xDA, 0xD9
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def _is_costly_jpeg(data: bytes) -> bool:
    scans, pixels, exif = 0, 0, []
    for number, (marker, body) in enumerate(_segments(data)):
        if marker in _SIZES:
            height, width = struct.unpack_from(">HH", body, 1)
            pixels = height * width
        elif marker == _SOS:
            scans += 1
        elif body.startswith(_EXIF):
            exif.append(body[6:])
        slow = scans > _USUAL_SCANS and scans * pixels > _SCANNED_PIXELS
        if slow or number > MOST_PARTS or len(exif) > _MOST_EXIF:
            return True
    return is_costly_exif(b"".join(exif))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment up to the end of the first picture."""
    at, find = 2, _MARKER
    while (found := find.search(data, at)) is not None:
        marker, at = found[0][-1], found.end()
        if marker == _EOI:
            return
        if marker in _BARE:
            continue
        size = int.from_bytes(data[at : at + 2], "big")
        yield marker, data[at + 2 : at + size]
        at += max(size, 2)
        find = _BEHIND_SCAN if marker == _SOS else _MARKER


# -- GIF, BMP and AVIF


def _is_costly_gif(data: bytes) -> bool:
    """Tell a long comment before the first frame: older Pillows copy it with each of its blocks."""
    at, blocks = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0), 0
    while data[at] == _EXTENSION:
        at += 2
        while size := data[at]:
            at, blocks = at + 1 + size, blocks + 1
            if blocks > _MOST_BLOCKS:
                return True
        at += 1
    return False


_EXTENSION: Final = 0x21


def _is_costly_bmp(data: bytes) -> bool:
    width, height = struct.unpack_from("<ii", data, 18)
    is_run_length = struct.unpack_from("<I", data, 30)[0] in {1, 2}
    too_large = len(data) > _RUN_LENGTH_BYTES or abs(width * height) > _RUN_LENGTH_PIXELS
    return is_run_length and too_large


def _is_costly_avif(data: bytes) -> bool:
    try:
        return any(number > _MOST_FRAMES for number in frames_of_pictures(data))
    except ValueError:
        return True


_CHECKS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "png": _is_costly_png,
    "jpeg": _is_costly_jpeg,
    "webp": _is_costly_webp,
    "tiff": is_costly_tiff,
    "gif": _is_costly_gif,
    "bmp": _is_costly_bmp,
    "avif": _is_costly_avif,
}
