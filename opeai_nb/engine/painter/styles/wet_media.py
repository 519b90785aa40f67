"""Brushes and sticks: watercolour, oil, dots, pencil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.grading import contrasted, saturated
from opeai_nb.engine.painter.raster.noise_field import Field, clouds, slopes, smoothstep, tile
from opeai_nb.engine.painter.styles.paper import (
    Paper,
    covered,
    grown,
    picture,
    softened,
    thrice,
    toned,
)

if TYPE_CHECKING:
    import numpy.typing as npt


_SMALL = 768  # below it strokes need a finer canvas to have soft edges
# Each layer of strokes: how many in a unit, how long and wide (units), and which share of the
# places tried is painted: fine ones only where the picture is busy.
_STROKES = ((600, 0.1, 0.034, 1.0), (1300, 0.062, 0.0155, 0.8), (1700, 0.038, 0.0078, 0.45))


def watercolour(image: Image.Image, sheet: Paper) -> Image.Image:
    """Let pigment flow: wobbling edges, darker rims, blooms, bare paper at the border."""
    frame = Frame(*image.size)
    unit = frame.unit
    coarse = frame.reduced(4)
    wobble = [clouds(sheet.rng, coarse, 9, octaves=3) - 0.5 for _ in range(2)]
    soft = _bent(image, wobble, unit * 0.014).filter(ImageFilter.BoxBlur(unit * 0.0016))
    grey = soft.convert("L")
    around = grey.filter(ImageFilter.BoxBlur(unit * 0.011))
    rim = toned(ImageChops.subtract(around, grey), lambda v: np.minimum(v, 40) * 0.5)
    blotch = clouds(sheet.rng, coarse, 3.2, octaves=5, gain=0.6)
    most = 1.16
    pooled = (0.76 + 0.4 * smoothstep(0.28, 0.72, blotch)) * np.float32(255 / most)
    if sheet.has_margin:
        edge = _paper_edge(sheet, coarse)
        pooled *= edge
        rim = ImageChops.multiply(rim, _up(picture(edge * 255), frame))
    density = ImageChops.multiply(ImageChops.invert(soft), thrice(_up(picture(pooled), frame)))
    # White paper less its pigment, then the paper's own warmth.
    bare = toned(density, lambda v: 252 - v * 0.93 * most)
    warm = ImageChops.subtract(bare, Image.new("RGB", bare.size, (0, 4, 12)))
    paint = saturated(ImageChops.subtract(warm, thrice(rim)), 1.1)
    return _on_paper(grown(paint, sheet.frame, crisp=False), sheet, 8)


def _bent(image: Image.Image, wobble: list[Field], reach: float) -> Image.Image:
    """Return *image* with every point moved along the *wobble* (across, down)."""
    frame = Frame(*image.size)
    across, down = (
        np.asarray(_up(Image.fromarray(one * np.float32(reach * 2)), frame)) for one in wobble
    )
    column = np.arange(frame.width, dtype=np.int32)[None, :] + across.astype(np.int32)
    row = np.arange(frame.height, dtype=np.int32)[:, None] + down.astype(np.int32)
    np.clip(column, 0, frame.width - 1, out=column)
    np.clip(row, 0, frame.height - 1, out=row)
    row *= frame.width
    row += column
    # Four bytes are moved as one number.
    pixels = np.asarray(image.convert("RGBA")).view(np.uint32).ravel().take(row)
    return Image.frombuffer("RGBA", image.size, pixels.tobytes(), "raw", "RGBA", 0, 1).convert(
        "RGB"
    )


def _up(image: Image.Image, frame: Frame) -> Image.Image:
    return image.resize(frame.size, Image.Resampling.BILINEAR)


def _paper_edge(sheet: Paper, coarse: Frame) -> Field:
    rough = clouds(sheet.rng, coarse, 5, octaves=4, gain=0.6) * np.float32(0.085)
    x = np.linspace(0, coarse.w, coarse.width, dtype=np.float32)[None, :]
    y = np.linspace(0, coarse.h, coarse.height, dtype=np.float32)[:, None]
    inside = np.minimum(np.minimum(x, coarse.w - x), np.minimum(y, coarse.h - y))
    return smoothstep(0.045, 0.066, inside + rough)


def _on_paper(image: Image.Image, sheet: Paper, strength: float) -> Image.Image:
    """Press the paper's grain into *image*; the grain repeats, so that files stay small."""
    grain = tile(sheet.rng, 128, 32, 2, 0.6)
    tooth = 255 - np.clip(np.abs(grain - 0.5) * 2, 0, 1) * strength
    return ImageChops.multiply(
        image,
        thrice(Image.fromarray(np.ascontiguousarray(covered(tooth.astype(np.uint8), sheet.frame)))),
    )


