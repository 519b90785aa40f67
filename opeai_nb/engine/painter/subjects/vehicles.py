"""Things that carry: boat, balloon, rocket, train, car, bridge, road."""

from __future__ import annotations

import numpy as np

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, outline, taper

_LAMP: Colour = (255, 214, 128)


def boat(pen: Pen, colour: Colour | None) -> None:
    """Draw a sailing boat with its reflection."""
    hull = colour or (176, 66, 54)
    sail: Colour = (250, 242, 226)
    for number, opacity in ((0, 0.3), (1, 0.2), (2, 0.12)):
        y = -0.04 - number * 0.075
        pen.raw(ellipse(0.0, y, 0.4 - number * 0.06, 0.026), colour=pen.shown(scaled(hull, 0.5)),
                opacity=opacity)
    pen.raw(curve([(-0.06, -0.06), (0.16, -0.1), (0.02, -0.44), (-0.08, -0.3)]),
            colour=pen.shown(sail), opacity=0.22)
    pen.flat(box(-0.026, 0.1, -0.006, 1.0), colour=(112, 80, 58))
    pen.round(curve([(0.0, 0.98), (0.2, 0.66), (0.38, 0.3), (0.42, 0.2), (0.2, 0.18),
                     (0.0, 0.19)]), colour=sail, depth=0.7)
    pen.round(curve([(-0.035, 0.9), (-0.09, 0.56), (-0.32, 0.25), (-0.34, 0.2), (-0.1, 0.19),
                     (-0.035, 0.2)]), colour=scaled(sail, 0.93), depth=0.7)
    pen.flat(outline([(-0.016, 1.0), (0.1, 0.965), (-0.016, 0.93)]), colour=hull)
    pen.round(curve([(-0.46, 0.13), (-0.2, 0.115), (0.2, 0.115), (0.54, 0.16), (0.42, 0.0),
                     (0.3, -0.03), (-0.3, -0.03), (-0.4, 0.01)]), colour=hull)
    pen.flat(taper([(-0.46, 0.125), (0.0, 0.1), (0.53, 0.15)], (0.028, 0.026, 0.02)),
             colour=(246, 234, 210))


def balloon(pen: Pen, colour: Colour | None) -> None:
    """Draw a hot air balloon of striped gores."""
    first = colour or (214, 72, 58)
    second = (248, 206, 108) if colour != (244, 202, 68) else (236, 120, 60)
    top, low = 1.0, 0.28
    envelope = [(0.0, top), (0.24, 0.96), (0.37, 0.8), (0.36, 0.62), (0.22, 0.42), (0.1, low)]
    full = [*envelope, *((-x, y) for x, y in reversed(envelope[1:]))]
    pen.round(curve(full), colour=first)
    for inner, outer in ((0.62, 0.86), (0.12, 0.38)):
        for side in (-1.0, 1.0):
            gore = [(x * side * outer, y) for x, y in envelope]
            gore += [(x * side * inner, y) for x, y in reversed(envelope)]
            pen.round(np.concatenate(
                [curve(gore[:6], closed=False), curve(gore[6:], closed=False)]), colour=second)
    pen.flat(curve([(-0.365, 0.7), (0, 0.665), (0.365, 0.7), (0.37, 0.75), (0, 0.715),
                    (-0.37, 0.75)]),
             colour=scaled(first, 0.75))
    for x in (-0.085, 0.085):
        pen.flat(taper([(x, low), (x * 0.75, 0.12)], (0.006, 0.006)), colour=(70, 54, 48))
    pen.round(curve([(-0.07, 0.13), (0.07, 0.13), (0.058, 0.0), (-0.058, 0.0)]),
              colour=(154, 104, 62))
    if pen.light.lamps > 0.2:
        pen.glow(0, 0.3, 0.3, (255, 190, 96), 0.8 * pen.light.lamps)


