"""Woods: rows of trees that fade into the light, a clearing, shafts of sun."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from opeai_nb.engine.painter.elements.sky import disc, halo, mist, stars
from opeai_nb.engine.painter.elements.trees import fir, fir_tone, trunk
from opeai_nb.engine.painter.raster.canvas import dithered, enlarged
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled, vector
from opeai_nb.engine.painter.raster.noise_field import clouds, ridge, smoothstep
from opeai_nb.engine.painter.raster.shape import Outline, box, outline, taper
from opeai_nb.engine.painter.view import View

_ROWS = 5  # of trees, each paler than the one before it


def forest(view: View) -> None:
    """Paint a clearing in a wood, lit from between the trees."""
    view.begin("sky")
    _backlight(view)
    frame = view.frame
    low = frame.h - view.horizon
    for row in range(_ROWS):
        view.begin("trees")
        near = row / (_ROWS - 1)
        foot = view.horizon + low * (0.02 + 0.30 * near**1.4)
        _row(view, foot, near)
        if row == 1:
            view.begin("")
            _shafts(view)
        mist(view, foot, 0.09, 0.5 * (1 - near))
    view.begin("land")
    _floor(view)
    view.begin("trees")
    for side in (-1.0, 1.0):
        x = frame.w * 0.5 + side * (frame.w * 0.5 - 0.05)
        _near_trunk(view, x, frame.h * 1.02, side)


def _backlight(view: View) -> None:
    light, frame = view.light, view.frame
    coarse = frame.reduced(4)
    y = np.linspace(0, frame.h, coarse.height, dtype=np.float32)[:, None]
    x = np.linspace(0, frame.w, coarse.width, dtype=np.float32)[None, :]
    place = frame.w * (0.5 + 0.12 * light.side)
    far = np.hypot(x - place, (y - view.horizon * 0.72) * 0.8)
    glow = np.exp(-far * 2.1)[..., None] * np.float32(0.45 + 0.55 * light.glow)
    top = mixed(light.sky[1], light.haze, 0.35)
    if light.time == "day":
        top = mixed((176, 206, 158), light.haze, 0.35)
    base = vector(top) + (y / view.horizon).clip(0, 1)[..., None] * (
        vector(light.haze) - vector(top)
    )
    veil = (clouds(view.rng, coarse, 2.2) - 0.5)[..., None] * 26
    shine = vector(mixed(light.sun, light.haze, 0.25))
    view.canvas.image.paste(enlarged(base + veil + glow * (shine - base), frame.size))
    earth = mixed(light.on((84, 90, 62)), light.haze, 0.5)
    view.canvas.graded(
        [box(-0.1, view.horizon - 0.012, frame.w + 0.1, frame.h + 0.1)],
        mixed(earth, light.haze, 0.6),
        earth,
        ground=True,
    )
    if light.stars > 0.3:
        stars(view, light.stars, view.horizon * 0.8, many=260)
    if light.time == "night" or view.scene.has("moon"):
        halo(view)
        disc(view)


def _row(view: View, foot: float, near: float) -> None:
    if "trees" in view.hidden:
        return
    frame, rng = view.frame, view.rng
    count = int((13 - 8 * near) * frame.w) + 2
    tone = fir_tone(view, 0.12 + 0.82 * near)
    trees, tops = [], []
    for number in range(count):
        x = (number + view.uniform(0.1, 0.9)) / count * frame.w
        tall = (0.42 + 0.6 * near) * view.uniform(0.7, 1.25) * min(1.6, 0.6 + 0.4 * frame.h)
        gap = abs(x - frame.w * 0.5) / frame.w
        if near > 0.4 and gap < 0.1 + 0.17 * near:
            continue
        if rng.random() < 0.45 and near > 0.2:
            tops.append(
                trunk(x, foot + 0.02, tall * 2.4, 0.012 + 0.03 * near, view.uniform(-0.04, 0.04))
            )
        else:
            trees.append(fir(x, foot + 0.015, tall, rng, tiers=12))
    fade = mixed(tone, view.light.haze, 0.35 * (1 - near) + 0.08)
    if tops:
        view.canvas.graded(tops, mixed(tone, (20, 14, 16), 0.25 * near), fade)
    if trees:
        view.canvas.graded(trees, tone, fade)


def _shafts(view: View) -> None:
    if view.light.time == "night" or view.tells("rain") or view.tells("snow"):
        return
    frame = view.frame
    coarse = frame.reduced(4)
    source = (frame.w * (0.5 + 0.3 * view.light.side), -0.25)
    y = np.linspace(0, frame.h, coarse.height, dtype=np.float32)[:, None]
    x = np.linspace(0, frame.w, coarse.width, dtype=np.float32)[None, :]
    angle = np.arctan2(x - source[0], y - source[1])
    strands = ridge(view.rng, 256, 26, octaves=3)
    beam = np.interp(angle, np.linspace(-1.6, 1.6, 256), strands).astype(np.float32)
    fall = smoothstep(0.5, 0.72, beam) * np.clip(1.15 - y / (frame.h * 0.9), 0, 1)
    light = (fall * np.float32(0.42))[..., None] * vector(view.light.sun)
    bright = dithered(light).resize(frame.size, Image.Resampling.BILINEAR)
    view.canvas.image = ImageChops.screen(view.canvas.image, bright)


def _floor(view: View) -> None:
    frame, light, rng = view.frame, view.light, view.rng
    low = frame.h - view.horizon
    snowy = view.tells("snow")
    moss: Colour = (232, 238, 246) if snowy else (78, 94, 50)
    if view.tells("autumn"):
        moss = (164, 92, 40)
    for layer in range(3):
        line = ridge(rng, 90, 3 * frame.w, octaves=4) - 0.5
        x = np.linspace(-0.02, frame.w + 0.02, 90)
        dip = 0.10 * np.exp(-(((x / frame.w - 0.5) / 0.22) ** 2))
        top = view.horizon + low * (0.17 + 0.22 * layer) + line * 0.07 + dip * low * 0.8
        edge = [
            *zip(x.tolist(), top.tolist(), strict=True),
            (frame.w + 0.1, frame.h + 0.1),
            (-0.1, frame.h + 0.1),
        ]
        near = 0.35 + 0.3 * layer
        lit = mixed(light.lit(moss), light.haze, 0.55 - near * 0.5)
        dark = light.on(scaled(moss, 0.5 if not snowy else 0.8))
        view.canvas.graded(
            [outline(edge)], mixed(lit, dark, 0.25 + 0.15 * layer), mixed(dark, lit, 0.3)
        )
    _undergrowth(view, moss)


def _undergrowth(view: View, moss: Colour) -> None:
    frame = view.frame
    low = frame.h - view.horizon
    blades: dict[int, list[Outline]] = {0: [], 1: []}
    for _ in range(int(110 * frame.w)):
        x = view.uniform(0, frame.w)
        y = view.horizon + low * view.uniform(0.45, 1.05)
        size = 0.03 + 0.07 * (y - view.horizon) / low
        if abs(x - frame.w / 2) < 0.26 and y < frame.h * 0.96:
            size *= 0.4
        lean, half = view.uniform(-0.7, 0.7) * size, 0.003
        blades[int(view.rng.random() < 0.5)].append(
            outline(
                [
                    (x - half, y),
                    (x + lean * 0.2 - half, y - size * 0.45),
                    (x + lean * 0.6 - half * 0.6, y - size * 0.8),
                    (x + lean, y - size),
                    (x + lean * 0.6 + half * 0.6, y - size * 0.78),
                    (x + lean * 0.2 + half, y - size * 0.43),
                    (x + half, y),
                ]
            )
        )
    for kind, many in blades.items():
        if many:
            tone = view.light.lit(moss) if kind else view.light.on(scaled(moss, 0.72))
            view.canvas.flat(many, tone, 0.8)


def _near_trunk(view: View, x: float, y: float, side: float) -> None:
    bark = view.light.on((58, 44, 42))
    tall = view.frame.h * 1.1
    view.canvas.graded(
        [trunk(x, y, tall, 0.1, -side * 0.03)], bark, mixed(bark, (8, 8, 12), 0.45), across=True
    )
    for share in (0.5, 0.66, 0.8):
        foot = y - tall * share
        tip = x - side * view.uniform(0.16, 0.3)
        view.canvas.flat(
            [
                taper(
                    [(x, foot), ((x + tip) / 2, foot - 0.03), (tip, foot - 0.02)],
                    (0.03, 0.018, 0.003),
                )
            ],
            bark,
        )
