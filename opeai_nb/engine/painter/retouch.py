"""Retouching: a given picture changed as the words say, its subject kept."""

from __future__ import annotations

import re
from dataclasses import replace

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from opeai_nb.engine.painter.composition import PaintRequest, backdrop_of, light_for, style_of
from opeai_nb.engine.painter.elements.light import Light
from opeai_nb.engine.painter.elements.weather import backdrop, weather
from opeai_nb.engine.painter.placement import draw_subjects
from opeai_nb.engine.painter.prompt_reading import Scene, scene
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
from opeai_nb.engine.painter.view import View

_SHOWN_PRINTS = 4  # as many as fit along the lower edge
_HOUR_STRENGTH = {"day": 0.36, "dawn": 0.3, "sunset": 0.42, "dusk": 0.44, "night": 0.5}
# How light a picture is at least before the hour is laid on it, by the mean of its tones.
_HOUR_TONE = {"day": 150.0, "dawn": 124.0, "sunset": 112.0, "dusk": 84.0}
_NIGHTLY = 60.0  # a picture whose mean tone is darker is at night already
_GONE = (
    r"(?:\b(?:remove|erase|delete|without|no)\b[^.,;]{0,24}?\b%s\b"
    r"|(?:去掉|去除|移除|没有|不要).{0,6}?%s)"
)
_MOON_GONE = re.compile(_GONE % ("moons?", "月"), re.IGNORECASE)
_STARS_GONE = re.compile(_GONE % ("stars?", "星"), re.IGNORECASE)
_ADDED = re.compile(r"\b(?:add|put|place|insert|draw)\b|添加|加上|加入|放", re.IGNORECASE)
_KEPT_GROUND = re.compile(r"\b(?:same|keep|still)\b|同样|相同|同一|保持|保留", re.IGNORECASE)


def retouched(images: tuple[Image.Image, ...], request: PaintRequest) -> Image.Image:
    """Return the first of *images* changed as *request* says, the others laid on it.

    Raises `ValueError` without an image.
    """
    if not images:
        raise ValueError("an edit needs at least one image")
    frame = request.frame()
    read = scene(request.prompt)
    first = _fitted(images[0], frame)
    matte = subject_matte(first)
    picture = _on_ground(first, matte, read, request, frame)
    picture = _in_hour(picture, matte, read, request)
    picture = _coloured(picture, read)
    picture = _toned(picture, matte, read)
    picture = _without_named_lights(picture, request.prompt)
    picture = _with_added(picture, matte, read, request)
    picture = _in_weather(picture, read, request)
    picture = _exposed(picture, request)
    picture = _collaged(picture, images[1:])
    picture = _in_style(picture, read, request, frame, is_quiet=_is_quiet(read, request))
    if "frame" in read.changes:
        picture = _framed(picture)
    if request.mask is not None:
        picture = Image.composite(picture, _flat(first), ImageOps.fit(request.mask, frame.size))
    if request.transparent:
        picture.putalpha(matte)
    if request.watermark:
        picture = marked(picture)
    return picture


def _is_quiet(read: Scene, request: PaintRequest) -> bool:
    words = (
        read.tints,
        read.times,
        read.weathers,
        read.changes,
        style_of(request, read),
        backdrop_of(read),
        _MOON_GONE.search(request.prompt),
        _STARS_GONE.search(request.prompt),
        read.subjects and _ADDED.search(request.prompt),
    )
    return not any(words)


def _fitted(image: Image.Image, frame: Frame) -> Image.Image:
    """Return *image* cut to the frame's ratio around its middle, at the frame's size."""
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    return ImageOps.fit(image.convert(mode), frame.size, Image.Resampling.BICUBIC)


def _on_ground(
    image: Image.Image, matte: Image.Image, read: Scene, request: PaintRequest, frame: Frame
) -> Image.Image:
    """Return the picture before another ground, if the words name one."""
    flat = _flat(image)
    place = _named_ground(read, request.prompt)
    if not place:
        return flat
    ground = _ground(place, read, request, frame)
    ground.paste(flat, (0, 0), matte)
    return ground


