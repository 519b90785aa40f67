"""Grass close to the eye: tufts of blades, where land seen in perspective is too smooth."""

from __future__ import annotations

import numpy as np

from opeai_nb.engine.painter.raster.colour import Colour, mixed, scaled
from opeai_nb.engine.painter.view import View

_BLADES = 7  # in a tuft
_WIDE = 640  # pixels in a unit that show every tuft


def tufts(view: View, top: float, many: int, tones: tuple[Colour, Colour]) -> None:
    """Grow *many* tufts in a unit of width from the height *top* down, larger towards the eye."""
    view.begin("land")
    frame, light = view.frame, view.light
    # In a small picture they would run into one another; the chance drawn is the same.
    shown = min(1.0, frame.unit / _WIDE)
    low = frame.h - top
    shades = (
        light.on(scaled(tones[0], 0.62)),
        mixed(light.on(tones[0]), light.lit(tones[1]), 0.3),
        mixed(light.on(tones[1]), light.lit(tones[1]), 0.6),
    )
    for number, shade in enumerate(shades):
        count = int(many * frame.w / len(shades))
        chance = view.rng.random((count, _BLADES, 4))[: round(count * shown)]
        near = chance[:, :1, 0] ** 0.8 * 0.8 + 0.2 * (number + 1) / len(shades)
        size = (0.005 + 0.024 * near**1.6) * (0.5 + chance[..., 1])
        foot = top + low * near * 1.04 + size * 0.2 * chance[..., 3]
        spread = (np.arange(_BLADES) / (_BLADES - 1) - 0.5) * 1.1
        x = chance[:, :1, 1] * frame.w + spread * size * 1.2
        lean = (spread + chance[..., 2] - 0.5) * size * 0.9
        half = size * 0.05 + 0.0006
        blades = np.stack(
            [
                x - half,
                foot,
                x + lean * 0.4 - half * 0.7,
                foot - size * 0.6,
                x + lean,
                foot - size,
                x + lean * 0.4 + half * 0.7,
                foot - size * 0.6,
                x + half,
                foot,
            ],
            axis=-1,
        ).reshape(-1, 5, 2)
        view.canvas.flat([*blades], shade, 0.75, ground=True)
