"""Small things and plants: teapot, cup, fruit, vase, book, lamp, tree, cactus, mushroom."""

from __future__ import annotations

import math

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, outline, taper

_LEAF: Colour = (86, 128, 72)


def shadow(pen: Pen, wide: float) -> None:
    """Cast a soft shadow on the table, away from the light."""
    away = -pen.light.side * pen.flip
    pen.shade(away * wide * 0.55, -0.01, wide * 1.75, 0.12, 0.5)
    pen.shade(0.0, 0.0, wide * 1.0, 0.05, 0.55)


def teapot(pen: Pen, colour: Colour | None) -> None:
    """Draw a glazed teapot with steam."""
    glaze = colour or (54, 112, 138)
    shadow(pen, 0.55)
    pen.round(taper([(-0.4, 0.66), (-0.66, 0.66), (-0.7, 0.4), (-0.44, 0.24)],
                    (0.07, 0.075, 0.075, 0.07)), colour=scaled(glaze, 0.85))
    pen.round(taper([(0.36, 0.32), (0.56, 0.42), (0.64, 0.66), (0.8, 0.78)],
                    (0.24, 0.16, 0.11, 0.09)), colour=glaze)
    pen.round(curve([(-0.26, 0.0), (-0.46, 0.14), (-0.52, 0.4), (-0.4, 0.66), (-0.2, 0.76),
                     (0.2, 0.76), (0.4, 0.66), (0.52, 0.4), (0.46, 0.14), (0.26, 0.0)]),
              colour=glaze, gloss=0.7)
    pen.flat(taper([(-0.5, 0.44), (0, 0.36), (0.5, 0.44)], (0.03, 0.035, 0.03)),
             colour=mixed(glaze, (250, 240, 216), 0.75))
    for x in (-0.34, -0.17, 0.0, 0.17, 0.34):
        pen.flat(ellipse(x, 0.47 + x * x * 0.3, 0.028, 0.028),
                 colour=mixed(glaze, (250, 220, 150), 0.75))
    pen.round(curve([(-0.24, 0.75), (-0.16, 0.85), (0.16, 0.85), (0.24, 0.75)]), colour=glaze,
              gloss=0.5)
    pen.round(ellipse(0, 0.9, 0.06, 0.055), colour=mixed(glaze, (250, 220, 150), 0.6))
    pen.raw(ellipse(-0.2 * pen.light.side * -pen.flip, 0.6, 0.05, 0.1, 0.5 * pen.light.side),
            colour=(255, 255, 255), opacity=0.5)
    steam(pen, 0.82, 0.86)


def steam(pen: Pen, x: float, y: float) -> None:
    """Draw steam rising from (x, y)."""
    for number in range(3):
        shift = (number - 1) * 0.05
        path = [(x + shift + 0.028 * math.sin(step * 0.9 + number), y + step * 0.055)
                for step in range(9)]
        pen.raw(taper(path, (0.012, 0.035, 0.045, 0.03, 0.004), 4), colour=(255, 252, 246),
                opacity=0.16)


def cup(pen: Pen, colour: Colour | None) -> None:
    """Draw a cup of coffee on its saucer."""
    glaze = colour or (240, 232, 218)
    shadow(pen, 0.6)
    pen.round(ellipse(0, 0.05, 0.66, 0.085), colour=scaled(glaze, 0.96))
    pen.flat(ellipse(0, 0.065, 0.4, 0.045), colour=scaled(glaze, 0.8))
    pen.round(taper([(0.36, 0.62), (0.62, 0.62), (0.64, 0.36), (0.32, 0.24)],
                    (0.07, 0.075, 0.07, 0.06)), colour=scaled(glaze, 0.92))
    pen.round(curve([(-0.44, 0.76), (-0.42, 0.44), (-0.28, 0.14), (-0.14, 0.07), (0.14, 0.07),
                     (0.28, 0.14), (0.42, 0.44), (0.44, 0.76)]), colour=glaze, gloss=0.4)
    pen.flat(ellipse(0, 0.76, 0.44, 0.11), colour=scaled(glaze, 1.05))
    pen.graded(ellipse(0, 0.75, 0.395, 0.088), top=(70, 40, 26), bottom=(128, 80, 48))
    pen.flat(curve([(-0.02, 0.7), (-0.15, 0.765), (-0.08, 0.8), (0, 0.775), (0.08, 0.8),
                    (0.15, 0.765)]), colour=(226, 190, 146))
    steam(pen, 0, 0.84)


