"""From a request to the bytes of one of its pictures, by a painter."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Final, Protocol, Unpack

from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.painter import Manner
from opeai_nb.engine.painter.editing import RECIPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


PIXELS_MAX: Final = 25_000_000  # of an input image: an image bomb is a small file of many pixels
_SIDE_MAX: Final = 2048  # an input is reduced to it: no scene gains from more
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP")  # platform.md 3.5
_MEDIA_TYPES: Final = {b"\x89PN": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIF": "image/webp"}


class Painter(Protocol):
    """What makes pictures: the module `opeai_nb.engine.painter` or a stand-in for it."""

    def paint(self, prompt: str, size: tuple[int, int], /, **manner: Unpack[Manner]) -> Image:
        """Return a picture of *prompt*."""

    def edit(
        self,
        images: Sequence[Image],
        prompt: str,
        size: tuple[int, int] | None,
        /,
        **manner: Unpack[Manner],
    ) -> Image:
        """Return *images* changed as *prompt* says; *size* None keeps the first one's."""

    def encode(
        self, image: Image, /, output_format: str = ..., output_compression: int = ...
    ) -> bytes:
        """Return the file of a picture."""


class Recipes(Protocol):
    """What the pictures of the engine's own were made from, by a digest of their pixels."""

    def recipe(self, pixels: str) -> str | None:
        """Return the recipe of the picture with these *pixels*, or None."""

    def put_recipe(self, pixels: str, recipe: str, now: float) -> None:
        """Keep a recipe."""


def render(
    painter: Painter | None,
    request: ApiRequest,
    inputs: Sequence[bytes],
    position: int,
    *,
    recipes: Recipes,
    now: float,
) -> bytes:
    """Return the file of the picture at *position*; the same request gives the same bytes.

    A further take goes on where the last one ended: its variants are new. A picture of the
    engine's own is found in *recipes* by its pixels, wherever it has been since, and so edited as
    the scene that it is.
    """
    if painter is None:
        painter = _default_painter()
    size = (request.width, request.height)
    manner: Manner = {
        "variant": request.take * request.n + position,
        "seed": request.seed,
        "style": request.style,
        "quality": request.quality,
        "transparent": request.transparent,
        "watermark": request.watermark,
    }
    if inputs:
        images = [_opened(data) for data in inputs]
        if request.masked:
            manner["mask"] = _editable(images.pop())
        _recognise(images[0], recipes)
        image = painter.edit(images, request.prompt, size, **manner)
    else:
        image = painter.paint(request.prompt, size, **manner)
    data = painter.encode(image, request.output_format, request.output_compression)
    if (recipe := image.info.get(RECIPE)) is not None:
        is_exact = request.output_format == "png"
        recipes.put_recipe(_pixels(image if is_exact else _opened(data)), recipe, now)
    return data


def _recognise(image: Image, recipes: Recipes) -> None:
    """Give *image* its recipe, if it is a picture of the engine's own."""
    image.info.pop(RECIPE, None)
    if (recipe := recipes.recipe(_pixels(image))) is not None:
        image.info[RECIPE] = recipe


def _pixels(image: Image) -> str:
    """Return a digest of what *image* shows, whatever file it came in."""
    digest = hashlib.sha256(repr(image.size).encode())
    digest.update(image.convert("RGB").tobytes())
    return digest.hexdigest()


def _default_painter() -> Painter:
    from opeai_nb.engine import painter  # numpy and PIL load here, at the first paint

    return painter


def media_type(data: bytes) -> str:
    """Return the MIME type of a picture by its first bytes."""
    return _MEDIA_TYPES.get(data[:3], "application/octet-stream")


def checked_size(data: bytes) -> tuple[int, int]:
    """Return the width and height that an edit of *data* has when no size is asked for.

    ApiError 400 unless *data* is a whole image of a format and size that edits take.
    """
    image = _opened(data)
    return max(64, image.width), max(64, image.height)


def checked_mask_size(data: bytes) -> tuple[int, int]:
    """Return a mask's size as `checked_size` does; ApiError 400 for one that has no alpha."""
    if not _opened(data).has_transparency_data:
        raise ApiError(
            "the mask has no alpha channel: an edit paints where the mask is transparent",
            code="invalid_image",
            param="mask",
        )
    return checked_size(data)


def _editable(mask: Image) -> Image:
    """Return where *mask* lets an edit paint, 255 there: where it is clear (platform.md 4.1)."""
    from PIL import ImageOps

    return ImageOps.invert(mask.convert("RGBA").getchannel("A"))


def _opened(data: bytes) -> Image:
    """Return the image in *data*, decoded, upright and at most 2048 pixels wide and high."""
    from PIL import Image

    if _is_slow(data):
        raise _not_an_image()
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > PIXELS_MAX:
            raise ApiError(
                f"the input image has {image.width}x{image.height} pixels; "
                f"at most {PIXELS_MAX} are accepted",
                code="invalid_image",
                param="image",
            )
        if image.width * image.height * data.count(_SCAN) > _SCANNED_MAX:
            raise _not_an_image()
        image.draft("RGB", (_SIDE_MAX, _SIDE_MAX))
        image.load()
    except ApiError:
        raise
    except Exception as error:  # a decoder may raise whatever it likes
        raise _not_an_image() from error
    image.thumbnail((_SIDE_MAX, _SIDE_MAX))
    return _upright(image)


def _upright(image: Image) -> Image:
    """Return *image* as its EXIF says that it is looked at: a photo, and a mask made of one."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  a broken EXIF says nothing, in whatever way it is broken
        return image


def _is_slow(data: bytes) -> bool:
    """Tell a file of so many parts that opening it would keep a worker busy for minutes.

    Counted before it is opened, for nobody can end a thread.
    """
    if data.startswith(b"BM"):  # run lengths are undone in Python
        return data[30:31] in {b"\1", b"\2"} and len(data) > _RUN_LENGTH_BYTES
    return any(data.count(part) > _MOST_PARTS for part in _PARTS)


_RUN_LENGTH_BYTES: Final = 4_000_000
_PARTS: Final = (b"IDAT", b"tEXt", b"iTXt", b"zTXt", b"Exif\0\0")
_MOST_PARTS: Final = 5_000
_SCAN: Final = b"\xff\xda"
_SCANNED_MAX: Final = 1_000_000_000  # pixels in all scans of a JPEG: 3 s; 40 scans of the largest


def _not_an_image() -> ApiError:
    return ApiError(
        "the input image could not be read: PNG, JPEG, WEBP or BMP is expected",
        code="invalid_image",
        param="image",
    )
