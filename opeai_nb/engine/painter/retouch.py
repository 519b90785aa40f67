"""Retouching: a given picture changed as the words say.

A picture of the painter's own is painted again (`editing.repaint`). Of any other nobody knows the
scene: what probably is its subject is told from its ground by colour alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from opeai_nb.engine.painter.composition import PaintRequest, light_for
from opeai_nb.engine.painter.editing import RECIPE
from opeai_nb.engine.painter.editing import operations as ops
from opeai_nb.engine.painter.editing.finish import finish_for, laid_over
from opeai_nb.engine.painter.editing.instruction import read_instruction
from opeai_nb.engine.painter.editing.regions import region, thing_box, without_thing
from opeai_nb.engine.painter.editing.repaint import plain_ground, repainted
from opeai_nb.engine.painter.editing.seasons import falling, stained
from opeai_nb.engine.painter.elements.weather import backdrop, weather
from opeai_nb.engine.painter.placement import draw_subjects, level_of
from opeai_nb.engine.painter.prompt_reading import Scene, Subject, scene
from opeai_nb.engine.painter.raster import grading
from opeai_nb.engine.painter.raster.canvas import Canvas
from opeai_nb.engine.painter.raster.colour import luma, mixed, scaled, whole
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.night_sky import (
    without_lights,
    without_moons,
    without_stars,
)
from opeai_nb.engine.painter.raster.subject_mask import subject_matte
from opeai_nb.engine.painter.raster.watermark import marked
from opeai_nb.engine.painter.scenes.scene_table import SCENES
from opeai_nb.engine.painter.subjects import FIGURES
from opeai_nb.engine.painter.view import Actor, Placement, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.engine.painter.elements.light import Light

_SHOWN_PRINTS = 4  # as many as fit along the lower edge
_HOUR_STRENGTH = {"day": 0.36, "dawn": 0.3, "sunset": 0.42, "dusk": 0.44, "night": 0.5}
# How light a picture is at least before the hour is laid on it, by the mean of its tones.
_HOUR_TONE = {"day": 150.0, "dawn": 124.0, "sunset": 112.0, "dusk": 84.0}
_NIGHTLY = 60.0  # a picture whose mean tone is darker is at night already


def retouched(images: tuple[Image.Image, ...], request: PaintRequest) -> Image.Image:
    """Return the first of *images* changed as *request* says, the others laid on it.

    Raises `ValueError` without an image.
    """
    if not images:
        raise ValueError("an edit needs at least one image")
    frame = request.frame()
    first = _fitted(images[0], frame)
    wanted = _wanted(request)
    picture = _known(images[0], wanted, request)
    if picture is None:
        picture = _changed(first, wanted, request, frame)
    if len(images) > 1:
        picture = _collaged(picture, images[1:])
    if request.mask is not None:
        picture = Image.composite(picture, _flat(first), ImageOps.fit(request.mask, frame.size))
    if request.transparent:
        picture.putalpha(subject_matte(first))
    if request.watermark:
        picture = marked(picture)
    if request.mask or request.transparent or request.watermark or len(images) > 1:
        picture.info.pop(RECIPE, None)  # it does not make all of this
    return picture


def _wanted(request: PaintRequest) -> tuple[ops.Operation, ...]:
    named = scene(request.style or "").styles
    return (*read_instruction(request.prompt), *(ops.Style(name) for name in named[:1]))


def _known(
    image: Image.Image, wanted: Sequence[ops.Operation], request: PaintRequest
) -> Image.Image | None:
    """Return a picture of the painter's own painted again; None where that can't be."""
    is_placed = request.mask is not None and any(isinstance(one, ops.Add) for one in wanted)
    return None if request.transparent or is_placed else repainted(image, request)


def _changed(
    first: Image.Image, wanted: Sequence[ops.Operation], request: PaintRequest, frame: Frame
) -> Image.Image:
    """Return a picture of unknown scene with the operations *wanted*, one after the other."""
    matte = subject_matte(first)
    picture = before = _flat(first)
    for one in wanted:
        picture, matte = _after(one, picture, matte, request)
    finish = finish_for(wanted, request, is_quiet=False)
    is_quiet = not (finish.tints or finish.tones or finish.style) and picture is before
    return laid_over(picture, matte, replace(finish, is_quiet=is_quiet), frame)


def _after(
    one: ops.Operation, image: Image.Image, matte: Image.Image, request: PaintRequest
) -> tuple[Image.Image, Image.Image]:
    """Return the picture after *one* operation, and where its subject is then."""
    if isinstance(one, ops.Mirror):
        return ImageOps.mirror(image), ImageOps.mirror(matte)
    return _with(one, image, matte, request), matte


def _with(
    one: ops.Operation, image: Image.Image, matte: Image.Image, request: PaintRequest
) -> Image.Image:
    match one:
        case ops.Place(setting, colour):
            return _on_ground(image, matte, setting, colour, request)
        case ops.Hour(time):
            return _in_hour(image, matte, time, request)
        case ops.Season(name):
            return _in_season(image, matte, name, request)
        case ops.Weather(name):
            return _in_weather(image, name, request)
        case ops.Recolour(target, colour):
            part = (*target.names("part"), "land")[0]
            return stained(
                image, matte if target.names("subject") else region(part, matte), colour, 0.82
            )
        case ops.Remove(target):
            return _without(image, matte, target)
        case ops.Replace(target, new):
            return _replaced(image, matte, target, new, request)
        case ops.Add(new):
            return _with_added(image, matte, new, request)
        case _:  # to move, scale or repeat a guess of a subject would tear it
            return image


def _fitted(image: Image.Image, frame: Frame) -> Image.Image:
    """Return *image* cut to the frame's ratio around its middle, at the frame's size."""
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    return ImageOps.fit(image.convert(mode), frame.size, Image.Resampling.BICUBIC)


def _flat(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, (255, 255, 255))
    flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return flat


def _view_on(image: Image.Image, light: Light, request: PaintRequest, setting: str) -> View:
    """Return a view whose canvas shows *image*."""
    frame = Frame(*image.size)
    canvas = Canvas(frame)
    canvas.image = image.copy()
    rng = request.chance("retouch")
    return View(frame, canvas, Scene(), light, rng, setting, frame.h * 0.58, SCENES)


def _on_ground(
    image: Image.Image,
    matte: Image.Image,
    setting: str,
    colour: str | None,
    request: PaintRequest,
) -> Image.Image:
    """Return the picture before another ground."""
    times = [one.time for one in _wanted(request) if isinstance(one, ops.Hour)]
    light = light_for(times[0] if times else "day", Scene(), request.chance("ground"))
    view = _view_on(image, light, request, setting)
    if setting in {"plain", "studio"}:
        ground = plain_ground(view, colour)
    else:
        SCENES[setting](view)
        ground = view.canvas.image.filter(ImageFilter.BoxBlur(view.frame.unit * 0.004))
    ground.paste(image, (0, 0), matte)
    return ground


def _in_hour(
    image: Image.Image, matte: Image.Image, hour: str, request: PaintRequest
) -> Image.Image:
    if hour == "night" and luma(grading.mean_tone(image)) < _NIGHTLY:
        return image
    if hour != "night":
        image = without_lights(image)
    image = grading.lifted(image, _HOUR_TONE.get(hour, 0.0))
    if hour == "day":
        image = grading.levelled(grading.saturated(image, 1.12), 1.06, 6)
    light = light_for(hour, Scene(), request.chance("hour"))
    strength = _HOUR_STRENGTH[hour]
    shade = ImageChops.multiply(
        image, Image.new("RGB", image.size, whole(scaled(light.ambient, 1.25)))
    )
    dimmed = Image.blend(image, shade, min(1.0, strength * 1.45))
    sky = _sky_strip(light, image.size)
    lit = Image.blend(dimmed, ImageChops.soft_light(dimmed, sky), min(1.0, strength * 1.3))
    veiled = Image.blend(
        lit,
        ImageChops.screen(lit, sky.point([round(v * 0.5) for v in range(256)] * 3)),
        strength * 0.75,
    )
    # The ground takes more of the sky than the subject does.
    veiled.paste(lit, (0, 0), matte.point([round(v * 0.7) for v in range(256)]))
    return veiled


def _sky_strip(light: Light, size: tuple[int, int]) -> Image.Image:
    strip = Image.new("RGB", (1, 5))
    for row, tone in enumerate((*light.sky, mixed(light.sky[1], (20, 16, 30), 0.4))):
        strip.putpixel((0, row), whole(tone))
    return strip.resize(size, Image.Resampling.BICUBIC)


_LEAVES = {
    # red, green, blue of a leaf's green in that season, and how strong colours are
    "autumn": ((1.42, 0.86, 0.42), 1.1),
    "spring": ((0.96, 1.14, 0.78), 1.2),
    "summer": ((1.06, 1.06, 0.86), 1.2),
    "winter": ((1.0, 1.02, 1.12), 0.42),
}


def _in_season(
    image: Image.Image, matte: Image.Image, season: str, request: PaintRequest
) -> Image.Image:
    """Return the picture with its greens as they are in *season*, and what falls then."""
    gains, strength = _LEAVES[season]
    red, green, blue = grading.saturated(image, strength).split()
    turned = Image.merge(
        "RGB",
        [
            plane.point([min(255, round(v * gain)) for v in range(256)])
            for plane, gain in zip((red, green, blue), gains, strict=True)
        ],
    )
    share = region("land", matte).point([round(70 + v * 0.7) for v in range(256)])
    changed = Image.composite(turned, image, share)
    if season == "winter":
        return _in_weather(grading.levelled(changed, 1.04, 12), "snow", request)
    return falling(changed, season, request)


def _in_weather(image: Image.Image, name: str, request: PaintRequest) -> Image.Image:
    if name == "clear":
        return grading.saturated(image, 1.1)
    veil = {"snow": (206, 216, 228), "rain": (206, 216, 228), "fog": (226, 230, 234)}
    tone = veil.get(name, (222, 226, 232))
    cool = Image.blend(
        grading.saturated(image, 0.78),
        Image.new("RGB", image.size, tone),
        0.05 if name == "rain" else 0.14,
    )
    cool = grading.levelled(cool, 0.88) if name == "rain" else cool
    if name == "autumn":
        return image
    view = _view_on(cool, light_for("day", Scene(), request.chance("weather")), request, "hills")
    view.scene = Scene(weathers=(name,))
    if name == "fog":
        backdrop(view)
    weather(view)
    return view.canvas.image


def _without(image: Image.Image, matte: Image.Image, target: ops.Noun) -> Image.Image:
    """Return the picture without *target*: lights of the sky, or its subject."""
    parts = set(target.names("part")) | set(target.names("subject"))
    if "moon" in parts or "sun" in parts:
        return without_moons(image)
    if "stars" in parts:
        return without_stars(image)
    if "cloud" in target.names("weather"):
        upper = region("sky", matte)
        calm = image.filter(ImageFilter.GaussianBlur(min(image.size) / 10))
        return Image.composite(calm, image, upper)
    return without_thing(image, matte) if target.names("subject") else image


def _replaced(
    image: Image.Image, matte: Image.Image, target: ops.Noun, new: ops.Noun, request: PaintRequest
) -> Image.Image:
    """Return the picture with *new* where its subject was."""
    if new.names("setting") and not new.names("subject"):
        return _on_ground(image, matte, new.names("setting")[0], new.colour, request)
    if new.names("weather"):
        return _in_weather(image, new.names("weather")[0], request)
    kinds = [kind for kind in new.names("subject") if kind in FIGURES]
    bare = _without(image, matte, target)
    return _drawn(bare, thing_box(matte), kinds[0], new, request) if kinds else bare


def _with_added(
    image: Image.Image, matte: Image.Image, new: ops.Noun, request: PaintRequest
) -> Image.Image:
    """Return the picture with *new* in it, inside the mask if there is one."""
    mask = request.mask and ImageOps.fit(request.mask, image.size)
    box = (mask and mask.getbbox()) or _free_side(matte)
    kinds = [kind for kind in new.names("subject") if kind in FIGURES]
    if kinds:
        return _drawn(image, box, kinds[0], new, request)
    if not {"moon", "sun"} & set(new.names("part")):
        return image
    view = _view_on(image, light_for("day", Scene(), request.chance("added")), request, "hills")
    tone = (255, 246, 214) if "sun" in new.names("part") else (240, 242, 248)
    view.canvas.glow(view.frame.w * 0.76, view.frame.h * 0.18, 0.3, tone, 0.8)
    view.canvas.glow(view.frame.w * 0.76, view.frame.h * 0.18, 0.1, tone, 1.0)
    return view.canvas.image


def _drawn(
    image: Image.Image,
    box: tuple[int, int, int, int],
    kind: str,
    noun: ops.Noun,
    request: PaintRequest,
) -> Image.Image:
    """Return the picture with a figure that fills *box*, standing on its lower edge."""
    part = image.crop(box)
    view = _view_on(part, light_for("day", Scene(), request.chance("added")), request, "hills")
    figure, frame = FIGURES[kind], view.frame
    subject = Subject(kind, noun.colour, max(1, noun.count))
    tall = min(frame.h * 0.9, frame.w * 0.46 / max(0.3, figure.wide))
    place = Placement(frame.w / 2, frame.h * 0.96, tall)
    view.cast = (Actor(subject, level_of(view, subject), (place,)),)
    draw_subjects(view)
    answer = image.copy()
    answer.paste(view.canvas.image, box)
    return answer


def _free_side(matte: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of the side on which the picture's subject is not, without most of the sky."""
    width, height = matte.size
    left = (0, height // 3, max(1, width // 2), height)
    right = (width // 2, height // 3, width, height)
    return min(left, right, key=lambda box: sum(ImageStat.Stat(matte.crop(box)).mean))


def _collaged(image: Image.Image, others: tuple[Image.Image, ...]) -> Image.Image:
    """Lay the other pictures on the first as prints along its lower edge."""
    if not others:
        return image
    shown = others[:_SHOWN_PRINTS]
    unit = min(image.size)
    side = round(unit * (0.3 if len(shown) == 1 else 0.23))
    rim, gap = max(1, round(side * 0.05)), max(1, round(unit * 0.035))
    answer = image.copy()
    for number, one in enumerate(shown):
        print_ = ImageOps.fit(one.convert("RGB"), (side, side), Image.Resampling.BICUBIC)
        card = ImageOps.expand(print_, rim, (250, 248, 242))
        tilt = (-4, 3, -2, 5)[number]
        turned = card.convert("RGBA").rotate(tilt, Image.Resampling.BICUBIC, expand=True)
        x = image.width - (turned.width + gap) * (number + 1) + gap // 2
        y = image.height - turned.height - gap
        shadow = (
            turned.getchannel("A")
            .filter(ImageFilter.BoxBlur(rim))
            .point([round(v * 0.45) for v in range(256)])
        )
        answer.paste((8, 8, 16), (x + rim // 2, y + rim), shadow)
        answer.paste(turned, (x, y), turned)
    return answer
