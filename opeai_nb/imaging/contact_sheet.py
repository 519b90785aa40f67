"""A contact sheet: one small picture that stands for one or several large ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar

from opeai_nb.imaging.encode import Encoded, encoded
from opeai_nb.imaging.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from PIL import Image

_Source = TypeVar("_Source")

# Of a sheet in pixels: about an output area of JupyterLab. Two and four in a row are a half and a
# quarter of the usual 1024, and need no second scaling, which costs more than the rest of a sheet.
_WIDTH: Final = 1048
TILE: Final = 512
"""The longest side of a picture in a sheet, in pixels."""
_GAP: Final = 8
_MOST_BYTES: Final = 200_000  # what a sheet may add to a notebook, before base64 adds a third
_NUMBER_HEIGHT: Final = 22
_PLATE: Final = "#5b6472"


def contact_sheet(
    sources: Sequence[_Source],
    image_of: Callable[[_Source], Image.Image],
    spread: Callable[..., Iterable[Image.Image]] = map,
) -> Encoded:
    """Return one picture for all *sources*: the thumbnail of one, or a numbered grid of several.

    *image_of* decodes a source. *spread* maps a function over the sources: a pool's `map` decodes
    and scales on every core, as Pillow lets go of the lock.
    """
    columns = _columns(len(sources))
    side = TILE if columns == 1 else min(TILE, (_WIDTH - _GAP * (columns - 1)) // columns)
    tiles = list(spread(lambda source: scaled(image_of(source), side), sources))
    return encoded(tiles[0] if len(tiles) == 1 else _grid(tiles, columns), _MOST_BYTES)


def plate(text: str) -> Image.Image:
    """Return a grey picture that says *text*: what stands in the place of one that is none."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (TILE, TILE), _PLATE)
    font = ImageFont.load_default(size=24)
    ImageDraw.Draw(image).text((TILE / 2, TILE / 2), text, "white", font, "mm")
    return image


def _columns(count: int) -> int:
    """Two in a row for 2 and 4, three for 3, 5, 6 and 9, four and five for more."""
    if count <= 3:  # noqa: PLR2004  one row
        return count
    return 2 if count == 4 else min(5, max(3, math.ceil(math.sqrt(count))))  # noqa: PLR2004  a square


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
