"""People and their likes: a wanderer, a portrait, a robot, an astronaut."""

from __future__ import annotations

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, taper

_SKIN: tuple[Colour, ...] = ((238, 196, 164), (206, 152, 112), (150, 100, 70), (246, 214, 188))
_HAIR: tuple[Colour, ...] = ((58, 42, 40), (112, 66, 40), (30, 28, 36), (190, 128, 66))


def person(pen: Pen, colour: Colour | None) -> None:
    """Draw a wanderer from behind, coat and scarf in the wind."""
    coat = colour or (52, 72, 104)
    for x, tone in ((-0.05, 0.85), (0.055, 1.0)):
        pen.round(taper([(x, 0.4), (x * 1.25, 0.18), (x * 1.3, 0.02)], (0.1, 0.08, 0.065)),
                  colour=scaled((62, 56, 60), tone))
        pen.round(ellipse(x * 1.35 + 0.008, 0.022, 0.05, 0.026), colour=(66, 44, 36))
    pen.round(taper([(-0.1, 0.76), (-0.165, 0.56), (-0.15, 0.38)], (0.085, 0.07, 0.05)),
              colour=scaled(coat, 0.85))
    pen.round(curve([(-0.1, 0.8), (0.1, 0.8), (0.14, 0.62), (0.17, 0.36), (0.2, 0.26), (0.06, 0.28),
                     (-0.08, 0.27), (-0.17, 0.28), (-0.14, 0.56)]), colour=coat)
    pen.round(taper([(0.1, 0.76), (0.17, 0.58), (0.17, 0.4)], (0.085, 0.075, 0.052)), colour=coat)
    pen.round(ellipse(0, 0.9, 0.068, 0.08), colour=_SKIN[0])
    pen.round(curve([(-0.072, 0.88), (-0.078, 0.95), (0, 1.0), (0.078, 0.95), (0.072, 0.87),
                     (0.0, 0.84)]), colour=_HAIR[0])
    scarf: Colour = (206, 74, 58) if not colour or colour[2] > colour[0] else (236, 200, 110)
    pen.round(taper([(-0.06, 0.815), (0, 0.8), (0.07, 0.82)], (0.055, 0.06, 0.055)), colour=scarf)
    pen.round(taper([(-0.05, 0.81), (-0.2, 0.78), (-0.3, 0.84), (-0.42, 0.8)],
                    (0.05, 0.055, 0.05, 0.04)), colour=scarf)
    pen.round(curve([(-0.085, 0.75), (0.085, 0.75), (0.1, 0.58), (0.08, 0.46), (-0.08, 0.46),
                     (-0.1, 0.58)]), colour=(142, 98, 62))


