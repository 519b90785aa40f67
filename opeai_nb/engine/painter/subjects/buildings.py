"""Buildings: lighthouse, house, castle, pagoda, windmill, tent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, outline, taper

_LAMP: Colour = (255, 214, 128)


def window(pen: Pen, x: float, y: float, wide: float, tall: float) -> None:
    """Draw a window, lit as the hour asks, around (x, y)."""
    dark = pen.shown((92, 110, 132))
    pane = mixed(dark, _LAMP, pen.light.lamps)
    pen.flat(box(x - wide * 0.62, y - tall * 0.58, x + wide * 0.62, y + tall * 0.58),
             colour=(236, 228, 214))
    pen.raw(box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2), colour=pane)
    pen.flat(box(x - wide * 0.045, y - tall / 2, x + wide * 0.045, y + tall / 2),
             box(x - wide / 2, y - tall * 0.04, x + wide / 2, y + tall * 0.04),
             colour=(236, 228, 214))
    if pen.light.lamps > 0.4:
        pen.glow(x, y, wide * 2.6, _LAMP, 0.5 * pen.light.lamps)


def rocks(pen: Pen, wide: float, tall: float, seed: int) -> None:
    """Draw a mound of rocks whose top is at the feet."""
    rng = np.random.Generator(np.random.PCG64(seed))
    for number in range(11):
        x = (number / 10 - 0.5) * wide * 1.75
        high = tall * (1.05 - abs(x) / wide * 0.95)
        size = wide * (0.2 + 0.12 * float(rng.random()))
        wobble = rng.random(7) * 0.4 + 0.75
        angle = np.linspace(0, 2 * np.pi, 7, endpoint=False)
        points = np.stack([x + np.cos(angle) * size * wobble,
                           high - tall * 1.02 + np.sin(angle) * size * 0.62 * wobble], 1)
        pen.round(points, colour=scaled((104, 98, 100), 0.85 + 0.3 * float(rng.random())),
                  depth=1.3)


def lighthouse(pen: Pen, colour: Colour | None) -> None:
    """Draw a lighthouse on its rock; its lamp shines when the hour is dim."""
    band = colour or (206, 58, 52)
    rocks(pen, 0.3, 0.12, 7)
    pen.graded(box(0.1, 0.0, 0.34, 0.14), top=(236, 228, 214), bottom=(206, 196, 184))
    pen.flat(outline([(0.07, 0.13), (0.37, 0.13), (0.3, 0.23), (0.13, 0.23)]),
             colour=scaled(band, 0.85))
    window(pen, 0.23, 0.065, 0.045, 0.055)
    white: Colour = (244, 240, 232)
    shadow = scaled(white, 0.66)
    light_left = pen.light.side * pen.flip < 0
    left, right = (white, shadow) if light_left else (shadow, white)
    levels = np.linspace(0, 0.78, 6)
    for number, (low, high) in enumerate(pairwise(levels)):
        half_low, half_high = 0.115 - low * 0.055, 0.115 - high * 0.055
        body = outline([(-half_low, low), (half_low, low), (half_high, high), (-half_high, high)])
        if number % 2:
            pen.graded(body, top=scaled(band, 1.1 if light_left else 0.6),
                       bottom=scaled(band, 0.6 if light_left else 1.1), across=True)
        else:
            pen.graded(body, top=left, bottom=right, across=True)
    for y in (0.16, 0.4, 0.62):
        pen.raw(box(-0.014, y, 0.014, y + 0.055),
                colour=mixed((52, 60, 78), _LAMP, pen.light.lamps))
    _lantern(pen, band)


def _lantern(pen: Pen, band: Colour) -> None:
    dark: Colour = (52, 52, 62)
    pen.flat(box(-0.115, 0.775, 0.115, 0.795), colour=dark)
    for post in np.linspace(-0.11, 0.11, 9):
        pen.flat(box(float(post) - 0.003, 0.79, float(post) + 0.003, 0.835), colour=dark)
    pen.flat(box(-0.113, 0.832, 0.113, 0.84), colour=dark)
    shine = max(0.35, pen.light.lamps)
    pen.raw(box(-0.055, 0.795, 0.055, 0.895), colour=mixed((196, 220, 230), (255, 236, 170), shine))
    for x in (-0.055, -0.02, 0.02, 0.055):
        pen.flat(box(x - 0.004, 0.795, x + 0.004, 0.895), colour=dark)
    pen.graded(curve([(-0.075, 0.893), (-0.05, 0.945), (0, 0.975), (0.05, 0.945), (0.075, 0.893)]),
               top=scaled(band, 0.95), bottom=scaled(band, 0.7))
    pen.flat(box(-0.006, 0.96, 0.006, 1.02), colour=dark)
    if pen.light.lamps > 0.2:
        pen.glow(0, 0.845, 0.5, (255, 228, 150), 0.75 * pen.light.lamps)
        for side in (-1.0, 1.0):
            for spread, opacity in ((0.28, 0.1), (0.17, 0.12), (0.08, 0.16)):
                pen.raw(outline([(side * 0.05, 0.855), (side * 3.2, 0.9 + spread * 1.3),
                                 (side * 3.2, 0.9 - spread), (side * 0.05, 0.835)]),
                        colour=(255, 236, 180), opacity=opacity * pen.light.lamps)
        pen.glow(0, 0.845, 0.14, (255, 248, 220), 1.0)


def house(pen: Pen, colour: Colour | None) -> None:
    """Draw a cottage with a smoking chimney."""
    wall = colour or (236, 220, 192)
    roof: Colour = (158, 78, 58) if not colour else (92, 78, 82)
    pen.graded(box(0.22, 0.6, 0.33, 1.0), top=(150, 106, 90), bottom=(120, 84, 72))
    for number, (x, y) in enumerate(((0.3, 1.1), (0.38, 1.24), (0.34, 1.4), (0.46, 1.56))):
        pen.raw(ellipse(x, y, 0.07 + 0.03 * number, 0.055 + 0.025 * number),
                colour=mixed(pen.light.haze, (255, 255, 255), 0.3), opacity=0.34 - 0.06 * number)
    pen.graded(box(-0.5, 0.0, 0.5, 0.5), top=wall, bottom=scaled(wall, 0.84))
    pen.graded(outline([(-0.5, 0.0), (-0.5, 0.5), (-0.26, 0.82), (-0.02, 0.5), (-0.02, 0.0)]),
               top=scaled(wall, 1.04), bottom=scaled(wall, 0.9))
    pen.graded(outline([(-0.26, 0.88), (0.42, 0.88), (0.6, 0.44), (-0.02, 0.44)]),
               top=scaled(roof, 1.1), bottom=scaled(roof, 0.78))
    for step in range(1, 5):
        y = 0.88 - step * 0.088
        pen.flat(outline([(-0.26 + step * 0.048, y), (0.42 + step * 0.036, y),
                          (0.42 + step * 0.036, y - 0.01), (-0.26 + step * 0.048, y - 0.01)]),
                 colour=scaled(roof, 0.66))
    pen.flat(outline([(-0.58, 0.42), (-0.26, 0.9), (0.04, 0.42), (-0.02, 0.42), (-0.26, 0.8),
                      (-0.52, 0.42)]), colour=scaled(roof, 0.72))
    pen.graded(box(-0.33, 0.0, -0.18, 0.3), top=(120, 78, 54), bottom=(92, 60, 44))
    window(pen, -0.26, 0.54, 0.11, 0.13)
    window(pen, 0.12, 0.24, 0.13, 0.16)
    window(pen, 0.35, 0.24, 0.13, 0.16)
    for x, size in ((-0.46, 0.08), (-0.06, 0.07), (0.47, 0.09), (0.24, 0.06)):
        pen.round(ellipse(x, size * 0.5, size, size * 0.8), colour=(84, 116, 62))


def castle(pen: Pen, colour: Colour | None) -> None:
    """Draw a castle of towers on its crag."""
    stone = colour or (190, 180, 172)
    roof: Colour = (86, 92, 132)
    _castle_hill(pen)
    towers = ((-0.2, 0.13, 0.66), (0.2, 0.12, 0.74), (0.02, 0.15, 0.9), (-0.4, 0.14, 0.48),
              (0.42, 0.14, 0.5))
    for x, wide, tall in towers[:3]:
        _tower(pen, x, wide, tall, scaled(stone, 0.88), roof)
    pen.graded(box(-0.42, -0.02, 0.42, 0.34), top=stone, bottom=scaled(stone, 0.72))
    for x in np.arange(-0.4, 0.4, 0.08):
        pen.flat(box(float(x), 0.34, float(x) + 0.045, 0.38), colour=stone)
    for x, wide, tall in towers[3:]:
        _tower(pen, x, wide, tall, stone, roof)
    pen.flat(curve([(-0.07, -0.02), (-0.07, 0.12), (0, 0.19), (0.07, 0.12), (0.07, -0.02)]),
             colour=(58, 46, 46))
    for x in (-0.22, 0.22):
        window(pen, x, 0.2, 0.035, 0.07)


def _castle_hill(pen: Pen) -> None:
    """Draw a wooded hill with a way up to the gate; its foot runs out into the land."""
    pen.graded(curve([(-1.25, -0.36), (-0.9, -0.2), (-0.68, -0.1), (-0.5, -0.03), (-0.2, 0.0),
                      (0.3, 0.0), (0.52, -0.05), (0.74, -0.13), (0.95, -0.22), (1.3, -0.37),
                      (0.6, -0.42), (-0.6, -0.42)]),
               top=(120, 130, 84), bottom=(92, 108, 72), fades=True)
    pen.graded(curve([(-0.07, -0.02), (-0.1, -0.09), (0.12, -0.15), (0.22, -0.22), (0.0, -0.36),
                      (0.3, -0.37), (0.4, -0.22), (0.22, -0.12), (0.0, -0.07), (0.07, -0.02)]),
               top=(192, 172, 136), bottom=(172, 152, 116), fades=True)
    rng = np.random.Generator(np.random.PCG64(9))
    for row, tone in ((0, (62, 88, 64)), (1, (44, 68, 52))):
        trees = []
        for number in range(18):
            x = (number / 17 - 0.5) * (1.9 - 0.2 * row) + 0.07 * float(rng.random())
            if abs(x - 0.13 - 0.1 * row) < 0.2 + 0.1 * row:
                continue
            foot = -0.05 - 0.09 * row - abs(x) * (0.17 - 0.05 * row) - 0.03 * float(rng.random())
            tall = (0.13 + 0.06 * row) * (0.65 + 0.7 * float(rng.random()))
            half = tall * 0.2
            trees.append(outline([(x - half, foot), (x - half * 0.4, foot + tall * 0.5),
                                  (x, foot + tall), (x + half * 0.4, foot + tall * 0.5),
                                  (x + half, foot)]))
        pen.flat(*trees, colour=tone)
    for x, size in ((-0.36, 0.07), (-0.14, 0.045), (0.2, 0.05), (0.38, 0.075)):
        pen.round(outline([(x - size, -0.05), (x - size * 0.5, size * 0.5), (x + size * 0.3, size),
                           (x + size, -0.02), (x + size * 0.4, -0.07)]), colour=(116, 110, 108))


def _tower(pen: Pen, x: float, wide: float, tall: float, stone: Colour, roof: Colour) -> None:
    half = wide / 2
    toward = pen.light.side * pen.flip < 0
    light, dark = scaled(stone, 1.08), scaled(stone, 0.62)
    pen.graded(box(x - half, -0.02, x + half, tall * 0.72), top=light if toward else dark,
               bottom=dark if toward else light, across=True)
    pen.flat(box(x - half * 1.18, tall * 0.69, x + half * 1.18, tall * 0.735), colour=stone)
    pen.graded(outline([(x - half * 1.3, tall * 0.73), (x, tall * 1.08),
                        (x + half * 1.3, tall * 0.73)]),
               top=scaled(roof, 1.15), bottom=scaled(roof, 0.75))
    window(pen, x, tall * 0.54, wide * 0.17, wide * 0.34)


def pagoda(pen: Pen, colour: Colour | None) -> None:
    """Draw a pagoda of five roofs."""
    wall = colour or (176, 62, 48)
    roof: Colour = (62, 68, 76)
    pen.graded(box(-0.36, -0.02, 0.36, 0.05), top=(190, 180, 168), bottom=(150, 142, 134))
    for level in range(5):
        low, size = 0.05 + level * 0.165, 1 - level * 0.15
        pen.graded(box(-0.2 * size, low, 0.2 * size, low + 0.11), top=wall,
                   bottom=scaled(wall, 0.75))
        for x in (-0.1, 0.0, 0.1):
            window(pen, x * size, low + 0.055, 0.045 * size, 0.06)
        top = low + 0.175
        pen.graded(curve([(-0.42 * size, low + 0.13), (-0.3 * size, low + 0.115),
                          (0, low + 0.11), (0.3 * size, low + 0.115), (0.42 * size, low + 0.13),
                          (0.22 * size, top), (-0.22 * size, top)]), top=scaled(roof, 1.35),
                   bottom=scaled(roof, 0.8))
    pen.flat(taper([(0, 0.87), (0, 0.95), (0, 1.04)], (0.03, 0.022, 0.004)), colour=(214, 172, 82))


def windmill(pen: Pen, colour: Colour | None) -> None:
    """Draw a tower mill with four sails."""
    wall = colour or (230, 216, 196)
    pen.graded(outline([(-0.2, 0.0), (0.2, 0.0), (0.12, 0.62), (-0.12, 0.62)]),
               top=scaled(wall, 1.05), bottom=scaled(wall, 0.66), across=True)
    pen.round(curve([(-0.15, 0.61), (-0.1, 0.74), (0, 0.79), (0.1, 0.74), (0.15, 0.61)]),
              colour=(132, 74, 58))
    pen.flat(curve([(-0.05, 0.0), (-0.05, 0.12), (0, 0.16), (0.05, 0.12), (0.05, 0.0)]),
             colour=(96, 64, 48))
    window(pen, 0, 0.36, 0.055, 0.075)
    for turn in np.arange(4) * (np.pi / 2) + 0.5:
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        spar = [(0.02 * cos, 0.66 + 0.02 * sin), (0.5 * cos, 0.66 + 0.5 * sin)]
        sail = [(0.12, 0.012), (0.5, 0.012), (0.5, 0.1), (0.12, 0.085)]
        pen.flat(outline([(x * cos - y * sin, 0.66 + x * sin + y * cos) for x, y in sail]),
                 colour=(246, 240, 226), opacity=0.9)
        pen.flat(taper(spar, (0.022, 0.014)), colour=(92, 70, 56))
    pen.flat(ellipse(0, 0.66, 0.03, 0.03), colour=(70, 54, 46))


def tent(pen: Pen, colour: Colour | None) -> None:
    """Draw a tent with a fire before it."""
    cloth = colour or (226, 150, 60)
    pen.graded(outline([(-0.5, 0.0), (0.0, 0.62), (0.62, 0.0)]), top=scaled(cloth, 1.1),
               bottom=scaled(cloth, 0.7))
    pen.flat(outline([(-0.16, 0.0), (0.0, 0.58), (0.14, 0.0)]), colour=scaled(cloth, 0.42))
    if pen.light.lamps > 0.2:
        pen.glow(0, 0.18, 0.6, _LAMP, 0.6 * pen.light.lamps)
    for x, tall, tone in ((0.0, 0.3, (232, 92, 36)), (0.02, 0.2, (252, 176, 56)),
                          (0.0, 0.11, (255, 236, 160))):
        pen.raw(curve([(0.82 - tall * 0.35 + x, 0.02), (0.8 - tall * 0.25 + x, tall * 0.5),
                       (0.82 + x, tall), (0.84 + tall * 0.25 + x, tall * 0.45),
                       (0.82 + tall * 0.35 + x, 0.02)]), colour=tone)
    pen.flat(taper([(0.68, 0.0), (0.98, 0.05)], (0.045, 0.04)),
             taper([(0.7, 0.06), (0.98, 0.0)], (0.04, 0.045)), colour=(84, 58, 44))
    pen.glow(0.83, 0.14, 0.7, (255, 160, 70), 0.5 + 0.4 * pen.light.lamps)
