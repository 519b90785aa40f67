"""Where an edit may change its picture: a box, or a mask; all else stays as it is, to the pixel.

Nothing of it is sent: the edit goes as usual, and the answer is laid over the original here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.image_input.input_image import HasPictures, pixels_of_array
from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import InputError, NoPictureError
from opeai_nb.imaging.encode import saved
from opeai_nb.imaging.open_picture import (
    UndecodableError,
    decoded_picture,
    loaded,
    orientation,
    upright,
)
from opeai_nb.imaging.scale import in_eight_bits
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from PIL import Image

    from opeai_nb.client.values.image_input.input_image import InputImage
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.imaging.overlay.lay_over import Laid

ALPHA: Final = "alpha"
"""The region is where the input picture itself is transparent."""
_NUMBERS: Final = re.compile(r"[\d\s.,;+\-]*\d[\d\s.,;+\-]*")
_HOW: Final = "Give x,y,width,height in pixels of the input picture, such as 100,80,400,300"
_VERSION: Final = 1  # of how an answer is laid over: another one is another picture
_DIGITS: Final = 8


@dataclass(frozen=True)
class Only:
    """A region of the input picture *picture*, sound.

    *box* is x, y, width and height in pixels of the picture as it was given, upright; *mask* is
    what of the box belongs to the region, as a PNG in grey of that size: None is all of it.
    """

    box: tuple[int, int, int, int]
    mask: bytes | None = field(default=None, repr=False)
    picture: InputImage = field(kw_only=True, repr=False)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits: the same for the same region of the same picture."""
        original = self.picture.original
        if original is not None and not isinstance(original, bytes):
            original = original.tobytes()
        parts = (repr((_VERSION, self.box)).encode(), self.mask or b"", original or b"")
        digests = [hashlib.sha256(part).hexdigest() for part in parts]
        told = " ".join([*digests, self.picture.sha256])
        return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]

    def to_json(self) -> dict[str, Any]:
        """Return what a record tells: the box, and the sha256 of the mask's PNG where one is."""
        mask = {} if self.mask is None else {"mask": hashlib.sha256(self.mask).hexdigest()}
        return {"box": list(self.box), **mask}

    def lay_over(self, answer: Image.Image) -> Laid:
        """Return the input picture with *answer* inside the region.

        Raises `UndecodableError` where the input picture cannot be read any more.
        """
        from opeai_nb.imaging.overlay.lay_over import lay_over

        whole = self.picture.whole
        if whole is None:
            raise UndecodableError("its pixels are not known here")
        x, y, width, height = self.box
        mask = None if self.mask is None else decoded_picture(self.mask)
        return lay_over(loaded(whole), answer, (x, y, x + width, y + height), mask)


def only_in(request: ImageRequest, value: object) -> Only | None:
    """Return the region of the input picture of *request* that *value* says; None for None.

    *value* is x, y, width and height (as text or numbers), a mask in whatever a picture may be
    given as, or the word `alpha`. Raises `InputError` before anything is sent: for a request
    without exactly one input picture whose pixels are known, and for a region that is none, leaves
    the picture, or is of another size.
    """
    if value is None or isinstance(value, Only):
        return value
    picture = _picture(request)
    size = picture.whole_size
    if size is None:
        raise InputError(
            "only needs the pixels of the input picture, and those behind a URL are not known.",
            advice="Download it first, and give the file. Nothing was sent.",
        )
    if (numbers := _numbers(value)) is not None:
        return Only(_box(numbers, size), picture=picture)
    return _masked(_mask(value, picture), size, picture)


def _picture(request: ImageRequest) -> InputImage:
    if not request.image:
        raise InputError(
            "only is for edits, and there is no input picture.",
            advice="Give one, with image (-i). Nothing was sent.",
        )
    if len(request.image) > 1:
        raise InputError(
            f"only needs one input picture, and there are {len(request.image)}: it is not known "
            "which of them is to stay.",
            advice="Give one, or leave only out. Nothing was sent.",
        )
    return request.image[0]


def _numbers(value: object) -> list[str | float] | None:
    """Return the numbers that say a box; None where *value* is something else."""
    if isinstance(value, str):
        return list(re.split(r"[\s,;]+", value.strip())) if _NUMBERS.fullmatch(value) else None
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | HasPictures):
        return list(value)
    shape = getattr(value, "shape", None)
    return list(value.tolist()) if shape is not None and len(shape) == 1 else None  # type: ignore[attr-defined]  # an array


