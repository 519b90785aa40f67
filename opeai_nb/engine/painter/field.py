"""Smooth fields of chance: lattices of numbers, enlarged and added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from .frame import Frame

Field = npt.NDArray[np.floating[Any]]  # float32 in all but small sums

_MARGIN = 2


def resized(field: Field, width: int, height: int) -> Field:
    """Answer *field* (rows, columns) drawn at another size, smoothly."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def lattice(
    rng: np.random.Generator, frame: Frame, across: float, down: float, *, drift: float = 0.0
) -> Field:
    """Answer one octave in [0, 1]: *across* and *down* cells in a unit, at the frame's pixels."""
    columns, rows = frame.w * across, frame.h * down
    shape = (int(np.ceil(rows)) + 2 * _MARGIN, int(np.ceil(columns + abs(drift))) + 2 * _MARGIN)
    image = Image.fromarray(rng.random(shape).astype(np.float32))
    box = (_MARGIN + drift, _MARGIN, _MARGIN + drift + columns, _MARGIN + rows)
    return np.asarray(image.resize(frame.size, Image.Resampling.BICUBIC, box), dtype=np.float32)


def clouds(
    rng: np.random.Generator, frame: Frame, across: float, down: float | None = None,
    *, octaves: int = 4, gain: float = 0.5,
) -> Field:
    """Answer fractal noise around 0.5, its first octave of *across* x *down* cells in a unit."""
    total = np.zeros((frame.height, frame.width), np.float32)
    down, weight, weights = down or across, 1.0, 0.0
    for _ in range(octaves):
        total += np.float32(weight) * lattice(rng, frame, across, down)
        weights, weight, across, down = weights + weight, weight * gain, across * 2, down * 2
    return total * np.float32(1 / weights)


def ridge(
    rng: np.random.Generator, count: int, cells: float, *, octaves: int = 5, gain: float = 0.5
) -> Field:
    """Answer fractal noise around 0.5 along a line of *count* samples, *cells* in its length."""
    total = np.zeros(count, np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        line = rng.random(int(np.ceil(cells)) + 4).astype(np.float32)
        at = np.linspace(1, 1 + cells, count, dtype=np.float32)
        left = at.astype(np.int32)
        mix = at - left
        mix = mix * mix * (3 - 2 * mix)
        total += np.float32(weight) * (line[left] * (1 - mix) + line[left + 1] * mix)
        weights, weight, cells = weights + weight, weight * gain, cells * 2
    return total * np.float32(1 / weights)


def tile(rng: np.random.Generator, size: int = 256, cells: int = 8, octaves: int = 5,
         gain: float = 0.5) -> Field:
    """Answer fractal noise around 0.5 that repeats seamlessly every *size* pixels."""
    total = np.zeros((size, size), np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        grid = np.pad(rng.random((cells, cells)).astype(np.float32), _MARGIN, mode="wrap")
        box = (_MARGIN, _MARGIN, _MARGIN + cells, _MARGIN + cells)
        grown = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC, box)
        total += np.float32(weight) * np.asarray(grown, dtype=np.float32)
        weights, weight, cells = weights + weight, weight * gain, min(cells * 2, size)
    return total * np.float32(1 / weights)


def sampled(texture: Field, across: Field, down: Field) -> Field:
    """Look up a repeating *texture* at (across, down), in its pixels, bilinearly."""
    size = texture.shape[0]
    mask = size - 1
    left = np.floor(across).astype(np.int32)
    top = np.floor(down).astype(np.int32)
    mix_x, mix_y = across - left, down - top
    left, top = left & mask, top & mask
    right, low = (left + 1) & mask, ((top + 1) & mask) * size
    top = top * size
    flat = texture.ravel()
    upper = flat.take(top + left) * (1 - mix_x) + flat.take(top + right) * mix_x
    lower = flat.take(low + left) * (1 - mix_x) + flat.take(low + right) * mix_x
    answer: Field = upper * (1 - mix_y) + lower * mix_y
    return answer


def smoothstep(low: float, high: float, field: Field) -> Field:
    """Rise from 0 to 1 while *field* goes from *low* to *high*."""
    step = np.clip((field - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    answer: Field = step * step * (3 - 2 * step)
    return answer
