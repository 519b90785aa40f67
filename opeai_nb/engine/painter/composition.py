"""Composition: from a request to a finished picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from opeai_nb.engine.painter.elements.light import Light, light
from opeai_nb.engine.painter.elements.weather import backdrop, weather
from opeai_nb.engine.painter.placement import draw_subjects
from opeai_nb.engine.painter.prompt_reading import Scene, plain, scattered, scene
from opeai_nb.engine.painter.raster.canvas import Canvas
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.grading import bloomed, contrasted, saturated, tinted, vignetted
from opeai_nb.engine.painter.raster.random_stream import stream
from opeai_nb.engine.painter.raster.watermark import marked
from opeai_nb.engine.painter.scenes.abstract import FAMILIES
from opeai_nb.engine.painter.scenes.scene_table import SCENES
from opeai_nb.engine.painter.styles import STYLES, working
from opeai_nb.engine.painter.styles.paper import Paper, grown
from opeai_nb.engine.painter.subjects import FIGURES
from opeai_nb.engine.painter.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image


_SMALLEST, _LARGEST = 16, 4096
_FINEST = 2048  # pixels on the short side; above it the picture is enlarged


@dataclass(frozen=True, slots=True)
class PaintRequest:
    """What is asked for; the fields are those of `paint`."""

    prompt: str
    size: tuple[int, int]
    variant: int = 0
    seed: int | None = None
    style: str | None = None
    quality: str = "auto"
    transparent: bool = False
    watermark: bool = False
    mask: Image | None = None

    def frame(self) -> Frame:
        """Return the frame. Raises ValueError for a side outside 16 to 4096 pixels."""
        if not all(_SMALLEST <= side <= _LARGEST for side in self.size):
            raise ValueError(f"size must be {_SMALLEST} to {_LARGEST} a side, not {self.size}")
        return Frame(*self.size)

    def chance(self, *parts: object) -> np.random.Generator:
        """Return the generator of this request for one purpose."""
        return stream(plain(self.prompt), len(self.prompt), self.seed, self.variant, *parts)


def painted(request: PaintRequest) -> Image:
    """Return the picture that *request* asks for."""
    frame = request.frame()
    read = scene(request.prompt)
    view = _view(working_frame(request, style_of(request, read)), request, read)
    if read.is_figurative:
        paint_scene(view)
    else:
        _paint_abstract(view)
    return finished(view.canvas.image, view.canvas.matte, frame, request, read)


def style_of(request: PaintRequest, read: Scene) -> str | None:
    """Return the style to paint in: the request's own, else the prompt's."""
    named = scene(request.style or "").styles
    return next(iter(named or read.styles), None)


def working_frame(request: PaintRequest, style: str | None) -> Frame:
    """Return the frame in which the picture is painted before it takes on *style*."""
    frame = request.frame()
    if style is not None:
        return working(frame, style)
    finest = frame.reduced(max(1.0, frame.unit / _FINEST))
    return finest.reduced(1.4) if request.quality == "low" else finest


def paint_scene(view: View) -> None:
    """Paint the place, what stands in it, and the weather over both."""
    has_figures = any(one.kind != "moon" for one in view.scene.subjects)
    if view.canvas.matte is None or not has_figures:
        view.begin(view.setting)
        SCENES[view.setting](view)
        view.begin("")
        backdrop(view)
    draw_subjects(view)
    if view.canvas.matte is None:
        view.begin("")
        weather(view)


def _paint_abstract(view: View) -> None:
    names = view.scene.abstracts or tuple(FAMILIES)
    start = int(scattered(view.key) * len(names))
    FAMILIES[names[(start + view.variant) % len(names)]](view)
    if view.canvas.matte is not None:
        view.canvas.matte.paste(255, (0, 0, *view.frame.size))


def finished(
    image: Image, matte: Image | None, frame: Frame, request: PaintRequest, read: Scene
) -> Image:
    """Return *image* graded, in its style, at the frame's size, marked if asked."""
    style = style_of(request, read)
    if matte is not None:
        image = _spread(image, matte)
    mood = plain(request.style or "")
    if read.is_figurative:
        image = tinted(image, read.tints, 0.6)
    if matte is None:
        image = vignetted(bloomed(image, 0.3), 0.28)
    if mood == "vivid":
        image = contrasted(saturated(image, 1.35), 0.3)
    elif mood == "natural":
        image = saturated(image, 0.82)
    if style:
        fineness = {"low": 0.7, "high": 1.25, "hd": 1.25}.get(request.quality, 1.0)
        image = STYLES[style](image, Paper(frame, request.chance("style"), read.tints, fineness))
    image = grown(image, frame)
    if matte is not None:
        image = _cut_out(image, matte)
    return marked(image) if request.watermark else image


