"""Shapes: outlines as arrays of points (n, 2); the canvas turns them into soft-edged masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[tuple[float, float]]

Outline = npt.NDArray[np.float64]


def outline(points: Points) -> Outline:
    """Answer straight lines from point to point."""
    return np.array(points, np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, n: int = 48) -> Outline:
    """Answer an ellipse around (x, y), turned by *turn* radians."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    dx, dy = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x + dx * cos - dy * sin, y + dx * sin + dy * cos], axis=1)


def box(x0: float, y0: float, x1: float, y1: float) -> Outline:
    """Answer a rectangle."""
    return outline([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def curve(points: Points, *, closed: bool = True, steps: int = 8) -> Outline:
    """Answer a smooth line through *points* (Catmull-Rom)."""
    knots = np.array(points, np.float64)
    if closed:
        ring = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        ring = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (ring[i:len(ring) - 3 + i, None, :] for i in range(4))
    line = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                  + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    flat: Outline = line.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, knots[-1:]])


def taper(points: Points, widths: Sequence[float], steps: int = 8) -> Outline:
    """Answer a band along a smooth line whose full width goes through *widths*."""
    spine = curve(points, closed=False, steps=steps)
    along = np.linspace(0, 1, len(spine))
    half = np.interp(along, np.linspace(0, 1, len(widths)), np.array(widths)) / 2
    tangent = np.gradient(spine, axis=0)
    length = np.hypot(tangent[:, 0], tangent[:, 1]) + 1e-9
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / length[:, None]
    left, right = spine + normal * half[:, None], spine - normal * half[:, None]
    end = spine[-1]
    turn = np.arctan2(tangent[-1, 1], tangent[-1, 0])
    fan = np.linspace(np.pi / 2, -np.pi / 2, 7)[1:-1] + turn
    cap = end + half[-1] * np.stack([np.cos(fan), np.sin(fan)], axis=1)
    return np.concatenate([left, cap, right[::-1]])


def placed(points: Outline, x: float, y: float, scale: float, flip: float = 1.0) -> Outline:
    """Move an outline drawn in its own space (y up, feet at 0) onto the picture (y down)."""
    moved = np.empty_like(points)
    moved[:, 0] = x + points[:, 0] * scale * flip
    moved[:, 1] = y - points[:, 1] * scale
    return moved