def portrait(pen: Pen, colour: Colour | None, choice: int = 0) -> None:
    """Draw head and shoulders, eyes closed, flowers in the hair."""
    skin, hair = _SKIN[choice % 4], _HAIR[(choice // 2 + 1) % 4]
    dress = colour or (46, 104, 112)
    pen.round(curve([(-0.2, 0.98), (-0.34, 0.78), (-0.33, 0.5), (-0.25, 0.28), (0.26, 0.28),
                     (0.33, 0.5), (0.33, 0.8), (0.18, 0.99), (0, 1.04)]), colour=scaled(hair, 0.85))
    pen.round(taper([(0, 0.5), (0, 0.36), (0, 0.24)], (0.17, 0.17, 0.24)),
              colour=scaled(skin, 0.88))
    pen.round(curve([(-0.62, -0.25), (-0.56, 0.08), (-0.36, 0.22), (-0.14, 0.27), (0, 0.2),
                     (0.14, 0.27), (0.36, 0.22), (0.56, 0.08), (0.62, -0.25)]), colour=dress)
    pen.round(curve([(-0.14, 0.275), (0, 0.13), (0.14, 0.275), (0.06, 0.3), (-0.06, 0.3)]),
              colour=scaled(skin, 0.95))
    pen.round(curve([(0, 0.98), (0.17, 0.93), (0.22, 0.74), (0.19, 0.56), (0.09, 0.42), (0, 0.39),
                     (-0.09, 0.42), (-0.19, 0.56), (-0.22, 0.74), (-0.17, 0.93)]), colour=skin,
              depth=0.7)
    _features(pen, skin, hair)
    pen.round(curve([(-0.23, 0.68), (-0.25, 0.88), (-0.12, 1.02), (0.08, 1.03), (0.24, 0.9),
                     (0.235, 0.68), (0.2, 0.84), (0.06, 0.93), (-0.1, 0.86), (-0.19, 0.8)]),
              colour=hair)
    accents = ((226, 92, 96), (250, 196, 120), (246, 232, 224), (236, 140, 158))
    for number, (x, y, size) in enumerate(((-0.25, 0.86, 0.075), (-0.16, 0.96, 0.06),
                                           (-0.3, 0.75, 0.055), (-0.07, 1.01, 0.045))):
        flower(pen, x, y, size, accents[(number + choice) % 4])


def _features(pen: Pen, skin: Colour, hair: Colour) -> None:
    dark = mixed(hair, skin, 0.12)
    for side in (-1.0, 1.0):
        pen.flat(ellipse(side * 0.12, 0.585, 0.055, 0.04), colour=mixed(skin, (226, 110, 100), 0.4),
                 opacity=0.5)
        pen.flat(taper([(side * 0.045, 0.683), (side * 0.09, 0.665), (side * 0.145, 0.69)],
                       (0.004, 0.016, 0.006)), colour=dark)
        for reach in (0.1, 0.125, 0.148):
            pen.flat(taper([(side * reach, 0.676), (side * (reach + 0.014), 0.65)], (0.008, 0.002)),
                     colour=dark)
        pen.flat(taper([(side * 0.04, 0.755), (side * 0.1, 0.775), (side * 0.158, 0.752)],
                       (0.01, 0.016, 0.005)), colour=dark)
    pen.flat(taper([(0.004, 0.7), (0.014, 0.6), (0.026, 0.572), (-0.012, 0.562)],
                   (0.004, 0.01, 0.014, 0.004)), colour=scaled(skin, 0.8))
    lip: Colour = (190, 76, 78)
    pen.flat(curve([(-0.06, 0.498), (-0.02, 0.512), (0, 0.506), (0.02, 0.512), (0.06, 0.498),
                    (0, 0.488)]), colour=lip)
    pen.flat(curve([(-0.052, 0.494), (0, 0.488), (0.052, 0.494), (0, 0.462)]),
             colour=mixed(lip, (240, 150, 150), 0.35))


def flower(pen: Pen, x: float, y: float, size: float, colour: Colour) -> None:
    """Draw one open flower."""
    import math

    for petal in range(6):
        turn = petal * math.pi / 3 + 0.3
        pen.round(ellipse(x + math.cos(turn) * size * 0.58, y + math.sin(turn) * size * 0.58,
                          size * 0.52, size * 0.36, turn), colour=colour, depth=0.6)
    pen.flat(ellipse(x, y, size * 0.27, size * 0.27), colour=(236, 178, 66))


def robot(pen: Pen, colour: Colour | None) -> None:
    """Draw a friendly robot."""
    shell = colour or (206, 214, 220)
    joint: Colour = (92, 98, 110)
    eye: Colour = (96, 232, 244)
    for side in (-1.0, 1.0):
        pen.round(taper([(side * 0.1, 0.28), (side * 0.11, 0.08)], (0.075, 0.07)), colour=joint)
        pen.round(curve([(side * 0.03, 0.0), (side * 0.04, 0.09), (side * 0.12, 0.12),
                         (side * 0.2, 0.08), (side * 0.22, 0.0)]), colour=shell)
        pen.round(taper([(side * 0.22, 0.52), (side * 0.34, 0.4), (side * 0.33, 0.26)],
                        (0.08, 0.07, 0.06)), colour=joint)
        pen.round(ellipse(side * 0.33, 0.23, 0.06, 0.06), ellipse(side * 0.225, 0.52, 0.072, 0.072),
                  colour=shell)
    pen.round(curve([(-0.2, 0.57), (0.2, 0.57), (0.225, 0.42), (0.15, 0.24), (-0.15, 0.24),
                     (-0.225, 0.42)]), colour=shell, gloss=0.4)
    pen.flat(ellipse(0, 0.42, 0.085, 0.085), colour=joint)
    pen.raw(ellipse(0, 0.42, 0.06, 0.06), colour=(255, 176, 82))
    pen.glow(0, 0.42, 0.18, (255, 176, 82), 0.7)
    pen.round(taper([(0, 0.56), (0, 0.64)], (0.11, 0.1)), colour=joint)
    pen.flat(taper([(0, 0.9), (0, 1.0)], (0.018, 0.014)), colour=joint)
    pen.raw(ellipse(0, 1.01, 0.03, 0.03), colour=(250, 110, 90))
    pen.glow(0, 1.01, 0.12, (250, 110, 90), 0.8)
    for side in (-1.0, 1.0):
        pen.round(ellipse(side * 0.275, 0.76, 0.045, 0.075), colour=joint)
    pen.round(curve([(-0.25, 0.64), (-0.28, 0.77), (-0.22, 0.9), (0, 0.93), (0.22, 0.9),
                     (0.28, 0.77), (0.25, 0.64), (0, 0.61)]), colour=shell, gloss=0.5)
    pen.flat(curve([(-0.2, 0.69), (-0.21, 0.8), (-0.13, 0.85), (0.13, 0.85), (0.21, 0.8),
                    (0.2, 0.69), (0, 0.67)]), colour=(30, 36, 52))
    for side in (-1.0, 1.0):
        pen.raw(ellipse(side * 0.1, 0.765, 0.042, 0.048), colour=eye)
        pen.raw(ellipse(side * 0.1 + 0.012, 0.783, 0.013, 0.013), colour=(240, 255, 255))
        pen.glow(side * 0.1, 0.765, 0.15, eye, 0.6)


def astronaut(pen: Pen, colour: Colour | None) -> None:
    """Draw an astronaut afloat, the sky in the visor."""
    suit = colour or (236, 236, 240)
    grey: Colour = (150, 156, 168)
    pen.round(box(-0.2, 0.4, 0.2, 0.76), colour=grey)
    for points, widths in ((((-0.15, 0.66), (-0.36, 0.62), (-0.44, 0.78)), (0.14, 0.12, 0.1)),
                           (((0.15, 0.66), (0.34, 0.52), (0.46, 0.58)), (0.14, 0.12, 0.1)),
                           (((-0.09, 0.42), (-0.17, 0.22), (-0.3, 0.1)), (0.17, 0.14, 0.12)),
                           (((0.09, 0.42), (0.14, 0.2), (0.08, 0.02)), (0.17, 0.14, 0.12))):
        pen.round(taper(points, widths), colour=scaled(suit, 0.96))
        pen.round(ellipse(*points[-1], widths[-1] * 0.62, widths[-1] * 0.62), colour=grey)
    pen.round(curve([(-0.18, 0.7), (0.18, 0.7), (0.2, 0.54), (0.16, 0.38), (-0.16, 0.38),
                     (-0.2, 0.54)]), colour=suit)
    pen.flat(box(-0.085, 0.5, 0.085, 0.6), colour=grey)
    for x, tone in ((-0.05, (226, 76, 70)), (0.0, (246, 200, 90)), (0.05, (90, 180, 214))):
        pen.raw(ellipse(x, 0.55, 0.018, 0.018), colour=tone)
    pen.round(ellipse(0, 0.84, 0.2, 0.19), colour=suit, gloss=0.3)
    pen.graded(ellipse(0.015, 0.84, 0.15, 0.13), top=(250, 186, 92), bottom=(60, 48, 110))
    pen.raw(ellipse(-0.045, 0.885, 0.04, 0.024, 0.5), colour=(255, 246, 226), opacity=0.75)