def _spread(image: Image, matte: Image) -> Image:
    """Return the subject's colours, painted on black, carried on beyond its edge.

    So neither the soft edge nor a style brings the black into the picture.
    """
    import PIL.Image
    from PIL import ImageChops, ImageFilter

    factor = max(1, min(image.size) // 64)
    radius = min(image.size) / factor / 10
    near = np.asarray(image.reduce(factor).filter(ImageFilter.GaussianBlur(radius)), np.float32)
    share = np.asarray(matte.reduce(factor).filter(ImageFilter.GaussianBlur(radius)), np.float32)
    mean = near.sum((0, 1)) / max(1.0, float(share.sum()) / 255)
    colour = np.where(share[..., None] > 1, near * 255 / np.maximum(share, 1)[..., None], mean)
    beyond = PIL.Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8)).resize(
        image.size, PIL.Image.Resampling.BILINEAR
    )
    beyond.paste((0, 0, 0), (0, 0, *image.size), matte)
    return ImageChops.add(image, beyond)


def _cut_out(image: Image, matte: Image) -> Image:
    import PIL.Image

    answer = image.copy()
    answer.putalpha(matte.resize(image.size, PIL.Image.Resampling.BILINEAR))
    return answer


def _view(frame: Frame, request: PaintRequest, read: Scene) -> View:
    setting, time = where_and_when(request, read)
    return view_of(frame, request, read, setting, time)


def where_and_when(request: PaintRequest, read: Scene) -> tuple[str, str]:
    """Return the setting and the time of a scene, by its words or else by chance."""
    key = plain(request.prompt)
    start = scattered(key) if request.seed is None else scattered(f"{key} {request.seed}")
    setting = setting_of(read, start)
    hours = HOURS.get(setting, HOURS[""])
    time = read.times[0] if read.times else hours[(int(start * 97) + request.variant) % len(hours)]
    if not read.times and ("neon" in read.styles or "aurora" in read.weathers or read.has("moon")):
        time = "night"
    return setting, time


def view_of(frame: Frame, request: PaintRequest, read: Scene, setting: str, time: str) -> View:
    """Return the empty view of a scene; its chance is that of *request*."""
    rng = request.chance("view")
    lit = light_for(time, read, rng)
    if request.variant % 2:
        lit = replace(lit, side=-lit.side)
    horizon = frame.h * (0.55 + 0.1 * float(rng.random()))
    canvas = Canvas(frame, keeps_matte=request.transparent)
    detail = {"low": 0.7, "high": 1.4, "hd": 1.4}.get(request.quality, 1.0)
    key = plain(request.prompt)
    return View(
        frame, canvas, read, lit, rng, setting, horizon, SCENES, key, request.variant, detail
    )


def light_for(time: str, read: Scene, rng: np.random.Generator) -> Light:
    """Return the light of *time* in this scene's weather."""
    return light(time, read.weathers, rng)


HOURS: Mapping[str, tuple[str, ...]] = {
    "": ("day", "sunset", "dawn", "dusk"),
    "city": ("dusk", "night", "sunset", "day"),
    "forest": ("day", "dawn", "sunset", "dusk"),
    "room": ("day", "sunset", "dawn", "dusk"),
    "table": ("day", "sunset", "day", "dawn"),
    "studio": ("day",),
    "underwater": ("day", "day", "dawn"),
    "space": ("night",),
    "meadow": ("day", "dawn", "day", "sunset"),
    "arctic": ("dawn", "dusk", "day", "night"),
}
_BY_WEATHER: Mapping[str, str] = {
    "aurora": "arctic",
    "snow": "forest",
    "rain": "city",
    "fog": "forest",
    "autumn": "forest",
    "rainbow": "hills",
    "cloud": "mountains",
}


def setting_of(read: Scene, chance: float) -> str:
    """Return the place of a scene: named, or the subject's home, or one the weather suggests."""
    homes = [FIGURES[one.kind].home for one in read.subjects if one.kind in FIGURES]
    if read.settings:
        names = read.settings
        # "flowers by the window": of two places the one that holds the other is the room.
        if "room" in names:
            return "room"
        # A lake lies before mountains; flowers and cities do not hide the sea they stand by.
        return next(
            (one for one in ("lake", "sea") if one in names and "city" not in names), names[0]
        )
    if homes:
        return homes[0]
    for name, home in _BY_WEATHER.items():
        if name in read.weathers:
            return home
    return ("sea", "mountains", "hills", "lake")[int(chance * 4)]
