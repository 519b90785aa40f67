"""A city: towers behind towers, lit windows, their lights on the water."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from opeai_nb.engine.painter.elements.sky import mist, sky
from opeai_nb.engine.painter.elements.water import water
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled, whole
from opeai_nb.engine.painter.raster.shape import box, outline
from opeai_nb.engine.painter.view import View

_LAMPS: tuple[Colour, ...] = ((255, 214, 132), (255, 232, 178), (255, 188, 96), (206, 232, 255))
_SIGNS: tuple[Colour, ...] = ((255, 64, 160), (64, 224, 255), (255, 176, 60), (160, 96, 255))


def city(view: View) -> None:
    """Paint a skyline over water."""
    sky(view)
    frame = view.frame
    shore = view.horizon + 0.02
    for layer, (share, near) in enumerate(((0.62, 0.25), (0.86, 0.55), (0.72, 0.95))):
        view.begin("buildings")
        _towers(view, shore, share, near)
        if layer < 2:
            mist(view, shore, 0.2, 0.4 - 0.12 * layer)
    view.begin("buildings")
    view.canvas.flat(
        [box(-0.1, shore - 0.008, frame.w + 0.1, shore + 0.02)], view.light.on((66, 66, 76))
    )
    if view.light.lamps > 0.3:
        _street_lamps(view, shore)
    water(view, shore + 0.008, calm=0.72, deep=(36, 62, 86))


def _towers(view: View, foot: float, share: float, near: float) -> None:
    frame = view.frame
    tallest = min(view.horizon * 0.8, 0.3 + 0.34 * frame.h) * share
    x = -0.05
    while x < frame.w + 0.05:
        wide = view.uniform(0.05, 0.12) * (0.7 + 0.5 * near)
        middle = 1 - min(1.0, abs((x / frame.w) - 0.45) * 1.35)
        tall = tallest * (0.22 + 0.78 * middle * view.uniform(0.45, 1.0) ** 1.2)
        view.begin("buildings")
        _tower(view, x, foot, wide, tall, near)
        view.begin("buildings")
        x += wide * view.uniform(0.86, 1.25)


def _tower(view: View, x: float, foot: float, wide: float, tall: float, near: float) -> None:
    light = view.light
    stone = ((120, 128, 142), (146, 132, 124), (98, 112, 132), (160, 150, 142))[
        int(view.rng.integers(4))
    ]
    facade = mixed(light.haze, mixed(light.on(stone), (10, 14, 32), 0.45 * light.lamps), near)
    bright = mixed(facade, light.lit(stone), 0.3 * near)
    left, right = (bright, facade) if light.side < 0 else (facade, bright)
    top = foot - tall
    crown = int(view.rng.integers(5))
    parts = [box(x, top, x + wide, foot)]
    if crown == 1:
        parts.append(box(x + wide * 0.2, top - tall * 0.07, x + wide * 0.8, top))
    elif crown == 2:
        parts.append(
            outline(
                [(x + wide * 0.12, top), (x + wide / 2, top - tall * 0.2), (x + wide * 0.88, top)]
            )
        )
    elif crown == 3:
        parts.append(box(x + wide * 0.485, top - tall * 0.16, x + wide * 0.515, top))
        parts.append(box(x + wide * 0.3, top - tall * 0.04, x + wide * 0.7, top))
    elif crown == 4:
        parts.append(outline([(x, top), (x + wide, top - tall * 0.07), (x + wide, top)]))
    view.canvas.graded(parts, left, right, across=True)
    _windows(view, x, top, wide, foot, facade, near)
    if light.lamps > 0.6 and near > 0.5 and view.rng.random() < 0.3:
        _sign(view, x + wide * view.uniform(0.15, 0.7), top + tall * view.uniform(0.15, 0.4))


def _windows(
    view: View, x: float, top: float, wide: float, foot: float, facade: Colour, near: float
) -> None:
    unit = view.frame.unit
    columns = max(2, round(wide / 0.0145))
    rows = max(2, int((foot - top) / 0.0185))
    chance = view.rng.random((rows, columns))
    tones = view.rng.integers(0, 4, (rows, columns))
    glass = mixed(facade, view.light.sky[2], 0.28)
    inks = [whole(mixed(facade, lamp, 0.35 + 0.6 * near)) for lamp in _LAMPS]
    inks += [whole(glass), whole(scaled(glass, 1.18))]
    tones[chance >= 0.5 * view.light.lamps] = 4
    tones[(tones == 4) & (chance > 0.9)] = 5
    lefts = ((x + wide * (np.arange(columns) + 0.22) / columns) * unit).tolist()
    tops = ((top + 0.01 + np.arange(rows) * 0.0185) * unit).tolist()
    # Pillow's rectangles include their last row and column.
    across, tall = max(0, wide * 0.56 / columns * unit - 1), max(0, 0.0095 * unit - 1)
    draw = ImageDraw.Draw(view.canvas.image).rectangle
    for y, line in zip(tops, tones.tolist(), strict=True):
        for left, tone in zip(lefts, line, strict=True):
            draw((left, y, left + across, y + tall), inks[tone])


def _sign(view: View, x: float, y: float) -> None:
    tone = _SIGNS[int(view.rng.integers(4))]
    view.canvas.flat([box(x, y, x + 0.011, y + 0.085)], mixed(tone, (255, 255, 255), 0.35))
    view.canvas.glow(x + 0.005, y + 0.04, 0.11, tone, 0.9)


def _street_lamps(view: View, shore: float) -> None:
    count = int(view.frame.w * 13)
    for number in range(count):
        x = (number + 0.5) / count * view.frame.w
        view.canvas.glow(x, shore - 0.006, 0.035, (255, 206, 130), 1.0 * view.light.lamps)
