"""Beasts on four legs, seen from the side, from one build with different measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.raster.shape import curve, ellipse, outline, taper


@dataclass(frozen=True, slots=True)
class Build:
    """A beast's measures, in parts of its height."""

    coat: Colour
    belly: Colour
    length: float = 0.8
    girth: float = 0.26
    leg: float = 0.36
    width: float = 0.075
    neck: tuple[float, float] = (0.16, 0.2)
    throat: float = 0.13
    head: tuple[float, float] = (0.13, 0.09)
    snout: tuple[float, float] = (0.15, 0.055)
    ear: tuple[float, float] = (0.05, 0.14)
    tail: tuple[tuple[float, float], ...] = ((-0.08, 0.02), (-0.2, -0.05), (-0.3, -0.02))
    brush: tuple[float, ...] = (0.06, 0.14, 0.1, 0.01)
    socks: Colour | None = None
    dip: float = 0.25  # how far the nose points down


DOG = Build((196, 142, 82), (240, 220, 186), snout=(0.13, 0.075), neck=(0.14, 0.2),
            ear=(0.055, -0.15), tail=((-0.06, 0.05), (-0.14, 0.14), (-0.15, 0.26)),
            brush=(0.06, 0.075, 0.06, 0.02))
DEER = Build((168, 112, 68), (226, 196, 158), length=0.56, girth=0.2, leg=0.4, width=0.045,
             neck=(0.13, 0.26), throat=0.1, head=(0.08, 0.06), snout=(0.1, 0.036), dip=0.45,
             ear=(0.09, 0.05), tail=((-0.04, 0.0), (-0.06, -0.06)), brush=(0.05, 0.04, 0.01))
HORSE = Build((128, 78, 48), (120, 74, 50), length=0.72, girth=0.24, leg=0.42, width=0.052,
              neck=(0.2, 0.27), throat=0.15, head=(0.085, 0.075), snout=(0.17, 0.05), dip=0.75,
              ear=(0.03, 0.07), tail=((-0.06, -0.01), (-0.14, -0.16), (-0.12, -0.38)),
              brush=(0.05, 0.09, 0.08, 0.02), socks=(60, 44, 38))
ELEPHANT = Build((136, 136, 146), (150, 148, 154), length=0.86, girth=0.44, leg=0.3, width=0.15,
                 neck=(0.1, 0.04), throat=0.3, head=(0.18, 0.17), snout=(0.05, 0.1),
                 ear=(0.0, 0.0), tail=((-0.03, -0.03), (-0.06, -0.22)), brush=(0.03, 0.02, 0.03))
CAMEL = Build((202, 154, 98), (214, 172, 118), length=0.68, girth=0.24, leg=0.44, width=0.055,
              neck=(0.22, 0.2), throat=0.09, head=(0.085, 0.06), snout=(0.12, 0.052),
              ear=(0.02, 0.045), tail=((-0.03, -0.03), (-0.07, -0.2)), brush=(0.03, 0.025, 0.03))


def _leg(x: float, top: float, build: Build, sway: float, hind: bool) -> list[tuple[float, float]]:
    knee = -0.05 if hind else 0.015
    return [(x, top), (x + sway * 0.5 + knee * 0.4, build.leg * 0.52),
            (x + sway + knee * 0.3, build.leg * 0.18), (x + sway + 0.012, 0.012)]


def beast(pen: Pen, build: Build, colour: Colour | None = None) -> tuple[float, float]:
    """Draw a beast facing right, *colour* its coat; answer where its head is."""
    if colour:
        build = replace(build, coat=colour, belly=mixed(colour, (255, 250, 240), 0.55))
    half, top = build.length / 2, build.leg + build.girth
    dark = scaled(build.coat, 0.66)
    wide = (min(0.2, build.width * 2.3), build.width * 1.05, build.width * 0.62, build.width * 0.8)
    for x, sway, hind in ((-half * 0.62, -0.04, True), (half * 0.66, 0.06, False)):
        pen.flat(taper(_leg(x, build.leg + build.girth * 0.35, build, sway, hind), wide),
                 colour=build.socks or dark)
    start = (-half * 0.97, build.leg + build.girth * 0.72)
    tail = taper([start, *((start[0] + x, start[1] + y) for x, y in build.tail)], build.brush)
    pen.round(tail, colour=build.coat)
    neck_x, neck_y = half * 0.72, build.leg + build.girth * 0.62
    head_x, head_y = neck_x + build.neck[0], neck_y + build.neck[1] + build.girth * 0.1
    body = curve([(-half, build.leg + build.girth * 0.6), (-half * 0.86, top * 0.99),
                  (-half * 0.2, top * 0.965), (half * 0.5, top), (half * 0.98, top * 0.94),
                  (half * 1.04, build.leg + build.girth * 0.4), (half * 0.6, build.leg * 0.9),
                  (-half * 0.1, build.leg + build.girth * 0.06),
                  (-half * 0.7, build.leg + build.girth * 0.12)])
    neck = taper([(neck_x - 0.06, neck_y), ((neck_x + head_x) / 2, (neck_y + head_y) / 2 + 0.01),
                  (head_x, head_y)], (build.throat * 1.8, build.throat * 1.1, build.throat * 0.8))
    near = [taper(_leg(x, build.leg + build.girth * 0.4, build, sway, hind), wide)
            for x, sway, hind in ((-half * 0.78, 0.05, True), (half * 0.8, -0.02, False))]
    pen.round(body, neck, *near, colour=build.coat)
    if build.socks:
        for x, sway, hind in ((-half * 0.78, 0.05, True), (half * 0.8, -0.02, False)):
            low = _leg(x, 0.3, build, sway, hind)[2:]
            pen.flat(taper(low, (build.width * 0.74, build.width)), colour=build.socks)
    _head(pen, build, head_x, head_y)
    return head_x, head_y


