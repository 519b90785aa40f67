"""Pieces of flat colour: pixels, triangles, tesserae."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from opeai_nb.engine.painter.raster.canvas import BAYER
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.grading import contrasted, saturated
from opeai_nb.engine.painter.raster.noise_field import Field, slopes
from opeai_nb.engine.painter.styles.paper import Paper, floats, grown, picture, thrice, toned

_FAR = 20  # bits of a whole number that count one squared cell


def pixels(image: Image.Image, sheet: Paper) -> Image.Image:
    """Rebuild the scene from big square pixels in a small palette, dithered in a pattern."""
    frame = sheet.frame
    side = max(2, round(frame.unit / (128 * sheet.fineness)))
    columns, rows = -(-frame.width // side), -(-frame.height // side)
    small = contrasted(saturated(image, 1.3), 0.25).resize((columns, rows), Image.Resampling.BOX)
    crisp = small.filter(ImageFilter.UnsharpMask(1.2, 80, 2))
    pattern = np.tile(BAYER - 0.47, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns, None]
    palette = crisp.quantize(30, Image.Quantize.MAXCOVERAGE)
    dithered = picture(floats(crisp) + pattern * 15)
    flat = dithered.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    big = flat.resize((columns * side, rows * side), Image.Resampling.NEAREST)
    return big.crop((0, 0, *frame.size))


def low_poly(image: Image.Image, sheet: Paper) -> Image.Image:
    """Fold the scene into triangles, each of one colour, each catching the light differently."""
    frame = sheet.frame
    corners = _corners(image, sheet)
    fine = 2 if frame.unit <= 1300 else 1
    # The picture itself lies below, so that no seam between triangles shows black.
    canvas = image.resize((frame.width * fine, frame.height * fine), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(canvas)
    pixels_of = floats(saturated(image.filter(ImageFilter.BoxBlur(3)), 1.25))
    a, b = corners[:-1, :-1], corners[:-1, 1:]
    c, d = corners[1:, :-1], corners[1:, 1:]
    even = (np.add.outer(np.arange(a.shape[0]), np.arange(a.shape[1])) % 2 == 0)[..., None]
    halves = [(a, b, np.where(even, c, d)), (np.where(even, b, a), d, c)]
    scale = frame.unit * fine
    for one, two, three in halves:
        middle = (one + two + three) / 3
        tone = _sampled(pixels_of, middle, frame)
        tone *= 1 + (sheet.rng.random((*tone.shape[:2], 1)) - 0.5).astype(np.float32) * 0.1
        points = (np.concatenate([one, two, three], axis=-1) * scale).reshape(-1, 6).tolist()
        shades = np.clip(tone, 0, 255).astype(int).reshape(-1, 3).tolist()
        for triangle, shade in zip(points, shades, strict=True):
            pen.polygon(triangle, fill=tuple(shade))
    return canvas.reduce(fine) if fine > 1 else canvas


def _corners(image: Image.Image, sheet: Paper) -> Field:
    """Return a grid of corners (rows, columns, 2) in units, drawn towards edges in the picture."""
    frame = sheet.frame
    cells = 41 * sheet.fineness
    rows, columns = max(4, round(frame.h * cells)), max(4, round(frame.w * cells))
    grid = np.stack(
        np.meshgrid(np.linspace(0, frame.w, columns + 1), np.linspace(0, frame.h, rows + 1)),
        axis=-1,
    )
    jitter = (sheet.rng.random(grid.shape) - 0.5) * (0.75 / cells)
    grey = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(2)), np.float32)
    down, across = slopes(grey)
    strength = np.sqrt(down * down + across * across)
    best, corner = np.full(grid.shape[:2], -1.0), np.zeros_like(grid)
    for step in range(9):
        offset = np.array([step % 3 - 1, step // 3 - 1]) * (0.36 / cells)
        there = grid + jitter * 0.5 + offset
        value = _sampled(strength[..., None], there, frame)[..., 0]
        better = value > best
        best, corner = np.where(better, value, best), np.where(better[..., None], there, corner)
    moved: Field = np.where(best[..., None] > 2.5, corner, grid + jitter)
    moved[:, 0, 0], moved[:, -1, 0] = 0, frame.w
    moved[0, :, 1], moved[-1, :, 1] = 0, frame.h
    return moved


def _sampled(values: Field, places: Field, frame: Frame) -> Field:
    rows, columns = values.shape[:2]
    row = np.clip(places[..., 1] / frame.h * rows, 0, rows - 1).astype(int)
    column = np.clip(places[..., 0] / frame.w * columns, 0, columns - 1).astype(int)
    answer: Field = values[row, column]
    return answer


def mosaic(image: Image.Image, sheet: Paper) -> Image.Image:
    """Set pieces of coloured glass between dark leads."""
    frame = sheet.frame
    cells = 38 * sheet.fineness
    rows, columns = max(3, round(frame.h * cells)), max(3, round(frame.w * cells))
    seeds = sheet.rng.random((rows + 2, columns + 2, 2)).astype(np.float32) * 0.8 + 0.1
    # Whole pixels in a cell: then all pixels at one place of their cells share their sums.
    fine = round(min(14, max(4, frame.unit / cells * 0.8)))
    first, second, owner = _nearest(seeds, fine)
    grid = np.meshgrid(np.arange(columns + 2), np.arange(rows + 2))
    middle: Field = seeds + (np.stack(grid, -1) - 1).astype(np.float32)
    places = np.stack(
        [
            middle[..., 0] * np.float32(frame.w / columns),
            middle[..., 1] * np.float32(frame.h / rows),
        ],
        axis=-1,
    )
    tone = _sampled(floats(saturated(image.filter(ImageFilter.BoxBlur(3)), 1.55)), places, frame)
    tone *= 1 + (sheet.rng.random((*tone.shape[:2], 1)).astype(np.float32) - 0.5) * 0.22
    glass = np.clip(tone, 0, 255).astype(np.uint8).reshape(-1, 3).take(owner, axis=0)
    lead = np.clip((np.sqrt(second) - np.sqrt(first)) * 9 - 0.55, 0, 1)
    light = lead * (1 - np.float32(0.22) * first)
    set_ = ImageChops.multiply(Image.fromarray(glass), thrice(picture(light * 255)))
    leads = ImageOps.colorize(picture(lead * 255), (26, 24, 30), (0, 0, 0))
    return grown(ImageChops.add(toned(set_, lambda v: v * 1.08), leads), frame, crisp=False)


def _nearest(seeds: Field, fine: int) -> tuple[Field, Field, npt.NDArray[np.int32]]:
    """Return the squared distances to the two nearest seeds, and the nearest one's number.

    *seeds* stand in cells of *fine* pixels, with a border of cells outside the picture. Distances
    are counted in whole steps whose last four bits name the neighbour, so that the smaller of two
    numbers brings its name with it.
    """
    rows, columns = seeds.shape[0] - 2, seeds.shape[1] - 2
    inside = (np.arange(fine, dtype=np.float32) + 0.5) / fine
    shape = (rows, fine, columns, fine)
    first = np.full(shape, 9 << _FAR, np.int32)
    second = first.copy()
    for step in range(9):
        down, across = step // 3, step % 3
        near = seeds[down : down + rows, across : across + columns]
        dx = (near[:, None, :, None, 0] + (across - 1) - inside) ** 2
        dy = (near[:, None, :, None, 1] + (down - 1) - inside[:, None, None]) ** 2
        far = (dx * (1 << _FAR)).astype(np.int32) + (dy * (1 << _FAR)).astype(np.int32)
        far &= ~15
        far |= step
        np.minimum(second, np.maximum(first, far), out=second)
        np.minimum(first, far, out=first)
    named = first & 15
    row, column = np.arange(rows)[:, None, None, None], np.arange(columns)[:, None]
    owner = ((row + named // 3) * (columns + 2) + column + named % 3).astype(np.int32)
    size = rows * fine, columns * fine
    scale = np.float32(1 / (1 << _FAR))
    return (first.reshape(size) * scale, second.reshape(size) * scale, owner.reshape(size))
