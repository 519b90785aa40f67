"""Printing inks: line drawing, block print, poster, comic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from opeai_nb.engine.painter.raster.colour import whole
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.grading import ink_of, saturated
from opeai_nb.engine.painter.raster.noise_field import Field, tile
from opeai_nb.engine.painter.styles.paper import (
    Paper,
    covered,
    floats,
    grown,
    picture,
    softened,
    thrice,
    toned,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Turns = npt.NDArray[np.uint16]
    Waves = npt.NDArray[np.int16]

_HATCHES = 95  # strokes of the pen in a unit
_GOUGES = 64  # marks of the chisel in a unit
_CREAM = (244, 232, 208)
_VALUES = np.arange(256, dtype=np.float32) / 255


def lines(image: Image.Image, reach: float, gain: float) -> Image.Image:
    """Return dark lines (0) on white where *image* has edges: a difference of Gaussians."""
    grey = ImageOps.autocontrast(image.convert("L"), 1)
    unit = min(image.size)
    fine = grey.filter(ImageFilter.GaussianBlur(unit * reach))
    wide = grey.filter(ImageFilter.GaussianBlur(unit * reach * 2.2))
    return toned(ImageChops.subtract(wide, fine), lambda v: 255 - np.maximum(v - 1.2, 0) * gain)


def ink(image: Image.Image, sheet: Paper) -> Image.Image:
    """Draw with pen and brush: contours, hatching in two directions, solid blacks."""
    frame = sheet.frame
    drawn = grown(lines(image, 0.0017, 22), frame)
    grey = ImageOps.autocontrast(image.convert("L"), 1).filter(ImageFilter.BoxBlur(2))
    tone = grown(grey, frame, crisp=False)
    x = _turns(np.arange(frame.width)[None, :] * (_HATCHES / frame.unit))
    y = _turns(np.arange(frame.height)[:, None] * (0.9 * _HATCHES / frame.unit))
    steep = _turns(np.arange(frame.height)[:, None] * (-1.1 * _HATCHES / frame.unit))
    sway = covered(_turns(tile(sheet.rng, 256, 4, 3) * (0.06 * _HATCHES)), frame)
    sway = sway + x
    bare = _bare(sway + y, tone, frame, (0.62, 1.5))
    bare = ImageChops.multiply(bare, _bare(sway + steep, tone, frame, (0.36, 1.9)))
    bare = ImageChops.multiply(bare, toned(tone, lambda v: (v - 18) * 18))
    paper, black = (249, 245, 235), whole(ink_of(sheet.tints, (26, 28, 38)))
    return ImageOps.colorize(ImageChops.darker(bare, drawn), black, paper)


def _turns(phase: Field) -> Turns:
    """Return *phase* in 65536ths of a turn: whole numbers that wrap round by themselves."""
    answer: Turns = np.round(phase * 65536).astype(np.int64).astype(np.uint16)
    return answer


def _bare(phase: Turns, tone: Image.Image, frame: Frame, curve: tuple[float, float]) -> Image.Image:
    """Return where strokes leave the paper bare, 0 to 255: all of it where *tone* is light.

    *curve* is the tone (0 to 1) at which strokes close up, and how fast they thin above it.
    """
    limit, gain = curve
    level = (_VALUES - limit) * gain * 256
    return _cut(_wave(phase), level, tone, frame.unit / _HATCHES / 2)


def _wave(phase: Turns) -> Waves:
    """Return a wave of straight flanks, 0 to 256, a period for each turn of *phase*."""
    wave: Waves = np.abs(phase.view(np.int16) >> 7)
    return wave


def _cut(wave: Waves, level: Field, tone: Image.Image, soft: float) -> Image.Image:
    """Return 255 where *wave* and the *level* of the tone there add up to more than 0, else 0.

    *soft* is the steepness that makes an edge a pixel wide. Overwrites *wave*.
    """
    wave += np.round(level).astype(np.int16).take(np.asarray(tone))
    steep = max(1, round(soft * 16))
    wide = 2048 // steep + 1
    np.clip(wave, -wide, wide, out=wave)
    wave *= np.int16(steep)
    wave >>= 4
    wave += 128
    return Image.fromarray(np.clip(wave, 0, 255).astype(np.uint8))


def block_print(image: Image.Image, sheet: Paper) -> Image.Image:
    """Print two carved blocks on cream paper: colour first, then black with gouge marks."""
    frame = sheet.frame
    grey = ImageOps.autocontrast(image.convert("L").filter(ImageFilter.BoxBlur(2)), 2)
    tone = grown(grey, frame, crisp=False)
    x = _turns(np.arange(frame.width)[None, :] * (0.12 * _GOUGES / frame.unit))
    y = _turns(np.arange(frame.height)[:, None] * (_GOUGES / frame.unit))
    sway = covered(_turns(tile(sheet.rng, 256, 4, 3) * (0.045 * _GOUGES)), frame)
    bend = _turns(_VALUES * (0.05 * _GOUGES)).take(np.asarray(tone))
    gouge = _wave(sway + x + y + bend) * np.int16(108) >> 8
    level = (0.29 - _VALUES * 1.02) * 256
    black = _cut(gouge, level, tone, frame.unit / _GOUGES / 2 * 1.2)
    edge = grown(lines(image, 0.0022, 26), frame)
    printed = _coloured(image, tone, sheet)
    printed.paste((30, 28, 34), mask=ImageChops.lighter(black, ImageChops.invert(edge)))
    return printed


def _coloured(image: Image.Image, tone: Image.Image, sheet: Paper) -> Image.Image:
    """Return the block of colour, or of the one ink asked for, on its paper."""
    if sheet.tints:
        ink_ = whole(ink_of(sheet.tints, (0, 0, 0)))
        light = tuple(round(i + (p - i) * 0.8) for i, p in zip(ink_, _CREAM, strict=True))
        shade = toned(tone, lambda v: v * 1.1 - 25.5)
        hue = ImageOps.colorize(shade, ink_, light)
    else:
        flat = _flattened(saturated(image.filter(ImageFilter.BoxBlur(3)), 1.3), 4)
        hue = grown(flat, sheet.frame, crisp=False)
    bare = toned(tone, lambda v: 255 - (0.86 * 255 - v) * 14)
    hue = toned(hue, lambda v: v * 0.96)
    hue.paste(_CREAM, mask=bare)
    return hue


def _flattened(image: Image.Image, levels: int) -> Image.Image:
    """Return *image* in steps of tone, its hues kept; the steps' edges stay soft by a pixel."""
    value = np.arange(256) / 255 * levels
    step = np.floor(value)
    stepped = (step + np.clip((value - step - 0.5) * 6 + 0.5, 0, 1)) / levels * 255
    tone = np.asarray(image.convert("L"))
    gain = (stepped / np.maximum(np.arange(256), 1)).astype(np.float32)
    return picture(floats(image) * gain[tone][..., None])