def _head(pen: Pen, build: Build, x: float, y: float) -> None:
    long, deep = build.head
    ear_x, ear_y = build.ear
    for shift, tone in ((0.05, 0.62), (-0.03, 1.0)):
        base = x - long * 0.3 + shift
        tip = (base - ear_x * 0.7, y + deep * 0.7 + ear_y)
        if ear_y:
            pen.round(curve([(base - 0.03, y + deep * 0.6), tip, (base + 0.045, y + deep * 0.72)]),
                      colour=scaled(build.coat, tone))
    nose = x + long * 0.7 + build.snout[0]
    drop = build.snout[0] * build.dip
    pen.round(ellipse(x, y, long, deep, -0.12 - build.dip * 0.5),
              taper([(x - long * 0.1, y - deep * 0.02),
                     (x + long * 0.6, y - deep * 0.2 - drop * 0.4),
                     (nose, y - deep * 0.35 - drop)],
                    (deep * 1.9, deep * 1.35, build.snout[1] * 1.7)), colour=build.coat)
    pen.flat(taper([(x + long * 0.55, y - deep * 0.62 - drop * 0.5),
                    (nose - 0.01, y - deep * 0.5 - drop)],
                   (deep * 0.2, build.snout[1] * 0.7)),
             colour=mixed(build.coat, build.belly, 0.5))
    pen.raw(ellipse(nose + build.snout[1] * 0.6, y - deep * 0.3 - drop, 0.017, 0.015),
            colour=(28, 24, 26))
    pen.raw(ellipse(x + long * 0.42, y + deep * 0.2, 0.016, 0.018), colour=(22, 20, 24))
    pen.raw(ellipse(x + long * 0.45, y + deep * 0.27, 0.006, 0.006), colour=(250, 250, 250))


def deer(pen: Pen, colour: Colour | None) -> None:
    """Draw a stag with antlers."""
    x, y = beast(pen, DEER, colour)
    bone: Colour = (206, 184, 148)
    for lean, tone in ((0.1, 0.7), (-0.1, 1.0)):
        base = (x - 0.02, y + 0.05)
        stem = [base, (base[0] + lean * 1.1 - 0.05, y + 0.17),
                (base[0] + lean * 0.9 - 0.08, y + 0.3)]
        shade = scaled(bone, tone)
        pen.flat(taper(stem, (0.022, 0.02, 0.006)), colour=shade)
        for share, reach in ((0.35, 0.1), (0.62, 0.085)):
            foot = (stem[0][0] + (stem[2][0] - stem[0][0]) * share * 1.2, y + 0.05 + 0.25 * share)
            tip = (foot[0] + reach * (1 if lean > 0 else 0.55), foot[1] + reach)
            pen.flat(taper([foot, (tip[0] - 0.015, foot[1] + reach * 0.4), tip],
                           (0.016, 0.014, 0.004)), colour=shade)


def horse(pen: Pen, colour: Colour | None) -> None:
    """Draw a horse with a mane."""
    x, y = beast(pen, HORSE, colour)
    mane = scaled(colour or HORSE.coat, 0.45)
    pen.round(curve([(x + 0.03, y + 0.1), (x - 0.08, y + 0.08), (x - 0.17, y - 0.04),
                     (x - 0.28, y - 0.21), (x - 0.3, y - 0.32), (x - 0.2, y - 0.26),
                     (x - 0.12, y - 0.1), (x - 0.05, y + 0.02)]), colour=mane)


def camel(pen: Pen, colour: Colour | None) -> None:
    """Draw a camel with its humps."""
    coat = colour or CAMEL.coat
    beast(pen, CAMEL, colour)
    for x in (-0.16, 0.09):
        pen.round(curve([(x - 0.15, 0.63), (x - 0.07, 0.76), (x, 0.82), (x + 0.06, 0.76),
                         (x + 0.13, 0.63), (x, 0.58)]), colour=coat)


def elephant(pen: Pen, colour: Colour | None) -> None:
    """Draw an elephant with trunk, tusk and ear."""
    coat = colour or ELEPHANT.coat
    x, y = beast(pen, ELEPHANT, colour)
    pen.round(taper([(x + 0.1, y - 0.02), (x + 0.21, y - 0.2), (x + 0.19, y - 0.42),
                     (x + 0.26, y - 0.52)], (0.17, 0.11, 0.075, 0.05)), colour=coat)
    pen.flat(taper([(x + 0.1, y - 0.15), (x + 0.2, y - 0.24), (x + 0.3, y - 0.22)],
                   (0.045, 0.035, 0.008)), colour=(244, 236, 216))
    pen.round(curve([(x - 0.06, y + 0.13), (x - 0.24, y + 0.14), (x - 0.28, y - 0.08),
                     (x - 0.15, y - 0.24), (x - 0.04, y - 0.1)]), colour=scaled(coat, 0.9))
    pen.raw(ellipse(x + 0.08, y + 0.04, 0.016, 0.018), colour=(24, 22, 26))


def dog(pen: Pen, colour: Colour | None) -> None:
    """Draw a dog with a collar."""
    x, y = beast(pen, DOG, colour)
    pen.flat(taper([(x - 0.12, y - 0.02), (x - 0.06, y - 0.13), (x + 0.02, y - 0.13)],
                   (0.03, 0.035, 0.03)), colour=(196, 48, 52))
    pen.flat(outline([(x - 0.02, y - 0.14), (x + 0.02, y - 0.14), (x, y - 0.19)]),
             colour=(232, 190, 80))