def rocket(pen: Pen, colour: Colour | None) -> None:
    """Draw a rocket climbing on its flame."""
    trim = colour or (214, 62, 56)
    for wide, long, tone, opacity in ((0.2, 0.62, (255, 120, 48), 0.7),
                                      (0.13, 0.46, (255, 196, 84), 0.9),
                                      (0.07, 0.3, (255, 250, 220), 1.0)):
        pen.raw(curve([(-wide / 2, 0.12), (-wide * 0.62, -long * 0.25), (0, -long),
                       (wide * 0.62, -long * 0.25), (wide / 2, 0.12)]), colour=tone,
                opacity=opacity)
    pen.glow(0, -0.08, 0.6, (255, 150, 70), 0.9)
    for side in (-1.0, 1.0):
        pen.round(curve([(side * 0.1, 0.36), (side * 0.25, 0.16), (side * 0.26, 0.0),
                         (side * 0.1, 0.1)]), colour=trim)
    pen.round(curve([(0, 1.0), (0.1, 0.84), (0.145, 0.6), (0.14, 0.34), (0.1, 0.08), (-0.1, 0.08),
                     (-0.14, 0.34), (-0.145, 0.6), (-0.1, 0.84)]), colour=(236, 236, 240),
              gloss=0.4)
    pen.round(curve([(0, 1.0), (0.07, 0.9), (0.105, 0.8), (0, 0.77), (-0.105, 0.8), (-0.07, 0.9)]),
              colour=trim)
    pen.flat(ellipse(0, 0.6, 0.07, 0.07), colour=(126, 132, 144))
    pen.round(ellipse(0, 0.6, 0.05, 0.05), colour=(86, 168, 214), gloss=0.8)
    pen.flat(curve([(-0.13, 0.28), (0, 0.26), (0.13, 0.28), (0.12, 0.21), (0, 0.19),
                    (-0.12, 0.21)]),
             colour=trim)
    pen.round(taper([(0, 0.32), (0, 0.02)], (0.05, 0.045)), colour=scaled(trim, 0.8))


def train(pen: Pen, colour: Colour | None) -> None:
    """Draw a train drawn by a steam engine along its rails."""
    coach = colour or (146, 50, 48)
    black: Colour = (52, 54, 62)
    pen.flat(box(-3.2, -0.05, 1.6, -0.02), colour=(96, 84, 80))
    for x in np.arange(-3.1, 1.6, 0.12):
        pen.flat(box(float(x), -0.085, float(x) + 0.05, -0.045), colour=(84, 64, 54))
    for number in range(3):
        x = -0.62 - number * 0.86
        pen.graded(box(x - 0.8, 0.1, x, 0.56), top=scaled(coach, 1.15), bottom=scaled(coach, 0.7))
        pen.round(curve([(x - 0.82, 0.55), (x - 0.7, 0.63), (x - 0.1, 0.63), (x + 0.02, 0.55)]),
                  colour=(76, 72, 80))
        pen.flat(box(x - 0.8, 0.245, x, 0.265), colour=(232, 196, 112))
        for pane in range(5):
            left = x - 0.74 + pane * 0.146
            pen.raw(box(left, 0.32, left + 0.1, 0.48),
                    colour=mixed(pen.shown((150, 186, 206)), _LAMP, pen.light.lamps))
        for wheel in (-0.64, -0.18):
            pen.round(ellipse(x + wheel, 0.07, 0.085, 0.085), colour=black)
    pen.round(box(-0.5, 0.18, 0.5, 0.5), colour=black, gloss=0.3)
    pen.round(ellipse(0.5, 0.34, 0.06, 0.16), colour=scaled(black, 1.3))
    pen.graded(box(-0.52, 0.18, -0.18, 0.72), top=coach, bottom=scaled(coach, 0.7))
    pen.flat(box(-0.57, 0.7, -0.13, 0.76), colour=black)
    pen.raw(box(-0.44, 0.5, -0.26, 0.65), colour=mixed(pen.shown((150, 186, 206)), _LAMP,
                                                       pen.light.lamps))
    pen.round(outline([(0.24, 0.48), (0.4, 0.48), (0.43, 0.74), (0.21, 0.74)]), colour=black)
    pen.round(ellipse(0.02, 0.52, 0.075, 0.08), colour=(206, 164, 78))
    for x, size in ((-0.34, 0.15), (0.0, 0.13), (0.32, 0.13)):
        pen.round(ellipse(x, size - 0.02, size, size), colour=scaled(coach, 0.75))
        pen.flat(ellipse(x, size - 0.02, size * 0.62, size * 0.62), colour=black)
    for number in range(7):
        pen.raw(ellipse(0.3 - number * 0.3, 0.86 + number * 0.09 + 0.03 * (number % 2),
                        0.11 + number * 0.045, 0.09 + number * 0.032),
                colour=mixed(pen.light.lit((246, 244, 244)), pen.light.haze, 0.25),
                opacity=0.62 - 0.07 * number)
    if pen.light.lamps > 0.2:
        pen.glow(0.58, 0.4, 0.7, (255, 226, 150), pen.light.lamps)


