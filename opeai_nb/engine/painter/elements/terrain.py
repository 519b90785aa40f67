"""Terrain in perspective: a field of heights seen from its edge, lit, shadowed and hazed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from opeai_nb.engine.painter.raster.canvas import enlarged
from opeai_nb.engine.painter.raster.colour import vector
from opeai_nb.engine.painter.raster.noise_field import Field, sampled, slopes
from opeai_nb.engine.painter.view import View

_SMALL = 640  # pixels on the short side
# (across, depth, heights, slope) -> albedo (steps, columns, 3)
Cover = Callable[[Field, Field, Field, Field], Field]


@dataclass(frozen=True, slots=True)
class Terrain:
    """How the land lies: the eye's height over 0, the depths seen and the haze over them."""

    eye: float
    near: float
    far: float
    haze: float  # the depth at which haze covers two thirds
    relief: float = 1.0  # how much slopes differ in brightness
    shadow: float = 0.45
    grain: float = 0.0  # how strong the small relief is
    steps: int = 170


def grid(view: View, terrain: Terrain, columns: int) -> tuple[Field, Field]:
    """Return the places seen: across (steps, columns) and depth (steps, 1), in map units."""
    # Equal ratios of depth are equal rows near the eye; far slopes stand up and need more steps.
    steps = terrain.steps if view.frame.unit > _SMALL else round(terrain.steps * 0.75)
    share = np.linspace(0, 1, steps) ** 0.72
    depth = (terrain.near * (terrain.far / terrain.near) ** share).astype(np.float32)[:, None]
    middle = np.linspace(-0.5, 0.5, columns, dtype=np.float32)[None, :] * np.float32(view.frame.w)
    return middle * depth, depth


def columns(view: View) -> int:
    """Return how many columns the land is worked out in: usually half of the picture's."""
    return max(24, round(view.frame.width / 2 * min(1.4, max(0.5, view.detail))))


def land(view: View, terrain: Terrain, heights: Field, cover: Cover) -> None:
    """Paint *heights* (steps, columns) below their skyline over what is there."""
    view.begin("land")
    width = heights.shape[1]
    across, depth = grid(view, terrain, width)
    tops = np.float32(view.horizon) - (heights - np.float32(terrain.eye)) / depth
    colour = _lit(view, terrain, heights, across, depth, cover)
    skyline = np.minimum.accumulate(tops, axis=0)
    unit = view.frame.unit * width / view.frame.width
    rows = max(8, round(view.frame.height * width / view.frame.width))
    first = max(0, int(np.floor(float(skyline[-1].min()) * unit)) - 1)
    if first >= rows:
        return
    step, mix = _seen(skyline * np.float32(unit) - np.float32(first), rows - first)
    picture = _coloured(colour, step, mix)
    if terrain.grain > 0:
        height = np.arange(first, rows, dtype=np.float32)[:, None] / np.float32(unit)
        picture *= _grain(view, terrain, depth, step, mix, height)[..., None]
    _lay(view, picture[..., :3], skyline[-1], first / rows)


def _lit(
    view: View, terrain: Terrain, heights: Field, across: Field, depth: Field, cover: Cover
) -> Field:
    light = view.light
    spread = across[:, 1:2] - across[:, :1]
    slope_z, slope_x = slopes(heights)
    slope_x /= spread
    slope_z /= np.gradient(depth, axis=0)
    steep = np.sqrt(slope_x**2 + slope_z**2)
    # Light from the side and a little from the front, so that faces towards the eye are not black.
    facing = (-slope_x * np.float32(light.side) * 0.85 + slope_z * 0.35 + 0.55) / np.sqrt(
        1 + steep**2
    )
    bright = np.clip(0.5 + (facing - 0.52) * np.float32(1.15 * terrain.relief), 0.04, 1)
    fall = np.float32(0.30)
    order = slice(None, None, -1) if light.side > 0 else slice(None)
    lifted = (heights - across * np.float32(light.side) * fall)[:, order]
    hidden = np.maximum.accumulate(lifted, axis=1) - lifted
    dark = np.clip(hidden[:, order] / (depth * np.float32(0.035)), 0, 1)
    bright *= 1 - dark * np.float32(terrain.shadow)
    albedo = cover(across, depth, heights, steep)
    shade, key = vector(light.ambient) / 255, vector(light.key) / 255
    fog = (1 - np.exp(-((depth / np.float32(terrain.haze)) ** 1.15))).astype(np.float32)
    # Four numbers in a place, the last one idle: numpy moves them faster than three.
    colour = np.zeros((*heights.shape, 4), np.float32)
    for channel in range(3):
        plane = bright * (key[channel] - shade[channel] * np.float32(0.55))
        plane += shade[channel] * np.float32(0.72)
        plane *= albedo[..., channel]
        plane += fog * (np.float32(light.haze[channel]) - plane)
        colour[..., channel] = plane
    return colour


