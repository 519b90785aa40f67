"""Light: what the hour and the weather do to every colour in the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opeai_nb.engine.painter.raster.colour import Colour, mixed, multiplied, scaled, turned

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a scene. Colours 0 to 255; *ambient* multiplies surfaces (255 is neutral)."""

    time: str
    sky: tuple[Colour, ...]  # four: zenith, upper, lower, horizon
    sun: Colour
    ambient: Colour
    key: Colour
    haze: Colour
    cloud: Colour
    shade: Colour  # the underside of clouds
    glow: float
    lamps: float  # how much windows and lanterns shine, 0 to 1
    stars: float
    side: float = 1.0  # +1 the light comes from the right
    high: float = 0.2  # the sun above the horizon, in parts of the sky

    def on(self, surface: Colour) -> Colour:
        """Show a surface in the shade of this light."""
        return multiplied(surface, self.ambient)

    def lit(self, surface: Colour) -> Colour:
        """Show a surface struck by the key light."""
        return multiplied(surface, self.key)


LIGHTS: Mapping[str, Light] = {
    "dawn": Light(
        "dawn",
        ((96, 128, 186), (156, 168, 206), (240, 190, 180), (255, 214, 170)),
        (255, 226, 178),
        (186, 176, 206),
        (282, 242, 214),
        (236, 196, 190),
        (255, 222, 206),
        (168, 150, 186),
        0.75,
        0.25,
        0.0,
        high=0.12,
    ),
    "day": Light(
        "day",
        ((44, 112, 190), (92, 158, 216), (154, 202, 232), (218, 234, 238)),
        (255, 250, 226),
        (206, 216, 232),
        (276, 270, 252),
        (198, 218, 232),
        (255, 255, 252),
        (172, 190, 212),
        0.35,
        0.0,
        0.0,
        high=0.72,
    ),
    "sunset": Light(
        "sunset",
        ((58, 56, 118), (148, 82, 134), (240, 122, 92), (255, 196, 104)),
        (255, 216, 132),
        (168, 138, 158),
        (272, 208, 166),
        (236, 136, 106),
        (255, 166, 110),
        (120, 72, 122),
        1.0,
        0.5,
        0.06,
        high=0.09,
    ),
    "dusk": Light(
        "dusk",
        ((18, 32, 82), (42, 66, 132), (96, 104, 166), (214, 148, 148)),
        (255, 186, 142),
        (110, 124, 176),
        (216, 188, 198),
        (112, 110, 162),
        (146, 118, 162),
        (48, 56, 108),
        0.5,
        0.85,
        0.35,
        high=0.03,
    ),
    "night": Light(
        "night",
        ((8, 12, 36), (14, 24, 62), (26, 46, 96), (54, 82, 130)),
        (226, 234, 255),
        (62, 78, 128),
        (156, 178, 226),
        (34, 52, 98),
        (70, 88, 136),
        (16, 24, 58),
        0.55,
        1.0,
        1.0,
        high=0.6,
    ),
}


def light(time: str, weathers: tuple[str, ...], rng: np.random.Generator) -> Light:
    """Return the light of *time* under *weathers*, a little different with each *rng*."""
    base = LIGHTS[time]
    shift = float(rng.random() - 0.5) * 16
    sky = tuple(turned(one, shift) for one in base.sky)
    side = 1.0 if rng.random() < 0.5 else -1.0
    high = base.high * (0.8 + 0.45 * float(rng.random()))
    answer = replace(
        base,
        sky=sky,
        side=side,
        high=high,
        haze=turned(base.haze, shift),
        cloud=turned(base.cloud, shift),
    )
    for weather in weathers:
        if weather in {"rain", "fog", "snow"}:
            answer = _dulled(answer, {"rain": 0.62, "fog": 0.45, "snow": 0.4}[weather])
    return answer


def _dulled(bright: Light, share: float) -> Light:
    grey = mixed(bright.sky[2], bright.sky[1], 0.5)
    level = (grey[0] + grey[1] + grey[2]) / 3
    flat: Colour = (level * 0.96, level * 1.0, level * 1.06)
    sky = tuple(mixed(one, mixed(flat, one, 0.35), share) for one in bright.sky)
    return replace(
        bright,
        sky=sky,
        haze=mixed(bright.haze, flat, share * 0.8),
        key=mixed(bright.key, scaled(bright.ambient, 1.12), share * 0.6),
        glow=bright.glow * (1 - share * 0.6),
        stars=bright.stars * (1 - share),
        cloud=mixed(bright.cloud, scaled(flat, 1.1), share),
        shade=mixed(bright.shade, scaled(flat, 0.75), share),
        lamps=min(1.0, bright.lamps + 0.3 * share),
    )
