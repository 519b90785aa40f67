"""A picture of the painter's own, painted again as an instruction wants it.

It is known by its recipe. What the instruction leaves alone stays as it was given, to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from opeai_nb.engine.painter.composition import (
    PaintRequest,
    finished,
    paint_scene,
    style_of,
    view_of,
    where_and_when,
    working_frame,
)
from opeai_nb.engine.painter.editing import RECIPE
from opeai_nb.engine.painter.editing.finish import Finish, finish_for, laid_over, without_style
from opeai_nb.engine.painter.editing.instruction import read_instruction
from opeai_nb.engine.painter.editing.layers import Chances, Layers
from opeai_nb.engine.painter.editing.operations import Style
from opeai_nb.engine.painter.editing.recipe import Recipe, Step
from opeai_nb.engine.painter.editing.seasons import TREES, seasoned, sky_light_of, stained
from opeai_nb.engine.painter.editing.staging import Staging, staged
from opeai_nb.engine.painter.elements.light import Light
from opeai_nb.engine.painter.placement import draw_subjects
from opeai_nb.engine.painter.prompt_reading import scene
from opeai_nb.engine.painter.raster import grading
from opeai_nb.engine.painter.raster.colour import NAMED, mixed, whole
from opeai_nb.engine.painter.view import Actor, View

_COMPARED = 48  # pixels a side in which a picture is compared with what its recipe makes
_ALIKE = 7.0  # of 255, the mean difference at most: a JPEG of it, or a picture with a caption
_FAINT = 2  # of 255: what the glow of a changed thing adds far away, and nobody sees
_STAIN = 0.86
_HIGH = 0.78  # a sun or a moon that was asked for hides behind no mountain


@dataclass(frozen=True, slots=True)
class _Setup:
    """The scene after some instructions, and what they lay over it."""

    staging: Staging
    finishes: tuple[Finish, ...] = ()


def repainted(image: Image.Image, request: PaintRequest) -> Image.Image | None:
    """Return *image* as the instruction in *request* wants it; None for one of unknown scene.

    The answer carries its own recipe, so that it can be edited again.
    """
    recipe = Recipe.in_(image)
    if recipe is None or not scene(recipe.prompt).is_figurative:
        return None
    if recipe.size != request.size and not _is_alike(image, _Work(recipe, recipe.size).before()):
        return None
    work = _Work(recipe, request.size)
    before = work.before()
    given = ImageOps.fit(image.convert("RGB"), request.size, Image.Resampling.BICUBIC)
    if recipe.size != request.size:
        given = before
    elif not _is_alike(given, before):
        return None
    step = Step(request.prompt, request.variant, request.seed, request.style)
    after = work.rendered(work.followed(work.setup, step))
    answer = Image.composite(after, given, _changed(before, after))
    new = recipe.followed(step, request.size)
    if new is not None:
        answer.info[RECIPE] = new.dumps()
    return answer


def _is_alike(one: Image.Image, other: Image.Image) -> bool:
    small = [
        np.asarray(image.convert("RGB").resize((_COMPARED, _COMPARED), Image.Resampling.BOX))
        for image in (one, other)
    ]
    return float(np.abs(small[0].astype(int) - small[1]).mean()) < _ALIKE


def _changed(before: Image.Image, after: Image.Image) -> Image.Image:
    red, green, blue = ImageChops.difference(before, after).split()
    most = ImageChops.lighter(red, ImageChops.lighter(green, blue))
    return most.point([255 if v > _FAINT else 0 for v in range(256)])


class _Work:
    """One recipe at one size: its first painting, and what its steps make of it."""

    def __init__(self, recipe: Recipe, size: tuple[int, int]) -> None:
        self._request = recipe.request(size)
        read = scene(recipe.prompt)
        setting, time = where_and_when(self._request, read)
        frame = working_frame(self._request, style_of(self._request, read))
        self._first = view_of(frame, self._request, read, setting, time)
        self._first.layers = Layers(self._first.canvas)
        paint_scene(self._first)
        self._is_untouched = not recipe.steps
        setup = _Setup(Staging(read, setting, time, self._first.cast or (), setting))
        for step in recipe.steps:
            setup = self.followed(setup, step)
        self.setup = setup

    def followed(self, setup: _Setup, step: Step) -> _Setup:
        """Return *setup* after one more instruction."""
        request = step.request(self._request.size)
        wanted = read_instruction(step.prompt)
        named = scene(step.style or "").styles
        wanted += tuple(Style(name) for name in named[:1])
        staging = staged(setup.staging, wanted, self._first)
        finish = finish_for(wanted, request, is_quiet=False)
        if staging == setup.staging and finish == Finish(request):
            finish = replace(finish, is_quiet=True)
        before = without_style(setup.finishes) if finish.style else setup.finishes
        return _Setup(staging, (*before, finish))

    def before(self) -> Image.Image:
        """Return the picture as the recipe makes it."""
        if self._is_untouched:
            image = self._first.canvas.image
            return finished(image, None, self._request.frame(), self._request, self._first.scene)
        return self.rendered(self.setup)

    def rendered(self, setup: _Setup) -> Image.Image:
        """Return the picture of *setup*."""
        staging, request = setup.staging, self._request
        view = self._view(staging)
        if staging.setting == "plain":
            view.canvas.image.paste(plain_ground(view, staging.backdrop))
            draw_subjects(view)
        else:
            paint_scene(view)
        layers = view.layers or Layers(view.canvas)
        image = _stained(seasoned(view.canvas.image, layers, staging, request), layers, staging)
        read = staging.scene
        if staging.is_bare:
            read, request = replace(read, styles=()), replace(request, style=None)
        image = finished(image, None, request.frame(), request, read)
        matte = _matte(layers, staging).resize(image.size, Image.Resampling.BILINEAR)
        if staging.is_mirrored:
            image, matte = ImageOps.mirror(image), ImageOps.mirror(matte)
        for finish in setup.finishes:
            image = laid_over(image, matte, finish, request.frame())
        return image

    def _view(self, staging: Staging) -> View:
        frame, scene_ = self._first.frame, staging.scene
        setting = "studio" if staging.setting == "plain" else staging.setting
        view = view_of(frame, self._request, scene_, setting, staging.time)
        view.cast = tuple(_in_season(actor, staging.season) for actor in staging.cast)
        view.hidden, view.shown = staging.hidden, staging.shown
        view.light = _lit(view.light, staging)
        view.layers = Layers(view.canvas, None if staging.has_moved else self._first_chances())
        return view

    def _first_chances(self) -> Chances:
        return {} if self._first.layers is None else self._first.layers.chances


def _lit(light: Light, staging: Staging) -> Light:
    """Return the light of a scene with what was added to its sky or taken from it."""
    if {"sun", "moon"} & staging.hidden:
        light = replace(light, glow=0.0)
    if {"sun", "moon"} & staging.shown:
        light = replace(light, high=max(light.high, _HIGH))
    if "stars" in staging.shown:
        light = replace(light, stars=max(light.stars, 0.7))
    for part, colour in staging.stains:
        if part == "sky":
            sky = sky_light_of(colour, light.sky)
            haze, cloud = mixed(light.haze, sky[3], 0.5), mixed(light.cloud, sky[3], 0.35)
            light = replace(light, sky=sky, haze=haze, cloud=cloud)
    return light


def _in_season(actor: Actor, season: str | None) -> Actor:
    """Return a tree without a colour of its own in that of the *season*."""
    subject = actor.subject
    if subject.kind not in {"tree", "blossom"} or subject.colour or season not in TREES:
        return actor
    return replace(actor, subject=replace(subject, colour=TREES[season]))


def _stained(image: Image.Image, layers: Layers, staging: Staging) -> Image.Image:
    for part, colour in staging.stains:
        if part != "sky":
            image = stained(image, layers.mask(part), colour, _STAIN)
    return image


def _matte(layers: Layers, staging: Staging) -> Image.Image:
    matte = Image.new("L", layers.mask("").size)
    for kind in {actor.subject.kind for actor in staging.cast}:
        matte = ImageChops.lighter(matte, layers.mask(kind))
    return matte.filter(ImageFilter.GaussianBlur(max(0.6, min(matte.size) / 700)))


def plain_ground(view: View, colour: str | None) -> Image.Image:
    """Return a plain studio ground, lightest behind the subject."""
    strip = Image.new("RGB", (1, 4))
    tones = ((206, 208, 212), (236, 236, 236), (226, 226, 228), (188, 190, 196))
    for row, tone in enumerate(tones):
        shade = mixed(tone, view.light.haze, 0.12)
        if colour:
            shade = mixed(NAMED[colour], shade, 0.12 + 0.08 * (row == 1))
        strip.putpixel((0, row), whole(shade))
    ground = strip.resize(view.frame.size, Image.Resampling.BICUBIC)
    return grading.vignetted(ground, 0.3)
