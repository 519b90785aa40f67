"""The one place where picture files are opened: listed decoders alone, and no bombs."""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Final
from zlib import crc32

from opeai_nb.formats import DECODABLE
from opeai_nb.guard import Guard
from opeai_nb.imaging.decoding_cost import CostlyError, check_cost
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

_HEADER: Final = 65_536  # bytes: most files tell their size there, TIFF often at its end
MAX_PIXELS: Final = 89_478_485
"""A picture of more pixels is not decoded: it is a mistake or a bomb. Pillow's own limit."""


_quiet = Guard()  # two threads that silence warnings would restore each other's filters


class UndecodableError(ValueError):
    """Bytes that are no picture, or none that is decoded; the text says why, and names no path."""


class TooManyPixelsError(UndecodableError):
    """A picture of more than `MAX_PIXELS`: *size* is its width and height, where it is known."""

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        super().__init__("it has far too many pixels")
        self.size = size


def open_picture(source: bytes | Path) -> Image.Image:
    """Return the picture in *source* with its header read and its pixels not.

    Raises `OSError` when a file cannot be read, `TooManyPixelsError`, or `UndecodableError`.
    """
    from PIL import Image

    content = source if isinstance(source, bytes) else read_plain(source)
    try:
        check_cost(content)
        with _silence():
            image = Image.open(BytesIO(content), formats=decoders())
    except CostlyError as error:
        raise UndecodableError(str(error)) from error
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError from error
    except Exception as error:  # a decoder may raise whatever it likes
        raise UndecodableError("it is no picture of a known format") from error
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixelsError(image.size)
    if not isinstance(source, bytes):
        image.filename = str(source)  # as where Pillow opens it
    return image


def picture_size(source: bytes | Path) -> tuple[int, int]:
    """Return width and height in pixels, of a file from its beginning where that tells.

    Raises as `open_picture` does.
    """
    head = source if isinstance(source, bytes) else read_plain(source, _HEADER, head=True)
    if (size := _size_of_plain_png(head)) is not None:
        return size
    if not isinstance(source, bytes):
        with suppress(UndecodableError):
            return open_picture(head).size
    return open_picture(source).size


def _size_of_plain_png(data: bytes) -> tuple[int, int] | None:
    """Return the size of a PNG of the usual kind, None for all else: Pillow looks at that.

    Of ten thousand pictures that arrive, Pillow would open each twice.
    """
    if not data.startswith(_PNG) or len(data) < _PNG_HEAD:
        return None
    width, height, depth, colour, *ways = struct.unpack_from(">II5B", data, len(_PNG))
    is_whole = struct.unpack_from(">I", data, _PNG_HEAD - 4)[0] == crc32(data[12 : _PNG_HEAD - 4])
    is_usual = depth == _DEPTH and colour in _COLOURS and ways == [0, 0, 0]
    is_right = is_whole and is_usual and 0 < width * height <= MAX_PIXELS
    # Whatever stands between may be broken, or have another say in what the picture is.
    return (width, height) if is_right and data[37:41] == b"IDAT" else None


_PNG: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_HEAD: Final = 33  # the mark, and the first chunk with its sum
_DEPTH: Final = 8
_COLOURS: Final = frozenset({0, 2, 4, 6})  # grey and colours, with or without transparency


def upright(image: Image.Image) -> Image.Image:
    """Return a copy of a picture, turned as its EXIF says where that can be read."""
    from PIL import ImageOps

    orientation(image)  # read, and kept by Pillow, while its warnings are held back
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  EXIF fails in ways of its own, and is no reason to stop
        return image.copy()


def orientation(image: Image.Image) -> int:
    """Return how a picture is turned by its EXIF, 1 to 8; 1 also where that cannot be read."""
    try:
        with _silence():
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  as above
        return 1


_ORIENTATION: Final = 0x0112


def decoded_picture(source: bytes | Path) -> Image.Image:
    """Return the picture in *source* with its pixels. Raises as `open_picture` does."""
    return loaded(open_picture(source))


def loaded(image: Image.Image) -> Image.Image:
    """Return an opened picture with its pixels. Raises `UndecodableError`."""
    try:
        # A TIFF's next directory is looked at, with a warning for each of its faults.
        with _silence() if image.format == "TIFF" else nullcontext():
            image.load()
    except Exception as error:
        raise UndecodableError("it is cut short or broken") from error
    return image


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Pillow's warnings back: a stranger's file could fill a cell with them, paths included.

    What is beyond Pillow's limit of pixels is refused in our own words.
    """
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@lru_cache(1)
def decoders() -> tuple[str, ...]:
    """Return the listed decoders that this Pillow has; the forty others are not even imported."""
    from PIL import Image

    if find_spec("pillow_heif") is not None:
        import pillow_heif  # type: ignore[import-not-found,unused-ignore]  # optional

        pillow_heif.register_heif_opener()
    Image.preinit()  # PNG, JPEG, GIF and BMP
    for name in ("Tiff", "WebP", "Avif"):
        with suppress(ImportError):  # AVIF came with Pillow 11.3
            import_module(f"PIL.{name}ImagePlugin")
    return tuple(name for name in DECODABLE if name in Image.OPEN)
