"""A night's sky without its moon or stars, for an edit that wants a day, or them gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_SIDE = 128  # pixels on the short side in which the moon is looked for
_DARK = 100.0  # of 255: a brighter upper edge is no night's
_MOONLIT = 170  # of 255: the moon is brighter
_WIDTHS = (5, 36)  # pixels of _SIDE that a moon is wide
_ROUND = (0.66, 0.92)  # of its square that a disc fills: pi / 4, more or less
_STAR = 0.024  # of the short side: a star is smaller, with the brightest of its glow
_SMALL = 256  # pixels on the short side in which stars are looked for, for the time it takes
_FAINT = 7  # of 255: what stands out less is leaves, or the glow of a star
_PLAIN = 30  # of 255: the air around a star differs less; near a roof or a branch it differs more


def without_lights(image: Image.Image) -> Image.Image:
    """Return *image* (RGB) with the moon and the stars of a dark sky filled with the air there.

    A moon is a round bright patch in the upper part, a star a tiny one in plain air.
    """
    upper = image.convert("L").crop((0, 0, image.width, max(1, image.height // 8)))
    if float(np.median(np.asarray(upper))) > _DARK:
        return image
    return without_stars(without_moons(image))


def without_stars(image: Image.Image) -> Image.Image:
    """Return *image* (RGB) with the stars filled with the air around them."""
    small = image.reduce(max(1, min(image.size) // _SMALL))
    width = max(3, round(min(small.size) * _STAR) | 1)
    air = small.filter(ImageFilter.MinFilter(width)).filter(ImageFilter.MaxFilter(width))
    tone = air.convert("L")
    rough = ImageChops.subtract(
        tone.filter(ImageFilter.MaxFilter(width)), tone.filter(ImageFilter.MinFilter(width))
    )
    plain = rough.point([255 if v < _PLAIN else 0 for v in range(256)]).resize(image.size)
    wide = air.resize(image.size, Image.Resampling.BICUBIC)
    spots = ImageChops.subtract(image.convert("L"), wide.convert("L"))
    spots = spots.point([min(255, max(0, v - _FAINT) * 24) for v in range(256)])
    answer = image.copy()
    answer.paste(wide, mask=ImageChops.multiply(spots, plain))
    return answer


def without_moons(image: Image.Image) -> Image.Image:
    """Return *image* (RGB) with the moon filled with the air around it."""
    scale = _SIDE / min(image.size)
    size = max(8, round(image.width * scale)), max(8, round(image.height * scale))
    bright = np.asarray(image.convert("L").resize(size, Image.Resampling.BOX)) > _MOONLIT
    for x, y, radius in _discs(bright[: round(size[1] * 0.6)]):
        image = _filled(image, x / scale, y / scale, (radius * 1.2 + 1) / scale)
    return image


def _discs(bright: npt.NDArray[np.bool_]) -> Iterator[tuple[float, float, float]]:
    """Yield the middle and the radius of each round patch of *bright* pixels."""
    left = {(int(y), int(x)) for y, x in np.argwhere(bright)}
    while left:
        patch, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            patch.add((y, x))
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= near
            edge += near
        rows, columns = [y for y, _ in patch], [x for _, x in patch]
        top, low, first, last = min(rows), max(rows) + 1, min(columns), max(columns) + 1
        tall, wide = low - top, last - first
        is_disc = _ROUND[0] < len(patch) / (tall * wide) < _ROUND[1]
        if is_disc and _WIDTHS[0] <= wide <= _WIDTHS[1] and abs(tall - wide) <= 0.2 * wide + 1:
            yield (first + last) / 2, (top + low) / 2, max(tall, wide) / 2


def _filled(image: Image.Image, x: float, y: float, reach: float) -> Image.Image:
    """Return *image* with the disc of radius *reach* around (x, y) in the tones of its rim."""
    corner, side = (round(x - reach), round(y - reach)), max(2, round(2 * reach))
    size, box = (side, side), (*corner, corner[0] + side, corner[1] + side)
    rim = np.asarray(image.crop(box).resize((9, 9), Image.Resampling.BOX), np.float32).copy()
    share = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    across = rim[:, :1] * (1 - share) + rim[:, -1:] * share  # (rows, columns, 3)
    down = rim[:1] * (1 - share)[..., None] + rim[-1:] * share[..., None]
    tones = Image.fromarray(np.clip((across + down) / 2, 0, 255).astype(np.uint8))
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(mask).ellipse((0, 0, *mask.size), fill=255)
    soft = mask.resize(size).filter(ImageFilter.GaussianBlur(reach / 14))
    answer = image.copy()
    answer.paste(tones.resize(size, Image.Resampling.BICUBIC), corner, soft)
    return answer
