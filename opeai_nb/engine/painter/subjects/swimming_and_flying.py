"""Animals of water and air: fish, whale, jellyfish, turtle, swan, birds, butterfly."""

from __future__ import annotations

import math

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import curve, ellipse, taper

_DARK: Colour = (24, 24, 30)
_WHITE: Colour = (250, 248, 240)


def fish(pen: Pen, colour: Colour | None) -> None:
    """Draw a fish swimming to the right; its middle is half a height up."""
    coat = colour or (244, 128, 46)
    fin = mixed(coat, (255, 220, 150), 0.35)
    pen.round(curve([(-0.42, 0.5), (-0.62, 0.72), (-0.8, 0.8), (-0.74, 0.56), (-0.78, 0.5),
                     (-0.74, 0.42), (-0.82, 0.2), (-0.6, 0.3)]), colour=fin)
    pen.round(curve([(-0.22, 0.68), (-0.12, 0.86), (0.16, 0.84), (0.24, 0.68)]), colour=fin)
    pen.round(curve([(-0.02, 0.32), (-0.16, 0.12), (-0.24, 0.14), (-0.2, 0.34)]), colour=fin)
    body = curve([(0.56, 0.5), (0.42, 0.64), (0.16, 0.74), (-0.14, 0.7), (-0.46, 0.53),
                  (-0.46, 0.47), (-0.14, 0.3), (0.16, 0.26), (0.42, 0.36)])
    pen.round(body, colour=coat, gloss=0.5)
    for x, tall in ((0.26, 0.21), (-0.04, 0.2), (-0.3, 0.1)):
        pen.flat(curve([(x + 0.035, 0.5 + tall), (x - 0.04, 0.5 + tall), (x - 0.065, 0.5),
                        (x - 0.04, 0.5 - tall), (x + 0.035, 0.5 - tall), (x + 0.0, 0.5)]),
                 colour=_WHITE, opacity=0.85)
    pen.round(curve([(0.16, 0.46), (0.0, 0.38), (-0.06, 0.46), (0.0, 0.54)]), colour=fin)
    pen.raw(ellipse(0.41, 0.55, 0.047, 0.05), colour=_WHITE)
    pen.raw(ellipse(0.418, 0.55, 0.03, 0.033), colour=_DARK)
    pen.raw(ellipse(0.428, 0.562, 0.009, 0.01), colour=_WHITE)


def whale(pen: Pen, colour: Colour | None) -> None:
    """Draw a whale rising to the right."""
    coat = colour or (64, 92, 126)
    pen.round(curve([(-0.78, 0.42), (-0.98, 0.62), (-1.16, 0.66), (-1.05, 0.5), (-1.14, 0.36),
                     (-0.94, 0.36)]), colour=coat)
    pen.round(curve([(0.92, 0.62), (0.8, 0.82), (0.5, 0.92), (0.1, 0.86), (-0.3, 0.64),
                     (-0.72, 0.48), (-0.9, 0.44), (-0.72, 0.36), (-0.3, 0.3), (0.2, 0.28),
                     (0.62, 0.36)]), colour=coat)
    pen.round(curve([(0.9, 0.58), (0.6, 0.52), (0.2, 0.46), (-0.2, 0.38), (-0.1, 0.31), (0.2, 0.29),
                     (0.62, 0.37)]), colour=mixed(coat, _WHITE, 0.68))
    for row in range(4):
        y = 0.5 - row * 0.042
        pen.flat(taper([(0.8 - row * 0.05, y), (0.4, y - 0.06), (0.1, y - 0.1 + row * 0.012)],
                       (0.008, 0.008, 0.004)), colour=scaled(coat, 0.8))
    pen.round(curve([(0.32, 0.46), (0.22, 0.24), (0.02, 0.08), (0.0, 0.18), (0.12, 0.42)]),
              colour=scaled(coat, 0.8))
    pen.raw(ellipse(0.62, 0.6, 0.02, 0.02), colour=_DARK)
    pen.raw(ellipse(0.626, 0.606, 0.007, 0.007), colour=_WHITE)


