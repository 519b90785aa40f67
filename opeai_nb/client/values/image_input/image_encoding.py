"""Encoding a picture for its way to the platform: upright, without private data, small enough."""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.image_input.bare_file import bare_file, with_profile
from opeai_nb.formats import sniff_format
from opeai_nb.imaging.encode import shrunk
from opeai_nb.imaging.open_picture import loaded, open_picture, orientation, upright
from opeai_nb.imaging.scale import in_eight_bits, plain

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES: Final = 10 * 1024 * 1024
"""Largest input picture that the models take: 10 MB (platform.md 3.5)."""

_JPEG_QUALITIES: Final = (95, 85, 75)


_AS_IT_IS: Final = frozenset({"png", "jpeg", "webp"})
_EIGHT_BITS: Final = frozenset({"L", "RGB", "RGBA"})
_PNG_DEPTH: Final = 24  # where its head tells the bits of a channel


class ImageInputWarning(UserWarning):
    """A picture given as input was changed before it was sent; the text says from what to what."""


def travelling(data: bytes) -> bytes:
    """Return what travels of the file *data*: the same pixels, and nothing but the picture.

    A PNG, JPEG or WebP of 8 bits in grey or RGB(A), upright and of one frame, goes without its
    metadata; of any other (CMYK, a palette, 16 bits, an animation, a turned photo) its first frame
    is encoded anew. Raises `UndecodableError`.
    """
    image = open_picture(data)
    if as_stored(image, data) and _is_plain(image, data) and (bare := bare_file(data)) is not None:
        return bare
    screen = _in_srgb(loaded(image))
    return coloured(encoded_for_upload(screen)[0], screen)


def coloured(data: bytes, image: Image.Image) -> bytes:
    """Return *data*, which was encoded from *image*, with the colour profile that is the image's.

    Apart from the encoding, by whose bytes records of earlier versions know what was given.
    Without it the colours of a phone's photo (Display P3) would be paler.
    """
    profile = image.info.get("icc_profile") or b""
    # What is encoded is RGB: the profile of inks, or of greys, would be wrong there.
    fits = image.mode in _RGB_MODES and profile[16:20] == b"RGB " and len(profile) < _MOST_PROFILE
    return with_profile(data, profile) if fits else data


_RGB_MODES: Final = frozenset({"RGB", "RGBA", "P", "PA"})
_MOST_PROFILE: Final = 1 << 20  # a screen's has some kilobytes; more is somebody's joke


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return a CMYK picture in the colours that its profile says; any other, and without, itself.

    Pillow's own conversion knows no paper and no ink. Only files that lie upright come here, so no
    EXIF gets lost; what was given turned is known by its pixels as they are.
    """
    profile = image.info.get("icc_profile")
    if image.mode != "CMYK" or not profile:
        return image
    from PIL import ImageCms

    try:
        inks = ImageCms.ImageCmsProfile(BytesIO(profile))
        screen = ImageCms.createProfile("sRGB")
        managed = ImageCms.profileToProfile(image, inks, screen, outputMode="RGB")
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):  # broken, or of other colours
        return image
    if managed is not None:
        managed.format = image.format  # so that a JPEG stays one
    return managed or image


def as_stored(image: Image.Image, data: bytes) -> bool:
    """Tell whether a file is of a format that models take, small, and upright as it is stored."""
    if sniff_format(data[:16]) not in _AS_IT_IS or len(data) > MAX_BYTES:
        return False
    return orientation(image) == 1


def _is_plain(image: Image.Image, data: bytes) -> bool:
    """Tell whether a file is 8 bits of grey or RGB(A), one frame of it (of an MPO the first)."""
    deep = image.format == "PNG" and data[_PNG_DEPTH] > 8  # noqa: PLR2004  Pillow shows 8 of 16
    moves = getattr(image, "is_animated", False) and image.format != "MPO"
    return image.mode in _EIGHT_BITS and not (deep or moves or "transparency" in image.info)


def encoded_for_upload(image: Image.Image) -> tuple[bytes, Image.Image]:
    """Return *image* as a PNG, or as a JPEG where it came as one or would be too large.

    Turned as its EXIF says; no EXIF, and so no place or camera, goes with it. 16 bits a pixel
    become 8. Scaled down, with an `ImageInputWarning`, as long as it has more than `MAX_BYTES`.
    The picture beside it is what was encoded, in its full size.
    """
    bare = plain(_eight_bits(upright(image)))
    bare.info.clear()  # Pillow would write a colour profile, a comment or an EXIF from there
    lossy = image.format == "JPEG"
    sent = shrunk(bare, MAX_BYTES, lossy=lossy, qualities=_JPEG_QUALITIES)
    if sent.size != bare.size:
        warnings.warn(
            f"The input picture was scaled down from {by(bare.size)} to {by(sent.size)} "
            "to stay below 10 MB.",
            ImageInputWarning,
            stacklevel=2,
        )
    return sent.data, bare


def pixels_digest(image: Image.Image) -> str:
    """Return the sha256 of the pixels of *image*.

    An encoder's bytes are others on another system, or with another Pillow.
    """
    told = f"{image.mode} {image.width} {image.height} ".encode()
    return hashlib.sha256(told + image.tobytes()).hexdigest()


def by(size: tuple[int, int]) -> str:
    """Return `1024x768`."""
    return f"{size[0]}x{size[1]}"


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of 16 bits a pixel in 8, and any other as it is."""
    deep = image.mode.startswith("I;16") or (image.mode == "I" and _brightest(image) > 255)  # noqa: PLR2004  8 bits
    return in_eight_bits(image) if deep else image


def _brightest(image: Image.Image) -> float:
    extrema: Any = image.getextrema()
    return float(extrema[1])
