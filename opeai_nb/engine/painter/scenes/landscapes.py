"""Landscapes: sea, lake, mountains, hills, desert, arctic."""

from __future__ import annotations

import numpy as np

from opeai_nb.engine.painter.elements.grass import tufts
from opeai_nb.engine.painter.elements.sky import mist, sky
from opeai_nb.engine.painter.elements.terrain import Cover, Terrain, columns, grid, land
from opeai_nb.engine.painter.elements.water import water
from opeai_nb.engine.painter.raster.colour import Colour, scaled, vector
from opeai_nb.engine.painter.raster.noise_field import Field, sampled, smoothstep
from opeai_nb.engine.painter.view import View

_MASSIVE = 0.05  # below it a height is foothill
_GRASS: tuple[Colour, Colour] = ((92, 126, 62), (132, 148, 78))
_SNOW: tuple[Colour, Colour] = ((206, 216, 230), (234, 240, 246))
_AUTUMN: tuple[Colour, Colour] = ((168, 104, 44), (206, 152, 66))


def _noise(view: View, across: Field, depth: Field, cells: float) -> Field:
    """Return fractal noise around 0.5 over the land, *cells* features in a map unit."""
    texture = view.texture()
    step = 256 / 8 * cells
    offset = float(view.rng.random()) * 256
    return sampled(texture, across * step + offset, depth * step)


def _ridged(noise: Field) -> Field:
    answer: Field = 1 - np.abs(noise * 2 - 1) * np.float32(1.6)
    return answer


def _turf(view: View) -> tuple[Colour, Colour]:
    if view.tells("snow"):
        return _SNOW
    return _AUTUMN if view.tells("autumn") else _GRASS


def _alpine(view: View, low: float, snow: float) -> Cover:
    grass = _turf(view)
    wood: Colour = (44, 70, 50) if not view.tells("autumn") else (142, 84, 40)
    if view.tells("snow"):
        snow, wood = 0.2, (92, 108, 122)
    texture = view.texture()

    def cover(across: Field, depth: Field, heights: Field, steep: Field) -> Field:
        grain = sampled(texture, across * 46 + 90, depth * 46) - 0.5
        broad = sampled(texture, across * 10 + 40, depth * 14)
        blades = np.clip(grain * 2 + 0.5, 0, 1)
        woods = smoothstep(0.42, 0.5, broad + grain * 0.3 + np.minimum(depth - 2.0, 1) * 0.12)
        bare = smoothstep(low, low + 0.5, heights + grain * 0.8)
        white = smoothstep(snow, snow + 0.3, heights + grain * 1.6 - steep * 0.22)
        dark, stone = 1 + grain * 1.5, 1 + grain * 0.8
        ground = np.empty((*heights.shape, 3), np.float32)
        # Channel by channel: numpy is thrice as fast on planes as on triples.
        for channel, (low_, high_, tree, rock, ice) in enumerate(
            zip(*grass, wood, (116, 106, 110), (244, 248, 255), strict=True)
        ):
            plane = low_ + blades * np.float32(high_ - low_)
            plane += woods * (tree * dark - plane)
            plane += bare * (rock * stone - plane)
            plane += white * (ice - plane)
            ground[..., channel] = plane
        return ground

    return cover


def peaks(
    view: View, terrain: Terrain, tall: float, *, start: float = 3.5, floor: float = -0.1
) -> Field:
    """Return heights that are gentle near the eye and alpine far away."""
    across, depth = grid(view, terrain, columns(view))
    rough = _ridged(_noise(view, across, depth, 0.15))
    fine = _ridged(_noise(view, across, depth, 0.55))
    broad = smoothstep(0.34, 0.66, _noise(view, across, depth, 0.07))
    rise = smoothstep(start, start * 2.3, depth)
    massif = (0.3 + 0.9 * broad) * (np.clip(rough, 0, 1) ** 1.4 + fine * 0.16)
    knolls = (_noise(view, across, depth, 0.5) - 0.5) * (0.5 + 0.12 * np.minimum(depth, 5))
    low = floor + knolls * (1 - rise * 0.6) * 0.8
    high = rise * massif
    # The summit stands where it leaves room for the sky, whatever chance has piled up.
    summit = min(0.72 * view.horizon, 0.5)
    reach = float(
        ((summit * depth + terrain.eye - low) / np.maximum(high, 1e-3))[high > _MASSIVE].min(
            initial=tall
        )
    )
    answer: Field = (low + high * np.float32(reach)).astype(np.float32)
    return answer