def _box(numbers: list[str | float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    told = ",".join(map(str, numbers))
    try:
        exact = [float(number) for number in numbers]
        whole = [int(number) for number in exact]
    except (TypeError, ValueError, OverflowError):
        exact, whole = [], []
    if len(whole) != 4 or exact != whole:  # noqa: PLR2004  x, y, width, height
        raise InputError(
            f"only is {told[:60]!r}, not four whole numbers.", advice=f"{_HOW}. Nothing was sent."
        )
    x, y, width, height = whole
    if width < 1 or height < 1:
        raise InputError(
            f"only is {told}: a region {width} pixels wide and {height} high.",
            advice=f"{_HOW}: the last two are its sides. Nothing was sent.",
        )
    if x < 0 or y < 0 or x + width > size[0] or y + height > size[1]:
        raise InputError(
            f"only is {told}, which leaves the input picture ({size[0]}x{size[1]}).",
            advice=f"{_HOW}. Nothing was sent.",
        )
    return x, y, width, height


def _masked(mask: Image.Image, size: tuple[int, int], picture: InputImage) -> Only:
    if mask.size != size:
        raise InputError(
            f"The mask is {mask.width}x{mask.height}, and the input picture {size[0]}x{size[1]}.",
            advice="Give a mask of the picture's size. Nothing was sent.",
        )
    box = mask.getbbox()
    if box is None:
        raise InputError(
            "The mask is empty: it leaves no pixel to change.",
            advice="White is where the edit goes; of a mask with transparency, what is "
            "transparent. Nothing was sent.",
        )
    left, top, right, bottom = box
    part = mask.crop(box)
    is_whole = part.getextrema() == (255, 255)
    data = None if is_whole else saved(part, "PNG", compress_level=6)
    return Only((left, top, right - left, bottom - top), data, picture=picture)


def _mask(value: object, picture: InputImage) -> Image.Image:
    """Return a mask in grey, white where the edit goes."""
    if isinstance(value, str) and value.strip().lower() == ALPHA:
        return _own_alpha(picture)
    try:
        image = _opened(value)
    except (UndecodableError, OSError, NoPictureError, TypeError, ValueError) as error:
        raise InputError(
            f"only is neither a region nor a mask that can be read: {_why(error)}.",
            advice=f"{_HOW}, a picture as mask, or alpha. Nothing was sent.",
        ) from error
    return _white_where_it_goes(image if orientation(image) == 1 else upright(image))


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).rstrip(".")


def _own_alpha(picture: InputImage) -> Image.Image:
    from PIL import ImageChops

    whole = picture.whole
    still = None if whole is None else upright(loaded(whole))
    if still is None or not still.has_transparency_data:
        raise InputError(
            "only is alpha, and the input picture has no transparency.",
            advice=f"{_HOW}, or a mask. Nothing was sent.",
        )
    return ImageChops.invert(still.convert("RGBA").getchannel("A"))


def _white_where_it_goes(image: Image.Image) -> Image.Image:
    """Return a mask in grey. What is transparent counts, as in the masks of OpenAI's API."""
    from PIL import ImageChops

    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            return ImageChops.invert(alpha)
    if image.mode.startswith("I"):
        return in_eight_bits(image)
    return image.convert("L")


def _opened(value: object) -> Image.Image:
    from PIL import Image

    if isinstance(value, Image.Image):
        return value
    if isinstance(value, HasPictures):
        if not value.good:
            raise NoPictureError("It holds no picture.")
        value = value.good[0]
    if isinstance(value, Picture):
        return value.image
    if isinstance(value, bytes | bytearray):
        return decoded_picture(bytes(value))
    if isinstance(value, str | os.PathLike):
        return decoded_picture(read_plain(Path(value).expanduser(), links=True))
    if hasattr(value, "read"):
        return decoded_picture(BytesIO(value.read()).getvalue())
    if hasattr(type(value), "__array_interface__") or hasattr(type(value), "__array__"):
        return _of_array(value)
    raise TypeError(f"a value of the type {type(value).__name__}")


def _of_array(value: object) -> Image.Image:
    import numpy as np
    from PIL import Image

    values = np.asarray(value)
    if np.issubdtype(values.dtype, np.integer) and values.size and values.max() == 1:
        values = values.astype(bool)  # 0 and 1 are meant as no and yes
    return Image.fromarray(pixels_of_array(values))
