"""Animals that sit and look at us or aside: cat, fox, rabbit, bear, panda, owl, penguin."""

from __future__ import annotations

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import curve, ellipse, outline, taper

_DARK: Colour = (26, 22, 26)
_WHITE: Colour = (250, 244, 234)


def _eye(pen: Pen, x: float, y: float, size: float, iris: Colour) -> None:
    pen.raw(ellipse(x, y, size, size * 1.05), colour=_DARK)
    pen.raw(ellipse(x, y, size * 0.82, size * 0.88), colour=iris)
    pen.raw(ellipse(x, y, size * 0.4, size * 0.8), colour=_DARK)
    pen.raw(ellipse(x + size * 0.3, y + size * 0.35, size * 0.26, size * 0.26), colour=_WHITE)


def cat(pen: Pen, colour: Colour | None) -> None:
    """Draw a cat sitting upright, its head turned towards us."""
    coat = colour or (214, 138, 70)
    pale = mixed(coat, _WHITE, 0.72)
    stripe = scaled(coat, 0.66)
    pen.round(taper([(-0.2, 0.07), (-0.4, 0.03), (-0.53, 0.12), (-0.5, 0.28), (-0.41, 0.33)],
                    (0.1, 0.1, 0.095, 0.08, 0.04)), colour=coat)
    pen.round(curve([(-0.27, 0.0), (-0.33, 0.14), (-0.28, 0.34), (-0.17, 0.52), (-0.05, 0.66),
                     (0.1, 0.68), (0.18, 0.56), (0.21, 0.36), (0.23, 0.16), (0.25, 0.0)]),
              colour=coat)
    for y, reach in ((0.5, 0.1), (0.4, 0.13), (0.29, 0.15)):
        start = -0.19 - (0.5 - y) * 0.45
        pen.flat(taper([(start, y), (start + reach * 0.6, y - 0.02), (start + reach, y - 0.07)],
                       (0.035, 0.026, 0.004)), colour=stripe)
    pen.flat(curve([(0.04, 0.62), (0.16, 0.58), (0.2, 0.4), (0.15, 0.24), (0.08, 0.36)]),
             colour=pale)
    pen.round(curve([(-0.26, 0.0), (-0.29, 0.13), (-0.17, 0.24), (-0.05, 0.17), (-0.02, 0.0)]),
              colour=scaled(coat, 0.97))
    for x, tone in ((0.09, 0.86), (0.18, 1.0)):
        pen.round(taper([(x - 0.01, 0.4), (x + 0.01, 0.18), (x + 0.02, 0.035)],
                        (0.11, 0.085, 0.09)), colour=scaled(coat, tone))
        pen.round(ellipse(x + 0.04, 0.03, 0.065, 0.035), colour=pale)
    _cat_head(pen, coat, pale, stripe)


def _cat_head(pen: Pen, coat: Colour, pale: Colour, stripe: Colour) -> None:
    for tip, left, right in (((-0.07, 1.0), (-0.09, 0.8), (0.05, 0.9)),
                             ((0.25, 1.0), (0.12, 0.9), (0.27, 0.8))):
        pen.round(outline([left, tip, right]), colour=coat)
        inner = [(p[0] * 0.62 + (left[0] + tip[0] + right[0]) / 3 * 0.38,
                  p[1] * 0.62 + (left[1] + tip[1] + right[1]) / 3 * 0.38)
                 for p in (left, tip, right)]
        pen.flat(outline(inner), colour=(222, 146, 136))
    pen.round(curve([(0.09, 0.91), (0.22, 0.875), (0.285, 0.77), (0.23, 0.665), (0.09, 0.625),
                     (-0.05, 0.665), (-0.105, 0.77), (-0.04, 0.875)]), colour=coat)
    for x in (0.03, 0.09, 0.15):
        pen.flat(taper([(x, 0.9), (x * 0.92 + 0.008, 0.85)], (0.022, 0.004)), colour=stripe)
    pen.flat(ellipse(0.055, 0.695, 0.06, 0.042), ellipse(0.135, 0.695, 0.06, 0.042), colour=pale)
    pen.flat(curve([(0.07, 0.737), (0.12, 0.737), (0.095, 0.712)]), colour=(206, 112, 112))
    for x in (0.01, 0.18):
        _eye(pen, x, 0.785, 0.038, (178, 196, 92))
    for side in (-1, 1):
        for lift in (-0.035, 0.0, 0.035):
            foot = 0.095 + side * 0.07
            pen.flat(taper([(foot, 0.695), (foot + side * 0.12, 0.695 + lift * 0.6),
                            (foot + side * 0.21, 0.685 + lift)], (0.006, 0.005, 0.002)),
                     colour=(255, 250, 244), opacity=0.75)


