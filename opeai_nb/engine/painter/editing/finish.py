"""What an instruction lays over a whole picture: tints, tones, a style, a frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter, ImageOps

from opeai_nb.engine.painter.editing import operations as ops
from opeai_nb.engine.painter.raster import grading
from opeai_nb.engine.painter.raster.colour import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.engine.painter.composition import PaintRequest
    from opeai_nb.engine.painter.raster.frame import Frame


@dataclass(frozen=True, slots=True)
class Finish:
    """What one instruction lays over the picture; *request* has its chance and its variant.

    *is_quiet*: it says nothing known, and still asks for a change.
    """

    request: PaintRequest
    tints: tuple[str, ...] = ()
    tones: tuple[str, ...] = ()
    style: str | None = None
    is_quiet: bool = False


def finish_for(wanted: Sequence[ops.Operation], request: PaintRequest, *, is_quiet: bool) -> Finish:
    """Return what of the operations *wanted* concerns the whole picture."""
    styles = [one.name for one in wanted if isinstance(one, ops.Style)]
    return Finish(
        request,
        tuple(name for one in wanted if isinstance(one, ops.Tint) for name in one.colours),
        tuple(one.word for one in wanted if isinstance(one, ops.Tone)),
        styles[-1] if styles else None,
        is_quiet,
    )


def laid_over(image: Image.Image, matte: Image.Image, finish: Finish, frame: Frame) -> Image.Image:
    """Return *image* with *finish*; *matte* is 255 on its subject, which a blur may spare."""
    image = tinted(image, finish.tints)
    image = toned(image, matte, finish.tones)
    image = exposed(image, finish.request)
    if finish.is_quiet:
        return enriched(image, frame)
    if finish.style:
        image = styled(image, finish.style, finish.tints, finish.request, frame)
    return framed(image) if "frame" in finish.tones else image


def without_style(finishes: Sequence[Finish]) -> tuple[Finish, ...]:
    """Return *finishes* without a style: a new one takes its place."""
    return tuple(replace(one, style=None) for one in finishes)


def tinted(image: Image.Image, names: tuple[str, ...]) -> Image.Image:
    """Return *image* graded towards the colours of *names*, its lightness kept."""
    return grading.contrasted(grading.tinted(image, names, 0.74), 0.3) if names else image


def toned(image: Image.Image, matte: Image.Image, words: tuple[str, ...]) -> Image.Image:
    """Return the picture after the words for tone: brighter, warmer, softer, blurred."""
    if "brighter" in words:
        image = grading.levelled(image, 1.16, 22)
    if "darker" in words:
        image = grading.levelled(image, 0.62, -4)
    if "contrast" in words:
        image = grading.contrasted(grading.saturated(image, 1.15), 0.85)
    if "soft" in words:
        image = grading.levelled(grading.saturated(image, 0.7), 0.82, 36)
    for word, tone in (("warm", (255, 196, 128)), ("cold", (128, 186, 255))):
        if word in words:
            veil = Image.new("RGB", image.size, tone)
            image = Image.blend(image, ImageChops.soft_light(image, veil), 0.75)
    if "blur" in words:
        blurred = image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.014))
        if "background" in words:
            blurred.paste(image, (0, 0), matte)
        image = blurred
    return image


def exposed(image: Image.Image, request: PaintRequest) -> Image.Image:
    """Return a further variant a little warmer or cooler than the first, whatever the words."""
    if not request.variant:
        return image
    warm, bright = (request.chance("exposure").random(2) * 36 - 18).tolist()
    tone = whole((128 + warm + bright, 128 + bright, 128 - warm + bright))
    return ImageChops.soft_light(image, Image.new("RGB", image.size, tone))


def enriched(image: Image.Image, frame: Frame) -> Image.Image:
    """Return a fresh, richer print."""
    calm = image.filter(ImageFilter.BoxBlur(frame.unit * 0.0016))
    crisp = calm.filter(ImageFilter.UnsharpMask(frame.unit * 0.004, 60, 2))
    rich = grading.contrasted(grading.saturated(crisp, 1.3), 0.4)
    return grading.vignetted(grading.bloomed(rich, 0.35), 0.35)


def styled(
    image: Image.Image, style: str, tints: tuple[str, ...], request: PaintRequest, frame: Frame
) -> Image.Image:
    """Return *image* in *style*, to its edges."""
    from opeai_nb.engine.painter.styles import SHORT_SIDES, STYLES
    from opeai_nb.engine.painter.styles.paper import Paper

    working = frame.reduced(max(1.0, frame.unit / SHORT_SIDES[style][0]))
    small = image.resize(working.size, Image.Resampling.BOX) if working != frame else image
    return STYLES[style](small, Paper(frame, request.chance("style"), tints, has_margin=False))


def framed(image: Image.Image) -> Image.Image:
    """Return the picture behind a mount in a wooden frame, at its old size."""
    unit = min(image.size)
    rim, mount = max(1, round(unit * 0.035)), max(1, round(unit * 0.05))
    inner = image.resize(
        (max(1, image.width - 2 * (rim + mount)), max(1, image.height - 2 * (rim + mount))),
        Image.Resampling.BICUBIC,
    )
    mounted = ImageOps.expand(inner, mount, (246, 242, 232))
    return ImageOps.expand(mounted, rim, (86, 58, 40)).resize(image.size)
