"""A picture given as input: from whatever a person has, to what travels to the platform."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.generation import Generation
from opeai_nb.client.picture import MAX_PIXELS, Picture, sniff_format
from opeai_nb.errors import ImageInputError, OpeaiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image

MAX_BYTES: Final = 10 * 1024 * 1024
"""Largest input picture that the models take: 10 MB (platform.md 3.5)."""

_AS_IT_IS: Final = frozenset({"png", "jpeg", "webp"})
_BARE_BASE64 = re.compile(rb"[A-Za-z0-9+/\-_\s]{64,}={0,2}\s*")
_JPEG_QUALITIES: Final = (95, 85, 75)
_ORIENTATION_TAG: Final = 0x0112


class ImageInputWarning(UserWarning):
    """A picture given as input was changed before it was sent; the text says from what to what."""


@dataclass(frozen=True)
class InputImage:
    """One input picture, ready to travel.

    Exactly one is set: *url* (http, https or data URL, as given), *data* (the bytes of a file) or
    *raw* (a JSON object, sent as it is). *name* is a basename for people, never a path.
    """

    url: str | None = None
    data: bytes | None = field(default=None, repr=False)
    raw: Mapping[str, Any] | None = field(default=None, repr=False)
    name: str | None = None

    def wire(self) -> str | dict[str, Any]:
        """Return what stands in the request: an URL, a data URL, or the object (platform.md 1.2)."""
        if self.raw is not None:
            return dict(self.raw)
        if self.data is None:
            return self.url or ""
        import pybase64

        kind = sniff_format(self.data) or "png"
        return f"data:image/{kind};base64,{pybase64.b64encode_as_string(self.data)}"

    @property
    def sha256(self) -> str:
        """Identity by content: of the bytes, or of the text where only an URL is known."""
        content = self.data if self.data is not None else repr(self.raw or self.url).encode()
        return hashlib.sha256(content).hexdigest()


def input_images(value: object) -> tuple[InputImage, ...]:
    """Return the input pictures in *value*: one, or a list or tuple of them, in order.

    A picture may be a path, an URL, a data URL, bare base64, bytes, a file object, a PIL image,
    a numpy array, a `Picture`, a `Generation` (all its pictures) or a dict (sent as it is).
    Raises `ImageInputError` when one cannot be read, before anything is sent.
    """
    if isinstance(value, Generation):
        return tuple(_one(picture) for picture in value.good)
    if isinstance(value, (list, tuple)):
        return tuple(image for item in value for image in input_images(item))
    return (_one(value),)


def _one(value: object) -> InputImage:
    if isinstance(value, InputImage):
        return value
    if isinstance(value, dict):
        return InputImage(raw=value)
    if isinstance(value, Picture):
        return _from_picture(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(value))
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, Path):
        return _from_path(value)
    if hasattr(value, "read"):
        return _from_file(value)
    if hasattr(value, "__array_interface__"):
        # PIL images offer this too, and Image.fromarray would copy them: so they are told apart.
        return _from_array_or_pil(value)
    raise ImageInputError(
        f"A {type(value).__name__} is no picture.",
        advice="Give a path, an URL, bytes, a PIL image, a numpy array or a generation. "
        "Nothing was sent.",
    )


def _from_text(text: str) -> InputImage:
    text = text.strip()
    if text.lower().startswith(("http://", "https://")):
        return InputImage(url=text)
    if text.lower().startswith("data:"):
        _, _, encoded = text.partition(",")
        return _from_bytes(_decode(encoded.encode("ascii", "replace")))
    path = Path(text).expanduser()
    try:
        if path.exists():
            return _from_path(path)
    except (OSError, ValueError):
        pass  # longer than a name may be, or with a NUL: then it can only be base64
    if _BARE_BASE64.fullmatch(text.encode("ascii", "replace")):
        return _from_bytes(_decode(text.encode()))
    raise ImageInputError(
        f"There is no file {_shown(text)}.",
        advice="Give the path of a picture, an URL, or the name of a variable that holds one. "
        "Nothing was sent.",
    )


def _from_path(path: Path) -> InputImage:
    try:
        data = path.expanduser().read_bytes()
    except OSError as error:
        raise ImageInputError(
            f"The file {_shown(str(path))} cannot be read: {error.strerror}."
        ) from error
    return _from_bytes(data, path.name)


def _from_file(file: Any) -> InputImage:
    data = file.read()
    if not isinstance(data, bytes):
        raise ImageInputError("The file object gives text.", advice="Open it in binary mode.")
    name = getattr(file, "name", None)
    return _from_bytes(data, Path(name).name if isinstance(name, str) else None)


def _from_picture(picture: Picture) -> InputImage:
    if picture.error is not None:
        raise ImageInputError("This picture failed, so it cannot be used as input.")
    data = picture.data
    if data is None:
        return InputImage(url=picture.url)
    return _from_bytes(data, picture.path.name if picture.path else None)


def _from_array_or_pil(value: Any) -> InputImage:
    from PIL import Image

    if isinstance(value, Image.Image):
        return _from_pil(value)
    try:
        return _from_pil(Image.fromarray(_pixels(value)))
    except (TypeError, ValueError) as error:
        raise ImageInputError(
            f"The array of shape {getattr(value, 'shape', '?')} is no picture.",
            advice="Give height x width x 3 (or 4, or none) as uint8, or as floats from 0 to 1. "
            "Nothing was sent.",
        ) from error


def _pixels(array: Any) -> Any:
    import numpy as np

    values = np.asarray(array)
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    if np.issubdtype(values.dtype, np.floating):
        return (np.clip(np.nan_to_num(values), 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.clip(values, 0, 255).astype(np.uint8)


def _from_pil(image: Image.Image, name: str | None = None) -> InputImage:
    """Encode a decoded image: oriented, without EXIF, and small enough to be taken."""
    from PIL import ImageOps

    source = getattr(image, "filename", "") or name
    upright = ImageOps.exif_transpose(image)
    plain = upright.convert("RGBA" if _has_alpha(upright) else "RGB")
    data = _encode(plain, lossy=image.format == "JPEG")
    return InputImage(data=data, name=Path(source).name if source else None)


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _encode(image: Image.Image, *, lossy: bool) -> bytes:
    opaque = image.mode == "RGB"
    data = b"" if lossy and opaque else _encoded(image, "PNG", compress_level=1)
    for quality in _JPEG_QUALITIES:
        if 0 < len(data) <= MAX_BYTES or not opaque:
            break
        data = _encoded(image, "JPEG", quality=quality)
    before = image.size
    while len(data) > MAX_BYTES:
        scale = max(0.3, min(0.9, (MAX_BYTES / len(data)) ** 0.5 * 0.95))
        width, height = (max(1, int(side * scale)) for side in image.size)
        image = image.resize((width, height))
        data = (
            _encoded(image, "JPEG", quality=_JPEG_QUALITIES[0])
            if image.mode == "RGB"
            else _encoded(image, "PNG", compress_level=6)
        )
    if image.size != before:
        _warn(f"scaled down from {_by(before)} to {_by(image.size)} to stay below 10 MB")
    return data


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _from_bytes(data: bytes, name: str | None = None) -> InputImage:
    """Keep the very bytes of a PNG, JPEG or WebP within the limits; encode everything else."""
    from PIL import Image

    try:
        image = Image.open(BytesIO(data))
        _refuse_bomb(image)
        if _travels_as_it_is(image, data):
            image.verify()
            return InputImage(data=data, name=name)
        image.load()
    except OpeaiError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageInputError(
            f"{_shown(name or 'What was given')} is no picture that can be read.",
            advice="Use PNG, JPEG or WebP. Nothing was sent.",
        ) from error
    sent = _from_pil(image, name)
    if len(data) > MAX_BYTES:
        _warn(f"encoded anew, from {_mb(data)} to {_mb(sent.data or b'')}")
    return sent


def _travels_as_it_is(image: Image.Image, data: bytes) -> bool:
    """Tell whether the file may go as it is: a known format, small, and upright as it is stored."""
    if sniff_format(data[:16]) not in _AS_IT_IS or len(data) > MAX_BYTES:
        return False
    return bool(image.getexif().get(_ORIENTATION_TAG, 1) == 1)


def _refuse_bomb(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageInputError(
            f"The picture has {_by(image.size)} pixels, more than any model takes.",
            advice="Scale it down first. Nothing was sent.",
        )


def _decode(text: bytes) -> bytes:
    import pybase64

    packed = re.sub(rb"\s+", b"", text).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return pybase64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except ValueError as error:
        raise ImageInputError("The base64 of the input picture is broken.") from error


def _warn(change: str) -> None:
    warnings.warn(f"The input picture was {change}.", ImageInputWarning, stacklevel=2)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _mb(data: bytes) -> str:
    return f"{len(data) / 1e6:.1f} MB"


def _shown(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else text[:limit] + "…")