def fox(pen: Pen, colour: Colour | None) -> None:
    """Draw a fox sitting, its brush around its feet."""
    coat = colour or (218, 106, 40)
    black: Colour = (48, 34, 34)
    tail = [(-0.14, 0.1), (-0.36, 0.06), (-0.5, 0.2), (-0.46, 0.42), (-0.36, 0.53)]
    pen.round(taper(tail, (0.12, 0.21, 0.23, 0.17, 0.02)), colour=coat)
    pen.round(taper([(-0.475, 0.34), (-0.44, 0.45), (-0.36, 0.54)], (0.19, 0.14, 0.012)),
              colour=_WHITE)
    pen.round(curve([(-0.23, 0.0), (-0.27, 0.16), (-0.21, 0.4), (-0.1, 0.62), (0.1, 0.62),
                     (0.18, 0.4), (0.21, 0.16), (0.19, 0.0)]), colour=coat)
    pen.round(curve([(-0.24, 0.0), (-0.26, 0.14), (-0.15, 0.24), (-0.06, 0.14), (-0.05, 0.0)]),
              colour=scaled(coat, 0.95))
    pen.flat(curve([(-0.1, 0.6), (0.1, 0.6), (0.12, 0.42), (0.03, 0.22), (-0.04, 0.36)]),
             colour=_WHITE)
    for x in (-0.02, 0.1):
        pen.round(taper([(x, 0.36), (x, 0.15), (x + 0.005, 0.03)], (0.1, 0.075, 0.08)), colour=coat)
        pen.round(taper([(x, 0.17), (x + 0.003, 0.03)], (0.078, 0.086)), colour=black)
    for side in (-1.0, 1.0):
        pen.round(outline([(side * 0.05, 0.85), (side * 0.19, 1.05), (side * 0.21, 0.78)]),
                  colour=coat)
        pen.flat(outline([(side * 0.09, 0.85), (side * 0.175, 0.985), (side * 0.185, 0.82)]),
                 colour=black)
    pen.round(curve([(0.0, 0.895), (0.13, 0.865), (0.22, 0.76), (0.3, 0.66), (0.16, 0.64),
                     (0.07, 0.57), (0.0, 0.535), (-0.07, 0.57), (-0.16, 0.64), (-0.3, 0.66),
                     (-0.22, 0.76), (-0.13, 0.865)]), colour=coat)
    for side in (-1.0, 1.0):
        pen.flat(curve([(side * 0.02, 0.6), (side * 0.07, 0.685), (side * 0.17, 0.735),
                        (side * 0.275, 0.665), (side * 0.15, 0.645), (side * 0.06, 0.57)]),
                 colour=_WHITE)
        pen.raw(ellipse(side * 0.095, 0.755, 0.026, 0.03, -side * 0.5), colour=_DARK)
        pen.raw(ellipse(side * 0.095 + 0.008, 0.766, 0.008, 0.008), colour=_WHITE)
    pen.raw(ellipse(0, 0.56, 0.033, 0.026), colour=_DARK)


def wolf(pen: Pen, colour: Colour | None) -> None:
    """Draw a wolf sitting."""
    fox(pen, colour or (126, 130, 142))


