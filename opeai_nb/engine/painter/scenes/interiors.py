"""Indoors: a window with the world behind it, a table for still life, a studio backdrop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageChops

from opeai_nb.engine.painter.elements.weather import weather
from opeai_nb.engine.painter.placement import edge_of, sill_of
from opeai_nb.engine.painter.raster.canvas import Canvas, Pen, enlarged
from opeai_nb.engine.painter.raster.colour import NAMED, Colour, mixed, scaled, turned, vector
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field, clouds
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, outline, taper
from opeai_nb.engine.painter.view import View

_LAMPLIT = 0.7  # of full daylight; below it a lamp is on
_WALLS: tuple[Colour, ...] = ((196, 152, 122), (112, 136, 138), (182, 162, 132), (136, 116, 132))


def _ground(view: View, base: Colour, x: float, y: float, reach: float, lift: float) -> None:
    """Cover everything with a plain ground, lighter around (x, y)."""
    frame = view.frame
    coarse = frame.reduced(4)
    across = np.linspace(0, frame.w, coarse.width, dtype=np.float32)[None, :]
    down = np.linspace(0, frame.h, coarse.height, dtype=np.float32)[:, None]
    far = np.hypot(across - x, down - y) / np.float32(reach)
    level = np.exp(-(far**1.5))[..., None] * np.float32(lift) + np.float32(0.66)
    cloud = (clouds(view.rng, coarse, 3, octaves=4) - 0.5)[..., None] * np.float32(16)
    ground: Field = vector(base) * level + cloud
    view.canvas.image.paste(enlarged(ground.astype(np.float32), frame.size))


def room(view: View) -> None:
    """Paint a corner by a window; the subject sits on its sill."""
    frame = view.frame
    dim = {"night": 0.5, "dusk": 0.62, "sunset": 0.86, "dawn": 0.92}.get(view.light.time, 1.0)
    warm = mixed(
        _WALLS[int(view.rng.integers(4))], (214, 160, 106), 0.35 if dim < _LAMPLIT else 0.0
    )
    hue = view.uniform(-30, 200)  # before the view outside, whose chance depends on its pixels
    sill = sill_of(view)
    wide, tall = min(frame.w * 0.7, 0.82), min(sill * 0.88, 0.5 + 0.3 * frame.h)
    x0 = frame.w * (0.5 + 0.04 * view.light.side) - wide / 2
    _ground(view, scaled(warm, 0.62 + 0.38 * dim), frame.w / 2, sill - tall / 2, 0.9, 0.5)
    view.begin("window")
    _outside(view, x0, sill - tall, wide, tall)
    view.begin("wall")
    if dim < _LAMPLIT:
        # After dark a lamp is on: what is indoors is not lit by the night.
        view.light = replace(view.light, ambient=(150, 122, 112), key=(262, 212, 164))
    _woodwork(view, x0, sill, wide, tall, dim)
    view.begin("curtains")
    _curtains(view, x0, sill, wide, tall, turned((214, 116, 92), hue, 0.7, 0.4 + 0.58 * dim))
    view.begin("table")
    _sill(view, sill, dim)
    _plant(view, frame.w / 2 - view.light.side * min(frame.w * 0.38, 0.42), sill + 0.012)


def _outside(view: View, x: float, y: float, wide: float, tall: float) -> None:
    unit = view.frame.unit
    size = Frame(max(4, round(wide * unit)), max(4, round(tall * unit)))
    seen = next(
        (one for one in view.scene.settings if one not in {"room", "table", "studio"}),
        "sea" if view.rng.random() < 0.4 else "hills",
    )
    canvas = Canvas(size)
    bare = replace(view.scene, subjects=())
    inner = View(size, canvas, bare, view.light, view.rng, seen, size.h * 0.6, view.scenes)
    inner.hidden, inner.shown, inner.layers = view.hidden, view.shown, view.layers
    view.scenes[seen](inner)
    weather(inner)
    view.canvas.image.paste(canvas.image, (round(x * unit), round(y * unit)))
    view.canvas.glow(x + wide / 2, y + tall / 2, 0.75, view.light.sun, 0.2 * view.light.glow)


def _woodwork(view: View, x: float, y: float, wide: float, tall: float, dim: float) -> None:
    wood = scaled(mixed((238, 228, 212), view.light.haze, 0.12), 0.55 + 0.42 * dim)
    dark = scaled(wood, 0.72)
    bar, top = 0.028, y - tall
    for left, right in ((x - bar, x), (x + wide, x + wide + bar)):
        view.canvas.graded([box(left - 0.012, top - bar, right + 0.012, y)], wood, dark)
    view.canvas.graded(
        [box(x - bar - 0.02, top - bar - 0.015, x + wide + bar + 0.02, top)], wood, dark
    )
    view.canvas.graded([box(x + wide / 2 - 0.011, top, x + wide / 2 + 0.011, y)], wood, dark)
    view.canvas.flat([box(x, top + tall * 0.38, x + wide, top + tall * 0.38 + 0.017)], dark)
    view.canvas.flat([box(x, top, x + wide, top + 0.012)], (20, 16, 24), 0.25)


def _curtains(view: View, x: float, y: float, wide: float, tall: float, cloth: Colour) -> None:
    for side in (-1.0, 1.0):
        edge = x - 0.03 if side < 0 else x + wide + 0.03
        for fold in range(5):
            out = edge + side * (0.11 - fold * 0.045)
            inward = out - side * 0.06
            shade = scaled(cloth, 0.72 + 0.14 * (fold % 2) + 0.05 * fold)
            view.canvas.graded(
                [
                    curve(
                        [
                            (out, y - tall - 0.05),
                            (inward, y - tall - 0.05),
                            (inward - side * 0.03, y - tall * 0.6),
                            (inward + side * 0.05, y - tall * 0.25),
                            (inward + side * 0.03, y + 0.05),
                            (out + side * 0.03, y + 0.05),
                            (out + side * 0.04, y - tall * 0.25),
                        ]
                    )
                ],
                scaled(shade, 1.1),
                scaled(shade, 0.75),
            )
    view.canvas.flat(
        [
            taper(
                [(x - 0.16, y - tall - 0.052), (x + wide + 0.16, y - tall - 0.052)], (0.018, 0.018)
            )
        ],
        scaled((96, 66, 46), 0.9),
    )


def _sill(view: View, y: float, dim: float) -> None:
    frame = view.frame
    wood = scaled((176, 122, 80), 0.5 + 0.46 * dim)
    view.canvas.graded(
        [box(-0.1, y - 0.008, frame.w + 0.1, y + 0.075)], mixed(wood, view.light.sun, 0.35), wood
    )
    view.canvas.graded(
        [box(-0.1, y + 0.075, frame.w + 0.1, y + 0.115)], scaled(wood, 0.72), scaled(wood, 0.56)
    )
    view.canvas.flat([box(-0.1, y + 0.115, frame.w + 0.1, y + 0.15)], (20, 12, 16), 0.28)


def _plant(view: View, x: float, y: float) -> None:
    pen = Pen(view.canvas, view.light, x, y + 0.03, 0.26)
    for number in range(9):
        turn = 0.35 + number * 0.3
        reach = 0.62 + 0.2 * ((number * 7) % 3)
        tip = (float(np.cos(turn)) * reach * 0.62, 0.36 + float(np.sin(turn)) * reach)
        pen.round(
            taper(
                [(0, 0.36), (tip[0] * 0.4, 0.36 + (tip[1] - 0.36) * 0.65), tip], (0.03, 0.15, 0.01)
            ),
            colour=scaled((92, 142, 84), 0.8 + 0.05 * number),
        )
    pen.round(curve([(-0.19, 0.4), (0.19, 0.4), (0.14, 0.0), (-0.14, 0.0)]), colour=(190, 100, 66))
    pen.round(box(-0.21, 0.34, 0.21, 0.42), colour=(204, 112, 76))


def table(view: View) -> None:
    """Paint a table before a softly lit wall."""
    frame = view.frame
    warm = _WALLS[int(view.rng.integers(4))]
    if view.light.time in {"night", "dusk"}:
        warm = scaled(warm, 0.5)
    glow_x = frame.w / 2 + view.light.side * 0.34
    edge = edge_of(view)
    view.begin("wall")
    _ground(view, warm, glow_x, edge - 0.4, 0.75, 0.58)
    view.begin("table")
    wood = mixed((150, 98, 64), warm, 0.2)
    bottom = frame.h + 0.1
    view.canvas.graded(
        [box(-0.1, edge, frame.w + 0.1, bottom)],
        mixed(wood, view.light.sun, 0.22),
        scaled(wood, 0.5),
    )
    for number in range(int(30 * frame.w)):
        y = edge + (frame.h - edge) * (number / (30 * frame.w)) ** 1.3
        start = view.uniform(-0.2, 1) * frame.w
        view.canvas.flat(
            [
                taper(
                    [(start, y), (start + 0.4, y + 0.006), (start + 0.9, y)],
                    (0.001, 0.004, 0.001),
                    4,
                )
            ],
            scaled(wood, 0.55),
            0.35,
        )
    view.canvas.flat(
        [box(-0.1, edge - 0.003, frame.w + 0.1, edge + 0.006)], scaled(wood, 1.25), 0.5
    )
    view.begin("")
    _beam(view, glow_x)


def _beam(view: View, x: float) -> None:
    """Throw the light of an unseen window aslant over the wall."""
    side, frame = view.light.side, view.frame
    mask = Image.new("L", frame.size)
    for row in range(2):
        for column in range(2):
            left = x - side * (0.62 + 0.17 * column)
            top = view.frame.h * 0.1 + row * 0.2 + column * 0.05 * 1
            pane = outline(
                [
                    (left, top),
                    (left + 0.15, top - 0.045),
                    (left + 0.15 - side * 0.0, top + 0.125),
                    (left, top + 0.17),
                ]
            )
            patch = view.canvas.patch([pane], 0.5)
            if patch:
                mask.paste(
                    255,
                    (*patch[1], patch[1][0] + patch[0].width, patch[1][1] + patch[0].height),
                    patch[0],
                )
    soft = mask.reduce(4).resize(frame.size, Image.Resampling.BILINEAR)
    bright = Image.merge(
        "RGB", [soft.point([round(v * c / 255 * 0.3) for v in range(256)]) for c in view.light.sun]
    )
    view.canvas.image = ImageChops.screen(view.canvas.image, bright)


def studio(view: View) -> None:
    """Paint a plain backdrop with a disc of colour."""
    frame = view.frame
    tints = [name for name in view.scene.tints if name in NAMED]
    base = NAMED[tints[0]] if tints else turned((98, 142, 148), view.uniform(0, 360), 0.75)
    _ground(view, mixed(base, (232, 226, 216), 0.45), frame.w / 2, frame.h * 0.4, 0.9, 0.5)
    radius = 0.36
    y = frame.h / 2 - 0.04
    view.canvas.graded(
        [ellipse(frame.w / 2, y, radius, radius, n=90)],
        mixed(base, (255, 250, 240), 0.2),
        scaled(base, 0.8),
        ground=True,
    )
    for side in (-1.0, 1.0):
        for number in range(6):
            turn = 0.5 + number * 0.34
            x = frame.w / 2 + side * (radius + 0.02) * float(np.cos(turn - 0.9))
            foot = y - (radius + 0.02) * float(np.sin(turn - 0.9))
            leaf = ellipse(x, foot, 0.085, 0.028, -side * (turn - 0.3) + (np.pi if side < 0 else 0))
            view.canvas.round([leaf], turned(base, 40, 0.9, 0.72), view.light)
