"""Small pictures for panel and tables: encoded once, kept while they may be looked at again."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opeai_nb.imaging.encode import saved
from opeai_nb.imaging.open_picture import decoded_picture, loaded, open_picture, upright
from opeai_nb.imaging.scale import filling, fitted, scaled

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

TILE: Final = 176
"""Pixels of a tile's side: 88 on the page, for screens with two pixels to one."""
LARGE: Final = 1280
_QUALITY: Final = 72
_LARGE_QUALITY: Final = 84
_LOOK: Final = f"{TILE}-{_QUALITY}"
_TILES_KEPT: Final = 1024
_LARGE_KEPT: Final = 8


def tile(path: Path) -> bytes:
    """Return the square tile of a picture file; about 6 kB."""
    return _tile(path, path.stat().st_mtime_ns)


@lru_cache(_TILES_KEPT)
def _tile(path: Path, time: int) -> bytes:
    from opeai_nb.library.kept_tiles import keep_tile, kept_tile  # not before a tile is wanted

    if (kept := kept_tile(path, time, _LOOK)) is not None:
        return kept
    with open_picture(path) as image:
        image.draft("RGB", (TILE, TILE))  # JPEG alone decodes to a smaller size, if not to this one
        made = _encoded(filling(loaded(image), (TILE, TILE)), _QUALITY)
    keep_tile(path, time, _LOOK, made)
    return made


def tile_of(data: bytes) -> bytes:
    """Return the tile of an input picture that is held in memory."""
    return _encoded(filling(_upright(data), (TILE, TILE)), _QUALITY)


def large(path: Path) -> bytes:
    """Return a picture file with its longer side at most `LARGE` pixels."""
    return _large(path, path.stat().st_mtime_ns)


@lru_cache(_LARGE_KEPT)
def _large(path: Path, _: int) -> bytes:
    with open_picture(path) as image:
        image.draft("RGB", (LARGE, LARGE))
        return _encoded(scaled(loaded(image), LARGE), _LARGE_QUALITY)


def large_of(data: bytes, size: tuple[int, int]) -> bytes:
    """Return an input picture at *size*, to lie below a result of that size in a comparison."""
    return _encoded(filling(_upright(data), size), _LARGE_QUALITY)


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which a picture of *size* is shown."""
    return fitted(size, (LARGE, LARGE))


def data_url(preview: bytes) -> str:
    """Return a preview as a data URL."""
    return f"data:{mime_of(preview)};base64,{b64encode(preview).decode()}"


def mime_of(preview: bytes) -> str:
    """Return the type of a preview."""
    return "image/webp" if preview[:4] == b"RIFF" else "image/jpeg"


def _upright(data: bytes) -> Image.Image:
    return upright(decoded_picture(data))


def _encoded(image: Image.Image, quality: int) -> bytes:
    """Return a JPEG, or a WebP where it is transparent, as it lives in a widget alone."""
    return saved(image, "webp" if image.mode == "RGBA" else "jpeg", quality=quality)
