"""Pictures as bytes, with settings measured for speed."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

_CHANNELS = {"RGB": (3, 2), "RGBA": (4, 6)}  # mode -> bytes a pixel, PNG colour type
_UP = 2  # PNG's filter that stores the difference to the line above


def encoded(image: Image.Image, output_format: str, output_compression: int) -> bytes:
    """Return the file's bytes. Raises ValueError for a format other than png, jpeg, webp."""
    name = {"jpg": "jpeg"}.get(output_format.lower(), output_format.lower())
    quality = min(100, max(0, output_compression))
    if name == "png":
        return _png(image if image.mode in _CHANNELS else image.convert("RGB"))
    file = io.BytesIO()
    if name == "jpeg":
        _on_white(image).save(file, "JPEG", quality=max(1, min(95, quality)))
    elif name == "webp":
        image.save(file, "WEBP", quality=quality, method=0)
    else:
        raise ValueError(f"output_format must be one of: png, jpeg, webp; not {output_format!r}")
    return file.getvalue()


def _png(image: Image.Image) -> bytes:
    """Write a PNG whose every row is the difference to the row above.

    Pillow weighs five filters for each row, which is half of its time on our pictures;
    tests/bench/bench_painter.py compares the two.
    """
    width, height = image.size
    depth, kind = _CHANNELS[image.mode]
    rows = np.asarray(image).reshape(height, width * depth)
    lines = np.empty((height, width * depth + 1), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines.data, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", check)))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, (255, 255, 255))
    ground.paste(image, mask=image.getchannel("A"))
    return ground
