"""Finishing: colour grading by the prompt's colours, bloom, vignette."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps, ImageStat

from opeai_nb.engine.painter.raster.colour import NAMED, Colour, luma, mixed, scaled, whole

_TONELESS = {"mono", "grey", "silver", "white", "black"}


def tinted(image: Image.Image, tints: tuple[str, ...], strength: float) -> Image.Image:
    """Grade *image* towards the named colours: the first in shadows, the second in lights."""
    if not tints:
        return image
    grey = image.convert("L")
    if tints[0] in _TONELESS:
        return _toneless(image, grey, tints[0], strength)
    first = NAMED[tints[0]]
    second = NAMED[tints[1]] if len(tints) > 1 and tints[1] not in _TONELESS else first
    middle = mixed(first, second, 0.5)
    light = luma(middle)
    dark = scaled(mixed(first, (16, 16, 40), 0.35), 0.36)
    bright = mixed(second, (255, 252, 244), 0.86 if second is first else 0.55)
    graded = ImageOps.colorize(
        grey, whole(dark), whole(bright), whole(middle), midpoint=round(min(190, max(70, light)))
    )
    if tints[0] == "sepia":
        strength = 1.0
    return Image.blend(image, graded, strength)


def _toneless(image: Image.Image, grey: Image.Image, tint: str, strength: float) -> Image.Image:
    if tint == "white":
        grey = grey.point([round(255 - (255 - v) * 0.62) for v in range(256)])
    elif tint == "black":
        grey = grey.point([round(v * (0.35 + 0.5 * v / 255)) for v in range(256)])
    share = 1.0 if tint == "mono" else strength
    return Image.blend(
        image,
        ImageOps.autocontrast(grey, 0.5).convert("RGB") if tint == "mono" else grey.convert("RGB"),
        share,
    )


def bloomed(image: Image.Image, strength: float) -> Image.Image:
    """Let bright parts shine over their edges."""
    small = image.reduce(max(1, min(image.size) // 128) or 1)
    bright = small.point([max(0, round((v - 150) * 2.2)) for v in range(256)] * 3)
    wide = bright.filter(ImageFilter.GaussianBlur(min(small.size) * 0.035))
    wide = wide.point([round(v * strength) for v in range(256)] * 3)
    return ImageChops.screen(image, wide.resize(image.size, Image.Resampling.BILINEAR))


def vignetted(image: Image.Image, strength: float) -> Image.Image:
    """Darken the corners a little."""
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    fall = np.float32(strength) * np.clip((x * x + y * y) - 0.55, 0, 1.5) / 1.45
    mask = Image.fromarray((fall * 255).astype(np.uint8)).resize(
        image.size, Image.Resampling.BILINEAR
    )
    answer = image.copy()
    answer.paste((6, 4, 16), (0, 0, *image.size), mask)
    return answer


def saturated(image: Image.Image, factor: float) -> Image.Image:
    """Make colours stronger (above 1) or weaker."""
    return ImageEnhance.Color(image).enhance(factor)


def contrasted(image: Image.Image, factor: float) -> Image.Image:
    """Bend tones into a soft S around the middle; 0 changes nothing."""
    table = []
    for value in range(256):
        t = value / 255
        bent = t * t * (3 - 2 * t)
        table.append(round(255 * (t + (bent - t) * factor)))
    return image.point(table * 3)


def levelled(image: Image.Image, gain: float, lift: float = 0.0) -> Image.Image:
    """Scale tones by *gain* and add *lift*."""
    table = [min(255, max(0, round(v * gain + lift))) for v in range(256)]
    return image.point(table * 3)


def mean_tone(image: Image.Image) -> Colour:
    """Return the mean of each channel, 0 to 255."""
    red, green, blue = ImageStat.Stat(image.reduce(max(1, min(image.size) // 64))).mean
    return red, green, blue


def lifted(image: Image.Image, mean: float) -> Image.Image:
    """Bring a picture that is darker than *mean* (0 to 255) up to it, and its cast half to grey."""
    tones = mean_tone(image)
    grey = luma(tones)
    if not 1.0 <= grey < mean:
        return image
    bend = math.log(mean / 255) / math.log(grey / 255)
    table: list[int] = []
    for tone in tones:
        level = 255 * (max(tone, 1.0) / 255) ** bend
        gain = 0.5 + 0.5 * min(2.0, mean / level)
        table += [min(255, round(255 * (v / 255) ** bend * gain)) for v in range(256)]
    return image.point(table)


def ink_of(tints: tuple[str, ...], default: Colour) -> Colour:
    """Return the ink that prints with *tints* use."""
    if not tints or tints[0] in {"white", "mono", "grey"}:
        return default
    return scaled(NAMED[tints[0]], 0.8)
