"""Abstract pictures, for prompts whose words name nothing the painter knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from opeai_nb.engine.painter.raster.canvas import enlarged
from opeai_nb.engine.painter.raster.colour import (
    NAMED,
    Colour,
    luma,
    mixed,
    ramp,
    scaled,
    turned,
    vector,
)
from opeai_nb.engine.painter.raster.noise_field import (
    Field,
    clouds,
    ridge,
    sampled,
    smoothstep,
    tile,
)
from opeai_nb.engine.painter.raster.shape import box, curve, ellipse, outline, taper
from opeai_nb.engine.painter.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# dark to light, the fourth an accent
_PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((24, 30, 60), (58, 80, 140), (232, 120, 92), (250, 204, 130), (250, 240, 222)),
    ((18, 52, 60), (30, 120, 122), (120, 190, 160), (240, 180, 90), (248, 240, 214)),
    ((52, 20, 62), (150, 48, 110), (236, 98, 100), (250, 178, 110), (254, 238, 206)),
    ((30, 34, 44), (86, 98, 112), (190, 84, 60), (226, 190, 140), (244, 238, 228)),
    ((14, 44, 84), (44, 116, 182), (130, 196, 222), (250, 150, 120), (250, 244, 230)),
    ((38, 54, 40), (92, 130, 84), (188, 196, 120), (224, 120, 70), (246, 240, 218)),
    ((44, 30, 90), (98, 84, 190), (170, 150, 232), (90, 210, 200), (246, 240, 250)),
)


def palette(view: View) -> tuple[Colour, ...]:
    """Return five colours from dark to light, the fourth an accent."""
    tints = [NAMED[name] for name in view.scene.tints if name in NAMED]
    if not tints:
        chosen = _PALETTES[int(view.rng.integers(len(_PALETTES)))]
        shift = view.uniform(-12, 12)
        return tuple(turned(one, shift) for one in chosen)
    first, second = tints[0], tints[1] if len(tints) > 1 else turned(tints[0], 28, 0.9, 1.1)
    return (
        mixed(scaled(first, 0.3), (14, 14, 34), 0.3),
        scaled(first, 0.75),
        first,
        mixed(second, (255, 250, 240), 0.25),
        mixed(first, (255, 252, 244), 0.85),
    )


def _stops(tones: tuple[Colour, ...]) -> tuple[tuple[float, Colour], ...]:
    return tuple((number / (len(tones) - 1), tone) for number, tone in enumerate(tones))


def _axes(view: View, factor: float) -> tuple[Field, Field, tuple[int, int]]:
    frame = view.frame.reduced(factor)
    x = np.linspace(0, view.frame.w, frame.width, dtype=np.float32)[None, :]
    y = np.linspace(0, view.frame.h, frame.height, dtype=np.float32)[:, None]
    return x, y, frame.size


def silk(view: View) -> None:
    """Fold a lit cloth of colour: warped waves with a sheen."""
    x, y, size = _axes(view, 2)
    from opeai_nb.engine.painter.raster.frame import Frame

    coarse = Frame(*size)
    bend = clouds(view.rng, coarse, 0.9, octaves=3, gain=0.4)
    twist = clouds(view.rng, coarse, 0.9, octaves=3, gain=0.4)
    angle = view.uniform(0, 3.1)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    phase = along * 1.5 + bend * 4.2 + np.sin(twist * 8 + along * 3) * 0.4
    fold = 1 - np.abs(np.sin(phase * 7)) ** 0.8
    down, across = np.gradient(fold)
    sheen = (across * 0.7 * view.light.side - down * 0.6) * np.float32(coarse.unit * 0.06)
    colour = ramp(
        _stops(palette(view)), np.clip((np.sin(phase * 2.9) * 0.5 + 0.5) * 0.85 + fold * 0.16, 0, 1)
    )
    colour *= (0.86 + 0.24 * fold + np.clip(sheen, -0.42, 0.3))[..., None]
    colour += (np.clip(sheen - 0.12, 0, 1) ** 1.3 * 70)[..., None]
    view.canvas.image.paste(enlarged(np.asarray(colour, np.float32), view.frame.size))


def threads(view: View) -> None:
    """Draw hundreds of threads along one flow."""
    tones = palette(view)
    dark = view.rng.random() < 0.6
    ground = tones[0] if dark else tones[4]
    _wash(view, ground, scaled(ground, 0.8))
    texture = tile(view.rng, 256, 4, 3, 0.5)
    many = int(420 * view.frame.w * view.frame.h)
    points = view.rng.random((many, 2)) * np.array([view.frame.w * 1.2, view.frame.h * 1.2]) - 0.1
    turn = view.uniform(0, 6.3)
    lines = [points]
    for _ in range(26):
        last = lines[-1].astype(np.float32)
        angle = sampled(texture, last[:, 0] * 70, last[:, 1] * 70) * 11 + turn
        lines.append(lines[-1] + np.stack([np.cos(angle), np.sin(angle)], 1) * 0.02)
    paths = np.stack(lines, 1)
    picks = view.rng.random(many)
    for number in range(5):
        tone = tones[1:][number % 4] if dark else tones[:4][number % 4]
        wide = 0.0016 + 0.0022 * number
        chosen = paths[(picks >= number / 5) & (picks < (number + 1) / 5)]
        bands = [
            taper([(float(p[0]), float(p[1])) for p in path[::3]], (0.0005, wide, 0.0005), 3)
            for path in chosen
        ]
        view.canvas.flat(bands, tone, 0.85)


def _wash(view: View, top: Colour, bottom: Colour) -> None:
    x, y, _ = _axes(view, 4)
    share = (y / view.frame.h * 0.8 + x / view.frame.w * 0.2)[..., None]
    view.canvas.image.paste(
        enlarged(
            (vector(top) + share * (vector(bottom) - vector(top))).astype(np.float32),
            view.frame.size,
        )
    )


def circles(view: View) -> None:
    """Compose discs, arcs and bars in the manner of the 1920s."""
    tones = palette(view)
    frame = view.frame
    _wash(view, tones[4], mixed(tones[4], tones[3], 0.25))
    side = view.light.side
    centre = (frame.w * (0.5 + 0.1 * side), frame.h * 0.44)
    for number, share in enumerate((0.36, 0.27, 0.17, 0.08)):
        place = (centre[0] + number * 0.025 * side, centre[1] - number * 0.018)
        view.canvas.graded(
            [ellipse(*place, share, share, n=90)],
            mixed(tones[(number + 1) % 4], tones[4], 0.12),
            tones[(number + 1) % 4],
        )
    for _ in range(int(7 * max(frame.w, frame.h))):
        x, y = view.uniform(0.05, 0.95) * frame.w, view.uniform(0.05, 0.95) * frame.h
        tone = tones[int(view.rng.integers(4))]
        kind = int(view.rng.integers(4))
        size = view.uniform(0.03, 0.13)
        if kind == 0:
            view.canvas.flat([ellipse(x, y, size, size)], tone, 0.82)
        elif kind == 1:
            turn = view.uniform(0, 3.1)
            dx, dy = float(np.cos(turn)) * size * 3.4, float(np.sin(turn)) * size * 3.4
            view.canvas.flat([taper([(x - dx, y - dy), (x + dx, y + dy)], (0.004, 0.013))], tone)
        elif kind == 2:
            arc = [
                (x + size * 1.6 * float(np.cos(a)), y + size * 1.6 * float(np.sin(a)))
                for a in np.linspace(0, 3.4, 9) + view.uniform(0, 6)
            ]
            view.canvas.flat([taper(arc, (0.012, 0.012))], tone)
        else:
            view.canvas.graded(
                [outline([(x, y - size), (x + size, y + size * 0.8), (x - size, y + size * 0.8)])],
                tone,
                scaled(tone, 0.8),
                0.9,
            )
    view.canvas.flat(
        [taper([(0, frame.h * 0.86), (frame.w, frame.h * 0.78)], (0.004, 0.018))], tones[0]
    )


def tiles(view: View) -> None:
    """Lay a quilt of quarter circles, discs and leaves."""
    tones = palette(view)
    side = 1 / (5 + int(view.rng.integers(3)))
    columns, rows = round(view.frame.w / side), round(view.frame.h / side)
    wide, tall = view.frame.w / columns, view.frame.h / rows
    quarter = np.linspace(0, np.pi / 2, 20)
    for row in range(rows):
        for column in range(columns):
            x, y = column * wide, row * tall
            first, second = view.rng.integers(0, 5, 2)
            if first == second:
                second = (second + 2) % 5
            ground, shape = tones[int(first)], tones[int(second)]
            view.canvas.flat([box(x, y, x + wide, y + tall)], ground)
            kind, corner = int(view.rng.integers(5)), int(view.rng.integers(4))
            cx, cy = x + wide * (corner % 2), y + tall * (corner // 2)
            dx, dy = wide * (1 - 2 * (corner % 2)), tall * (1 - 2 * (corner // 2))
            arc = np.stack([cx + dx * np.cos(quarter), cy + dy * np.sin(quarter)], 1)
            fan = np.concatenate([[(cx, cy)], arc])
            if kind in {0, 1}:
                view.canvas.graded([fan], shape, mixed(shape, ground, 0.16))
                inner = np.array((cx, cy)) + (fan - np.array((cx, cy))) * 0.5
                view.canvas.flat([inner], tones[int((second + 2) % 5)] if kind else ground)
            elif kind == 2:
                other = np.stack(
                    [cx + dx - dx * np.cos(quarter), cy + dy - dy * np.sin(quarter)], 1
                )
                view.canvas.flat([np.concatenate([arc, other])], shape)
            elif kind == 3:
                view.canvas.flat(
                    [ellipse(x + wide / 2, y + tall / 2, wide * 0.36, tall * 0.36)], shape
                )
                view.canvas.flat(
                    [ellipse(x + wide / 2, y + tall / 2, wide * 0.15, tall * 0.15)], ground
                )
            else:
                view.canvas.flat([outline([(x, y), (x + wide, y + tall), (x, y + tall)])], shape)


def paper(view: View) -> None:
    """Stack cut papers in waves, each casting a shadow on the next."""
    tones = palette(view)
    frame = view.frame
    _wash(view, tones[4], tones[3])
    sun = (frame.w * (0.5 + 0.2 * view.light.side), frame.h * 0.3)
    _sheet(view, ellipse(*sun, 0.17, 0.17, n=80), mixed(tones[3], (255, 250, 236), 0.35))
    layers = 8
    for number in range(layers):
        share = number / (layers - 1)
        line = ridge(view.rng, 60, 1.7 * frame.w + 0.6, octaves=2) - 0.5
        x = np.linspace(-0.05, frame.w + 0.05, 60)
        top = frame.h * (0.36 + 0.55 * share) + line * 0.42
        edge = curve([*zip(x.tolist(), top.tolist(), strict=True)], closed=False, steps=4)
        shape = np.concatenate([edge, [(frame.w + 0.1, frame.h + 0.2), (-0.1, frame.h + 0.2)]])
        place = (1 - share) * 2.9
        low = int(place)
        tone = mixed(tones[low], tones[min(4, low + 1)], place - low)
        _sheet(view, shape, tone)


def _sheet(view: View, shape: Field, tone: Colour) -> None:
    patch = view.canvas.patch([shape])
    if patch is None:
        return
    mask, corner = patch
    small = view.frame.reduced(4)
    cast = Image.new("L", small.size)
    low = view.frame.unit * 0.012
    cast.paste(
        mask.resize((max(1, mask.width // 4), max(1, mask.height // 4))),
        (corner[0] // 4, round((corner[1] - low) / 4)),
    )
    soft = cast.filter(ImageFilter.GaussianBlur(small.unit * 0.013)).resize(
        view.frame.size, Image.Resampling.BILINEAR
    )
    view.canvas.image.paste(
        (10, 8, 24), (0, 0, *view.frame.size), soft.point([round(v * 0.42) for v in range(256)])
    )
    view.canvas.graded([shape], mixed(tone, (255, 255, 255), 0.1), scaled(tone, 0.92))


def contours(view: View) -> None:
    """Draw the height lines of an imagined land."""
    tones = palette(view)
    coarse = view.frame.reduced(1.5)
    land = clouds(view.rng, coarse, 2.0, octaves=3, gain=0.42)
    level = land * 26
    down, across = np.gradient(level)
    steep = np.hypot(down, across) + 1e-3
    near = np.abs(level - np.round(level)) / steep
    bold = np.where(np.round(level) % 5 == 0, 1.9, 0.95)
    line = np.clip(bold * np.float32(coarse.unit / 640) - near + 0.5, 0, 1)
    tone = ramp(_stops(tones), smoothstep(0.25, 0.75, np.floor(level) / 26))
    hill = np.asarray((across - down) * np.float32(coarse.unit * 0.0015))
    tone *= (1 + np.clip(hill, -0.3, 0.3))[..., None]
    ink = vector(tones[0] if luma(tones[4]) > 120 else tones[4])
    tone += (line * 0.8)[..., None] * (ink - tone)
    view.canvas.image.paste(enlarged(np.asarray(tone, np.float32), view.frame.size))


def crystal(view: View) -> None:
    """Break light into shards around a bright heart."""
    tones = palette(view)
    frame = view.frame
    _wash(view, scaled(tones[0], 0.6), tones[0])
    centre = np.array((frame.w * (0.5 + 0.08 * view.light.side), frame.h * 0.5))
    view.canvas.glow(centre[0], centre[1], 0.8, tones[3], 0.5)
    for number in range(96):
        turn, reach = view.uniform(0, 6.283), view.uniform(0.16, 0.62) * (1 + number % 3 * 0.2)
        spread = view.uniform(0.04, 0.16)
        start = centre + np.array((np.cos(turn), np.sin(turn))) * view.uniform(0.0, 0.12)
        tip = centre + np.array((np.cos(turn), np.sin(turn))) * reach
        across = np.array((-np.sin(turn), np.cos(turn))) * spread * 0.5
        middle = (start + tip * 1.3) / 2.3
        tone = tones[1 + int(view.rng.integers(4))]
        shade = 0.65 + 0.5 * float(np.cos(turn - 0.8 * view.light.side))
        view.canvas.flat(
            [np.array([start, middle + across, tip])], scaled(tone, max(0.3, shade)), 0.72
        )
        view.canvas.flat(
            [np.array([start, middle - across, tip])], scaled(tone, max(0.3, shade) * 0.72), 0.72
        )
    view.canvas.glow(centre[0], centre[1], 0.34, tones[4], 0.8)


FAMILIES: Mapping[str, Callable[[View], None]] = {
    "silk": silk,
    "threads": threads,
    "circles": circles,
    "tiles": tiles,
    "paper": paper,
    "contours": contours,
    "crystal": crystal,
}
