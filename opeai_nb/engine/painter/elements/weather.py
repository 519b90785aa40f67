"""Weather in front of everything: falling snow, rain, fog."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from opeai_nb.engine.painter.raster.colour import mixed, whole
from opeai_nb.engine.painter.raster.noise_field import clouds, smoothstep
from opeai_nb.engine.painter.view import View

_NEAR_FLAKE = 0.008  # units; from this radius on a flake is out of focus


def weather(view: View) -> None:
    """Paint the scene's weather over the picture."""
    if view.tells("snow") and view.setting not in {"room", "table", "space"}:
        snowfall(view)
    if view.tells("rain") and view.setting not in {"room", "table", "space", "underwater"}:
        rainfall(view)
    if view.tells("fog"):
        fog(view, 0.3)


def backdrop(view: View) -> None:
    """Paint the weather that lies behind the subjects."""
    if view.tells("fog"):
        fog(view, 0.85)


def snowfall(view: View) -> None:
    """Let snow fall, near flakes large and faint."""
    frame = view.frame
    mask = Image.new("L", (frame.width * 2, frame.height * 2))
    pen = ImageDraw.Draw(mask)
    for size, many, opacity in ((0.0022, 260, 190), (0.0042, 110, 220), (0.0085, 34, 130)):
        chance = view.rng.random((int(many * frame.w * frame.h), 3))
        radius = size * (0.6 + 0.8 * chance[:, 2]) * frame.unit * 2
        x, y = chance[:, 0] * mask.width, chance[:, 1] * mask.height
        # A near flake is out of focus: rings that grow brighter inwards.
        rings = (1.0,) if size < _NEAR_FLAKE else (1.3, 1.1, 0.9, 0.65)
        for number, share in enumerate(rings):
            reach = radius * share
            flakes = np.stack([x - reach, y - reach, x + reach, y + reach], 1)
            for flake in flakes.tolist():
                pen.ellipse(flake, fill=round(opacity * (number + 1) / len(rings)))
    view.canvas.image.paste((250, 252, 255), (0, 0, *frame.size), mask.reduce(2))


def rainfall(view: View) -> None:
    """Let rain fall aslant."""
    frame = view.frame
    slant = 0.16 * view.light.side
    tone = mixed(view.light.haze, (255, 255, 255), 0.5)
    mask = Image.new("L", (frame.width * 2, frame.height * 2))
    pen = ImageDraw.Draw(mask)
    wide = max(1, round(frame.unit / 420))
    for length, many, opacity in ((0.045, 300, 60), (0.085, 140, 85)):
        chance = view.rng.random((int(many * frame.w * frame.h), 2)) * 1.2 - 0.1
        x, y = chance[:, 0] * mask.width, chance[:, 1] * mask.height
        reach = length * frame.unit * 2
        for drop in np.stack([x, y, x - slant * reach, y + reach], 1).tolist():
            pen.line(drop, fill=opacity, width=wide)
    view.canvas.image.paste(whole(tone), (0, 0, *frame.size), mask.reduce(2))


def fog(view: View, strength: float) -> None:
    """Let banks of fog drift over the lower half."""
    frame = view.frame
    coarse = frame.reduced(6)
    bank = clouds(view.rng, coarse, 0.9, 2.6, octaves=4)
    down = np.linspace(0, frame.h, coarse.height, dtype=np.float32)[:, None]
    low = np.exp(-(((down - view.horizon - 0.04) / 0.24) ** 2)) * 0.8
    mask = smoothstep(0.22, 0.9, bank * 0.6 + low * 0.7) * np.float32(225 * strength)
    full = Image.fromarray(mask.astype(np.uint8)).resize(frame.size, Image.Resampling.BILINEAR)
    tone = mixed(view.light.haze, (235, 238, 242), 0.25)
    view.canvas.image.paste(whole(tone), (0, 0, *frame.size), full)
