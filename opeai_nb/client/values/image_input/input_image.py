"""A picture given as input: from whatever a person has, to what travels to the platform."""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.client.values.image_input.image_encoding import (
    MAX_BYTES,
    ImageInputWarning,
    as_stored,
    by,
    coloured,
    encoded_for_upload,
    pixels_digest,
    travelling,
)
from opeai_nb.client.values.image_input.image_problem import why_unusable
from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import ImageInputError, NoPictureError
from opeai_nb.formats import sniff_format
from opeai_nb.imaging.open_picture import (
    MAX_PIXELS,
    TooManyPixelsError,
    UndecodableError,
    decoded_picture,
    open_picture,
    orientation,
)
from opeai_nb.plain_file import as_here, read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image

__all__ = ["MAX_BYTES", "ImageInputWarning", "InputImage", "input_images"]

_ON_ITS_SIDE: Final = range(5, 9)  # EXIF orientations that swap width and height
_AS_THEY_ARE: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})  # a PNG has all of these
_BARE_BASE64 = re.compile(r"[A-Za-z0-9+/\-_\s]{64,}={0,2}\s*")


@runtime_checkable
class HasPictures(Protocol):
    """A `Generation`, as far as an input knows it: importing it would close a circle."""

    @property
    def good(self) -> tuple[Picture, ...]:
        """The pictures that did not fail, in order."""


