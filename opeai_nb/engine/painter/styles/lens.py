"""Light itself: neon tubes, and a photograph's lens."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from opeai_nb.engine.painter.raster.colour import NAMED, vector
from opeai_nb.engine.painter.raster.grading import bloomed, contrasted, saturated, vignetted
from opeai_nb.engine.painter.raster.noise_field import slopes, tile
from opeai_nb.engine.painter.styles.paper import Paper, covered, grown, picture, thrice, toned

_TUBES = ((255, 60, 180), (60, 220, 255), (150, 90, 255), (255, 170, 60))


def neon(image: Image.Image, sheet: Paper) -> Image.Image:
    """Trace the forms with glowing tubes over a dark violet ground."""
    edge = _edges(image)
    hue = _tube_colours(sheet, image.size)
    tubes = ImageChops.multiply(hue, thrice(edge))
    tone = toned(image.convert("L"), lambda v: 255 * (v / 255) ** 1.2)
    shown = ImageChops.add(toned(hue, lambda v: v * 0.22), toned(image, lambda v: v * 0.4))
    ground = toned(
        ImageChops.multiply(shown, thrice(tone)), lambda v: v + 9, lambda v: v + 6, lambda v: v + 26
    )
    lit = ImageChops.screen(ground, _halo(tubes))
    core = ImageChops.multiply(
        thrice(toned(edge, lambda v: 255 * (v / 255) ** 1.6)), toned(hue, lambda v: v * 0.55 + 140)
    )
    return grown(ImageChops.screen(lit, core), sheet.frame, crisp=False)


def _edges(image: Image.Image) -> Image.Image:
    """Return how strongly tones change, 0 to 255; crowded lines dim one another."""
    unit = min(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), 1).filter(
        ImageFilter.GaussianBlur(unit * 0.0022)
    )
    down, across = slopes(np.asarray(grey, np.float32))
    down *= down
    across *= across
    down += across
    edge = picture((np.sqrt(down) - np.float32(2)) * np.float32(255 * 0.085))
    factor = max(1, unit // 160)
    small = edge.reduce(factor).filter(ImageFilter.BoxBlur(unit * 0.03 / factor))
    free = toned(small, lambda v: 255 * np.clip(1.25 - v * (1.9 / 255), 0.42, 1))
    return ImageChops.multiply(edge, free.resize(image.size, Image.Resampling.BILINEAR))


def _halo(tubes: Image.Image) -> Image.Image:
    """Return the light that *tubes* throw around them, near and far."""
    unit = min(tubes.size)
    factor = max(1, unit // 160)
    small = tubes.reduce(factor)
    near = small.filter(ImageFilter.GaussianBlur(unit * 0.018 / factor))
    far = small.filter(ImageFilter.GaussianBlur(unit * 0.064 / factor))
    both = ImageChops.screen(toned(near, lambda v: v * 2), far)
    return both.resize(tubes.size, Image.Resampling.BILINEAR)


def _tube_colours(sheet: Paper, size: tuple[int, int]) -> Image.Image:
    start = int(sheet.rng.integers(4))
    pair = [vector(_TUBES[start]), vector(_TUBES[(start + 1) % 4])]
    if sheet.tints:
        pair = [vector(NAMED[name]) * 1.25 for name in (sheet.tints * 2)[:2]]
    y = np.linspace(0, 1, 32, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, 32, dtype=np.float32)[None, :]
    share = (0.5 + 0.5 * np.sin((x * 0.9 + y * 1.3) * np.pi * 1.6 + start))[..., None]
    small = picture(pair[0] + share * (pair[1] - pair[0]))
    return small.resize(size, Image.Resampling.BILINEAR)


def photo(image: Image.Image, sheet: Paper) -> Image.Image:
    """Look through a lens: a filmic curve, soft corners, bloom, and a little grain."""
    frame = sheet.frame
    unit = min(image.size)
    soft = (
        image.reduce(2)
        .filter(ImageFilter.GaussianBlur(unit * 0.004))
        .resize(image.size, Image.Resampling.BILINEAR)
    )
    x = np.linspace(-1, 1, 48, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, 48, dtype=np.float32)[:, None]
    focus = np.clip((x * x * 0.8 + (y - 0.15) ** 2 * 1.2 - 0.35) * 1.3, 0, 1)
    mask = picture(focus * 255).resize(image.size, Image.Resampling.BILINEAR)
    sharp = Image.composite(soft, image, mask)
    graded = vignetted(bloomed(contrasted(saturated(sharp, 0.95), 0.5), 0.5), 0.4)
    grain = covered(((tile(sheet.rng, 128, 64, 1) - 0.5) * 9 + 128.5).astype(np.uint8), frame)
    full = grown(graded, frame, crisp=False)
    return ImageChops.add(full, thrice(Image.fromarray(np.ascontiguousarray(grain))), 1, -128)