def oil(image: Image.Image, sheet: Paper) -> Image.Image:
    """Lay strokes of paint along the forms, broad ones first, and light their ridges."""
    frame = sheet.frame
    scale = 1.5 if frame.unit < _SMALL else 1.0
    big = Frame(round(frame.width * scale), round(frame.height * scale))
    source = saturated(image.filter(ImageFilter.BoxBlur(1)), 1.25)
    # A stroke's place in the fourth channel is its height: one line paints both.
    canvas = source.resize(big.size, Image.Resampling.NEAREST).convert("RGBX")
    pen = ImageDraw.Draw(canvas)
    slope = _slopes(source)
    for count, length, width, share in _STROKES:
        many = round(count * big.w * big.h * sheet.fineness * (0.68 if scale > 1 else 1.0))
        chance = _chosen(sheet.rng.random((round(many / share), 4)), slope, many)
        _strokes(pen, source, slope, chance, (length, width), big.unit)
    if scale > 1:
        canvas = canvas.resize(frame.size, Image.Resampling.BOX)
    height = canvas.getchannel("X").filter(ImageFilter.BoxBlur(frame.unit * 0.0011))
    ridges = ImageChops.subtract(height, ImageChops.offset(height, -2, -2), 9, 128)
    flat = canvas.convert("RGB")
    return ImageChops.add(flat if scale > 1 else softened(flat, 1, 1), thrice(ridges), 1, -128)


def _slopes(image: Image.Image) -> tuple[Field, Field]:
    """Return how the tones of *image* rise downwards and across, at half its size."""
    small = image.convert("L").reduce(2).filter(ImageFilter.GaussianBlur(2.5))
    return slopes(np.asarray(small, np.float32))


def _chosen(chance: Field, slope: tuple[Field, Field], many: int) -> Field:
    """Return the *many* strokes of *chance* that lie where most happens, in their old order."""
    if len(chance) == many:
        return chance
    down, across = (one.ravel().take(_index(chance, one.shape)) for one in slope)
    busy = np.argsort(-(down * down + across * across), kind="stable")
    answer: Field = chance[np.sort(busy[:many])]
    return answer