def mountains(view: View) -> None:
    """Paint alpine peaks behind wooded foothills, firs in front."""
    sky(view)
    terrain = Terrain(eye=0.75, near=0.7, far=16.0, haze=17.0, relief=1.35, grain=0.75)
    land(view, terrain, peaks(view, terrain, 5.2), _alpine(view, 1.1, 2.0))
    mist(view, view.horizon + 0.03, 0.1, 0.5)
    mist(view, view.horizon + 0.16, 0.05, 0.3)
    from opeai_nb.engine.painter.elements.trees import fir_clump

    low = view.frame.h - view.horizon
    tufts(view, view.horizon + low * 0.6, 130, _turf(view))
    side = view.light.side
    fir_clump(view, 0.5 - side * 0.34, view.horizon + low * 0.55, 0.16, 0.55)
    fir_clump(view, 0.5 + side * 0.44, view.horizon + low * 0.75, 0.26, 0.8)
    fir_clump(view, 0.5 - side * 0.5, view.frame.h + 0.03, 0.5, 1.0)


def hills(view: View) -> None:
    """Paint rolling fields."""
    sky(view)
    terrain = Terrain(eye=0.75, near=0.5, far=15.0, haze=11.0, relief=1.25, shadow=0.3, grain=0.3)
    across, depth = grid(view, terrain, columns(view))
    roll = _noise(view, across, depth, 0.17) - 0.46
    heights = np.asarray(roll * (0.6 + depth * 0.2) * 1.7, np.float32)
    land(view, terrain, heights, _fields(view))
    _groves(view)


def _fields(view: View) -> Cover:
    texture = view.texture()
    crops: tuple[Colour, ...] = ((122, 150, 62), (186, 172, 82), (92, 128, 60), (158, 160, 74))
    if view.tells("autumn"):
        crops = ((176, 122, 54), (204, 158, 72), (150, 96, 48), (188, 140, 60))
    if view.tells("snow"):
        crops = ((222, 228, 236), (236, 240, 245), (210, 218, 230), (240, 243, 247))

    def cover(across: Field, depth: Field, heights: Field, steep: Field) -> Field:
        patch = sampled(texture, across * 7.0 + 60, depth * 7.0 + heights * 9)
        grain = sampled(texture, across * 40, depth * 40) - 0.5
        kind = np.clip(np.floor((patch - 0.3) * 11), 0, 3).astype(np.int32)
        table = np.array(crops, np.float32)
        rows = 1 + 0.05 * np.sin((across * 0.8 + depth) * 34) + grain * 0.3 - steep * 0.05
        return np.asarray(table[kind] * rows[..., None], np.float32)

    return cover


def _groves(view: View) -> None:
    from opeai_nb.engine.painter.elements.trees import grove

    for _ in range(3):
        x = view.uniform(0.05, 0.95) * view.frame.w
        y = view.horizon + view.uniform(0.05, 0.13)
        grove(view, x, y, 0.04 + (y - view.horizon) * 0.22)


def desert(view: View) -> None:
    """Paint dunes with sharp crests."""
    sky(view)
    terrain = Terrain(eye=0.85, near=0.55, far=16.0, haze=15.0, relief=1.9, shadow=0.42)
    across, depth = grid(view, terrain, columns(view))
    bend = (_noise(view, across, depth, 0.10) - 0.5) * 9
    phase = (depth * 0.75 + across * np.float32(0.3 * view.light.side) + bend) * 0.32
    wave = phase - np.floor(phase)
    crest = np.minimum(wave / 0.74, (1 - wave) / 0.26)
    swell = _noise(view, across, depth, 0.09)
    heights = ((crest * crest * (3 - 2 * crest)) ** 0.9 * swell * 1.05 + swell * 0.8 - 0.55) * (
        0.5 + np.minimum(depth, 9) * 0.16
    )
    land(view, terrain, np.asarray(heights, np.float32), _sand(view))


def _sand(view: View) -> Cover:
    texture = view.texture()

    def cover(across: Field, depth: Field, heights: Field, steep: Field) -> Field:
        warp = sampled(texture, across * 14 + 120, depth * 14)
        ripple = np.sin((depth * 1.6 + across * 0.5) * 40 + warp * 26) * np.exp(-depth * 0.55)
        tone = 1 + ripple * 0.06 + (warp - 0.5) * 0.12 + heights * 0.03 - steep * 0.03
        return np.asarray(vector((226, 166, 104)) * tone[..., None], np.float32)

    return cover


