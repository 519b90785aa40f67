"""Colours: named ones, and the arithmetic of mixing them. RGB, 0 to 255, as floats."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np

from opeai_nb.engine.painter.raster.noise_field import Field

if TYPE_CHECKING:
    from collections.abc import Mapping


Colour = tuple[float, float, float]

NAMED: Mapping[str, Colour] = {
    "red": (206, 48, 44),
    "orange": (236, 126, 44),
    "yellow": (244, 202, 68),
    "gold": (222, 172, 72),
    "green": (72, 148, 84),
    "lime": (152, 200, 72),
    "olive": (128, 132, 60),
    "teal": (24, 140, 146),
    "turquoise": (64, 196, 190),
    "cyan": (56, 190, 226),
    "blue": (48, 104, 196),
    "navy": (28, 48, 104),
    "indigo": (72, 64, 168),
    "violet": (134, 88, 200),
    "purple": (128, 64, 168),
    "magenta": (204, 52, 148),
    "pink": (242, 146, 176),
    "rose": (220, 104, 124),
    "coral": (244, 120, 98),
    "brown": (132, 86, 54),
    "beige": (222, 202, 168),
    "cream": (246, 232, 204),
    "white": (242, 240, 234),
    "grey": (138, 142, 148),
    "silver": (188, 194, 202),
    "black": (36, 36, 42),
    "emerald": (24, 136, 96),
    "crimson": (172, 28, 56),
    "lavender": (176, 156, 220),
    "peach": (250, 190, 150),
    "mint": (152, 216, 184),
    "amber": (240, 160, 40),
    "sepia": (150, 110, 70),
    "mono": (128, 128, 128),
}


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Go from *one* to *other* by *share*, 0 to 1."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def scaled(one: Colour, factor: float) -> Colour:
    """Make *one* brighter or darker by *factor*."""
    return min(255.0, one[0] * factor), min(255.0, one[1] * factor), min(255.0, one[2] * factor)


def multiplied(one: Colour, light: Colour) -> Colour:
    """Show the surface *one* under *light* (255 is plain daylight; above it brightens)."""
    return scaled((one[0] * light[0] / 255, one[1] * light[1] / 255, one[2] * light[2] / 255), 1)


def turned(one: Colour, degrees: float, saturation: float = 1.0, value: float = 1.0) -> Colour:
    """Turn the hue of *one* by *degrees*, and scale its saturation and value."""
    hue, sat, val = colorsys.rgb_to_hsv(one[0] / 255, one[1] / 255, one[2] / 255)
    red, green, blue = colorsys.hsv_to_rgb(
        (hue + degrees / 360) % 1.0, min(1.0, sat * saturation), min(1.0, val * value)
    )
    return red * 255, green * 255, blue * 255


def luma(one: Colour) -> float:
    """Return the lightness of *one*, 0 to 255."""
    return 0.299 * one[0] + 0.587 * one[1] + 0.114 * one[2]


def whole(one: Colour) -> tuple[int, int, int]:
    """Return *one* as Pillow wants it."""
    return (
        min(255, max(0, round(one[0]))),
        min(255, max(0, round(one[1]))),
        min(255, max(0, round(one[2]))),
    )


def ramp(stops: tuple[tuple[float, Colour], ...], at: Field) -> Field:
    """Return colours (…, 3) for the positions *at*, between *stops* in rising order."""
    places = np.array([stop[0] for stop in stops], np.float64)
    answer = np.empty((*at.shape, 3), np.float32)
    for channel in range(3):
        values = np.array([stop[1][channel] for stop in stops], np.float64)
        answer[..., channel] = np.interp(at, places, values)
    return answer


def vector(one: Colour) -> Field:
    """Return *one* as a float32 array of 3."""
    return np.array(one, np.float32)