@dataclass(frozen=True)
class InputImage:
    """One input picture, ready to travel.

    Exactly one is set: *url* (http, https or data URL, as given), *data* (the bytes of a file as
    given, which are its identity) or *raw* (a JSON object, sent as it is). *sent* is what travels
    of *data*, where that is known already; *name* is a basename for people, never a path.
    *original* is what was given, where *data* has not all of it: a file that was encoded anew, or
    a decoded picture that was; *pixels* is the sha256 of these, which is its identity then.
    """

    url: str | None = None
    data: bytes | None = field(default=None, repr=False)
    raw: Mapping[str, Any] | None = field(default=None, repr=False)
    name: str | None = None
    sent: bytes | None = field(default=None, repr=False, compare=False)
    original: bytes | Image.Image | None = field(default=None, repr=False, compare=False)
    pixels: str | None = field(default=None, repr=False, compare=False)

    def wire(self) -> str | dict[str, Any]:
        """Return what stands in the request (platform.md 1.2): a URL, a data URL, or the dict."""
        if self.raw is not None:
            return dict(self.raw)
        if self.data is None:
            return self.url or ""
        import pybase64

        sent = travelling(self.data) if self.sent is None else self.sent
        kind = sniff_format(sent) or "png"
        return f"data:image/{kind};base64,{pybase64.b64encode_as_string(sent)}"

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, upright; None of a URL, a dict, or what is no picture."""
        if self.data is None:
            return None
        try:
            image = open_picture(self.data)
        except UndecodableError:
            return None
        return _upright_size(image)

    @property
    def whole(self) -> Image.Image | None:
        """The picture as it was given, at its full size, maybe not upright; None as for `size`.

        Its pixels may not be read yet. Raises `UndecodableError` where they are cut short.
        """
        if self.data is None:
            return None
        original = self.data if self.original is None else self.original
        return open_picture(original) if isinstance(original, bytes) else original

    @property
    def whole_size(self) -> tuple[int, int] | None:
        """Width and height in pixels, upright, as it was given; None as for `size`."""
        return None if (image := self.whole) is None else _upright_size(image)

    @property
    def sha256(self) -> str:
        """Identity by content: of the bytes, or of the text where only a URL is known."""
        content = self.data if self.data is not None else repr(self.raw or self.url).encode()
        return hashlib.sha256(content).hexdigest()


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if orientation(image) in _ON_ITS_SIDE else (width, height)


def input_images(value: object) -> tuple[InputImage, ...]:
    """Return the input pictures in *value*: one, or a list or tuple of them, in order.

    A picture may be a path, a URL, a data URL, bare base64, bytes, a file object, a PIL image,
    a numpy array, a `Picture`, a `Generation` (all its pictures) or a dict (sent as it is).
    Raises `ImageInputError` when one cannot be read, before anything is sent.
    """
    if isinstance(value, HasPictures):
        return tuple(_one(picture) for picture in value.good)
    if isinstance(value, (list, tuple)):
        return tuple(image for item in value for image in input_images(item))
    return (_one(value),)


def _one(value: object) -> InputImage:
    if isinstance(value, InputImage):
        return value
    if isinstance(value, dict):
        return _from_dict(value)
    if isinstance(value, Picture):
        return _from_picture(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(value))
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, os.PathLike):
        return _from_path(Path(value))
    if hasattr(value, "read"):
        return _from_file(value)
    # Of the type: a PIL image that is asked for its own would decode and copy itself.
    if any(hasattr(type(value), name) for name in ("__array_interface__", "__array__")):
        # PIL images offer this too, and Image.fromarray would copy them: so they are told apart.
        return _from_array_or_pil(value)
    raise ImageInputError(
        f"A value of the type {type(value).__name__} is not a picture.",
        advice="Give a path, a URL, bytes, a PIL image, a numpy array or a generation. "
        "Nothing was sent.",
    )


def _from_dict(value: dict[str, Any]) -> InputImage:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ImageInputError(f"The dict cannot be written as JSON: {error}.") from error
    return InputImage(raw=dict(value))


def _from_text(text: str) -> InputImage:
    text = text.strip()
    if not text:
        raise ImageInputError("The text that should name the input picture is empty.")
    if text.lower().startswith(("http://", "https://")):
        return InputImage(url=text)
    if text.lower().startswith("data:"):
        return _from_base64(text)
    path = as_here(_path_of(text))
    if _is_there(path):
        return _from_path(path)
    if _BARE_BASE64.fullmatch(text):
        return _from_base64(text)
    raise ImageInputError(
        f"There is no file {_shown(text)}.",
        advice="Give the path of a picture, a URL, or the name of a variable that holds one. "
        "Nothing was sent.",
    )


def _path_of(text: str) -> Path:
    if not text.lower().startswith("file:"):
        return Path(text)
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(text).path))


def _is_there(path: Path) -> bool:
    """Tell whether a path leads to something, also where nobody may look at it."""
    try:
        path.expanduser().lstat()
    except PermissionError:
        return True
    except (OSError, ValueError, RuntimeError):
        return False  # none, longer than a name may be, with a NUL, of an unknown user
    return True


def _from_path(path: Path) -> InputImage:
    try:
        data = read_plain(path.expanduser(), links=True)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "that is no name of a file"
        with suppress(OSError, ValueError, RuntimeError):
            why = "it is a folder" if path.expanduser().is_dir() else why
        raise ImageInputError(f"The file {_shown(str(path))} cannot be read: {why}.") from error
    return _from_bytes(data, path.name)


def _from_file(file: Any) -> InputImage:
    try:
        data = file.read()
        if not data and hasattr(file, "seek"):  # a picture was just saved into it
            file.seek(0)
            data = file.read()
    except (OSError, ValueError, TypeError) as error:  # closed, broken, or no file at all
        raise ImageInputError(f"The file object cannot be read: {error}.") from error
    if not isinstance(data, bytes):
        raise ImageInputError("The file object gives text.", advice="Open it in binary mode.")
    name = getattr(file, "name", None)
    return _from_bytes(data, Path(name).name if isinstance(name, str) else None)


def _from_picture(picture: Picture) -> InputImage:
    if picture.error is not None:
        raise ImageInputError("This picture failed, so it cannot be used as input.")
    try:
        data = picture.data
    except NoPictureError as error:
        raise ImageInputError(error.message) from error
    if data is None and picture.url is None:
        raise ImageInputError("This picture has neither bytes nor a URL.")
    if data is None:
        return InputImage(url=picture.url)
    return _from_bytes(data, picture.path.name if picture.path else None)


def _from_pil(image: Image.Image, name: str | None = None) -> InputImage:
    """Encode a decoded image: upright, without EXIF, and small enough to be taken."""
    if not all(image.size):
        raise ImageInputError("The picture has no pixels.")
    _refuse_bomb(image)
    name = getattr(image, "filename", "") or name
    try:
        data, encoded = encoded_for_upload(image)
    except (OSError, ValueError, SyntaxError) as error:  # cut short, closed, of colours of its own
        raise ImageInputError(
            f"The picture cannot be converted: {error}.",
            advice='Give a whole one, in "RGB" or "RGBA" (image.convert). Nothing was sent.',
        ) from error
    is_whole = image.mode in _AS_THEY_ARE and sniff_format(data[:16]) == "png"
    return InputImage(
        data=data,
        name=Path(name).name if name else None,
        sent=coloured(data, image),
        original=None if is_whole and _upright_size(image) == open_picture(data).size else image,
        pixels=pixels_digest(encoded),
    )


def _from_array_or_pil(value: Any) -> InputImage:
    from PIL import Image

    if isinstance(value, Image.Image):
        return _from_pil(value)
    try:
        image = Image.fromarray(pixels_of_array(value))
    except (TypeError, ValueError) as error:
        raise ImageInputError(
            f"The array of shape {getattr(value, 'shape', '?')} is not a picture.",
            advice="Give height x width x 3 (or 4, or none) as whole numbers from 0 to 255, or as "
            "fractions from 0 to 1. Nothing was sent.",
        ) from error
    return _from_pil(image)


def pixels_of_array(array: Any) -> Any:
    """Return the pixels of an array as 8 bits each. Raises `ValueError` where it holds none."""
    import numpy as np

    values = np.asarray(array)
    if values.ndim not in {2, 3}:
        raise ValueError("not height and width")
    if values.ndim == 3 and values.shape[2] == 1:  # noqa: PLR2004  height, width, one channel
        values = values[:, :, 0]
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    fractions = np.issubdtype(values.dtype, np.floating)
    if not values.size or not (fractions or np.issubdtype(values.dtype, np.integer)):
        raise ValueError("not numbers")
    highest = 1 if fractions else 255
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > highest:
        raise ValueError(f"not from 0 to {highest}")
    return (values * 255 + 0.5).astype(np.uint8) if fractions else values.astype(np.uint8)


def _from_bytes(data: bytes, name: str | None = None) -> InputImage:
    """Keep the very bytes of a PNG, JPEG or WebP within the limits; encode everything else."""
    try:
        # A file that is cut short would be refused after it was paid for: so it is decoded whole.
        image = decoded_picture(data)
    except TooManyPixelsError as error:
        raise _bomb(by(error.size) if error.size else "far too many") from error
    except UndecodableError as error:
        why, advice = why_unusable(data)
        raise ImageInputError(
            f"{_shown(name) if name else 'The input'} is not an image that can be opened: {why}.",
            advice=f"{advice} Nothing was sent.",
        ) from error
    if as_stored(image, data):
        return InputImage(data=data, name=name, sent=travelling(data))
    sent = replace(_from_pil(image, name), original=data)
    if len(data) > MAX_BYTES:
        before, after = (f"{len(part) / 1e6:.1f} MB" for part in (data, sent.data or b""))
        warnings.warn(
            f"The input picture was converted from {before} to {after}.",
            ImageInputWarning,
            stacklevel=2,
        )
    return sent


def _refuse_bomb(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _bomb(by(image.size))


def _bomb(size: str) -> ImageInputError:
    return ImageInputError(
        f"The picture has {size} pixels, more than any model takes.",
        advice="Scale it down first. Nothing was sent.",
    )


def _from_base64(text: str) -> InputImage:
    data = decode_base64(text)
    if data is None:
        raise ImageInputError("The base64 of the input picture is broken.")
    return _from_bytes(data)


def _shown(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else text[:limit] + "…")