def fruit(pen: Pen, colour: Colour | None) -> None:
    """Draw a bowl heaped with fruit."""
    shadow(pen, 0.68)
    balls = ((-0.3, 0.6, 0.2, (214, 58, 48)), (0.3, 0.6, 0.2, (240, 146, 46)),
             (0.0, 0.66, 0.22, (232, 190, 70)), (-0.14, 0.86, 0.19, (200, 62, 56)),
             (0.16, 0.84, 0.18, (150, 176, 70)))
    for x, y, size, tone in balls:
        pen.round(ellipse(x, y, size, size * 0.96), colour=colour or tone, gloss=0.35)
        pen.raw(ellipse(x + size * 0.4 * pen.light.side * pen.flip, y + size * 0.45, size * 0.14,
                        size * 0.1), colour=(255, 252, 240), opacity=0.55)
        pen.flat(taper([(x, y + size * 0.85), (x + 0.02, y + size * 1.2)], (0.024, 0.018)),
                 colour=(94, 66, 44))
    pen.flat(curve([(-0.12, 1.05), (-0.02, 1.14), (0.1, 1.12), (0.0, 1.04)]), colour=_LEAF)
    for number in range(9):
        x, y = 0.46 + (number % 3) * 0.085 - number // 3 * 0.02, 0.62 - number // 3 * 0.085
        pen.round(ellipse(x, y, 0.056, 0.056), colour=(104, 62, 122), gloss=0.5)
    pen.round(curve([(-0.64, 0.5), (-0.52, 0.22), (-0.24, 0.06), (0.24, 0.06), (0.52, 0.22),
                     (0.64, 0.5), (0, 0.42)]), colour=(96, 128, 150), gloss=0.4)
    pen.round(curve([(-0.2, 0.0), (-0.16, 0.08), (0.16, 0.08), (0.2, 0.0)]), colour=(84, 112, 134))


def vase(pen: Pen, colour: Colour | None) -> None:
    """Draw a vase of flowers."""
    from opeai_nb.engine.painter.subjects.people import flower

    bloom = colour or (224, 92, 108)
    shadow(pen, 0.26)
    heads = ((-0.26, 0.74, 0.12), (0.25, 0.76, 0.12), (-0.13, 0.94, 0.13), (0.14, 0.96, 0.125),
             (0.0, 0.78, 0.14), (-0.35, 0.9, 0.09), (0.36, 0.93, 0.085), (0.01, 1.1, 0.1))
    for x, y, _ in heads:
        pen.flat(taper([(x * 0.15, 0.42), (x * 0.5, (y + 0.4) / 2), (x, y)], (0.016, 0.014, 0.012)),
                 colour=(78, 116, 66))
    for x, y, turn in ((-0.3, 0.56, 2.6), (0.3, 0.58, 0.5), (-0.16, 0.62, 2.2), (0.18, 0.62, 0.9),
                       (-0.42, 0.76, 2.4), (0.44, 0.78, 0.6)):
        pen.round(ellipse(x, y, 0.13, 0.045, turn), colour=_LEAF)
    tones = (bloom, mixed(bloom, (255, 246, 236), 0.62), mixed(bloom, (250, 180, 90), 0.45))
    for number, (x, y, size) in enumerate(heads):
        flower(pen, x, y, size, tones[number % 3])
    pen.round(curve([(-0.1, 0.0), (-0.19, 0.1), (-0.2, 0.26), (-0.1, 0.4), (-0.12, 0.48),
                     (0.12, 0.48), (0.1, 0.4), (0.2, 0.26), (0.19, 0.1), (0.1, 0.0)]),
              colour=(224, 226, 222) if not colour else (92, 124, 146), gloss=0.6)


