"""A matte for a given picture: what is probably its subject, from its border and its middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from opeai_nb.engine.painter.raster.noise_field import Field

if TYPE_CHECKING:
    import numpy.typing as npt


_SIDE = 96  # pixels in which the guess is made: its edge is soft anyway
_BINS = 8  # of each channel, so that shades of one colour count as one


def subject_matte(image: Image.Image) -> Image.Image:
    """Return an L picture of *image*'s size: 255 on the likely subject, soft at its edge.

    Colours common on the border are ground; colours common in the middle are subject. It is a
    guess: a subject in the ground's colours is taken for ground.
    """
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return image.getchannel("A")
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small).astype(np.int64) * _BINS // 256
    bins = (pixels[..., 0] * _BINS + pixels[..., 1]) * _BINS + pixels[..., 2]
    x = np.abs(np.linspace(-1, 1, _SIDE, dtype=np.float32))
    border = np.maximum(
        x[None, :],
        x[:, None] * np.where(np.linspace(-1, 1, _SIDE) > 0, 0.96, 1.0)[:, None].astype(np.float32),
    )
    middle = np.exp(-(x[None, :] ** 2 + x[:, None] ** 2) / 0.3)
    outside, inside = _counts(bins, border > 0.84), _counts(bins, middle > 0.42)
    share = (inside / (inside + outside * 1.15 + 1e-4)).astype(np.float32)[bins]
    apart = _apart(np.asarray(small).astype(np.float32))
    likely = 0.45 * share + 0.75 * np.clip((apart - 20) / 50, 0, 1)
    inner = np.clip((0.97 - border) * 6, 0, 1) * (0.5 + 0.6 * middle)
    return _grown(likely * inner * np.clip((apart - 14) / 24, 0, 1), image)


def _apart(pixels: Field) -> Field:
    """Return how far each pixel's colour is from the nearest one along the border."""
    edge = _SIDE // 12
    sides = (
        pixels[:edge],
        pixels[-edge:],
        pixels[:, :edge].swapaxes(0, 1),
        pixels[:, -edge:].swapaxes(0, 1),
    )
    samples = [side.reshape(edge, 12, -1, 3).mean(axis=(0, 2)) for side in sides]
    least = np.full(pixels.shape[:2], 1e9, np.float32)
    planes = [np.ascontiguousarray(pixels[..., channel]) for channel in range(3)]
    for sample in np.concatenate(samples):
        red, green, blue = (
            (plane - level) ** 2 for plane, level in zip(planes, sample, strict=True)
        )
        least = np.minimum(least, red + green + blue)  # a sum over so short an axis takes longer
    answer: Field = np.sqrt(least)
    return answer


def _counts(bins: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> Field:
    counts = np.bincount(bins[chosen].ravel(), minlength=_BINS**3).reshape((_BINS,) * 3)
    spread = counts.astype(np.float32)
    for axis in range(3):
        padded = np.pad(spread, [(1, 1) if one == axis else (0, 0) for one in range(3)])
        before = np.take(padded, range(_BINS), axis)
        after = np.take(padded, range(2, _BINS + 2), axis)
        spread = spread * 0.6 + (before + after) * 0.2
    answer: Field = (spread.ravel() / max(1.0, float(spread.sum()))).astype(np.float32)
    return answer


def _grown(score: Field, image: Image.Image) -> Image.Image:
    rough = Image.fromarray((np.clip(score, 0, 1) * 255).astype(np.uint8))
    firm = rough.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(1.6))
    table = [min(255, max(0, round((v - 84) * 4.2))) for v in range(256)]
    closed = firm.point(table).filter(ImageFilter.MaxFilter(3))
    return closed.filter(ImageFilter.GaussianBlur(1.2)).resize(image.size, Image.Resampling.BICUBIC)