def _index(chance: Field, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Return the places (numbers of pixels) of strokes in a picture of *shape*."""
    row, column = ((chance[:, axis] * shape[1 - axis]).astype(np.int32) for axis in (1, 0))
    answer: npt.NDArray[np.int32] = row * shape[1] + column
    return answer


def _strokes(
    pen: ImageDraw.ImageDraw,
    source: Image.Image,
    slope: tuple[Field, Field],
    chance: Field,
    size: tuple[float, float],
    unit: float,
) -> None:
    scale = unit / min(source.size)
    down, across = (one.ravel().take(_index(chance, one.shape)) for one in slope)
    # Along the line on which the picture changes least.
    angle = np.arctan2(across, -down) + (chance[:, 2] - 0.5) * 0.7
    index = _index(chance, (source.height, source.width))
    colours = np.asarray(source).reshape(-1, 3).take(index, axis=0).astype(np.float32)
    shade = np.empty((len(chance), 4), np.uint8)
    shade[:, :3] = np.clip(colours + (chance[:, 3:4] - 0.5) * 20, 0, 255)
    shade[:, 3] = chance[:, 3] * 255
    half = size[0] * unit * 0.5 * (0.6 + 0.8 * chance[:, 3])
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    x, y = chance[:, 0] * source.width * scale, chance[:, 1] * source.height * scale
    lines = np.stack([x - dx, y - dy, x + dx, y + dy], 1)
    width = max(1, round(size[1] * unit))
    for line, colour in zip(lines.tolist(), shade.tolist(), strict=True):
        pen.line(line, fill=tuple(colour), width=width)


def dots(image: Image.Image, sheet: Paper) -> Image.Image:
    """Set dabs of pure colour side by side."""
    frame = sheet.frame
    scale = 2 if frame.unit <= 768 else 1.5
    big = Frame(round(frame.width * scale), round(frame.height * scale))
    source = contrasted(saturated(image, 1.45), 0.55)
    canvas = Image.new("RGB", big.size, (240, 230, 208))
    pen = ImageDraw.Draw(canvas)
    pixels = np.asarray(source).astype(np.float32)
    for finest, spread in ((50, 0.82), (82, 0.55)):
        cells = min(finest, int(frame.unit / 2))  # a dab is no smaller than two pixels
        chance = sheet.rng.random((int(cells * frame.h) * int(cells * frame.w), 6))
        x, y = _jittered(cells, frame, chance)
        at = (
            np.clip(y / frame.h * image.height, 0, image.height - 1).astype(int),
            np.clip(x / frame.w * image.width, 0, image.width - 1).astype(int),
        )
        shade = pixels[at] + (chance[:, 2:5] - 0.5) * 44 + (chance[:, 5:] - 0.5) * 30
        radius = big.unit / cells * spread * (0.7 + 0.5 * chance[:, 5])
        spots = np.stack(
            [
                x * big.unit - radius,
                y * big.unit - radius,
                x * big.unit + radius,
                y * big.unit + radius,
            ],
            1,
        )
        for spot, colour in zip(
            spots.tolist(), np.clip(shade, 0, 255).astype(int).tolist(), strict=True
        ):
            pen.ellipse(spot, fill=tuple(colour))
    return canvas.resize(frame.size, Image.Resampling.BOX)


def _jittered(cells: int, frame: Frame, chance: Field) -> tuple[Field, Field]:
    across = int(cells * frame.w)
    order = np.arange(len(chance))
    return (
        (order % across + chance[:, 0]) / across * frame.w,
        (order // across + chance[:, 1]) / (len(chance) // across) * frame.h,
    )


def pencil(image: Image.Image, sheet: Paper) -> Image.Image:
    """Rub coloured pencil over toothed paper, with outlines drawn darker."""
    frame = sheet.frame
    grey = image.convert("L")
    unit = min(image.size)
    fine = grey.filter(ImageFilter.GaussianBlur(unit * 0.0016))
    wide = grey.filter(ImageFilter.GaussianBlur(unit * 0.005))
    line = toned(ImageChops.subtract(wide, fine), lambda v: 255 - np.clip((v - 1.5) * 16, 0, 190))
    rubbed = grown(saturated(image, 1.15), frame)
    tone = toned(grown(grey, frame, crisp=False), lambda v: (v - 140) * 0.51 + 77)
    bare = toned(ImageChops.add(_hatch(sheet), tone, 1, -128), lambda v: np.minimum(v, 178))
    rubbed.paste((250, 246, 238), mask=bare)
    return ImageChops.multiply(rubbed, thrice(grown(line, frame)))


def _hatch(sheet: Paper) -> Image.Image:
    """Return slanting strokes, 0 (pencil) to 242 (paper), in a texture that repeats."""
    size = 256
    fine = tile(sheet.rng, size, 128, 1)
    long = tile(sheet.rng, size, 16, 1)
    row = np.arange(size)[:, None]
    slant = np.take_along_axis(
        fine[row[:, 0] // 16 * 16] * 0.6 + fine * 0.4, (row + row.T) % size, axis=1
    )
    strokes = np.clip((slant * 0.75 + long * 0.25 - 0.5) * 1.5 + 0.4, 0, 1) * 242
    return Image.fromarray(np.ascontiguousarray(covered(strokes.astype(np.uint8), sheet.frame)))
