"""The painter: a prompt becomes a picture with numpy and Pillow alone.

Neither is loaded before the first call, so that importing the engine stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


def paint(
    prompt: str,
    size: tuple[int, int],
    *,
    variant: int = 0,
    seed: int | None = None,
    style: str | None = None,
    quality: str = "auto",
    transparent: bool = False,
    watermark: bool = False,
) -> Image:
    """Paint *prompt* at *size* (width, height in pixels, 16 to 4096 a side).

    The same arguments give the same pixels on every run. *variant* (0, 1, 2…) is the place among
    the n pictures of one request. *style* is a style word, "vivid" or "natural"; words the painter
    does not know change nothing. *quality*: low, medium, high, hd, standard, auto. The answer is
    RGB, or RGBA with only the subject opaque when *transparent*. Raises ValueError for a size
    outside the range.
    """
    from opeai_nb.engine.painter import composition

    return composition.painted(
        composition.Commission(prompt, size, variant, seed, style, quality, transparent, watermark)
    )


def edit(
    images: Sequence[Image],
    prompt: str,
    size: tuple[int, int] | None,
    *,
    variant: int = 0,
    seed: int | None = None,
    style: str | None = None,
    quality: str = "auto",
    transparent: bool = False,
    watermark: bool = False,
) -> Image:
    """Change the first of *images* as *prompt* says and keep its subject.

    *size* None keeps the first picture's own. Further pictures appear as prints laid on the first.
    The other arguments are those of `paint`. Raises ValueError without an image.
    """
    from opeai_nb.engine.painter import composition, retouch

    commission = composition.Commission(
        prompt,
        size or images[0].size if images else (0, 0),
        variant,
        seed,
        style,
        quality,
        transparent,
        watermark,
    )
    return retouch.retouched(tuple(images), commission)


def encode(image: Image, output_format: str = "png", output_compression: int = 100) -> bytes:
    """Write *image* as png, jpeg or webp bytes; *output_compression* is the quality, 0 to 100.

    png ignores *output_compression*. Raises ValueError for another format.
    """
    from opeai_nb.engine.painter.raster import encode_picture

    return encode_picture.encoded(image, output_format, output_compression)