def _flat(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, (255, 255, 255))
    flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return flat


def _named_ground(read: Scene, prompt: str) -> str | None:
    """Return the place that the words put behind the subject; none where it is to stay."""
    if _KEPT_GROUND.search(prompt):
        return None
    place = backdrop_of(read)
    # "At night under the stars" is an hour, not a journey.
    return None if place == "space" and "night" in read.times else place


def _ground(place: str, read: Scene, request: PaintRequest, frame: Frame) -> Image.Image:
    small = frame.reduced(max(1.0, frame.unit / 1024))
    bare = replace(read, subjects=(), weathers=())
    rng = request.chance("ground")
    light = light_for(read.times[0] if read.times else "day", read, rng)
    view = View(small, Canvas(small), bare, light, rng, place, small.h * 0.58, SCENES)
    if place == "studio":
        return grading.vignetted(_sweep(light, frame), 0.3)
    SCENES[place](view)
    soft = view.canvas.image.filter(ImageFilter.BoxBlur(small.unit * 0.004))
    return soft.resize(frame.size, Image.Resampling.BICUBIC)


def _sweep(light: Light, frame: Frame) -> Image.Image:
    """Return a plain studio ground, lightest behind the subject."""
    strip = Image.new("RGB", (1, 4))
    for row, tone in enumerate(
        ((206, 208, 212), (236, 236, 236), (226, 226, 228), (188, 190, 196))
    ):
        strip.putpixel((0, row), whole(mixed(tone, light.haze, 0.12)))
    return strip.resize(frame.size, Image.Resampling.BICUBIC)


def _in_hour(
    image: Image.Image, matte: Image.Image, read: Scene, request: PaintRequest
) -> Image.Image:
    hour = read.times[0] if read.times else ""
    if hour not in _HOUR_STRENGTH:
        return image
    if hour == "night" and luma(grading.mean_tone(image)) < _NIGHTLY:
        return image
    if hour != "night":
        image = without_lights(image)
    image = grading.lifted(image, _HOUR_TONE.get(hour, 0.0))
    if hour == "day":
        image = grading.levelled(grading.saturated(image, 1.12), 1.06, 6)
    light = light_for(hour, read, request.chance("hour"))
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


def _coloured(image: Image.Image, read: Scene) -> Image.Image:
    names = read.tints or tuple(one.colour for one in read.subjects if one.colour)
    return grading.contrasted(grading.tinted(image, names, 0.74), 0.3) if names else image


def _without_named_lights(image: Image.Image, prompt: str) -> Image.Image:
    """Return the picture without the moon or the stars, if the words want them gone."""
    if _MOON_GONE.search(prompt):
        image = without_moons(image)
    return without_stars(image) if _STARS_GONE.search(prompt) else image


def _with_added(
    image: Image.Image, matte: Image.Image, read: Scene, request: PaintRequest
) -> Image.Image:
    """Return the picture with the things that are to be added, inside the mask if there is one."""
    if not read.subjects or not _ADDED.search(request.prompt):
        return image
    mask = request.mask and ImageOps.fit(request.mask, image.size)
    box = (mask and mask.getbbox()) or _free_side(matte)
    frame = Frame(box[2] - box[0], box[3] - box[1])
    canvas = Canvas(frame)
    canvas.image = image.crop(box)
    rng = request.chance("added")
    light = light_for(read.times[0] if read.times else "day", read, rng)
    draw_subjects(View(frame, canvas, read, light, rng, "hills", frame.h * 0.58, SCENES))
    answer = image.copy()
    answer.paste(canvas.image, box)
    return answer


