"""Seasons: what of one the elements of a place do not show by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from opeai_nb.engine.painter.raster import grading
from opeai_nb.engine.painter.raster.colour import NAMED, Colour, mixed, whole

if TYPE_CHECKING:
    from opeai_nb.engine.painter.composition import PaintRequest
    from opeai_nb.engine.painter.editing.layers import Layers
    from opeai_nb.engine.painter.editing.staging import Staging


TREES = {"autumn": "amber", "spring": "pink", "winter": "white"}
"""The colour of a tree that stands by itself, in each season that gives it one."""

_SNOWED_ON = {"desert", "meadow"}  # places whose own painter knows no snow
_FALLING: dict[str, tuple[Colour, ...]] = {
    "autumn": ((214, 120, 40), (190, 78, 40), (232, 170, 62)),
    "spring": ((250, 196, 212), (255, 226, 232), (244, 168, 194)),
}
_INDOORS = {"room", "table", "plain", "underwater", "space"}


def seasoned(
    image: Image.Image, layers: Layers, staging: Staging, request: PaintRequest
) -> Image.Image:
    """Return *image* with the season of *staging* on its land and in its air."""
    season = staging.season
    if season == "winter" and staging.setting in _SNOWED_ON:
        image = stained(image, layers.mask("land"), "white", 0.82)
    if season == "autumn":
        for layer in ("land", "trees"):
            if staging.setting in {"meadow", "city", "desert"} or layer == "trees":
                image = stained(image, layers.mask(layer), "amber", 0.45)
    if season == "spring":
        image = stained(image, layers.mask("land"), "lime", 0.3)
        image = stained(image, layers.mask("trees"), "pink", 0.6)
    if season == "summer":
        image = grading.saturated(image, 1.15)
    if season and staging.setting not in _INDOORS:
        image = falling(image, season, request)
    return image


def stained(image: Image.Image, mask: Image.Image, colour: str, share: float) -> Image.Image:
    """Return *image* with what is under *mask* in *colour*, its light and shade kept."""
    box = mask.getbbox()
    if box is None:
        return image
    soft = mask.filter(ImageFilter.GaussianBlur(max(0.6, min(image.size) / 900)))
    soft = soft.point([round(v * share) for v in range(256)])
    answer = image.copy()
    answer.paste(_dyed(image, mask, colour), (0, 0), soft)
    return answer


def _dyed(image: Image.Image, mask: Image.Image, colour: str) -> Image.Image:
    """Return *image* in tones of one colour, the middle of what is under *mask* in it itself."""
    grey = image.convert("L")
    tone = NAMED[colour]
    middle = float(np.median(np.asarray(grey)[np.asarray(mask) > 0]))
    target = 0.3 * tone[0] + 0.59 * tone[1] + 0.11 * tone[2]
    gain = min(2.6, max(0.35, 0.5 + 0.5 * target / max(8.0, middle)))
    tables: list[int] = []
    for channel in range(3):
        for value in range(256):
            lit = value * gain / max(1.0, target)
            dark = tone[channel] * min(lit, 1.0)
            tables.append(round(min(255.0, dark + max(0.0, lit - 1) * (255 - tone[channel]) * 0.8)))
    return Image.merge("RGB", [grey.point(tables[n * 256 : n * 256 + 256]) for n in range(3)])


def falling(image: Image.Image, season: str, request: PaintRequest) -> Image.Image:
    """Return *image* with the leaves or petals of *season* on the wind, if it has any."""
    tones = _FALLING.get(season)
    if tones is None:
        return image
    rng = request.chance("season")
    unit = min(image.size)
    answer = image.copy()
    for number in range(round(30 * image.width * image.height / unit**2)):
        x, y, turn, size, pick = rng.random(5).tolist()
        side = max(3, round(unit * (0.008 + 0.014 * size)))
        leaf = Image.new("L", (side * 4, side * 4))
        slim = 0.5 + 0.5 * abs(np.cos(turn * 9))
        ImageDraw.Draw(leaf).ellipse(
            (side * 2 * (1 - slim * 0.55), side * 0.6, side * 2 * (1 + slim * 0.55), side * 3.4),
            fill=235,
        )
        turned = leaf.rotate(turn * 360, Image.Resampling.BICUBIC).reduce(2)
        tone = mixed(tones[int(pick * len(tones))], (255, 244, 226), 0.15 * (number % 3))
        place = (round(x * image.width) - side, round(y * image.height) - side)
        answer.paste(
            whole(tone), (*place, place[0] + turned.width, place[1] + turned.height), turned
        )
    return answer


def sky_light_of(colour: str, tones: tuple[Colour, ...]) -> tuple[Colour, ...]:
    """Return the four tones of a sky, in *colour* from its zenith down, each as light as it was."""
    tone = NAMED[colour]
    level = max(1.0, 0.3 * tone[0] + 0.59 * tone[1] + 0.11 * tone[2])
    shades: list[Colour] = []
    for share, one in zip((0.86, 0.84, 0.78, 0.68), tones, strict=True):
        light = 0.3 * one[0] + 0.59 * one[1] + 0.11 * one[2]
        gain = 0.45 + 0.55 * min(1.7, light / level)
        shades.append(mixed(one, (tone[0] * gain, tone[1] * gain, tone[2] * gain), share))
    return tuple(shades)
