"""A contact sheet: one small picture that stands for one or several large ones."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from PIL import Image

    from opeai_nb.client import Picture

_WIDTH: Final = 960
_TILE: Final = 512
_GAP: Final = 8
_JPEG_QUALITIES: Final = (85, 75, 60, 45)
_MOST_BYTES: Final = 200_000
"""What a sheet may add to a notebook, before base64 adds a third."""
_NUMBER_HEIGHT: Final = 22
_PLATE: Final = "#5b6472"


class Sheet(NamedTuple):
    """An encoded picture: its bytes, its mime type, and its width and height in pixels."""

    data: bytes
    mime: str
    size: tuple[int, int]


def thumbnail(image: Image.Image, side: int = _TILE) -> Image.Image:
    """Return *image* scaled so that its longer side is at most *side* pixels; RGB or RGBA."""
    small = image.copy() if max(image.size) <= side else _reduced(image, side)
    mode = "RGBA" if _has_alpha(image) else "RGB"
    return small if small.mode == mode else small.convert(mode)


def contact_sheet(
    pictures: Sequence[Picture], spread: Callable[..., Iterable[Image.Image]] = map
) -> Sheet:
    """Return one picture for all *pictures*: the thumbnail of one, or a numbered grid of several.

    JPEG, or PNG where a picture is transparent; never WebP, which exports do not show and nbval
    compares. One that cannot be decoded has its place, and says so. *spread*
    maps a function over the pictures: a pool's `map` decodes and scales on every core, as Pillow
    lets go of the lock.
    """
    columns = _columns(len(pictures))
    side = _TILE if columns == 1 else min(_TILE, (_WIDTH - _GAP * (columns - 1)) // columns)
    tiles = list(spread(lambda picture: thumbnail(_image(picture), side), pictures))
    return _encoded(tiles[0] if len(tiles) == 1 else _grid(tiles, columns))


def full_size(picture: Picture) -> Sheet:
    """Return *picture* as it is shown at full size where a notebook does not show its format."""
    whole = _image(picture)
    image = thumbnail(whole, max(whole.size))
    buffer = BytesIO()
    if image.mode == "RGBA":
        image.save(buffer, "PNG", compress_level=1)
        return Sheet(buffer.getvalue(), "image/png", image.size)
    image.save(buffer, "JPEG", quality=_JPEG_QUALITIES[0])
    return Sheet(buffer.getvalue(), "image/jpeg", image.size)


def _image(picture: Picture) -> Image.Image:
    """Return the picture; for bytes that are none, a plate that says so."""
    from opeai_nb.errors import NoPictureError

    try:
        return picture.image
    except NoPictureError:
        from PIL import Image, ImageDraw, ImageFont

        plate = Image.new("RGB", (_TILE, _TILE), _PLATE)
        font = ImageFont.load_default(size=24)
        middle = (_TILE / 2, _TILE / 2)
        ImageDraw.Draw(plate).text(middle, "no picture", "white", font, "mm")
        return plate


def _columns(count: int) -> int:
    """Two in a row for 2 and 4, three for 3, 5, 6 and 9, four and five for more."""
    if count <= 3:  # noqa: PLR2004  one row
        return count
    return 2 if count == 4 else min(5, max(3, math.ceil(math.sqrt(count))))  # noqa: PLR2004  a square


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Scale down in two steps: by a whole factor (fast), then to the pixel (good)."""
    from PIL import Image

    if image.mode not in {"RGB", "RGBA", "L"}:
        image = image.convert("RGBA" if _has_alpha(image) else "RGB")
    factor = max(1, max(image.size) // side)
    small = image.reduce(factor) if factor > 1 else image
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return small if small.size == size else small.resize(size, Image.Resampling.BICUBIC)


def _grid(tiles: Sequence[Image.Image], columns: int) -> Image.Image:
    from PIL import Image

    rows = math.ceil(len(tiles) / columns)
    width, height = (max(tile.size[axis] for tile in tiles) for axis in (0, 1))
    size = (
        columns * width + _GAP * (columns - 1),
        rows * height + _GAP * (rows - 1),
    )
    # Gaps that let the page through would need PNG, ten times as large: they are white instead.
    alpha = any(tile.mode == "RGBA" for tile in tiles)
    sheet = Image.new("RGBA", size, (0, 0, 0, 0)) if alpha else Image.new("RGB", size, "white")
    for number, tile in enumerate(tiles, 1):
        row, column = divmod(number - 1, columns)
        left = column * (width + _GAP) + (width - tile.width) // 2
        top = row * (height + _GAP) + (height - tile.height) // 2
        sheet.paste(tile, (left, top))
        _number(sheet, str(number), (left + 8, top + 8))
    return sheet


def _number(sheet: Image.Image, text: str, place: tuple[int, int]) -> None:
    """Write a number on a dark plate: readable on any picture."""
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size=14)
    draw = ImageDraw.Draw(sheet, "RGBA")
    width = max(_NUMBER_HEIGHT, round(draw.textlength(text, font=font)) + 12)
    left, top = place
    box = (left, top, left + width, top + _NUMBER_HEIGHT)
    draw.rounded_rectangle(box, radius=_NUMBER_HEIGHT // 2, fill=(20, 22, 26, 190))
    middle = (left + width / 2, top + _NUMBER_HEIGHT / 2)
    draw.text(middle, text, font=font, fill=(255, 255, 255, 255), anchor="mm")


def _encoded(image: Image.Image) -> Sheet:
    buffer = BytesIO()
    if image.mode == "RGBA":
        image.save(buffer, "PNG", compress_level=6)
        return Sheet(buffer.getvalue(), "image/png", image.size)
    for quality in _JPEG_QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= _MOST_BYTES:
            break
    return Sheet(buffer.getvalue(), "image/jpeg", image.size)


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info
