"""Content credentials (C2PA): whether a file carries them. They are found, never verified.

They bind the bytes of their file: metadata put into it would make a signed picture read as tampered
with, so such a file is kept exactly as it was received.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.formats import sniff_format
from opeai_nb.library.metadata import jpeg, png, webp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PRESENT: Final = "present, kept, not verified"

# Where C2PA 2.1, appendix A, puts them, by format. In a JPEG the segment is JUMBF's, of which
# others make use, too: the label of the box tells.
_PNG, _WEBP, _BOX = b"caBX", b"C2PA", b"uuid"
_LABEL: Final = b"c2pa"
_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MOST_BOXES: Final = 1_000


def has_content_credentials(data: bytes) -> bool:
    """Tell whether a picture file carries content credentials: PNG, JPEG, WebP, AVIF, HEIF."""
    look = _LOOKS.get(sniff_format(data[:16]) or "")
    return look is not None and look(data)


def _in_png(data: bytes) -> bool:
    return any(kind == _PNG for kind in png.kinds(data))


def _in_jpeg(data: bytes) -> bool:
    return any(b"jumb" in block and _LABEL in block for block in jpeg.jumbf(data))


def _in_webp(data: bytes) -> bool:
    return _WEBP in webp.kinds(data)


def _in_boxes(data: bytes) -> bool:
    """Look through the outermost boxes of an ISO base media file."""
    place = 0
    for _ in range(_MOST_BOXES):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == _BOX and data[place + 8 : place + 24] == _UUID:
            return True
        if length < 8:  # noqa: PLR2004  a box's head; 0 and 1 are those of the largest, at the end
            return False
        place += length
    return False


_LOOKS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "png": _in_png,
    "jpeg": _in_jpeg,
    "webp": _in_webp,
    "avif": _in_boxes,
    "heif": _in_boxes,
}