def jellyfish(pen: Pen, colour: Colour | None) -> None:
    """Draw a glowing jellyfish."""
    glow = colour or (196, 140, 240)
    pen.glow(0, 0.72, 0.75, glow, 0.5)
    for number in range(9):
        x = (number - 4) * 0.065
        sway = 0.05 * math.sin(number * 1.9)
        pen.raw(taper([(x, 0.66), (x * 1.1 + sway, 0.45), (x * 0.9 - sway, 0.24),
                       (x * 1.2 + sway, -0.05)], (0.02, 0.016, 0.011, 0.003)),
                colour=mixed(glow, _WHITE, 0.35), opacity=0.6)
    for x in (-0.09, 0.0, 0.1):
        pen.raw(taper([(x, 0.68), (x + 0.06, 0.5), (x - 0.05, 0.33), (x + 0.03, 0.16)],
                      (0.08, 0.07, 0.05, 0.01)), colour=mixed(glow, (255, 190, 220), 0.5),
                opacity=0.55)
    bell = curve([(-0.32, 0.64), (-0.31, 0.82), (-0.16, 0.98), (0, 1.01), (0.16, 0.98),
                  (0.31, 0.82), (0.32, 0.64), (0.16, 0.68), (0, 0.64), (-0.16, 0.68)])
    pen.raw(bell, colour=scaled(glow, 0.92), opacity=0.85)
    pen.raw(curve([(-0.22, 0.76), (-0.12, 0.92), (0.04, 0.95), (0.0, 0.8)]),
            colour=mixed(glow, _WHITE, 0.75), opacity=0.5)


def turtle(pen: Pen, colour: Colour | None) -> None:
    """Draw a sea turtle."""
    coat = colour or (92, 128, 84)
    skin = mixed(coat, (214, 200, 150), 0.45)
    pen.round(curve([(0.2, 0.5), (0.34, 0.24), (0.2, 0.02), (0.1, 0.1), (0.06, 0.4)]), colour=skin)
    pen.round(curve([(-0.36, 0.46), (-0.6, 0.3), (-0.68, 0.2), (-0.5, 0.22), (-0.3, 0.36)]),
              colour=skin)
    pen.round(ellipse(0.54, 0.62, 0.13, 0.1, 0.2), colour=skin)
    pen.round(curve([(0.46, 0.6), (0.3, 0.78), (0.0, 0.84), (-0.3, 0.72), (-0.5, 0.48),
                     (-0.2, 0.38), (0.2, 0.42)]), colour=coat)
    for x, y in ((-0.2, 0.6), (0.02, 0.66), (0.23, 0.63)):
        pen.flat(ellipse(x, y, 0.085, 0.07), colour=scaled(coat, 0.74))
        pen.flat(ellipse(x, y + 0.008, 0.06, 0.048), colour=mixed(coat, (230, 210, 130), 0.3))
    pen.raw(ellipse(0.59, 0.64, 0.018, 0.018), colour=_DARK)


def swan(pen: Pen, colour: Colour | None) -> None:
    """Draw a swan afloat."""
    coat = colour or (246, 244, 240)
    pen.round(taper([(0.26, 0.2), (0.42, 0.42), (0.32, 0.66), (0.38, 0.86), (0.5, 0.86)],
                    (0.17, 0.1, 0.075, 0.075, 0.09)), colour=coat)
    pen.round(ellipse(0.5, 0.86, 0.075, 0.062), colour=coat)
    pen.flat(curve([(0.55, 0.88), (0.69, 0.81), (0.55, 0.83)]), colour=(232, 122, 46))
    pen.flat(ellipse(0.555, 0.868, 0.02, 0.016), colour=_DARK)
    pen.round(curve([(0.44, 0.12), (0.34, 0.28), (0.06, 0.34), (-0.3, 0.38), (-0.56, 0.4),
                     (-0.46, 0.18), (-0.3, 0.02), (0.2, 0.0)]), colour=coat)
    for lift in (0.0, 0.07, 0.14):
        pen.round(curve([(0.2, 0.24 - lift * 0.6), (-0.1, 0.36 - lift), (-0.5, 0.42 - lift),
                         (-0.34, 0.26 - lift), (0.0, 0.12)]),
                  colour=scaled(coat, 0.97 - lift * 0.5))