def rabbit(pen: Pen, colour: Colour | None) -> None:
    """Draw a rabbit sitting from the side."""
    coat = colour or (186, 162, 138)
    pale = mixed(coat, _WHITE, 0.7)
    pen.round(ellipse(-0.34, 0.17, 0.085, 0.08), colour=pale)
    for lean, tone in ((0.02, 0.75), (-0.06, 1.0)):
        pen.round(taper([(0.15, 0.6), (0.13 + lean, 0.82), (0.06 + lean * 1.8, 1.0)],
                        (0.06, 0.105, 0.03)), colour=scaled(coat, tone))
    pen.flat(taper([(0.105, 0.66), (0.075, 0.82), (-0.02, 0.95)], (0.02, 0.045, 0.01)),
             colour=(226, 164, 156))
    pen.round(curve([(-0.32, 0.04), (-0.37, 0.2), (-0.24, 0.4), (0.0, 0.42), (0.16, 0.5),
                     (0.24, 0.36), (0.18, 0.06)]), colour=coat)
    pen.round(curve([(-0.3, 0.0), (-0.31, 0.16), (-0.16, 0.27), (-0.03, 0.14), (0.02, 0.0)]),
              colour=scaled(coat, 0.94))
    pen.round(taper([(0.15, 0.3), (0.18, 0.04)], (0.12, 0.075)), colour=pale)
    pen.round(ellipse(0.21, 0.53, 0.155, 0.125, -0.12), colour=coat)
    pen.flat(ellipse(0.32, 0.485, 0.055, 0.05), colour=pale)
    pen.raw(ellipse(0.235, 0.56, 0.026, 0.03), colour=_DARK)
    pen.raw(ellipse(0.244, 0.572, 0.008, 0.008), colour=_WHITE)
    pen.flat(ellipse(0.362, 0.51, 0.016, 0.013), colour=(210, 122, 122))


def bear(pen: Pen, colour: Colour | None) -> None:
    """Draw a bear sitting, facing us."""
    _bear(pen, colour or (126, 84, 56), None)


def panda(pen: Pen, colour: Colour | None) -> None:
    """Draw a panda sitting, facing us."""
    _bear(pen, colour or (240, 238, 232), (44, 42, 46))


def _bear(pen: Pen, coat: Colour, patch: Colour | None) -> None:
    limb = patch or scaled(coat, 0.88)
    pale = mixed(coat, (236, 208, 170), 0.6)
    for side in (-1.0, 1.0):
        pen.round(ellipse(side * 0.17, 0.95, 0.075, 0.07), colour=limb)
        pen.round(taper([(side * 0.2, 0.5), (side * 0.32, 0.3), (side * 0.26, 0.16)],
                        (0.17, 0.15, 0.13)), colour=limb)
    pen.round(ellipse(0, 0.32, 0.29, 0.33), colour=coat)
    pen.round(ellipse(0, 0.28, 0.18, 0.2), colour=mixed(coat, _WHITE, 0.25))
    for side in (-1.0, 1.0):
        pen.round(ellipse(side * 0.22, 0.09, 0.13, 0.095, side * 0.4), colour=limb)
        pen.flat(ellipse(side * 0.25, 0.085, 0.06, 0.05), colour=mixed(limb, pale, 0.4))
    pen.round(ellipse(0, 0.76, 0.235, 0.2), colour=coat)
    for side in (-1.0, 1.0):
        if patch:
            pen.flat(ellipse(side * 0.1, 0.785, 0.06, 0.072, side * -0.5), colour=patch)
        pen.raw(ellipse(side * 0.093, 0.79, 0.023, 0.025), colour=_DARK)
        pen.raw(ellipse(side * 0.093 + 0.007, 0.799, 0.008, 0.008), colour=_WHITE)
    pen.flat(ellipse(0, 0.695, 0.095, 0.072), colour=pale if not patch else _WHITE)
    pen.raw(ellipse(0, 0.725, 0.037, 0.025), colour=_DARK)