def book(pen: Pen, colour: Colour | None) -> None:
    """Draw an open book."""
    cover = colour or (150, 52, 48)
    shadow(pen, 0.7)
    pen.round(curve([(-0.9, 0.14), (-0.5, 0.1), (0, 0.0), (0.5, 0.1), (0.9, 0.14), (0.84, 0.56),
                     (0.4, 0.5), (0, 0.42), (-0.4, 0.5), (-0.84, 0.56)]), colour=cover, depth=0.5)
    for side in (-1.0, 1.0):
        page = curve([(0, 0.08), (side * 0.36, 0.2), (side * 0.82, 0.19), (side * 0.76, 0.6),
                      (side * 0.34, 0.6), (0, 0.46)])
        pen.graded(page, top=(252, 246, 230), bottom=(226, 214, 190))
        for row in range(5):
            y = 0.5 - row * 0.062
            pen.flat(taper([(side * 0.1, y - 0.02), (side * 0.36, y + 0.04),
                            (side * 0.66, y + 0.045)],
                           (0.012, 0.012, 0.012)), colour=(150, 138, 126), opacity=0.8)
    pen.flat(taper([(0, 0.06), (0, 0.45)], (0.02, 0.014)), colour=(170, 156, 136))


def lamp(pen: Pen, colour: Colour | None) -> None:
    """Draw a paper lantern, or a candle's light, glowing."""
    paper = colour or (232, 96, 58)
    pen.glow(0, 0.5, 1.3, (255, 176, 88), 0.75)
    pen.flat(box(-0.015, 0.94, 0.015, 1.3), colour=(60, 48, 44))
    pen.round(curve([(-0.16, 0.14), (-0.38, 0.34), (-0.42, 0.54), (-0.34, 0.76), (-0.16, 0.9),
                     (0.16, 0.9), (0.34, 0.76), (0.42, 0.54), (0.38, 0.34), (0.16, 0.14)]),
              colour=paper)
    pen.glow(0, 0.5, 0.5, (255, 220, 140), 0.9)
    for reach in (0.14, 0.28):
        for side in (-1.0, 1.0):
            pen.raw(taper([(side * reach * 0.5, 0.88), (side * reach, 0.52),
                           (side * reach * 0.5, 0.16)],
                          (0.008, 0.012, 0.008)), colour=scaled(paper, 0.65), opacity=0.6)
    pen.flat(box(-0.18, 0.88, 0.18, 0.95), box(-0.18, 0.09, 0.18, 0.16), colour=(58, 44, 42))
    for x in (-0.06, 0.0, 0.06):
        pen.flat(taper([(x, 0.1), (x * 1.2, -0.14)], (0.012, 0.008)), colour=(222, 170, 78))


