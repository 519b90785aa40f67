"""Small pictures for the panel: encoded once, kept while they are likely to be looked at again."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

TILE: Final = 176
"""Pixels of a tile's side: 88 on the page, for screens with two pixels to one."""
LARGE: Final = 1280
_QUALITY: Final = 72
_LARGE_QUALITY: Final = 84
_TILES_KEPT: Final = 1024
_LARGE_KEPT: Final = 8


def tile(path: Path) -> str:
    """Return the square tile of a picture file as a data URL; about 6 kB."""
    return _tile(path, path.stat().st_mtime_ns)


@lru_cache(_TILES_KEPT)
def _tile(path: Path, _: int) -> str:
    with _opened(path) as image:
        image.draft("RGB", (2 * TILE, 2 * TILE))  # JPEG alone decodes to a smaller size
        square = _filling(_drawable(image), (TILE, TILE))
    return data_url(*_encoded(square, _QUALITY))


def tile_of(data: bytes) -> str:
    """Return the tile of an input picture that is held in memory, as a data URL."""
    from PIL import ImageOps

    with _opened(BytesIO(data)) as image:
        square = _filling(_drawable(ImageOps.exif_transpose(image)), (TILE, TILE))
    return data_url(*_encoded(square, _QUALITY))


def large(path: Path) -> str:
    """Return a picture file as a data URL, its longer side at most `LARGE` pixels."""
    return _large(path, path.stat().st_mtime_ns)


@lru_cache(_LARGE_KEPT)
def _large(path: Path, _: int) -> str:
    return data_url(*_scaled(path, LARGE))


def large_of(data: bytes, size: tuple[int, int]) -> str:
    """Return an input picture at *size*, to lie below a result of that size in a comparison."""
    from PIL import ImageOps

    with _opened(BytesIO(data)) as image:
        fitted = _filling(_drawable(ImageOps.exif_transpose(image)), size)
    return data_url(*_encoded(fitted, _LARGE_QUALITY))


def shown_size(size: tuple[int, int], side: int = LARGE) -> tuple[int, int]:
    """Return the size at which a picture of *size* is shown."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def data_url(data: bytes, mime: str) -> str:
    """Return bytes as a data URL."""
    return f"data:{mime};base64,{b64encode(data).decode()}"


def picture_html(source: str, alt: str, size: tuple[int, int]) -> str:
    """Return the picture as HTML; its text for those who do not see it is escaped."""
    width, height = size
    return (
        f'<img class="ob-picture" src="{escape(source)}" alt="{escape(alt)}" '
        f'width="{width}" height="{height}">'
    )


def _opened(source: Path | BytesIO) -> Image.Image:
    """Open a picture. Raises `OSError`, `SyntaxError` or `ValueError` for what is none.

    A library may be a gift: files in it are looked at before anyone trusts them.
    """
    from PIL import Image

    try:
        return Image.open(source)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError("it has far too many pixels") from error


def _scaled(path: Path, side: int) -> tuple[bytes, str]:
    with _opened(path) as image:
        image.draft("RGB", (side, side))
        small = _drawable(image)
        small.thumbnail((side, side), reducing_gap=2.0)
    return _encoded(small, _LARGE_QUALITY)


def _filling(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return *image* scaled to fill *size*, what stands over cut off on both sides."""
    from PIL.Image import Resampling

    width, height = size
    scale = min(image.width / width, image.height / height)
    left, top = (image.width - width * scale) / 2, (image.height - height * scale) / 2
    box = (left, top, left + width * scale, top + height * scale)
    return image.resize(size, Resampling.BICUBIC, box=box, reducing_gap=2.0)


def _drawable(image: Image.Image) -> Image.Image:
    alpha = "A" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if alpha else "RGB")


def _encoded(image: Any, quality: int) -> tuple[bytes, str]:
    """Encode as JPEG, or WebP where it is transparent: these live in widgets, never in a file."""
    buffer = BytesIO()
    if image.mode == "RGBA":
        image.save(buffer, "WEBP", quality=quality)
        return buffer.getvalue(), "image/webp"
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue(), "image/jpeg"
