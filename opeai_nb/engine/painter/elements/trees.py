"""Trees: firs, round crowns, trunks."""

from __future__ import annotations

import numpy as np

from opeai_nb.engine.painter.raster.colour import Colour, mixed
from opeai_nb.engine.painter.raster.shape import Outline, ellipse, taper
from opeai_nb.engine.painter.view import View


def fir(x: float, y: float, height: float, rng: np.random.Generator, tiers: int = 8) -> Outline:
    """Return the outline of a fir: foot at (x, y) in units, jagged boughs."""
    left, right = [], []
    lean = (float(rng.random()) - 0.5) * 0.03 * height
    slim = 0.17 + 0.05 * float(rng.random())
    for tier in range(tiers):
        low = 0.1 + 0.86 * (tier / tiers)
        reach = slim * height * (1 - low) ** 0.85
        jag = rng.random(2) * 0.35 + 0.75
        top = y - height * min(1.0, low + 0.86 / tiers * 0.75)
        droop = y - height * (low - 0.03)
        shift = lean * low
        left.append((x + shift - reach * jag[0], droop))
        left.append((x + shift - reach * 0.5, top))
        right.append((x + shift + reach * jag[1], droop))
        right.append((x + shift + reach * 0.5, top))
    trunk = 0.018 * height
    points = [
        (x - trunk, y),
        (x - trunk, y - 0.1 * height),
        *left,
        (x + lean, y - height),
        *reversed(right),
        (x + trunk, y - 0.1 * height),
        (x + trunk, y),
    ]
    return np.array(points, np.float64)


def fir_tone(view: View, near: float) -> Colour:
    """Return the colour of firs: dark when *near* (1), hazed when far (0)."""
    green: Colour = (38, 66, 56) if not view.tells("autumn") else (110, 74, 44)
    if view.tells("snow"):
        green = (84, 104, 118)
    return mixed(view.light.haze, view.light.on(green), 0.25 + 0.75 * near)


def fir_row(view: View, y: float, height: float, near: float, *, density: float) -> None:
    """Paint a row of firs of mixed heights whose feet follow a soft line around *y*."""
    view.begin("trees")
    if "trees" in view.hidden:
        return
    count = int(density * view.frame.w) + 2
    trees = []
    for place in range(count):
        x = (place + view.uniform(0.0, 1.0)) / count * view.frame.w
        tall = height * view.uniform(0.55, 1.25)
        foot = y + 0.012 * float(np.sin(x * 5 + near * 9)) + height * 0.05
        trees.append(fir(x, foot, tall, view.rng))
    tone = fir_tone(view, near)
    view.canvas.graded(trees, tone, mixed(tone, view.light.haze, 0.35))


def fir_clump(view: View, x: float, y: float, height: float, near: float) -> None:
    """Paint a few firs around the place *x* (a share of the width), the tallest in the middle."""
    view.begin("trees")
    if "trees" in view.hidden:
        return
    plan = sorted((view.uniform(0.0, 0.3), view.uniform(-1.0, 1.0)) for _ in range(7))
    for air, off in reversed(plan):
        tall = height * (1.05 - 0.5 * abs(off)) * view.uniform(0.75, 1.1)
        place = (x * view.frame.w + off * height * 0.55, y + view.uniform(-0.02, 0.03) * near)
        tree = fir(*place, tall, view.rng, tiers=11)
        tone = mixed(fir_tone(view, near), view.light.haze, air * (1.15 - near))
        view.canvas.graded([tree], tone, mixed(tone, (6, 8, 14), 0.3 * near))
        view.canvas.flat(
            [lit_side(tree, place[0], view.light.side)],
            mixed(tone, view.light.lit((120, 150, 104)), 0.3),
            0.55,
        )


def lit_side(tree: Outline, x: float, side: float) -> Outline:
    """Return the part of a fir that faces the light: its boughs from the trunk outwards."""
    part = tree.copy()
    inner = x + (part[:, 0] - x) * 0.12
    part[:, 0] = np.where((part[:, 0] - x) * side > 0, part[:, 0], inner)
    return part


def grove(view: View, x: float, y: float, size: float) -> None:
    """Paint a small group of round trees."""
    view.begin("trees")
    if "trees" in view.hidden:
        return
    leaf: Colour = (74, 106, 54)
    if view.tells("autumn"):
        leaf = (188, 104, 40)
    if view.tells("snow"):
        leaf = (196, 206, 216)
    for _ in range(5):
        dx, tall = view.uniform(-1.6, 1.6) * size, view.uniform(0.7, 1.2) * size
        crown = ellipse(x + dx, y - tall * 0.6, tall * 0.45, tall * 0.6)
        tone = mixed(view.light.on(leaf), view.light.haze, 0.3)
        view.canvas.graded([crown], mixed(tone, view.light.lit(leaf), 0.5), tone)


def trunk(x: float, y: float, height: float, width: float, bend: float) -> Outline:
    """Return a tree trunk from (x, y) upwards."""
    return taper(
        [(x, y), (x + bend * 0.4, y - height * 0.4), (x + bend, y - height)],
        (width * 1.5, width, width * 0.7),
    )
