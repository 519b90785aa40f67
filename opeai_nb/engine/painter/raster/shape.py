"""Shapes: outlines as arrays of points (n, 2); the canvas turns them into soft-edged masks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[tuple[float, float]]

Outline = npt.NDArray[np.floating[Any]]  # (n, 2)


def outline(points: Points) -> Outline:
    """Return straight lines from point to point."""
    return np.array(points, np.float64)


@cache
def _circle(n: int) -> Outline:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)])


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, n: int = 48) -> Outline:
    """Return an ellipse around (x, y), turned by *turn* radians."""
    round_ = _circle(n)
    dx, dy = rx * round_[0], ry * round_[1]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x + dx * cos - dy * sin, y + dx * sin + dy * cos], axis=1)


def box(x0: float, y0: float, x1: float, y1: float) -> Outline:
    """Return a rectangle."""
    return outline([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


@cache
def _weights(steps: int) -> Outline:
    """Return the Catmull-Rom weights of four knots, a row for each step between the middle two."""
    t = np.arange(steps)[:, None] / steps
    return 0.5 * np.concatenate(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2],
        axis=1,
    )


@cache
def shares(count: int) -> Outline:
    """Return *count* numbers from 0 to 1, for reading only."""
    return np.linspace(0, 1, count)


_FAN = np.linspace(np.pi / 2, -np.pi / 2, 7)[1:-1]


def curve(points: Points, *, closed: bool = True, steps: int = 8) -> Outline:
    """Return a smooth line through *points* (Catmull-Rom)."""
    knots = np.array(points, np.float64)
    if closed:
        ring = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        ring = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    spans = np.stack([ring[:-3], ring[1:-2], ring[2:-1], ring[3:]], axis=1)
    flat: Outline = (_weights(steps) @ spans).reshape(-1, 2)
    return flat if closed else np.concatenate([flat, knots[-1:]])


def taper(points: Points, widths: Sequence[float], steps: int = 8) -> Outline:
    """Return a band along a smooth line whose full width goes through *widths*."""
    spine = curve(points, closed=False, steps=steps)
    half = np.interp(shares(len(spine)), shares(len(widths)), np.array(widths)) / 2
    tangent = np.empty_like(spine)
    tangent[1:-1] = spine[2:] - spine[:-2]
    tangent[0], tangent[-1] = spine[1] - spine[0], spine[-1] - spine[-2]
    scale = half / (np.hypot(tangent[:, 0], tangent[:, 1]) + 1e-9)
    offset = np.empty_like(spine)
    offset[:, 0], offset[:, 1] = -tangent[:, 1] * scale, tangent[:, 0] * scale
    turn = _FAN + np.arctan2(tangent[-1, 1], tangent[-1, 0])
    cap = spine[-1] + half[-1] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.concatenate([spine + offset, cap, (spine - offset)[::-1]])


def placed(points: Outline, x: float, y: float, scale: float, flip: float = 1.0) -> Outline:
    """Move an outline drawn in its own space (y up, feet at 0) onto the picture (y down)."""
    moved = np.empty_like(points)
    moved[:, 0] = x + points[:, 0] * scale * flip
    moved[:, 1] = y - points[:, 1] * scale
    return moved
