"""From pixels to the bytes of a file, at most as many as there is room for."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

QUALITIES: Final = (85, 75, 60, 45)
"""What JPEG is tried at: the first is hardly told from the picture, below the last blocks show."""


class Encoded(NamedTuple):
    """An encoded picture: its bytes, its mime type, and its width and height in pixels."""

    data: bytes
    mime: str
    size: tuple[int, int]


def encoded(
    image: Image.Image, most_bytes: int | None = None, *, compress_level: int = 6
) -> Encoded:
    """Return an RGBA picture as PNG, any other as JPEG of at most *most_bytes*, if it can be.

    Never WebP, which exports do not show and nbval compares.
    """
    if image.mode == "RGBA":
        data = saved(image, "PNG", compress_level=compress_level)
        return Encoded(data, "image/png", image.size)
    return Encoded(jpeg(image, most_bytes), "image/jpeg", image.size)


def jpeg(
    image: Image.Image,
    most_bytes: int | None = None,
    qualities: Sequence[int] = QUALITIES,
    **options: Any,
) -> bytes:
    """Return *image* as JPEG at the first of *qualities* that gives at most *most_bytes*.

    At the last one where none does. *options* are Pillow's.
    """
    data = b""
    for quality in qualities:
        data = saved(image, "JPEG", quality=quality, **options)
        if most_bytes is None or len(data) <= most_bytes:
            break
    return data


def shrunk(
    image: Image.Image, most_bytes: int, *, lossy: bool, qualities: Sequence[int]
) -> Encoded:
    """Return *image* in at most *most_bytes*, made smaller in pixels where nothing else helps.

    A PNG, unless *lossy* or too large: then an opaque picture becomes a JPEG.
    """
    opaque = image.mode == "RGB"
    data = b"" if lossy and opaque else saved(image, "PNG", compress_level=1)
    if opaque and not 0 < len(data) <= most_bytes:
        data = jpeg(image, most_bytes, qualities)
    while len(data) > most_bytes:
        scale = max(0.3, min(0.9, (most_bytes / len(data)) ** 0.5 * 0.95))
        image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        png = {"compress_level": 6}
        data = jpeg(image, None, qualities) if opaque else saved(image, "PNG", **png)
    return Encoded(data, "image/jpeg" if data[:1] == b"\xff" else "image/png", image.size)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the file of *image*; *kind* and *options* are Pillow's."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