def owl(pen: Pen, colour: Colour | None) -> None:
    """Draw an owl on a bough."""
    coat = colour or (136, 100, 70)
    pale = mixed(coat, (250, 236, 210), 0.68)
    pen.round(taper([(-0.85, 0.02), (-0.2, 0.06), (0.3, 0.03), (0.9, 0.09)],
                    (0.06, 0.085, 0.075, 0.04)), colour=(96, 70, 52))
    for side in (-1.0, 1.0):
        pen.round(curve([(side * 0.07, 0.93), (side * 0.27, 1.03), (side * 0.25, 0.8)]),
                  colour=coat)
    pen.round(curve([(0, 0.97), (0.22, 0.9), (0.29, 0.7), (0.31, 0.42), (0.2, 0.12), (0, 0.04),
                     (-0.2, 0.12), (-0.31, 0.42), (-0.29, 0.7), (-0.22, 0.9)]), colour=coat)
    pen.flat(curve([(0, 0.6), (0.17, 0.5), (0.18, 0.28), (0.08, 0.12), (-0.08, 0.12),
                    (-0.18, 0.28), (-0.17, 0.5)]), colour=pale)
    for row in range(4):
        for place in range(-2, 3):
            x, y = (place + row % 2 * 0.5 - 0.25) * 0.07, 0.47 - row * 0.085
            if abs(x) < 0.15:
                pen.flat(curve([(x - 0.025, y + 0.02), (x, y - 0.018), (x + 0.025, y + 0.02),
                                (x, y + 0.006)]), colour=scaled(coat, 0.8))
    for side in (-1.0, 1.0):
        pen.round(curve([(side * 0.2, 0.62), (side * 0.33, 0.52), (side * 0.31, 0.24),
                         (side * 0.18, 0.08), (side * 0.19, 0.35)]), colour=scaled(coat, 0.74))
        pen.flat(ellipse(side * 0.115, 0.745, 0.13, 0.13), colour=pale)
        _owl_eye(pen, side)
        for toe in (-0.045, 0.0, 0.045):
            pen.flat(taper([(side * 0.09 + toe, 0.12), (side * 0.09 + toe, 0.035)], (0.036, 0.024)),
                     colour=(216, 168, 82))
    pen.flat(curve([(-0.035, 0.72), (0.035, 0.72), (0, 0.62)]), colour=(226, 164, 62))


def _owl_eye(pen: Pen, side: float) -> None:
    pen.raw(ellipse(side * 0.11, 0.75, 0.078, 0.078), colour=_DARK)
    pen.raw(ellipse(side * 0.11, 0.75, 0.067, 0.067), colour=(246, 180, 50))
    pen.raw(ellipse(side * 0.108, 0.75, 0.038, 0.038), colour=_DARK)
    pen.raw(ellipse(side * 0.108 + 0.016, 0.77, 0.013, 0.013), colour=_WHITE)


def penguin(pen: Pen, colour: Colour | None) -> None:
    """Draw a penguin standing."""
    coat = colour or (44, 50, 66)
    for side in (-1.0, 1.0):
        pen.flat(ellipse(side * 0.1, 0.025, 0.09, 0.032), colour=(236, 150, 56))
    pen.round(curve([(0, 1.0), (0.14, 0.94), (0.17, 0.78), (0.24, 0.55), (0.26, 0.25), (0.15, 0.04),
                     (-0.15, 0.04), (-0.26, 0.25), (-0.24, 0.55), (-0.17, 0.78), (-0.14, 0.94)]),
              colour=coat)
    pen.round(curve([(0.03, 0.72), (0.15, 0.6), (0.19, 0.3), (0.1, 0.07), (-0.08, 0.07),
                     (-0.15, 0.3), (-0.1, 0.6)]), colour=_WHITE)
    pen.flat(curve([(0.15, 0.84), (0.17, 0.72), (0.06, 0.62), (0.07, 0.72)]), colour=(248, 206, 92))
    for side in (-1.0, 1.0):
        pen.round(curve([(side * 0.22, 0.64), (side * 0.36, 0.36), (side * 0.29, 0.26),
                         (side * 0.21, 0.42)]), colour=scaled(coat, 0.85))
    pen.flat(curve([(0.13, 0.91), (0.28, 0.84), (0.14, 0.83)]), colour=(236, 150, 56))
    pen.raw(ellipse(0.075, 0.895, 0.02, 0.02), colour=_WHITE)
    pen.raw(ellipse(0.08, 0.895, 0.012, 0.012), colour=_DARK)
