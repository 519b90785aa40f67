"""Small real pictures for tests."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def png(size: tuple[int, int] = (64, 64), colour: str = "teal", mode: str = "RGB") -> bytes:
    """Return the bytes of a PNG of one colour."""
    return encoded(Image.new(mode, size, colour), "PNG")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return *image* in the format *kind*."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
