"""Light itself: neon tubes, and a photograph's lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from ..colour import NAMED, vector
from ..field import tile
from ..finish import bloomed, contrasted, saturated, vignetted
from .sheet import covered, floats, grown, picture

if TYPE_CHECKING:
    from ..field import Field
    from .sheet import Sheet

_TUBES = ((255, 60, 180), (60, 220, 255), (150, 90, 255), (255, 170, 60))


def neon(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Trace the forms with glowing tubes over a dark violet ground."""
    unit = min(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), 1).filter(
        ImageFilter.GaussianBlur(unit * 0.0022))
    down, across = np.gradient(np.asarray(grey, np.float32))
    edge = np.clip((np.hypot(down, across) - 2.0) * 0.085, 0, 1)
    # Where everything is an edge nothing is drawn: crowded lines dim one another.
    crowd = np.asarray(picture(edge * 255).filter(ImageFilter.BoxBlur(unit * 0.03)), np.float32)
    edge *= np.clip(1.25 - crowd * np.float32(1.9 / 255), 0.42, 1)
    hue = _tube_colours(sheet, edge.shape)
    tubes = picture(edge[..., None] * hue)
    halo = tubes.reduce(2).filter(ImageFilter.GaussianBlur(unit * 0.009)).resize(
        image.size, Image.Resampling.BILINEAR)
    wide = tubes.reduce(4).filter(ImageFilter.GaussianBlur(unit * 0.016)).resize(
        image.size, Image.Resampling.BILINEAR)
    tone = np.asarray(image.convert("L"), np.float32)[..., None] * np.float32(1 / 255)
    ground = np.array((9, 6, 26), np.float32) + tone ** 1.2 * (hue * 0.22 + floats(image) * 0.4)
    lit = ImageChops.screen(picture(ground), halo.point([min(255, v * 2) for v in range(256)] * 3))
    lit = ImageChops.screen(lit, wide)
    core = picture((edge ** 1.6)[..., None] * (hue * 0.55 + 140))
    return grown(ImageChops.screen(lit, core), sheet.frame)


def _tube_colours(sheet: Sheet, shape: tuple[int, ...]) -> Field:
    start = int(sheet.rng.integers(4))
    pair = [vector(_TUBES[start]), vector(_TUBES[(start + 1) % 4])]
    if sheet.tints:
        pair = [vector(NAMED[name]) * 1.25 for name in (sheet.tints * 2)[:2]]
    y = np.linspace(0, 1, 32, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, 32, dtype=np.float32)[None, :]
    share = (0.5 + 0.5 * np.sin((x * 0.9 + y * 1.3) * np.pi * 1.6 + start))[..., None]
    small = picture(pair[0] + share * (pair[1] - pair[0]))
    return floats(small.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def photo(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Look through a lens: a filmic curve, soft corners, bloom, and a little grain."""
    frame = sheet.frame
    unit = min(image.size)
    soft = image.reduce(2).filter(ImageFilter.GaussianBlur(unit * 0.004)).resize(image.size)
    x = np.linspace(-1, 1, 48, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, 48, dtype=np.float32)[:, None]
    focus = np.clip((x * x * 0.8 + (y - 0.15) ** 2 * 1.2 - 0.35) * 1.3, 0, 1)
    mask = picture(focus * 255).resize(image.size, Image.Resampling.BILINEAR)
    sharp = Image.composite(soft, image, mask)
    graded = vignetted(bloomed(contrasted(saturated(sharp, 0.95), 0.5), 0.5), 0.4)
    grain = covered((tile(sheet.rng, 128, 64, 1) - 0.5) * 9, frame)
    full = floats(grown(graded, frame))
    full += grain[..., None]
    return picture(full)
