"""Sizes and colours: a picture made smaller, filling a box, with or without transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]


def has_alpha(image: Image.Image) -> bool:
    """Tell whether *image* may let the page through."""
    return "A" in image.getbands() or "transparency" in image.info


def plain(image: Image.Image) -> Image.Image:
    """Return *image* as RGBA where it is transparent, else as RGB; itself if it is that already."""
    mode = "RGBA" if has_alpha(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)


def fitted(size: Size, box: Size) -> Size:
    """Return *size* scaled down to fit into *box*, at least one pixel a side; never enlarged."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def scaled(image: Image.Image, side: int) -> Image.Image:
    """Return *image* with its longer side at most *side* pixels, as RGB or RGBA; a copy always.

    In two steps: by a whole factor (fast), then to the pixel (good).
    """
    from PIL import Image

    size = fitted(image.size, (side, side))
    if size == image.size:
        return plain(image.copy())
    image = image if image.mode == "L" else plain(image)
    factor = max(1, max(image.size) // side)
    small = image.reduce(factor) if factor > 1 else image
    return plain(small if small.size == size else small.resize(size, Image.Resampling.BICUBIC))


def filling(image: Image.Image, size: Size) -> Image.Image:
    """Return *image* scaled to fill *size*, what stands over cut off on both sides."""
    from PIL.Image import Resampling

    image = plain(image)
    scale = min(image.width / size[0], image.height / size[1])
    # Never beyond the edge, by however little: Pillow refuses a box at -1e-14.
    width, height = min(size[0] * scale, image.width), min(size[1] * scale, image.height)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, left + width, top + height)
    return image.resize(size, Resampling.BICUBIC, box=box, reducing_gap=2.0)


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits in 8; Pillow would make white of all beyond 255."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
