"""The painter: a prompt becomes a picture with numpy and Pillow alone.

Neither is loaded before the first call, so that importing the engine stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


class Manner(TypedDict, total=False):
    """How a picture is painted; what is left out has the value named here.

    *variant* (0): the place among the n pictures of one request. *seed* (None). *style* (None): a
    style word, "vivid" or "natural"; words the painter does not know change nothing. *quality*
    ("auto"): low, medium, high, hd, standard, auto. *transparent* (False): RGBA with only the
    subject opaque. *watermark* (False). *mask* (None): for an edit, an L picture of the first
    image's size; it is painted where the mask is 255, and stays as it is, to the pixel, where it
    is 0.
    """

    variant: int
    seed: int | None
    style: str | None
    quality: str
    transparent: bool
    watermark: bool
    mask: Image | None


def paint(prompt: str, size: tuple[int, int], **manner: Unpack[Manner]) -> Image:
    """Return a picture of *prompt* at *size* (width, height in pixels, 16 to 4096 a side).

    RGB, or RGBA when `transparent`. The same arguments give the same pixels on every run. Raises
    ValueError for a size outside the range.
    """
    from opeai_nb.engine.painter import composition
    from opeai_nb.engine.painter.editing import recipe

    request = composition.PaintRequest(prompt, size, **manner)
    return recipe.with_recipe(composition.painted(request), recipe.Recipe.of(request))


def edit(
    images: Sequence[Image], prompt: str, size: tuple[int, int] | None, **manner: Unpack[Manner]
) -> Image:
    """Return the first of *images* changed as *prompt* says, its subject kept.

    A picture that `paint` or `edit` returned is known by its `info`: its scene is painted again
    with what the words change, and the rest stays as it is. *size* None keeps the first picture's
    own. Further pictures appear as prints laid on the first.
    Raises ValueError without an image.
    """
    from opeai_nb.engine.painter import composition, retouch

    size = size or (images[0].size if images else (0, 0))
    return retouch.retouched(tuple(images), composition.PaintRequest(prompt, size, **manner))


def encode(image: Image, output_format: str = "png", output_compression: int = 100) -> bytes:
    """Return *image* as png, jpeg or webp; *output_compression* is the quality, 0 to 100.

    png ignores *output_compression*. Raises ValueError for another format.
    """
    from opeai_nb.engine.painter.raster import encode_picture

    return encode_picture.encoded(image, output_format, output_compression)
