"""Under water: shafts of light, caustics on the sand, weed, coral, small fry and bubbles."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops

from opeai_nb.engine.painter.raster.canvas import Pen, dithered, enlarged
from opeai_nb.engine.painter.raster.colour import Colour, mixed, ramp, scaled, vector
from opeai_nb.engine.painter.raster.noise_field import Field, ridge, sampled, smoothstep, tile
from opeai_nb.engine.painter.raster.shape import curve, ellipse, outline, taper
from opeai_nb.engine.painter.view import View

_CORAL: tuple[Colour, ...] = ((236, 92, 98), (244, 150, 84), (206, 92, 168), (250, 196, 112))
_FRY: tuple[Colour, ...] = ((250, 190, 70), (120, 210, 230), (244, 120, 96))


def underwater(view: View) -> None:
    """Paint a sunlit sea from within."""
    dim = {"night": 0.42, "dusk": 0.62, "sunset": 0.85, "dawn": 0.9}.get(view.light.time, 1.0)
    view.canvas.image.paste(enlarged(_depth(view, dim), view.frame.size))
    _rays(view, dim)
    frame = view.frame
    for layer in range(3):
        near = (layer + 1) / 3
        _reef(view, frame.h * (0.8 + 0.09 * layer), near, dim)
    _school(view, dim)
    _bubbles(view)


def _depth(view: View, dim: float) -> Field:
    frame = view.frame.reduced(4)
    down = np.linspace(0, 1, frame.height, dtype=np.float32)
    column = ramp(
        ((0.0, (150, 232, 226)), (0.18, (64, 186, 204)), (0.5, (18, 112, 158)), (1.0, (6, 42, 92))),
        down,
    ) * np.float32(dim)
    x = np.linspace(0, view.frame.w, frame.width, dtype=np.float32)[None, :]
    glow = np.exp(-(np.abs(x - view.sun[0]) * 1.4 + down[:, None] * view.frame.h * 1.5))
    return np.asarray(
        column[:, None, :] + glow[..., None] * vector((150, 150, 110)) * dim, np.float32
    )


def _rays(view: View, dim: float) -> None:
    frame = view.frame
    coarse = frame.reduced(4)
    y = np.linspace(0, frame.h, coarse.height, dtype=np.float32)[:, None]
    x = np.linspace(0, frame.w, coarse.width, dtype=np.float32)[None, :]
    angle = np.arctan2(x - view.sun[0], y + 0.35)
    beam = np.interp(angle, np.linspace(-1.6, 1.6, 256), ridge(view.rng, 256, 30, octaves=3))
    fall = smoothstep(0.46, 0.74, beam.astype(np.float32)) * np.exp(-y / frame.h * 2.0)
    light = (fall * np.float32(0.5 * dim))[..., None] * vector((206, 255, 240))
    view.canvas.image = ImageChops.screen(
        view.canvas.image, dithered(light).resize(frame.size, Image.Resampling.BILINEAR)
    )


def _reef(view: View, y: float, near: float, dim: float) -> None:
    frame, rng = view.frame, view.rng
    deep: Colour = (14, 76, 122)
    x = np.linspace(-0.05, frame.w + 0.05, 80)
    top = y + (ridge(rng, 80, 4 * frame.w, octaves=4) - 0.5) * 0.13
    sand = mixed(scaled(deep, dim), scaled((206, 190, 148), 0.35 + 0.4 * dim), 0.15 + 0.6 * near)
    edge = [
        *zip(x.tolist(), top.tolist(), strict=True),
        (frame.w + 0.1, frame.h + 0.1),
        (-0.1, frame.h + 0.1),
    ]
    view.canvas.graded([outline(edge)], sand, scaled(sand, 0.55))
    if near > 0.9:
        _caustics(view, y, dim)
    for _ in range(int((3 + 4 * near) * frame.w)):
        place = view.uniform(0, 1)
        if near > 0.5 and abs(place - 0.5) < 0.16:
            continue
        foot = float(np.interp(place, np.linspace(0, 1, 80), top)) + 0.02
        tone = mixed(
            scaled(deep, dim),
            scaled(_CORAL[int(rng.integers(4))], 0.3 + 0.6 * dim),
            0.1 + 0.75 * near,
        )
        size = (0.06 + 0.13 * near) * view.uniform(0.7, 1.3)
        (_weed if rng.random() < 0.45 else _coral)(view, place * frame.w, foot, size, tone)


def _caustics(view: View, y: float, dim: float) -> None:
    frame = view.frame
    start = round(y * frame.unit)
    rows = frame.height - start
    if rows < 4:
        return
    texture = tile(view.rng, 256, 16, 2)
    down = np.linspace(0.02, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-0.5, 0.5, frame.width, dtype=np.float32)[None, :] * np.float32(frame.w)
    depth = 1 / (down + 0.5)
    net = 1 - np.abs(sampled(texture, x * 240 * depth, depth * 300) - 0.5) * 9
    light = np.clip(net, 0, 1) * down * np.float32(70 * dim)
    area = (0, start, frame.width, frame.height)
    bright = Image.fromarray(light.astype(np.uint8))
    view.canvas.image.paste(
        ImageChops.screen(
            view.canvas.image.crop(area), Image.merge("RGB", (bright, bright, bright))
        ),
        area,
    )


def _weed(view: View, x: float, y: float, size: float, tone: Colour) -> None:
    leaf = mixed(tone, (60, 140, 92), 0.75)
    blades = []
    for number in range(4):
        sway = view.uniform(-0.3, 0.3) * size
        foot = x + (number - 1.5) * size * 0.16
        blades.append(
            taper(
                [
                    (foot, y),
                    (foot + sway, y - size * 0.6),
                    (foot - sway, y - size * 1.2),
                    (foot + sway * 0.8, y - size * 1.8),
                ],
                (size * 0.09, size * 0.12, size * 0.1, 0.002),
                6,
            )
        )
    view.canvas.graded(blades, mixed(leaf, (220, 240, 160), 0.3), scaled(leaf, 0.6))


def _coral(view: View, x: float, y: float, size: float, tone: Colour) -> None:
    arms = []
    for number in range(7):
        turn = math.pi * (0.12 + 0.76 * number / 6)
        reach = size * view.uniform(0.7, 1.1)
        tip = (x + math.cos(turn) * reach, y - math.sin(turn) * reach)
        middle = (x + math.cos(turn) * reach * 0.45, y - math.sin(turn) * reach * 0.6)
        arms.append(taper([(x, y + 0.01), middle, tip], (size * 0.2, size * 0.14, size * 0.1), 6))
        for way in (-0.5, 0.5):
            twig = (
                middle[0] + math.cos(turn + way) * reach * 0.4,
                middle[1] - math.sin(turn + way) * reach * 0.4,
            )
            arms.append(taper([middle, twig], (size * 0.11, size * 0.08)))
    view.canvas.graded(arms, mixed(tone, (255, 236, 220), 0.25), scaled(tone, 0.62))


def _school(view: View, dim: float) -> None:
    tone = scaled(_FRY[int(view.rng.integers(3))], 0.45 + 0.5 * dim)
    x, y = view.uniform(0.15, 0.3) * view.frame.w, view.uniform(0.26, 0.4) * view.frame.h
    for _ in range(17):
        pen = Pen(
            view.canvas,
            view.light,
            x + view.uniform(-0.17, 0.17),
            y + view.uniform(-0.11, 0.11),
            view.uniform(0.028, 0.042),
            view.light.side,
        )
        body = curve(
            [
                (0.6, 0.5),
                (0.1, 0.78),
                (-0.5, 0.52),
                (-0.9, 0.8),
                (-0.8, 0.5),
                (-0.9, 0.2),
                (-0.5, 0.48),
                (0.1, 0.24),
            ],
            steps=4,
        )
        pen.raw(body, colour=mixed(tone, (40, 130, 170), view.uniform(0.1, 0.5)))


def _bubbles(view: View) -> None:
    for _ in range(26):
        x, y = view.uniform(0, view.frame.w), view.uniform(0.08, 0.9) * view.frame.h
        size = view.uniform(0.003, 0.013)
        view.canvas.flat([ellipse(x, y, size, size, n=20)], (220, 250, 250), 0.3)
        view.canvas.flat(
            [ellipse(x - size * 0.3, y - size * 0.35, size * 0.3, size * 0.3, n=10)],
            (255, 255, 255),
            0.85,
        )
