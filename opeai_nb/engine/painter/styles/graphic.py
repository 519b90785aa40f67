"""Printing inks: line drawing, block print, poster, comic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from ..colour import vector, whole
from ..field import tile
from ..finish import ink_of, saturated
from .sheet import covered, floats, grown, picture

if TYPE_CHECKING:
    from ..field import Field
    from .sheet import Sheet


def lines(image: Image.Image, reach: float, gain: float) -> Image.Image:
    """Answer dark lines (0) on white where *image* has edges: a difference of Gaussians."""
    grey = ImageOps.autocontrast(image.convert("L"), 1)
    unit = min(image.size)
    fine = floats(grey.filter(ImageFilter.GaussianBlur(unit * reach)))
    wide = floats(grey.filter(ImageFilter.GaussianBlur(unit * reach * 2.2)))
    return picture(255 - np.clip((wide - fine - 1.2) * gain, 0, 255))


def ink(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Draw with pen and brush: contours, hatching in two directions, solid blacks."""
    frame = sheet.frame
    drawn = floats(grown(lines(image, 0.0017, 22), frame))
    grey = ImageOps.autocontrast(image.convert("L"), 1).filter(ImageFilter.BoxBlur(2))
    tone = np.asarray(grown(grey, frame)).astype(np.float32) * np.float32(1 / 255)
    unit = np.float32(frame.unit)
    x = np.arange(frame.width, dtype=np.float32)[None, :] / unit
    y = np.arange(frame.height, dtype=np.float32)[:, None] / unit
    sway = covered(tile(sheet.rng, 256, 4, 3), frame) * np.float32(0.06)
    density = np.float32(95)
    first = _hatched((x + y * np.float32(0.9) + sway) * density)
    second = _hatched((x - y * np.float32(1.1) + sway) * density)
    soft = np.float32(frame.unit / density / 2)
    bare = np.clip((first - (0.62 - tone) * 1.5) * soft + 0.5, 0, 1)
    bare *= np.clip((second - (0.36 - tone) * 1.9) * soft + 0.5, 0, 1)
    bare *= np.clip((tone - 0.07) * 18, 0, 1)
    sheetful = picture(np.minimum(bare * 255, drawn))
    paper, black = (249, 245, 235), whole(ink_of(sheet.tints, (26, 28, 38)))
    return ImageOps.colorize(sheetful, black, paper)


def _hatched(phase: Field) -> Field:
    """Answer a wave of straight flanks, 0 to 1, a period for each 1 of *phase*; overwrites it."""
    phase -= np.floor(phase)
    phase -= np.float32(0.5)
    np.abs(phase, out=phase)
    phase *= 2
    return phase


def block_print(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Print two carved blocks on cream paper: colour first, then black with gouge marks."""
    frame = sheet.frame
    grey = ImageOps.autocontrast(image.convert("L").filter(ImageFilter.BoxBlur(2)), 2)
    tone = np.asarray(grown(grey, frame)).astype(np.float32) * np.float32(1 / 255)
    unit = np.float32(frame.unit)
    y = np.arange(frame.height, dtype=np.float32)[:, None] / unit
    x = np.arange(frame.width, dtype=np.float32)[None, :] / unit
    sway = covered(tile(sheet.rng, 256, 4, 3), frame)
    gouge = _hatched((y + x * np.float32(0.12) + sway * np.float32(0.045)
                      + tone * np.float32(0.05)) * np.float32(64))
    soft = np.float32(frame.unit / 64 / 2)
    black = np.clip((0.5 + (gouge - 0.5) * 0.42 - tone * 1.02) * soft * 1.2 + 0.5, 0, 1)
    colour = np.clip((0.86 - tone) * 14, 0, 1)
    flat = _flattened(saturated(image.filter(ImageFilter.BoxBlur(3)), 1.3), 4)
    paper = vector((244, 232, 208))
    tints = [vector(ink_of(sheet.tints, (0, 0, 0)))] if sheet.tints else []
    hue = floats(grown(flat, frame))
    if tints:
        hue = tints[0] + (paper - tints[0]) * np.clip(tone * 1.1 - 0.1, 0, 1)[..., None] * 0.8
    hue = paper + colour[..., None] * (hue * 0.96 - paper)
    edge = np.asarray(grown(lines(image, 0.0022, 26), frame)).astype(np.float32) / 255
    black = np.maximum(black, 1 - edge)
    printed = hue + black[..., None] * (vector((30, 28, 34)) - hue)
    return picture(printed)


def _flattened(image: Image.Image, levels: int) -> Image.Image:
    """Answer *image* in steps of tone, its hues kept; the steps' edges stay soft by a pixel."""
    value = np.arange(256) / 255 * levels
    step = np.floor(value)
    stepped = (step + np.clip((value - step - 0.5) * 6 + 0.5, 0, 1)) / levels * 255
    tone = np.asarray(image.convert("L"))
    gain = (stepped / np.maximum(np.arange(256), 1)).astype(np.float32)
    return picture(floats(image) * gain[tone][..., None])


def poster(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Reduce the scene to a few flat inks with clean edges, inside a margin."""
    frame = sheet.frame
    smooth = saturated(image.filter(ImageFilter.BoxBlur(min(image.size) * 0.003)), 1.3)
    palette = smooth.reduce(max(1, min(image.size) // 72)).quantize(
        9, Image.Quantize.MEDIANCUT, kmeans=2)
    double = smooth.resize((frame.width, frame.height), Image.Resampling.BICUBIC)
    flat = double.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    flat = flat.filter(ImageFilter.BoxBlur(0.7))
    if not sheet.has_margin:
        return flat
    margin = round(frame.unit * 0.04)
    paper = Image.new("RGB", frame.size, (246, 238, 220))
    paper.paste(flat.crop((margin, margin, frame.width - margin, frame.height - margin)),
                (margin, margin))
    return paper


def comic(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Outline in black, flatten the colours, and shade with printed dots."""
    frame = sheet.frame
    flat = grown(_flattened(saturated(image, 1.55), 5), frame)
    tone = np.asarray(grown(image.convert("L"), frame)).astype(np.float32) / 255
    unit = frame.unit / 78
    x = np.arange(frame.width, dtype=np.float32)[None, :] / np.float32(unit)
    y = np.arange(frame.height, dtype=np.float32)[:, None] / np.float32(unit)
    screen = (np.cos((x + y) * np.pi) + np.cos((x - y) * np.pi)) * 0.25 + 0.5
    dot = np.clip((screen - 0.25 - tone) * np.float32(unit * 0.5) + 0.5, 0, 1)
    shaded = floats(flat)
    shaded *= 1 - dot[..., None] * np.array((0.42, 0.42, 0.3), np.float32)
    edge = grown(lines(image, 0.0026, 26), frame)
    return ImageChops.multiply(picture(shaded), Image.merge("RGB", (edge, edge, edge)))