def bird(pen: Pen, colour: Colour | None) -> None:
    """Draw a songbird on a twig."""
    coat = colour or (70, 122, 186)
    breast = (236, 148, 92) if not colour else mixed(colour, _WHITE, 0.5)
    pen.round(taper([(-0.9, 0.0), (-0.2, 0.05), (0.4, 0.02), (0.95, 0.1)],
                    (0.045, 0.06, 0.05, 0.02)), colour=(104, 76, 58))
    for x, y, turn in ((0.55, 0.14, 0.7), (0.75, 0.0, -0.5), (-0.6, 0.1, 2.3)):
        pen.flat(ellipse(x, y, 0.1, 0.045, turn), colour=(110, 150, 76))
    pen.round(taper([(-0.24, 0.34), (-0.48, 0.18), (-0.66, 0.04)], (0.15, 0.12, 0.1)),
              colour=scaled(coat, 0.75))
    pen.round(curve([(0.36, 0.74), (0.34, 0.9), (0.18, 0.98), (0.02, 0.88), (-0.12, 0.66),
                     (-0.34, 0.4), (-0.3, 0.24), (-0.06, 0.12), (0.18, 0.18), (0.34, 0.42),
                     (0.35, 0.62)]), colour=coat)
    pen.round(curve([(0.35, 0.72), (0.24, 0.66), (0.1, 0.5), (-0.02, 0.3), (-0.04, 0.14),
                     (0.18, 0.2), (0.34, 0.42)]), colour=breast)
    pen.round(curve([(0.1, 0.62), (-0.02, 0.68), (-0.22, 0.48), (-0.46, 0.22), (-0.26, 0.24),
                     (0.0, 0.34)]), colour=scaled(coat, 0.7))
    pen.flat(curve([(0.33, 0.86), (0.5, 0.81), (0.34, 0.78)]), colour=(238, 178, 70))
    pen.raw(ellipse(0.23, 0.85, 0.032, 0.034), colour=_DARK)
    pen.raw(ellipse(0.24, 0.862, 0.01, 0.01), colour=_WHITE)
    for x in (0.02, 0.12):
        pen.flat(taper([(x, 0.18), (x + 0.01, 0.05)], (0.024, 0.03)), colour=(196, 140, 80))


def gull(pen: Pen, colour: Colour | None) -> None:
    """Draw one bird on the wing, wings raised."""
    coat = colour or (236, 238, 240)
    pen.flat(taper([(0.0, 0.5), (-0.35, 0.78), (-0.6, 0.72), (-0.95, 0.58)],
                   (0.16, 0.15, 0.11, 0.01)), colour=coat)
    pen.flat(taper([(0.05, 0.5), (0.3, 0.82), (0.58, 0.8), (0.9, 0.7)], (0.16, 0.14, 0.1, 0.01)),
             colour=scaled(coat, 0.82))
    pen.flat(taper([(-0.22, 0.44), (0.05, 0.5), (0.3, 0.52)], (0.03, 0.14, 0.07)), colour=coat)


def butterfly(pen: Pen, colour: Colour | None) -> None:
    """Draw a butterfly with open wings."""
    wing = colour or (244, 140, 40)
    for side in (-1.0, 1.0):
        upper = [(0.03, 0.56), (0.2, 0.86), (0.5, 1.0), (0.62, 0.84), (0.5, 0.58), (0.2, 0.5)]
        lower = [(0.03, 0.5), (0.24, 0.46), (0.46, 0.36), (0.42, 0.14), (0.24, 0.06), (0.08, 0.28)]
        for points, centre in ((upper, (0.34, 0.74)), (lower, (0.26, 0.29))):
            pen.flat(curve([(side * x, y) for x, y in points]), colour=(40, 30, 34))
            inner = [(side * (centre[0] + (x - centre[0]) * 0.84), centre[1] + (y - centre[1])
                      * 0.82)
                     for x, y in points]
            pen.round(curve(inner), colour=wing, depth=0.6)
            pen.flat(ellipse(side * centre[0], centre[1], 0.06, 0.05),
                     colour=mixed(wing, _WHITE, 0.7))
        for x, y in ((0.55, 0.88), (0.57, 0.78), (0.42, 0.95), (0.4, 0.16)):
            pen.flat(ellipse(side * x, y, 0.018, 0.018), colour=_WHITE)
        pen.flat(taper([(0, 0.74), (side * 0.06, 0.88), (side * 0.14, 0.96)], (0.012, 0.01, 0.018)),
                 colour=(40, 30, 34))
    pen.round(taper([(0, 0.2), (0, 0.5), (0, 0.74)], (0.02, 0.06, 0.05)), colour=(56, 44, 48))
