"""Smooth fields of chance: lattices of numbers, enlarged and added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from opeai_nb.engine.painter.raster.frame import Frame

Field = npt.NDArray[np.floating[Any]]  # float32 in all but small sums

_MARGIN = 2  # cells that the bicubic filter reaches beyond the picture
_SMOOTH = 6  # pixels in a cell; above it half as many show the same


def resized(field: Field, width: int, height: int) -> Field:
    """Return *field* (rows, columns) drawn at another size, smoothly."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def lattice(rng: np.random.Generator, frame: Frame, across: float, down: float) -> Field:
    """Return one octave in [0, 1]: *across* and *down* cells in a unit, at the frame's pixels."""
    return _octave(rng, frame.size, (frame.w * across, frame.h * down))


def _octave(rng: np.random.Generator, size: tuple[int, int], cells: tuple[float, float]) -> Field:
    columns, rows = cells
    shape = int(np.ceil(rows)) + 2 * _MARGIN, int(np.ceil(columns)) + 2 * _MARGIN
    image = Image.fromarray(rng.random(shape).astype(np.float32))
    box = (_MARGIN, _MARGIN, _MARGIN + columns, _MARGIN + rows)
    return np.array(image.resize(size, Image.Resampling.BICUBIC, box), dtype=np.float32)


def clouds(
    rng: np.random.Generator,
    frame: Frame,
    across: float,
    down: float | None = None,
    *,
    octaves: int = 4,
    gain: float = 0.5,
) -> Field:
    """Return fractal noise around 0.5, its first octave of *across* x *down* cells in a unit."""
    columns, rows = frame.w * across, frame.h * (down or across)
    total = _summed(rng, frame.size, (columns, rows), octaves, gain)
    weights = sum(gain**octave for octave in range(octaves))
    return total * np.float32(1 / weights)


def _summed(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[float, float],
    octaves: int,
    gain: float,
) -> Field:
    """Add up octaves, each worked out at half the size of the next: coarse ones are smooth."""
    if octaves == 1:
        return _octave(rng, size, cells)
    finest = 2 ** (octaves - 1)
    is_smooth = all(
        pixels > _SMOOTH * count * finest for pixels, count in zip(size, cells, strict=True)
    )
    below = (size[0] // 2, size[1] // 2) if is_smooth else size
    total = _summed(rng, below, cells, octaves - 1, gain)
    if below != size:
        total = resized(total, *size)
    fine = _octave(rng, size, (cells[0] * finest, cells[1] * finest))
    fine *= np.float32(gain ** (octaves - 1))
    fine += total
    return fine


def ridge(rng: np.random.Generator, count: int, cells: float, *, octaves: int = 5) -> Field:
    """Return fractal noise around 0.5 along a line of *count* samples, *cells* in its length."""
    total = np.zeros(count, np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        line = rng.random(int(np.ceil(cells)) + 4).astype(np.float32)
        at = np.linspace(1, 1 + cells, count, dtype=np.float32)
        left = at.astype(np.int32)
        mix = at - left
        mix = mix * mix * (3 - 2 * mix)
        total += np.float32(weight) * (line[left] * (1 - mix) + line[left + 1] * mix)
        weights, weight, cells = weights + weight, weight / 2, cells * 2
    return total * np.float32(1 / weights)


def tile(
    rng: np.random.Generator, size: int = 256, cells: int = 8, octaves: int = 5, gain: float = 0.5
) -> Field:
    """Return fractal noise around 0.5 that repeats seamlessly every *size* pixels."""
    half = np.zeros((size // 2, size // 2), np.float32)
    total = np.zeros((size, size), np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        grid = rng.random((cells, cells)).astype(np.float32)
        sum_ = half if cells * _SMOOTH < size else total
        sum_ += np.float32(weight) * _wrapped(grid, len(sum_))
        weights, weight, cells = weights + weight, weight * gain, min(cells * 2, size)
    total += _wrapped(half, size)
    return total * np.float32(1 / weights)


def _wrapped(grid: Field, size: int) -> Field:
    """Return the square *grid* enlarged to *size* pixels a side, seamless at its borders."""
    cells = len(grid)
    if cells == size:
        return grid
    wide = Image.fromarray(np.pad(grid, _MARGIN, mode="wrap"))
    box = (_MARGIN, _MARGIN, _MARGIN + cells, _MARGIN + cells)
    return np.asarray(wide.resize((size, size), Image.Resampling.BICUBIC, box), dtype=np.float32)


def sampled(texture: Field, across: Field, down: Field) -> Field:
    """Look up a repeating *texture* at (across, down), in its pixels, bilinearly.

    *down* may be one column, (rows, 1): then whole lines of the texture are mixed first, which
    halves the work.
    """
    size = texture.shape[0]
    wide = np.pad(texture, ((0, 1), (0, 1)), mode="wrap")
    left, mix_x = _split(across, size)
    top, mix_y = _split(down, size)
    if down.ndim > 1 and down.shape[1] == 1 and across.shape[0] in {1, len(down)}:
        lines = _between(wide.take(top[:, 0], axis=0), wide.take(top[:, 0] + 1, axis=0), mix_y)
        place = left + np.arange(len(lines), dtype=np.int32)[:, None] * np.int32(size + 1)
        flat = lines.ravel()
        return _between(flat.take(place), flat[1:].take(place), mix_x)
    flat = wide.ravel()
    place = top * np.int32(size + 1) + left
    upper = _between(flat.take(place), flat[1:].take(place), mix_x)
    lower = _between(flat[size + 1 :].take(place), flat[size + 2 :].take(place), mix_x)
    return _between(upper, lower, mix_y)


def _split(places: Field, size: int) -> tuple[npt.NDArray[np.int32], Field]:
    """Return the whole part of *places*, wrapped at *size* (a power of two), and the rest."""
    floor = np.floor(places)
    whole = floor.astype(np.int32)
    whole &= np.int32(size - 1)
    return whole, places - floor


def _between(one: Field, other: Field, share: Field) -> Field:
    other -= one
    other *= share
    other += one
    return other


def slopes(field: Field) -> tuple[Field, Field]:
    """Return how *field* rises downwards and across, in its own unit a pixel."""
    down, across = np.empty_like(field), np.empty_like(field)
    np.subtract(field[2:], field[:-2], out=down[1:-1])
    np.subtract(field[:, 2:], field[:, :-2], out=across[:, 1:-1])
    down[1:-1] *= np.float32(0.5)
    across[:, 1:-1] *= np.float32(0.5)
    down[0], down[-1] = field[1] - field[0], field[-1] - field[-2]
    across[:, 0] = field[:, 1] - field[:, 0]
    across[:, -1] = field[:, -1] - field[:, -2]
    return down, across


def smoothstep(low: float, high: float, field: Field) -> Field:
    """Rise from 0 to 1 while *field* goes from *low* to *high*."""
    step = field - np.float32(low)
    step *= np.float32(1 / (high - low))
    np.clip(step, 0, 1, out=step)
    bend = 3 - 2 * step
    step *= step
    step *= bend
    return step