def sea(view: View) -> None:
    """Paint open water to the horizon, a headland, and a beach or rocks in front."""
    sky(view)
    _headland(view)
    water(view, view.horizon, calm=0.15)
    shore(view)


def _headland(view: View) -> None:
    from opeai_nb.engine.painter.raster.noise_field import ridge

    frame = view.frame
    side = -view.light.side
    for step, tall in enumerate((0.075, 0.05)):
        count = 160
        line = ridge(view.rng, count, 5 * frame.w, octaves=6) ** 1.3
        x = np.linspace(0, frame.w, count)
        start = 0.5 + side * (0.06 + 0.16 * step)
        fade = np.clip((x / frame.w - start) * side / 0.34, 0, 1) ** 0.8
        top = view.horizon - line * fade * tall * 2
        points = np.concatenate(
            [np.stack([x, top], 1), [(frame.w, view.horizon + 0.003), (0.0, view.horizon + 0.003)]]
        )
        from opeai_nb.engine.painter.raster.colour import mixed

        tone = mixed(view.light.on((78, 92, 104)), view.light.haze, 0.72 - 0.22 * step)
        view.canvas.graded([points], tone, mixed(tone, view.light.haze, 0.35), ground=True)


def shore(view: View) -> None:
    """Paint the wet edge of a beach with its foam, across the bottom."""
    view.begin("land")
    frame, light = view.frame, view.light
    low = frame.h - view.horizon
    count = 240
    x = np.linspace(-0.05, frame.w + 0.05, count)
    from opeai_nb.engine.painter.raster.noise_field import ridge

    wave = ridge(view.rng, count, 3.2 * frame.w, octaves=4).astype(np.float64) - 0.5
    slope = (x / frame.w - 0.5) * -view.light.side * 0.3
    base = view.horizon + low * (0.86 + slope) + wave * 0.07
    base += min(0.0, _highest_foot(view) - 0.08 - float(base.mean()))
    snowy = view.tells("snow")
    sand: Colour = (226, 230, 236) if snowy else (216, 184, 142)

    def below(offset: float) -> Field:
        line = np.stack([x, base + offset], 1)
        return np.concatenate([line, [(frame.w + 0.05, frame.h + 0.1), (-0.05, frame.h + 0.1)]])

    foam = light.lit((246, 248, 248))
    view.canvas.flat([below(-0.02)], light.lit((112, 170, 176)), 0.35)
    view.canvas.flat([below(-0.008)], foam, 0.75)
    view.canvas.flat([below(0.0)], light.on((150, 124, 98)), 1.0)
    view.canvas.graded([below(0.03)], light.lit(scaled(sand, 0.78)), light.lit(sand))


def _highest_foot(view: View) -> float:
    """Return where the farthest of a given cast stands: the beach reaches as far."""
    cast = [actor for actor in view.cast or () if actor.level == "ground"]
    return min((place.y for actor in cast for place in actor.placements), default=view.frame.h)


def lake(view: View) -> None:
    """Paint a still lake that mirrors the mountains behind it."""
    sky(view)
    terrain = Terrain(eye=0.4, near=2.2, far=17.0, haze=14.0, relief=1.25, grain=0.7)
    land(view, terrain, peaks(view, terrain, 3.3, start=4.0, floor=0.12), _alpine(view, 0.6, 1.2))
    mist(view, view.horizon + 0.02, 0.07, 0.45)
    from opeai_nb.engine.painter.elements.trees import fir_row

    fir_row(view, view.horizon + 0.045, 0.05, 0.35, density=16.0)
    water(view, view.horizon + 0.04, calm=0.82)


def arctic(view: View) -> None:
    """Paint a snow plain under a wide sky."""
    sky(view)
    terrain = Terrain(eye=0.55, near=0.5, far=17.0, haze=16.0, relief=1.3, shadow=0.3, grain=0.3)

    def cover(across: Field, depth: Field, heights: Field, steep: Field) -> Field:
        ice = smoothstep(0.5, 1.6, steep)[..., None]
        white = vector((240, 246, 255)) * (1 + 0 * (across + depth + heights))[..., None]
        return np.asarray(white + ice * (vector((120, 164, 204)) - white), np.float32)

    land(view, terrain, peaks(view, terrain, 2.4, start=4.0), cover)
    mist(view, view.horizon + 0.05, 0.08, 0.3)