def poster(image: Image.Image, sheet: Paper) -> Image.Image:
    """Reduce the scene to a few flat inks with clean edges, inside a margin."""
    frame = sheet.frame
    smooth = saturated(image.filter(ImageFilter.BoxBlur(min(image.size) * 0.0045)), 1.3)
    palette = smooth.reduce(max(1, min(image.size) // 60)).quantize(
        9, Image.Quantize.MEDIANCUT, kmeans=2
    )
    flat = grown(smooth, frame).quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    # Half a pixel of blur along each axis, for clean edges.
    flat = softened(softened(flat, 1, 0), 0, 1)
    if not sheet.has_margin:
        return flat
    margin = round(frame.unit * 0.04)
    paper = Image.new("RGB", frame.size, (246, 238, 220))
    paper.paste(
        flat.crop((margin, margin, frame.width - margin, frame.height - margin)), (margin, margin)
    )
    return paper


def comic(image: Image.Image, sheet: Paper) -> Image.Image:
    """Outline in black, flatten the colours, and shade with printed dots."""
    frame = sheet.frame
    flat = grown(_flattened(saturated(image, 1.55), 5), frame)
    tone = grown(image.convert("L"), frame, crisp=False)
    unit = frame.unit / 78
    x = np.cos(np.arange(frame.width, dtype=np.float32) * np.float32(np.pi / unit))
    y = np.cos(np.arange(frame.height, dtype=np.float32) * np.float32(np.pi / unit))
    screen = np.outer(y * 128, x).astype(np.int16)
    dot = _cut(screen, (0.25 - _VALUES) * 256, tone, unit * 0.5)
    shade = [toned(dot, lambda v: 255 - v * 0.42), toned(dot, lambda v: 255 - v * 0.3)]
    shaded = ImageChops.multiply(flat, Image.merge("RGB", (shade[0], *shade)))
    edge = grown(lines(image, 0.0026, 26), frame)
    return ImageChops.multiply(shaded, thrice(edge))
