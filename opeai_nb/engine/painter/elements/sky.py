"""Skies: gradient, sun or moon, clouds lit from below or above, stars, aurora, rainbow."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from opeai_nb.engine.painter.raster.canvas import enlarged
from opeai_nb.engine.painter.raster.colour import mixed, ramp, scaled, vector
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field, clouds, lattice, ridge, smoothstep
from opeai_nb.engine.painter.view import View

_COARSE = 3.0  # pixels to a sample: skies are smooth, and a ninth of the work
_BRIGHT = 0.8  # stars above it glow


def sky(view: View) -> None:
    """Paint the whole sky, down to a little below the horizon."""
    view.begin("sky")
    _lay_air(view)
    if view.light.stars > 0.03:
        stars(view, view.light.stars, view.horizon)
    disc(view)
    if view.tells("rainbow"):
        _rainbow(view)
    view.begin("land")


def _lay_air(view: View) -> None:
    # What lies far below the horizon is covered by land or water.
    frame = view.frame
    air = _air(view)
    rows = min(air.shape[0], round(air.shape[0] * (view.horizon + 0.12) / frame.h))
    height = round(rows * frame.height / air.shape[0])
    view.canvas.image.paste(enlarged(air[:rows], (frame.width, height)))


def _air(view: View) -> Field:
    """Return the sky, coarse: (rows, columns, 3), a plane for each channel in memory."""
    frame, light = view.frame.reduced(_COARSE), view.light
    down = np.linspace(0, view.frame.h, frame.height, dtype=np.float32) / np.float32(view.horizon)
    zenith, upper, lower, low = light.sky
    column = ramp(((0.0, zenith), (0.42, upper), (0.78, lower), (1.0, low), (1.5, low)), down)
    across = np.linspace(0, view.frame.w, frame.width, dtype=np.float32)
    aside = (across[None, :] - view.sun[0]) ** 2
    beneath = (down[:, None] * np.float32(view.horizon) - view.sun[1]) ** 2
    near = np.exp(np.sqrt(aside + beneath * 1.6) * np.float32(-2.4)) * np.float32(0.55 * light.glow)
    planes = np.empty((3, frame.height, frame.width), np.float32)
    for channel, sun in enumerate(light.sun):
        tone = column[:, channel, None]
        planes[channel] = tone + near * (sun - tone)
    _add_clouds(view, frame, planes, down, near)
    air: Field = np.moveaxis(planes, 0, -1)
    if view.tells("aurora"):
        _add_aurora(view, frame, air, down)
    _add_halo(view, planes, np.sqrt(aside + beneath))
    return air


def _add_halo(view: View, planes: Field, far: Field) -> None:
    """Let the air around the sun or moon shine; *far* is how far away it is, in units."""
    for reach, strength in _halos(view):
        fall = np.clip(1 - far * np.float32(1 / reach), 0, 1)
        fall *= fall
        for channel, sun in enumerate(view.light.sun):
            planes[channel] += fall * np.float32(sun * strength / 255) * (255 - planes[channel])


def halo(view: View) -> None:
    """Add the glow of the sun or moon to what is painted already."""
    for reach, strength in _halos(view):
        view.canvas.glow(*view.sun, reach, view.light.sun, strength)


def _halos(view: View) -> tuple[tuple[float, float], ...]:
    """Return the reach in units and the strength of each glow around the sun or moon."""
    light = view.light
    if view.tells("rain") or view.tells("snow"):
        return ((0.4, 0.25 * light.glow),)
    radius = _radius(view)
    return (radius * 7, 0.5 * light.glow), (radius * 2.6, 0.6 * light.glow)


def _radius(view: View) -> float:
    return 0.075 if view.scene.has("moon") or view.light.time == "sunset" else 0.045


def _add_clouds(view: View, frame: Frame, planes: Field, down: Field, near: Field) -> None:
    rng, light = view.rng, view.light
    cover = 0.53 - 0.07 * float(rng.random())
    for weather, more in (("cloud", 0.12), ("rain", 0.16), ("snow", 0.1), ("fog", 0.06)):
        cover -= more if view.tells(weather) else 0.0
    height = np.clip(1 - down, 0, 1)[:, None]
    puffs = clouds(rng, frame, 1.5, 4.2, octaves=5, gain=0.52)
    veil = clouds(rng, frame, 0.7, 5.5, octaves=4)
    shift = max(2, frame.height // 40)
    rows, columns = (
        np.arange(frame.height) - shift,
        np.arange(frame.width) + int(light.side * shift),
    )
    aside = puffs[np.clip(rows, 0, None)][:, np.clip(columns, 0, frame.width - 1)]
    dense = smoothstep(cover, cover + 0.2, puffs) * smoothstep(0.0, 0.22, height)
    # A cloud is bright where there is less of it towards the light.
    bright = np.clip(0.55 + (puffs - aside) * 5.0, 0, 1)
    if view.light.high < 0.3:
        bright = np.clip(1.1 - bright * 0.9, 0, 1)
    strength = np.float32(0.9 if light.stars < 0.5 else 0.5)
    dense *= strength
    if "cloud" in view.hidden:
        return
    wisps = smoothstep(0.5, 0.78, veil) * (np.float32(0.35) * strength)
    near = near * np.float32(0.9)
    for channel, (shade, cloud, sun, wisp) in enumerate(
        zip(light.shade, light.cloud, light.sun, mixed(light.cloud, light.sun, 0.3), strict=True)
    ):
        body = shade + bright * np.float32(cloud - shade)
        body += near * (sun - body)
        air = planes[channel]
        air += dense * (body - air)
        air += wisps * (wisp - air)


def _add_aurora(view: View, frame: Frame, air: Field, down: Field) -> None:
    rng = view.rng
    across = np.arange(frame.width)
    shades = ((70, 255, 170), (60, 220, 255), (190, 90, 255))
    first = int(rng.integers(3))
    for band in range(3):
        crest = (
            0.34
            + 0.16 * band
            + 0.36 * (ridge(rng, frame.width, 2.2 * view.frame.w, octaves=3) - 0.5)
        )
        tall = 0.28 + 0.3 * ridge(rng, frame.width, 3 * view.frame.w, octaves=2)
        strands = ridge(rng, frame.width, 26 * view.frame.w, octaves=3)
        rise = crest[None, :] - down[:, None]
        fall = np.where(rise > 0, np.exp(-rise / (tall[None, :] * 0.55)), np.exp(rise * 26))
        glow = fall * (0.35 + 0.95 * strands[None, across] ** 1.5)
        low, high = shades[first - band], shades[first - band - 1]
        mix = np.clip(rise / tall[None, :], 0, 1)[..., None]
        air += (
            (glow * np.float32(0.75 - 0.17 * band))[..., None]
            * (vector(low) * (1 - mix) + vector(high) * mix)
            * np.float32(0.62)
        )
    np.clip(air, 0, 255, out=air)


def stars(view: View, share: float, low: float, *, many: int = 520) -> None:
    """Scatter stars above *low*, a few of them with a glow."""
    if "stars" in view.hidden:
        return
    frame, rng = view.frame, view.rng
    count = int(many * frame.w * low * share)
    place, size = rng.random((count, 2)), rng.random(count) ** 6
    sky_rows = min(frame.height, max(1, round(low * frame.unit)))
    mask = Image.new("L", (frame.width * 2, sky_rows * 2))
    pen = ImageDraw.Draw(mask)
    for (x, y), big in zip(place.tolist(), size.tolist(), strict=True):
        reach = frame.unit / 1024 * (1.3 + 1.5 * big + (1.2 if big > _BRIGHT else 0.0))
        across, down = x * frame.width * 2, y**1.35 * low * frame.unit * 2
        pen.ellipse(
            (across - reach, down - reach, across + reach, down + reach),
            fill=round(110 + 145 * big),
        )
    area = (0, 0, frame.width, sky_rows)
    view.canvas.image.paste((246, 248, 255), area, mask.reduce(2))
    for (x, y), big in zip(place.tolist(), size.tolist(), strict=True):
        if big > _BRIGHT:
            view.canvas.glow(x * frame.w, y**1.35 * low, 0.022 * big, (190, 205, 255), 0.5)


def disc(view: View) -> None:
    """Paint the sun or the moon itself."""
    light, canvas = view.light, view.canvas
    x, y = view.sun
    is_moon = light.time == "night" or view.scene.has("moon")
    wanted = ("moon" if is_moon else "sun") in view.shown
    if ("moon" if is_moon else "sun") in view.hidden:
        return
    if (view.tells("rain") or view.tells("snow")) and not wanted:
        return
    radius = _radius(view)
    if is_moon:
        _moon(view, x, y, radius * 1.05)
    elif light.time in {"dawn", "sunset"} or wanted:
        from opeai_nb.engine.painter.raster.shape import ellipse

        canvas.flat(
            [ellipse(x, y, radius, radius, n=72)],
            mixed(light.sun, (255, 255, 250), 0.45),
            0.97,
            ground=True,
        )


def _moon(view: View, x: float, y: float, radius: float) -> None:
    from opeai_nb.engine.painter.raster.shape import ellipse

    canvas = view.canvas
    canvas.graded(
        [ellipse(x, y, radius, radius, n=72)], (255, 252, 240), (226, 226, 232), ground=True
    )
    for dx, dy, size in (
        (-0.3, -0.25, 0.3),
        (0.25, 0.1, 0.22),
        (-0.15, 0.35, 0.2),
        (0.3, -0.4, 0.13),
        (-0.55, 0.12, 0.12),
    ):
        canvas.flat(
            [ellipse(x + dx * radius, y + dy * radius, size * radius, size * radius * 0.9)],
            (202, 204, 216),
            0.55,
            ground=True,
        )


def _rainbow(view: View) -> None:
    from opeai_nb.engine.painter.raster.shape import taper

    x, y = view.frame.w * (0.5 - 0.12 * view.light.side), view.horizon * 1.05
    angle = np.linspace(np.pi * 1.02, np.pi * 1.98, 14)
    hues = (
        (226, 76, 70),
        (244, 152, 66),
        (248, 222, 92),
        (98, 196, 118),
        (82, 148, 226),
        (130, 94, 200),
    )
    radius = min(view.horizon * 0.92, view.frame.w * 0.62)
    for band, hue in enumerate(hues):
        reach = radius - band * 0.014
        arc = [(x + reach * float(np.cos(a)), y + reach * float(np.sin(a))) for a in angle]
        view.canvas.flat(
            [taper(arc, (0.016, 0.016))], mixed(hue, view.light.sky[2], 0.2), 0.38, ground=True
        )


def mist(view: View, y: float, thickness: float, strength: float) -> None:
    """Lay a bank of haze around the height *y*."""
    view.begin("")
    frame = view.frame
    top, bottom = max(0.0, y - thickness), min(frame.h, y + thickness)
    rows = round(bottom * frame.unit) - round(top * frame.unit)
    if rows <= 1:
        return
    down = np.linspace(-1, 1, rows, dtype=np.float32)
    small = frame.reduced(8)
    drift = lattice(view.rng, small, 1.6, 0.01)[:1]
    wide = np.asarray(Image.fromarray(drift).resize((frame.width, 1)), np.float32)
    bank = np.exp(-((down * 1.9) ** 2))[:, None] * (0.45 + 0.75 * wide) * np.float32(255 * strength)
    mask = Image.fromarray(np.clip(bank, 0, 255).astype(np.uint8))
    view.canvas.lay(
        (mask, (0, round(top * frame.unit))), scaled(view.light.haze, 1.04), ground=True
    )