def car(pen: Pen, colour: Colour | None) -> None:
    """Draw a small car from the side."""
    paint = colour or (206, 74, 58)
    pen.shade(0.0, 0.0, 1.05, 0.09, 0.5)
    pen.round(curve([(-0.52, 0.5), (-0.34, 0.86), (-0.05, 0.94), (0.26, 0.88), (0.5, 0.52)]),
              colour=paint)
    pen.round(curve([(-0.92, 0.2), (-0.93, 0.42), (-0.74, 0.54), (-0.2, 0.56), (0.46, 0.54),
                     (0.84, 0.46), (0.94, 0.3), (0.92, 0.16), (0.0, 0.12), (-0.86, 0.14)]),
              colour=paint, gloss=0.4)
    pane = mixed(pen.shown((168, 204, 220)), _LAMP, pen.light.lamps * 0.3)
    pen.raw(curve([(-0.4, 0.56), (-0.28, 0.8), (-0.05, 0.85), (-0.04, 0.56)]), colour=pane)
    pen.raw(curve([(0.03, 0.56), (0.03, 0.85), (0.22, 0.8), (0.38, 0.56)]), colour=pane)
    for x in (-0.54, 0.54):
        pen.round(ellipse(x, 0.16, 0.18, 0.18), colour=(44, 44, 50))
        pen.flat(ellipse(x, 0.16, 0.09, 0.09), colour=(206, 208, 212))
    pen.raw(ellipse(0.88, 0.37, 0.045, 0.05), colour=(255, 240, 196))
    pen.raw(ellipse(-0.91, 0.38, 0.03, 0.04), colour=(220, 60, 50))
    if pen.light.lamps > 0.2:
        pen.glow(1.0, 0.36, 0.8, (255, 236, 170), pen.light.lamps)


def bridge(pen: Pen, colour: Colour | None) -> None:
    """Draw a suspension bridge across the whole view; its deck is at the feet."""
    steel = colour or (192, 78, 58)
    far = mixed(steel, pen.light.haze, 0.15)
    deck = 0.3
    for x in (-0.85, 0.85):
        for shift, tone in ((0.03, 0.7), (-0.03, 1.0)):
            pen.graded(box(x + shift - 0.022, -0.22, x + shift + 0.022, 1.0),
                       top=scaled(far, 1.1 * tone), bottom=scaled(far, 0.7 * tone))
        for y in (0.5, 0.72, 0.93):
            pen.flat(box(x - 0.05, y, x + 0.05, y + 0.03), colour=scaled(far, 0.85))
        pen.flat(box(x - 0.1, -0.26, x + 0.1, -0.18), colour=(120, 112, 110))
    share = np.linspace(0, 1, 21)
    for start, end, sag in ((-0.85, 0.85, 0.36), (-2.6, -0.85, 1.0), (0.85, 2.6, 1.0)):
        along = start + (end - start) * share
        if sag < 1:
            high = sag + (0.97 - sag) * (2 * share - 1) ** 2
        else:
            high = deck + (0.97 - deck) * (share if start < -1 else 1 - share) ** 1.6
        cable = [*zip(along.tolist(), high.tolist(), strict=True)]
        pen.flat(taper(cable, (0.016, 0.016), 2), colour=far)
        for x, y in cable[1:-1]:
            pen.flat(box(x - 0.003, deck, x + 0.003, y), colour=far, opacity=0.8)
    pen.graded(box(-4, deck - 0.035, 4, deck + 0.03), top=scaled(far, 1.05),
               bottom=scaled(far, 0.55))


def road(pen: Pen, colour: Colour | None) -> None:
    """Draw a road that winds from the feet to the horizon at height 1."""
    tar = colour or (92, 90, 98)
    place = np.linspace(0, 1, 15)
    y = 1 - (1 - place) ** 1.8
    x = 0.34 * np.sin(place * 5.2) * (1 - place) + 0.05
    wide = 0.9 * (1 - y) ** 1.25 + 0.006
    edge = [*zip((x - wide / 2).tolist(), y.tolist(), strict=True)]
    edge += [*zip((x + wide / 2).tolist()[::-1], y.tolist()[::-1], strict=True)]
    smooth = np.concatenate([curve(edge[:15], closed=False), curve(edge[15:], closed=False)])
    pen.graded(smooth, top=mixed(tar, pen.light.haze, 0.5), bottom=tar)
    for low in range(0, 13, 1):
        if low % 2 == 0:
            points = [(float(x[low + i]), float(y[low + i])) for i in (0, 1)]
            pen.flat(taper(points, (float(wide[low]) * 0.03, float(wide[low + 1]) * 0.03)),
                     colour=(246, 226, 150))
