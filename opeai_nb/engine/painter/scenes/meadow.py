"""A meadow: flowers from our feet to the hills."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from opeai_nb.engine.painter.elements.light import Light
from opeai_nb.engine.painter.elements.sky import mist, sky
from opeai_nb.engine.painter.elements.terrain import Terrain, columns, grid, land
from opeai_nb.engine.painter.elements.trees import grove
from opeai_nb.engine.painter.raster.canvas import Canvas
from opeai_nb.engine.painter.raster.colour import NAMED, Colour, mixed, scaled
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field
from opeai_nb.engine.painter.raster.shape import curve, ellipse, taper
from opeai_nb.engine.painter.scenes.landscapes import _noise
from opeai_nb.engine.painter.view import View

_BOUQUETS: tuple[tuple[Colour, ...], ...] = (
    ((226, 54, 46), (240, 92, 56), (250, 232, 220)),
    ((246, 196, 60), (252, 232, 150), (240, 150, 50)),
    ((166, 112, 214), (214, 160, 236), (246, 236, 250)),
    ((240, 110, 150), (250, 190, 206), (255, 244, 240)),
    ((74, 124, 214), (150, 186, 240), (250, 246, 230)),
)
_STEM: Colour = (84, 124, 58)
_TULIP = ((0.5, 0.85), (0.24, 0.7), (0.2, 0.3), (0.36, 0.42), (0.5, 0.2), (0.64, 0.42), (0.8, 0.3),
          (0.76, 0.7))  # fmt: skip
_HEART = ellipse(0.5, 0.48, 0.11, 0.1)


def meadow(view: View) -> None:
    """Paint a flowering meadow before hills."""
    sky(view)
    terrain = Terrain(eye=0.62, near=0.5, far=14.0, haze=11.0, relief=1.0, shadow=0.25)
    across, depth = grid(view, terrain, columns(view))
    roll = _noise(view, across, depth, 0.16) - 0.46
    hues = _bouquet(view)
    view.begin("land")

    def cover(across: Field, depth: Field, heights: Field, steep: Field) -> Field:
        grass = (
            np.array((122, 154, 70), np.float32)
            * (0.86 + 0.5 * _noise(view, across, depth, 2.2))[..., None]
        )
        patch = np.clip((_noise(view, across, depth, 0.9) - 0.44) * 6, 0, 0.45)[..., None]
        petals = np.array(hues[0], np.float32)
        return np.asarray(
            grass + patch * (petals - grass) - (steep + heights)[..., None] * 2, np.float32
        )

    land(view, terrain, np.asarray(roll * (0.45 + depth * 0.21) * 1.5, np.float32), cover)
    for _ in range(3):
        grove(view, view.uniform(0.04, 0.96) * view.frame.w, view.horizon + 0.03, 0.045)
    mist(view, view.horizon + 0.05, 0.06, 0.25)
    view.begin("flowers")
    if "flowers" not in view.hidden:
        _flowers(view, hues)


def _bouquet(view: View) -> tuple[Colour, ...]:
    if view.scene.petals:
        tone = NAMED[view.scene.petals]
        return tone, mixed(tone, (255, 250, 240), 0.5), scaled(tone, 1.2)
    return _BOUQUETS[int(view.rng.integers(len(_BOUQUETS)))]


def _sprite(view: View, tone: Colour, kind: int, side: int) -> Image.Image:
    """Return one flower on its stem, seen close, on clear ground."""
    canvas = Canvas(Frame(side, side * 2), keeps_matte=True)
    light = view.light
    stem = mixed(light.on(_STEM), light.lit(_STEM), 0.4)
    canvas.image.paste(tuple(round(c) for c in stem), (0, 0, side, side * 2))
    lean = view.uniform(-0.1, 0.1)
    canvas.flat(
        [taper([(0.5 + lean, 2.0), (0.5 - lean, 1.3), (0.5, 0.5)], (0.05, 0.045, 0.04), 5)], stem
    )
    for way in (-1.0, 1.0):
        canvas.flat(
            [
                taper(
                    [(0.5, 1.75), (0.5 + way * 0.16, 1.4), (0.5 + way * 0.3, 1.15)],
                    (0.03, 0.1, 0.01),
                    5,
                )
            ],
            scaled(stem, 0.85),
        )
    if kind == 0:
        cup = curve(_TULIP)
        canvas.round([cup], tone, light)
        inner = curve([(0.5, 0.85), (0.36, 0.6), (0.5, 0.26), (0.64, 0.6)])
        canvas.round([inner], scaled(tone, 1.12), light)
    elif kind == 1:
        _rosette(canvas, light, tone, (9, 0.1), lean)
        canvas.round([_HEART], (226, 168, 56), light)
    else:
        _rosette(canvas, light, tone, (6, 0.17), lean)
        canvas.round([_HEART], (58, 44, 50), light)
    image = canvas.image
    image.putalpha(canvas.matte or Image.new("L", image.size, 255))
    return image


def _rosette(
    canvas: Canvas, light: Light, tone: Colour, petals: tuple[int, float], lean: float
) -> None:
    """Lay a ring of *petals*: how many, and how slim."""
    many, slim = petals
    for petal in range(many):
        turn = petal * 2 * math.pi / many + lean * 4
        x, y = 0.5 + math.cos(turn) * 0.23, 0.48 + math.sin(turn) * 0.19
        shade = scaled(tone, 0.92 + 0.16 * (petal % 2))
        canvas.round([ellipse(x, y, 0.22, slim, turn, 20)], shade, light, depth=0.6)


def _flowers(view: View, hues: tuple[Colour, ...]) -> None:
    frame, rng = view.frame, view.rng
    low = frame.h - view.horizon
    side = max(8, round(0.1 * frame.unit))
    kind = int(rng.integers(3))
    sprites = [_sprite(view, hues[n % 3], kind, side) for n in range(6)]
    many = int(190 * frame.w * min(1.4, low / 0.4))
    places = rng.random((many, 4))
    order = np.argsort(places[:, 0], kind="stable")
    for far, across, pick, size in places[order].tolist():
        near = far**1.25
        y = view.horizon + low * (0.22 + 0.92 * near)
        tall = (0.028 + 0.17 * near**1.5) * (0.75 + 0.5 * size)
        pixels = max(2, round(tall * frame.unit * 0.5))
        sprite = sprites[int(pick * 6)].resize(
            (pixels, pixels * 2), Image.Resampling.BILINEAR, reducing_gap=2.0
        )
        corner = (round(across * frame.width - pixels / 2), round(y * frame.unit - pixels * 2))
        view.canvas.image.paste(sprite, corner, sprite)
        if view.canvas.matte is not None:
            view.canvas.matte.paste(
                255, (*corner, corner[0] + pixels, corner[1] + pixels * 2), sprite.getchannel("A")
            )
