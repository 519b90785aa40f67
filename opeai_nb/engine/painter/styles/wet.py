"""Brushes and sticks: watercolour, oil, dots, pencil."""
# ruff: noqa: PLR0917 - coordinates go by position, as in every drawing library
# ruff: noqa: PLR2004 - a picture is measures found by eye, and each stands where it is used

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ..field import clouds, smoothstep, tile
from ..finish import contrasted, saturated
from ..frame import Frame
from .sheet import covered, floats, grown, picture

if TYPE_CHECKING:
    from ..field import Field
    from .sheet import Sheet

_SMALL = 768  # below it strokes need a finer canvas to have soft edges


def watercolour(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Let pigment flow: wobbling edges, darker rims, blooms, bare paper at the border."""
    frame = Frame(*image.size)
    unit = frame.unit
    coarse = frame.reduced(4)
    wobble = [clouds(sheet.rng, coarse, 9, octaves=3) - 0.5 for _ in range(2)]
    bent = _bent(image, wobble, unit * 0.014)
    soft = bent.filter(ImageFilter.BoxBlur(unit * 0.0016))
    density = 255 - floats(soft)
    grey = np.asarray(soft.convert("L"), np.float32)
    around = np.asarray(soft.convert("L").filter(ImageFilter.BoxBlur(unit * 0.011)), np.float32)
    rim = np.clip(around - grey, 0, 40) * np.float32(0.5)
    blotch = _up(clouds(sheet.rng, coarse, 3.2, octaves=5, gain=0.6), frame)
    pooled = np.float32(0.76) + np.float32(0.4) * smoothstep(0.28, 0.72, blotch)
    density *= pooled[..., None]
    density += rim[..., None]
    if sheet.has_margin:
        density *= _paper_edge(sheet, coarse, frame)[..., None]
    paint = grown(picture(np.array((252, 248, 240), np.float32) - density * 0.93), sheet.frame)
    return _on_paper(saturated(paint, 1.1), sheet, 8)


def _bent(image: Image.Image, wobble: list[Field], reach: float) -> Image.Image:
    """Answer *image* with every point moved along the *wobble* (across, down)."""
    frame = Frame(*image.size)
    across, down = (_up(one, frame) * np.float32(reach * 2) for one in wobble)
    column = np.arange(frame.width, dtype=np.int32)[None, :] + across.astype(np.int32)
    row = np.arange(frame.height, dtype=np.int32)[:, None] + down.astype(np.int32)
    np.clip(column, 0, frame.width - 1, out=column)
    np.clip(row, 0, frame.height - 1, out=row)
    pixels = np.asarray(image).reshape(-1, 3)
    return Image.fromarray(pixels.take(row * frame.width + column, axis=0))


def _up(field: Field, frame: Frame) -> Field:
    grown_field = Image.fromarray(field).resize(frame.size, Image.Resampling.BILINEAR)
    return np.asarray(grown_field, np.float32)


def _paper_edge(sheet: Sheet, coarse: Frame, frame: Frame) -> Field:
    rough = clouds(sheet.rng, coarse, 5, octaves=4, gain=0.6) * np.float32(0.085)
    x = np.linspace(0, coarse.w, coarse.width, dtype=np.float32)[None, :]
    y = np.linspace(0, coarse.h, coarse.height, dtype=np.float32)[:, None]
    inside = np.minimum(np.minimum(x, coarse.w - x), np.minimum(y, coarse.h - y))
    return _up(smoothstep(0.045, 0.066, inside + rough - 0.0), frame)


def _on_paper(image: Image.Image, sheet: Sheet, strength: float) -> Image.Image:
    """Press the paper's grain into *image*; the grain repeats, so that files stay small."""
    grain = tile(sheet.rng, 128, 32, 2, 0.6)
    tooth = picture(covered(255 - np.clip(np.abs(grain - 0.5) * 2, 0, 1) * strength, sheet.frame))
    return ImageChops.multiply(image, Image.merge("RGB", (tooth, tooth, tooth)))


def oil(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Lay strokes of paint along the forms, broad ones first, and light their ridges."""
    frame = sheet.frame
    scale = 1.5 if frame.unit < _SMALL else 1.0
    big = Frame(round(frame.width * scale), round(frame.height * scale))
    source = saturated(image.filter(ImageFilter.GaussianBlur(1.5)), 1.25)
    flow = _flow(source)
    canvas = grown(source, big)
    height = Image.new("L", big.size, 128)
    pens = ImageDraw.Draw(canvas), ImageDraw.Draw(height)
    for count, length, width in ((600, 0.1, 0.034), (1500, 0.062, 0.0155), (1900, 0.038, 0.0078)):
        many = round(count * big.w * big.h * sheet.fineness * (0.75 if scale > 1 else 1.0))
        _strokes(pens, source, flow, sheet.rng.random((many, 4)), (length, width), big.unit)
    relief = floats(height.filter(ImageFilter.BoxBlur(big.unit * 0.0011)))
    light = (relief - np.roll(relief, (-2, -2), (0, 1))) * np.float32(0.11)
    # Half a pixel of blur for the edges of strokes: the mean with a copy moved by one pixel.
    smooth = Image.blend(canvas, ImageChops.offset(canvas, 1, 1), 0.5)
    smooth.paste(canvas.crop((0, 0, big.width, 1)), (0, 0))
    smooth.paste(canvas.crop((0, 0, 1, big.height)), (0, 0))
    lit = floats(smooth) + light[..., None]
    return picture(lit).resize(frame.size, Image.Resampling.BILINEAR)


def _flow(image: Image.Image) -> Field:
    """Answer the angle along which the picture changes least."""
    grey = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(5)), np.float32)
    down, across = np.gradient(grey)
    answer: Field = np.arctan2(across, -down).astype(np.float32)
    return answer


def _strokes(
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw], source: Image.Image, flow: Field,
    chance: Field, size: tuple[float, float], unit: float,
) -> None:
    rows, columns = flow.shape
    scale = unit / min(rows, columns)
    x, y = chance[:, 0] * columns, chance[:, 1] * rows
    index = y.astype(np.int32) * columns + x.astype(np.int32)
    angle = flow.ravel().take(index) + (chance[:, 2] - 0.5) * 0.7
    colours = np.asarray(source).reshape(-1, 3).take(index, axis=0).astype(np.float32)
    tone = (chance[:, 3:4] - 0.5) * 20
    shade = np.clip(colours + tone, 0, 255).astype(np.uint8)
    half = size[0] * unit * 0.5 * (0.6 + 0.8 * chance[:, 3])
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    lines = np.stack([x * scale - dx, y * scale - dy, x * scale + dx, y * scale + dy], 1)
    width = max(1, round(size[1] * unit))
    for line, colour, level in zip(lines.tolist(), shade.tolist(),
                                   (chance[:, 3] * 255).astype(int).tolist(), strict=True):
        pens[0].line(line, fill=tuple(colour), width=width)
        pens[1].line(line, fill=level, width=width)


def dots(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Set dabs of pure colour side by side."""
    frame = sheet.frame
    scale = 2 if frame.unit <= 768 else 1.5
    big = Frame(round(frame.width * scale), round(frame.height * scale))
    source = contrasted(saturated(image, 1.45), 0.55)
    canvas = Image.new("RGB", big.size, (240, 230, 208))
    pen = ImageDraw.Draw(canvas)
    pixels = np.asarray(source).astype(np.float32)
    for cells, spread in ((54, 0.82), (92, 0.54)):
        chance = sheet.rng.random((int(cells * frame.h) * int(cells * frame.w), 6))
        x, y = _jittered(cells, frame, chance)
        at = (np.clip(y / frame.h * image.height, 0, image.height - 1).astype(int),
              np.clip(x / frame.w * image.width, 0, image.width - 1).astype(int))
        shade = pixels[at] + (chance[:, 2:5] - 0.5) * 44 + (chance[:, 5:] - 0.5) * 30
        radius = big.unit / cells * spread * (0.7 + 0.5 * chance[:, 5])
        spots = np.stack([x * big.unit - radius, y * big.unit - radius,
                          x * big.unit + radius, y * big.unit + radius], 1)
        for spot, colour in zip(spots.tolist(), np.clip(shade, 0, 255).astype(int).tolist(),
                                strict=True):
            pen.ellipse(spot, fill=tuple(colour))
    return canvas.resize(frame.size, Image.Resampling.BOX)


def _jittered(cells: int, frame: Frame, chance: Field) -> tuple[Field, Field]:
    across = int(cells * frame.w)
    order = np.arange(len(chance))
    return ((order % across + chance[:, 0]) / across * frame.w,
            (order // across + chance[:, 1]) / (len(chance) // across) * frame.h)


def pencil(image: Image.Image, sheet: Sheet) -> Image.Image:
    """Rub coloured pencil over toothed paper, with outlines drawn darker."""
    frame = sheet.frame
    grey = image.convert("L")
    unit = min(image.size)
    fine = floats(grey.filter(ImageFilter.GaussianBlur(unit * 0.0016)))
    wide = floats(grey.filter(ImageFilter.GaussianBlur(unit * 0.005)))
    line = picture(255 - np.clip((wide - fine - 1.5) * 16, 0, 190))
    colour = saturated(grown(image, frame), 1.15)
    strokes = _hatch(sheet)
    tone = np.asarray(grown(grey, frame)).astype(np.float32)
    bare = np.clip(strokes * 0.95 - 0.2 + (tone - 140) * np.float32(0.002), 0, 0.7)
    rubbed = Image.composite(Image.new("RGB", frame.size, (250, 246, 238)), colour,
                             picture(bare * 255))
    drawn = grown(line, frame)
    return ImageChops.multiply(rubbed, Image.merge("RGB", (drawn, drawn, drawn)))


def _hatch(sheet: Sheet) -> Field:
    """Answer slanting strokes, 0 (pencil) to 1 (paper), in a texture that repeats."""
    size = 256
    fine = tile(sheet.rng, size, 128, 1)
    long = np.asarray(Image.fromarray(tile(sheet.rng, size, 16, 1)), np.float32)
    slant = np.empty_like(fine)
    for row in range(size):
        slant[row] = np.roll(fine[row // 16 * 16 % size] * 0.6 + fine[row] * 0.4, -row)
    mixed_strokes = slant * 0.75 + long * 0.25
    return covered(np.clip((mixed_strokes - 0.5) * 1.5 + 0.4, 0, 1), sheet.frame)
