"""Water: a plane that mirrors what is above it, rippled, with the sun's path on it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from opeai_nb.engine.painter.raster.canvas import enlarged
from opeai_nb.engine.painter.raster.colour import Colour, mixed, vector
from opeai_nb.engine.painter.raster.noise_field import Field, sampled, smoothstep
from opeai_nb.engine.painter.view import View


def water(view: View, top: float, *, calm: float = 0.5, deep: Colour | None = None) -> None:
    """Paint water from the height *top* (units) to the bottom; *calm* 1 is a mirror, 0 open sea."""
    view.begin("water")
    frame = view.frame
    start = round(top * frame.unit)
    rows, width = frame.height - start, frame.width
    if rows <= 2:
        return
    half = max(2, rows // 2), max(2, width // 2)
    down = (np.linspace(0, 1, half[0], dtype=np.float32) * rows / frame.unit)[:, None]
    across = np.linspace(0, frame.w, half[1], dtype=np.float32)[None, :]
    swell = _swell(view, across, down, calm)
    mirror = _mirror(view, start, swell, down, calm)
    body = _body(view, deep, down)
    fresnel = np.clip(0.86 - down * (0.75 - 0.3 * calm) + swell * 0.25, 0.22, 0.95)[..., None]
    colour = body + fresnel * (mirror - body)
    colour += _glitter(view, across, down, swell)[..., None] * (vector(view.light.sun) - colour)
    if calm < 0.4:
        colour += _foam(view, across, down)[..., None] * (
            vector(view.light.lit((240, 246, 250))) - colour
        )
    view.canvas.image.paste(enlarged(colour, (width, rows)), (0, start))
    if view.canvas.matte is not None:
        view.canvas.matte.paste(255, (0, start, width, frame.height))


def _swell(view: View, across: Field, down: Field, calm: float) -> Field:
    texture = view.texture()
    depth = np.float32(0.11) / (down + np.float32(0.012))
    x = (across - np.float32(view.frame.w / 2)) * depth
    far = sampled(texture, x * 20, depth * 90)
    fine = sampled(texture, x * 60 + 31, depth * 280)
    answer: Field = ((far - 0.5) * 1.3 + (fine - 0.5) * 0.8) * np.float32(1.15 - 0.75 * calm)
    return answer


def _mirror(view: View, start: int, swell: Field, down: Field, calm: float) -> Field:
    frame = view.frame
    small = view.canvas.image.resize(
        (swell.shape[1], max(2, start // 2)),
        Image.Resampling.BOX,
        (0, 0, frame.width, max(2, start)),
    )
    above = np.asarray(small)
    height = above.shape[0]
    squeeze = min(1.0, height / max(1, swell.shape[0])) if calm < 0.8 else 1.0
    unit = frame.unit / 2
    row = down * np.float32(squeeze) + swell * (np.float32(0.03) + down * np.float32(0.5))
    row = np.clip(np.abs(height - 1 - row * unit), 0, height - 1).astype(np.int32)
    shift = (swell * (np.float32(0.012) + down * 0.05) * unit).astype(np.int32)
    column = np.clip(np.arange(swell.shape[1], dtype=np.int32) + shift, 0, swell.shape[1] - 1)
    flat = above.reshape(-1, 3).take(row * swell.shape[1] + column, axis=0)
    answer: Field = flat.astype(np.float32)
    return answer


def _body(view: View, deep: Colour | None, down: Field) -> Field:
    light = view.light
    base = deep or {"day": (22, 104, 138), "dawn": (64, 92, 128)}.get(light.time, (34, 52, 96))
    dark = mixed(light.on(base), (10, 20, 44), 0.15)
    pale = mixed(light.lit(base), light.haze, 0.35)
    share = np.clip(down * 1.6, 0, 1)[..., None]
    answer: Field = vector(pale) + share * (vector(dark) - vector(pale))
    return answer


def _glitter(view: View, across: Field, down: Field, swell: Field) -> Field:
    if view.tells("rain") or view.tells("fog") or {"sun", "moon"} & view.hidden:
        return np.zeros_like(swell)
    spread = np.float32(0.035) + down * np.float32(0.24)
    path = np.exp(-(((across - np.float32(view.sun[0])) / spread) ** 2))
    sparks = smoothstep(0.02, 0.3, swell * (0.5 + 0.8 * path) + path * 0.1)
    strength = {"day": 0.35, "dusk": 0.45}.get(view.light.time, 0.85)
    answer: Field = sparks * path * np.float32(strength)
    return answer


def _foam(view: View, across: Field, down: Field) -> Field:
    texture = view.texture()
    depth = np.float32(0.11) / (down + np.float32(0.012))
    crest = sampled(texture, (across - 1) * depth * 26, depth * 120)
    ridge = 1 - np.abs(crest - 0.5) * 14
    broken = sampled(texture, across * 190, down * 700)
    answer: Field = (
        np.clip(ridge, 0, 1) * smoothstep(0.48, 0.62, broken) * np.clip(down * 2.2, 0, 0.55)
    )
    return answer
