"""Space: nebulae, stars, a planet with its ring and moon."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from opeai_nb.engine.painter.elements.sky import stars
from opeai_nb.engine.painter.raster.canvas import dithered, enlarged
from opeai_nb.engine.painter.raster.colour import NAMED, Colour, ramp, turned, vector
from opeai_nb.engine.painter.raster.noise_field import Field, clouds, sampled, smoothstep, tile
from opeai_nb.engine.painter.view import View

_PALETTES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((44, 20, 92), (214, 64, 140), (255, 176, 110)),
    ((10, 40, 100), (38, 160, 190), (214, 150, 250)),
    ((60, 16, 60), (226, 86, 70), (255, 214, 130)),
    ((12, 56, 72), (60, 190, 150), (240, 230, 150)),
)


def space(view: View) -> None:
    """Paint deep space."""
    view.canvas.image.paste(enlarged(_nebula(view), view.frame.size))
    view.light = replace(view.light, ambient=(104, 108, 148), key=(276, 264, 246))
    stars(view, 1.0, view.frame.h, many=620)
    frame = view.frame
    side = view.light.side
    far = min(frame.w, frame.h)
    x, y = frame.w * (0.5 + 0.22 * side), frame.h * view.uniform(0.3, 0.42)
    radius = view.uniform(0.15, 0.23) * far
    crowded = any(one.kind != "moon" for one in view.scene.subjects)
    if crowded:
        x, y, radius = frame.w * (0.5 + 0.34 * side), frame.h * 0.24, radius * 0.7
    planet(view, x, y, radius, ringed=bool(view.rng.random() < 0.65))
    planet(
        view,
        frame.w * (0.5 - 0.3 * side),
        frame.h * view.uniform(0.66, 0.82),
        radius * 0.3,
        ringed=False,
    )


def _nebula(view: View) -> Field:
    frame = view.frame.reduced(3)
    rng = view.rng
    low, middle, high = _PALETTES[int(rng.integers(len(_PALETTES)))]
    texture = tile(rng, 256, 8, 6, 0.55)
    x = np.linspace(0, view.frame.w, frame.width, dtype=np.float32)[None, :]
    y = np.linspace(0, view.frame.h, frame.height, dtype=np.float32)[:, None]
    bend = clouds(rng, frame, 1.6, octaves=4)
    twist = clouds(rng, frame, 1.6, octaves=4)
    gas = sampled(texture, x * 90 + bend * 110, y * 90 + twist * 110)
    angle = view.uniform(-0.6, 0.6)
    band = (y - view.frame.h * 0.5) * np.float32(np.cos(angle)) + (
        x - view.frame.w * 0.5
    ) * np.float32(np.sin(angle))
    body = np.exp(-((band / 0.34) ** 2)) * 0.42 + bend * 0.5
    dense = smoothstep(0.32, 0.92, gas * 0.75 + body * 0.72 - 0.12)
    colour = ramp(((0.0, (5, 6, 18)), (0.28, low), (0.62, middle), (1.0, high)), dense)
    dust = smoothstep(0.5, 0.66, twist) * smoothstep(0.4, 0.6, 1 - gas)
    colour *= (1 - 0.55 * dust)[..., None]
    return np.asarray(colour, np.float32)


def planet(view: View, x: float, y: float, radius: float, *, ringed: bool) -> None:
    """Paint a lit globe of clouds or rock around (x, y), in units."""
    unit = view.frame.unit
    reach = radius * 1.06
    size = max(8, round(reach * 2 * unit))
    across = np.linspace(-1.06, 1.06, size, dtype=np.float32)
    px, py = across[None, :], across[:, None]
    squared = px * px + py * py
    pz = np.sqrt(np.clip(1 - squared, 0, 1))
    hue = view.uniform(0, 360)
    if view.scene.tints and view.scene.tints[0] in NAMED:
        hue = 0.0
    base = turned((206, 140, 96), hue, 0.9)
    texture = tile(view.rng, 128, 8, 5, 0.55)
    turbulence = sampled(texture, px * 40 + 9, py * 40 + 5)
    banded = view.rng.random() < 0.6
    stripe = sampled(texture, px * 6 + turbulence * 16, (py + px * 0.18) * (90 if banded else 26))
    colour = vector(base) * (0.55 + 0.95 * stripe)[..., None]
    colour += (turbulence - 0.5)[..., None] * 50
    side = view.light.side
    facing = np.clip(px * np.float32(0.66 * side) - py * 0.5 + pz * 0.56, 0, 1)
    colour *= (0.05 + 1.25 * facing)[..., None]
    rim = (1 - pz) ** 3 * np.clip(px * side * 0.8 - py * 0.4 + 0.45, 0, 1)
    colour += rim[..., None] * vector(turned(base, 150, 0.5, 1.2)) * 0.9
    edge = np.clip((1 - np.sqrt(squared)) * np.float32(size / 2.12) + 0.5, 0, 1)
    corner = (round((x - reach) * unit), round((y - reach) * unit))
    view.canvas.glow(x, y, radius * 1.9, turned(base, 150, 0.6, 1.0), 0.3)
    if ringed:
        _ring(view, x, y, radius, base, front=False)
    _lay_globe(view, dithered(colour), Image.fromarray((edge * 255).astype(np.uint8)), corner)
    if ringed:
        _ring(view, x, y, radius, base, front=True)


def _lay_globe(view: View, globe: Image.Image, mask: Image.Image, corner: tuple[int, int]) -> None:
    image = view.canvas.image
    image.paste(globe, corner, mask)
    if view.canvas.matte is not None:
        view.canvas.matte.paste(
            255, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask
        )


def _ring(view: View, x: float, y: float, radius: float, base: Colour, *, front: bool) -> None:
    tilt = -0.32 * view.light.side
    start = 0.0 if front else np.pi
    angle = np.linspace(start, start + np.pi, 40)
    cos, sin = np.cos(tilt), np.sin(tilt)
    for inner, outer, opacity in ((1.3, 1.48, 0.55), (1.52, 1.86, 0.75), (1.9, 2.05, 0.4)):
        edges = []
        for reach in (outer, inner):
            px, py = radius * reach * np.cos(angle), radius * reach * 0.27 * np.sin(angle)
            edges.append(np.stack([x + px * cos - py * sin, y + px * sin + py * cos], 1))
        view.canvas.flat(
            [np.concatenate([edges[0], edges[1][::-1]])], turned(base, 12, 0.55, 1.15), opacity
        )