def tree(pen: Pen, colour: Colour | None) -> None:
    """Draw a broad tree in leaf, or in blossom if coloured."""
    leaf = colour or (92, 132, 62)
    bark: Colour = (92, 68, 54)
    pen.shade(0.05, 0.0, 0.55, 0.06, 0.4)
    pen.round(taper([(0.02, -0.02), (-0.03, 0.2), (0.03, 0.42)], (0.15, 0.085, 0.075)),
              taper([(0.0, 0.3), (-0.14, 0.46), (-0.24, 0.6)], (0.06, 0.05, 0.02)),
              taper([(0.02, 0.36), (0.16, 0.5), (0.26, 0.62)], (0.06, 0.05, 0.02)), colour=bark)
    crowns = ((-0.3, 0.58, 0.2), (0.3, 0.6, 0.2), (-0.12, 0.52, 0.17), (0.14, 0.52, 0.17),
              (-0.2, 0.76, 0.2), (0.22, 0.77, 0.2), (0.0, 0.68, 0.24), (0.02, 0.9, 0.17))
    for number, (x, y, size) in enumerate(crowns):
        points = [(x + size * (1 + 0.12 * math.sin(k * 2.4 + number)) * math.cos(k * 0.4488),
                   y + size * 0.84 * (1 + 0.12 * math.cos(k * 3.1 + number)) * math.sin(k * 0.4488))
                  for k in range(14)]
        pen.round(curve(points), colour=scaled(leaf, 0.84 + 0.045 * number))
    for number in range(46):
        turn, reach = number * 2.4, 0.07 * math.sqrt(number)
        x, y = math.cos(turn) * reach * 0.98, 0.7 + math.sin(turn) * reach * 0.68
        pen.flat(ellipse(x, y, 0.034, 0.024, turn), colour=mixed(leaf, (255, 250, 210), 0.3),
                 opacity=0.5)


def blossom(pen: Pen, colour: Colour | None) -> None:
    """Draw a tree in blossom."""
    tree(pen, colour or (244, 164, 190))


def cactus(pen: Pen, colour: Colour | None) -> None:
    """Draw a saguaro."""
    skin = colour or (78, 124, 84)
    for points, widths in ((((-0.05, 0.36), (-0.27, 0.38), (-0.28, 0.66)), (0.09, 0.11, 0.1)),
                           (((0.05, 0.46), (0.26, 0.5), (0.26, 0.82)), (0.09, 0.1, 0.09)),
                           (((0, -0.01), (0, 0.5), (0, 0.96)), (0.17, 0.19, 0.15))):
        pen.round(taper(points, widths), colour=skin)
    for x in (-0.04, 0.0, 0.04):
        pen.flat(taper([(x, 0.04), (x, 0.5), (x, 0.96)], (0.006, 0.008, 0.004)),
                 colour=scaled(skin, 0.72))
    for x, y in ((0, 1.03), (-0.28, 0.72), (0.26, 0.88)):
        pen.flat(ellipse(x, y, 0.04, 0.03), colour=(236, 96, 128))


def mushroom(pen: Pen, colour: Colour | None) -> None:
    """Draw a family of mushrooms."""
    cap = colour or (204, 52, 44)
    for x, size in ((0.36, 0.55), (-0.38, 0.42), (0.0, 1.0)):
        pen.round(curve([(x - 0.1 * size, 0.0), (x - 0.075 * size, 0.3 * size),
                         (x - 0.08 * size, 0.6 * size), (x + 0.08 * size, 0.6 * size),
                         (x + 0.075 * size, 0.3 * size), (x + 0.12 * size, 0.0)]),
                  colour=(240, 228, 206))
        pen.flat(ellipse(x, 0.58 * size, 0.34 * size, 0.07 * size), colour=(214, 190, 164))
        pen.round(curve([(x - 0.42 * size, 0.56 * size), (x - 0.34 * size, 0.8 * size),
                         (x - 0.12 * size, 0.98 * size), (x + 0.12 * size, 0.98 * size),
                         (x + 0.34 * size, 0.8 * size), (x + 0.42 * size, 0.56 * size),
                         (x, 0.62 * size)]), colour=cap, gloss=0.4)
        for dx, dy, r in ((-0.2, 0.74, 0.055), (0.02, 0.84, 0.065), (0.22, 0.72, 0.05),
                          (-0.05, 0.69, 0.035), (0.12, 0.92, 0.03)):
            pen.flat(ellipse(x + dx * size, dy * size, r * size, r * size * 0.8),
                     colour=(250, 242, 228))
    for number in range(9):
        x = -0.6 + number * 0.15
        pen.flat(outline([(x, -0.02), (x + 0.05, 0.16 + 0.05 * (number % 3)), (x + 0.07, -0.02)]),
                 colour=(84, 120, 60))