def _seen(tops: Field, rows: int) -> tuple[npt.NDArray[np.int32], Field]:
    """Return for each pixel the step of the surface seen, and how far it is to the nearer one."""
    steps, width = tops.shape
    mark = np.full((rows + 1, width), steps - 1, np.int32)
    column = np.arange(width, dtype=np.int32)
    flat = np.clip(np.ceil(tops), 0, rows).astype(np.int32) * width + column
    # Repeated places keep the last value written, so the nearest step is written last.
    mark.ravel()[flat[::-1].ravel()] = np.repeat(
        np.arange(steps - 1, -1, -1, dtype=np.int32), width
    )
    step = np.minimum.accumulate(mark[:rows], axis=0)
    edges = tops.ravel()
    here = edges.take(step * width + column)
    before = edges.take(np.maximum(step - 1, 0) * width + column)
    row = np.arange(rows, dtype=np.float32)[:, None]
    return step, np.clip((row - here) / np.maximum(before - here, 1e-3), 0, 1)


def _coloured(colour: Field, step: npt.NDArray[np.int32], mix: Field) -> Field:
    width = step.shape[1]
    column = np.arange(width, dtype=np.int32)
    table = colour.reshape(-1, 4)
    answer: Field = table.take(step * width + column, axis=0)
    near = table.take(np.maximum(step - 1, 0) * width + column, axis=0)
    near -= answer
    near *= mix[..., None]
    answer += near
    return answer


def _grain(
    view: View,
    terrain: Terrain,
    depth: Field,
    step: npt.NDArray[np.int32],
    mix: Field,
    height: Field,
) -> Field:
    """Return the small relief of rock and wood, as a factor of brightness around 1.

    The heights are too coarse for it, so it is carved per pixel, on the plane that faces us.
    """
    rough = 1 - np.abs(view.texture() * 2 - 1) * np.float32(1.7)
    side = int(view.light.side)
    carved = rough - np.roll(rough, (3, side * 3), (0, 1)) * 0.8 - 0.2 * float(rough.mean())
    place = depth.ravel()
    far = place.take(step)
    far -= mix * (far - place.take(np.maximum(step - 1, 0)))
    middle = np.linspace(-0.5, 0.5, step.shape[1], dtype=np.float32)[None, :]
    across = middle * np.float32(view.frame.w * 56) * far
    down = (height - np.float32(view.horizon)) * far * 56 - far * np.float32(32)
    fade = np.float32(terrain.grain) * np.exp(far * np.float32(-0.8 / terrain.haze))
    carved = carved.astype(np.float32)
    # Near the eye the same relief is seen from closer by: finer again.
    close = sampled(carved, across * 7 + 31, down * 7) * np.exp(far * np.float32(-0.7))
    answer: Field = 1 + (sampled(carved, across, down) + close * np.float32(0.8)) * fade
    return answer


def _lay(view: View, seen: Field, skyline: Field, start: float) -> None:
    frame = view.frame
    top = int(start * frame.height)
    rows = frame.height - top
    line = np.interp(
        np.arange(frame.width), np.linspace(0, frame.width - 1, len(skyline)), skyline
    ).astype(np.float32) * np.float32(frame.unit)
    lowest = min(rows, max(1, int(np.ceil(float(line.max()))) + 2 - top))
    mask = np.full((rows, frame.width), 255, np.uint8)
    row = np.arange(top, top + lowest, dtype=np.float32)[:, None]
    mask[:lowest] = np.clip((row + 1 - line) * 255, 0, 255)
    view.canvas.lay((Image.fromarray(mask), (0, top)), enlarged(seen, (frame.width, rows)))
