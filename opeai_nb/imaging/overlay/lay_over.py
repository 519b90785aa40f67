"""An edited picture laid over its original inside a region: outside, not a pixel differs."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageFilter

from opeai_nb.imaging.open_picture import orientation, upright
from opeai_nb.imaging.overlay.drift import Fit, fit
from opeai_nb.imaging.scale import has_alpha, in_eight_bits

Box = tuple[int, int, int, int]
_SOFTEST: Final = 24
"""Pixels at most over which an edge passes from the original to the answer, inside the region."""
_PART: Final = 8  # and no more than this part of a side
_DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_TOLD: Final = 1.0  # pixels: a movement of less is put right without a word


class Laid(NamedTuple):
    """The picture, and a sentence on where the answer had moved; empty where it had not."""

    image: Image.Image
    note: str


def canvas(image: Image.Image) -> Image.Image:
    """Return a picture upright and in a mode that takes whatever is laid on it, maybe itself.

    RGBA where anything may be transparent, else RGB; 16 bits of grey stay what they are. Pillow
    reads 16 bits of a colour as 8.
    """
    still = image if orientation(image) == 1 else upright(image)
    if still.mode in _DEEP:
        return still if still.mode == "I;16" else still.convert("I;16")
    if still.mode == "RGBa":
        return still.convert("RGBA")
    mode = "RGBA" if has_alpha(still) else "RGB"
    return still if still.mode == mode else still.convert(mode)


def lay_over(
    original: Image.Image, answer: Image.Image, box: Box, mask: Image.Image | None = None
) -> Laid:
    """Return *original* with *answer* inside a region of it.

    *box* is left, top, right and bottom of the region in pixels of the upright original, *mask*
    (mode `L`, of the box's size) what of it belongs to the region. The edge is soft inward alone.
    An answer of another size is brought to the original's; one that has moved is moved back, where
    what is outside the region is alike enough to tell. Where the answer shows nothing, the original
    stays.
    """
    ground, laid = canvas(original), canvas(answer)
    if laid.mode == "I;16" != ground.mode:
        laid = _grey(laid).convert("RGB")
    lies = fit(_grey(ground), _grey(laid), _mask_of(ground.size, box, mask))
    inner = _covered(box, lies, laid.size)
    if inner is None:
        return Laid(ground, _NOTHING)
    shade = _shade(ground.size, box, mask, inner)
    moved = _moved(laid, lies, inner)
    below = ground.crop(inner)
    ground = ground.copy()
    ground.paste(_mixed(below, moved, shade), inner[:2])
    return Laid(ground, " ".join(filter(None, [_of_drift(lies), _of_cover(box, inner)])))


_NOTHING: Final = "The answer shows nothing of the region: it is laid over nowhere."


def _of_drift(lies: Fit) -> str:
    if not lies.is_sure:
        return (
            f"Outside the region the answer is not like the picture (likeness "
            f"{max(0.0, lies.likeness or 0.0):.0%}), so it is not known how far it has moved, and "
            "it was laid over where it stood: look at the edge."
        )
    grown = f"{abs(lies.zoom - 1):.1%}"
    parts = [f"moved by {lies.shift:.0f} pixels" if lies.shift >= _TOLD else ""]
    if grown != "0.0%":
        parts.append(f"{'grown' if lies.zoom > 1 else 'shrunk'} by {grown}")
    told = " and ".join(filter(None, parts))
    return f"The answer had {told}; it was moved back before it was laid over." if told else ""


def _of_cover(box: Box, inner: Box) -> str:
    if inner == box:
        return ""
    left, top, right, bottom = inner
    return (
        "The answer shows a part of the region alone: it was laid over at "
        f"{left},{top},{right - left},{bottom - top}."
    )


def _grey(image: Image.Image) -> Image.Image:
    """Return a picture of 16 bits in 8; any other as it is."""
    return in_eight_bits(image) if image.mode == "I;16" else image


def _mask_of(size: tuple[int, int], box: Box, mask: Image.Image | None) -> Image.Image:
    """Return the region as a mask of the whole picture."""
    whole = Image.new("L", size)
    if mask is None:
        whole.paste(255, box)
    else:
        whole.paste(mask, box[:2])
    return whole


def _covered(box: Box, lies: Fit, size: tuple[int, int]) -> Box | None:
    """Return what of *box* the answer shows, in whole pixels; None where that is nothing."""
    right, bottom = (
        lies.left + size[0] * lies.width_scale,
        lies.top + size[1] * lies.height_scale,
    )
    slack = 1e-6
    inner = (
        max(box[0], math.ceil(lies.left - slack)),
        max(box[1], math.ceil(lies.top - slack)),
        min(box[2], math.floor(right + slack)),
        min(box[3], math.floor(bottom + slack)),
    )
    return inner if inner[0] < inner[2] and inner[1] < inner[3] else None


def _moved(answer: Image.Image, lies: Fit, inner: Box) -> Image.Image:
    """Return the answer's pixels for a box of the original."""
    left, top, right, bottom = lies.box(inner)
    size = inner[2] - inner[0], inner[3] - inner[1]
    if (left, top, right, bottom) == inner:
        return answer.crop(inner)
    within = (
        max(0.0, left),
        max(0.0, top),
        min(float(answer.width), right),
        min(float(answer.height), bottom),
    )
    return answer.resize(size, Image.Resampling.BICUBIC, box=within)


def _shade(size: tuple[int, int], box: Box, mask: Image.Image | None, inner: Box) -> Image.Image:
    """Return how much of the answer shows at each pixel of *inner*: soft inward from the edge.

    Along the picture's own border there is nothing to be soft against.
    """
    softness = max(1, min(_SOFTEST, (inner[2] - inner[0]) // _PART, (inner[3] - inner[1]) // _PART))
    margin = softness + 1
    left, top = max(0, inner[0] - margin), max(0, inner[1] - margin)
    right, bottom = min(size[0], inner[2] + margin), min(size[1], inner[3] + margin)
    around = Image.new("L", (right - left, bottom - top))
    place = inner[0] - left, inner[1] - top
    if mask is None:
        around.paste(255, (*place, place[0] + inner[2] - inner[0], place[1] + inner[3] - inner[1]))
    else:
        offset = inner[0] - box[0], inner[1] - box[1]
        part = (*offset, offset[0] + inner[2] - inner[0], offset[1] + inner[3] - inner[1])
        around.paste(mask.crop(part), place)
    soft = _inward(around, softness)
    return soft.crop((*place, place[0] + inner[2] - inner[0], place[1] + inner[3] - inner[1]))


def _inward(mask: Image.Image, softness: int) -> Image.Image:
    """Return a mask that begins at its edge and is full *softness* pixels further in.

    A mean over a square is one half at a straight edge. Parts that are thinner than that would
    fade; so the softness is halved until most of the mask is left.
    """
    whole = _weight(mask)
    while softness:
        near = mask.filter(ImageFilter.BoxBlur(softness)).point(_UPPER_HALF)
        soft = ImageChops.multiply(near, mask)
        if _weight(soft) >= whole / 2:
            return soft
        softness //= 2
    return mask


_UPPER_HALF: Final = [max(0, min(255, 2 * value - 255)) for value in range(256)]


def _weight(mask: Image.Image) -> int:
    return sum(level * count for level, count in enumerate(mask.histogram()))


def _mixed(below: Image.Image, above: Image.Image, shade: Image.Image) -> Image.Image:
    """Return *above* over *below* by *shade*; where that is 0, the very pixels of *below*."""
    if below.mode == "I;16":
        return _mixed_deep(below, above, shade)
    if below.mode == "RGB" and above.mode == "RGB":
        return Image.composite(above, below, shade)
    # Colours of what is transparent mean nothing: they are weighed by how opaque they are.
    mixed = Image.composite(_premultiplied(above), _premultiplied(below), shade).convert("RGBA")
    touched = shade.point(lambda value: 255 if value else 0)
    return Image.composite(mixed, below.convert("RGBA"), touched).convert(below.mode)


def _premultiplied(image: Image.Image) -> Image.Image:
    return image.convert("RGBA").convert("RGBa")


def _mixed_deep(below: Image.Image, above: Image.Image, shade: Image.Image) -> Image.Image:
    """Return the mix in 16 bits of grey: 255 of 8 bits is 65535."""
    import numpy as np

    deep = np.asarray(below, np.float32)
    over = (
        np.asarray(above, np.float32)
        if above.mode == "I;16"
        else np.asarray(above.convert("L"), np.float32) * 257
    )
    part = np.asarray(shade, np.float32) / 255
    mixed = np.where(part > 0, deep + (over - deep) * part + 0.5, deep)
    return Image.fromarray(mixed.astype(np.uint16))