def _free_side(matte: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of the side on which the picture's subject is not, without most of the sky."""
    width, height = matte.size
    left = (0, height // 4, max(1, width // 2), height)
    right = (width // 2, height // 4, width, height)
    return min(left, right, key=lambda box: sum(ImageStat.Stat(matte.crop(box)).mean))


def _toned(image: Image.Image, matte: Image.Image, read: Scene) -> Image.Image:
    """Return the picture after the words for tone: brighter, warmer, softer, blurred."""
    changes = set(read.changes)
    if "brighter" in changes:
        image = grading.levelled(image, 1.16, 22)
    if "darker" in changes:
        image = grading.levelled(image, 0.62, -4)
    if "contrast" in changes:
        image = grading.contrasted(grading.saturated(image, 1.15), 0.85)
    if "soft" in changes:
        image = grading.levelled(grading.saturated(image, 0.7), 0.82, 36)
    for word, tone in (("warm", (255, 196, 128)), ("cold", (128, 186, 255))):
        if word in changes:
            veil = Image.new("RGB", image.size, tone)
            image = Image.blend(image, ImageChops.soft_light(image, veil), 0.75)
    if "blur" in changes:
        blurred = image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.014))
        if "background" in changes:
            blurred.paste(image, (0, 0), matte)
        image = blurred
    return image


def _exposed(image: Image.Image, request: PaintRequest) -> Image.Image:
    """Return a further variant a little warmer or cooler than the first, whatever the words."""
    if not request.variant:
        return image
    warm, bright = (request.chance("exposure").random(2) * 36 - 18).tolist()
    tone = whole((128 + warm + bright, 128 + bright, 128 - warm + bright))
    return ImageChops.soft_light(image, Image.new("RGB", image.size, tone))


def _in_weather(image: Image.Image, read: Scene, request: PaintRequest) -> Image.Image:
    if not set(read.weathers) & {"snow", "rain", "fog"}:
        return image
    frame = Frame(*image.size)
    canvas = Canvas(frame)
    cool = Image.blend(
        grading.saturated(image, 0.78),
        Image.new("RGB", image.size, (206, 216, 228)),
        0.14 if "rain" not in read.weathers else 0.05,
    )
    canvas.image = grading.levelled(cool, 0.88) if "rain" in read.weathers else cool
    rng = request.chance("weather")
    light = light_for("day", read, rng)
    view = View(frame, canvas, read, light, rng, "hills", frame.h * 0.58, SCENES)
    if "fog" in read.weathers:
        backdrop(view)
    weather(view)
    return canvas.image


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


def _in_style(
    image: Image.Image, read: Scene, request: PaintRequest, frame: Frame, *, is_quiet: bool
) -> Image.Image:
    from opeai_nb.engine.painter.styles import SHORT_SIDES, STYLES
    from opeai_nb.engine.painter.styles.paper import Paper

    style = style_of(request, read)
    if is_quiet:
        # Words that say nothing known still ask for a change: a fresh, richer print.
        calm = image.filter(ImageFilter.BoxBlur(frame.unit * 0.0016))
        crisp = calm.filter(ImageFilter.UnsharpMask(frame.unit * 0.004, 60, 2))
        rich = grading.contrasted(grading.saturated(crisp, 1.3), 0.4)
        return grading.vignetted(grading.bloomed(rich, 0.35), 0.35)
    if not style:
        return image
    working = frame.reduced(max(1.0, frame.unit / SHORT_SIDES[style][0]))
    small = image.resize(working.size, Image.Resampling.BOX) if working != frame else image
    return STYLES[style](small, Paper(frame, request.chance("style"), read.tints, has_margin=False))


def _framed(image: Image.Image) -> Image.Image:
    """Return the picture behind a mount in a wooden frame, at its old size."""
    unit = min(image.size)
    rim, mount = max(1, round(unit * 0.035)), max(1, round(unit * 0.05))
    inner = image.resize(
        (max(1, image.width - 2 * (rim + mount)), max(1, image.height - 2 * (rim + mount))),
        Image.Resampling.BICUBIC,
    )
    mounted = ImageOps.expand(inner, mount, (246, 242, 232))
    return ImageOps.expand(mounted, rim, (86, 58, 40)).resize(image.size)
