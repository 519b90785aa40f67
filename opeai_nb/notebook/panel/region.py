"""Where an edit may change its picture: as a page draws it, and as `only=` has it.

A page draws a box, or paints a mask at the size at which it shows the picture. The mask travels as
*runs*: how many pixels in turn are outside and inside, row by row, beginning with outside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import InputError
from opeai_nb.notebook.panel.input_sources import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from opeai_nb.client.values.only import Only
    from opeai_nb.notebook.panel.input_sources import Source

Drawn = dict[str, Any]
"""*digest* of the input picture, and a *box* (x, y, width, height in its pixels), or the *size* and
the *runs* of a mask."""
_LARGEST: Final = 4_000_000  # pixels of a mask; a page shows a picture with 1280 a side
_HALF: Final = 128
_RUN: Final = re.compile(rb"\x00+|\xff+")


def value_of(drawn: Mapping[str, Any], sources: Sequence[Source]) -> object:
    """Return what a page has drawn as `only=` takes it. Raises `InputError` for what is none."""
    source = next((each for each in sources if key_of(each) == drawn.get("digest")), None)
    whole = None if source is None else source.images[0].whole_size
    if whole is None:
        raise InputError(
            "The picture in which the region was drawn is not there any more.",
            advice="Draw it in the picture that is edited. Nothing was sent.",
        )
    if "box" in drawn:
        return tuple(drawn["box"])
    mask = _mask_of(drawn.get("size"), drawn.get("runs"))
    if mask.size == whole:
        return mask
    from PIL.Image import Resampling

    return _sharp(mask.resize(whole, Resampling.BILINEAR))


def _mask_of(size: Any, runs: Any) -> Image.Image:
    from PIL import Image

    try:
        width, height = size
        if not 0 < width * height <= _LARGEST or min(runs) < 0 or sum(runs) != width * height:
            raise ValueError("not of its size")
        pixels = b"".join(bytes([255 * (i % 2)]) * run for i, run in enumerate(runs))
        return Image.frombytes("L", (width, height), pixels)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The page sent a mask that is none.", advice="Paint it again. Nothing was sent."
        ) from error


def _sharp(mask: Image.Image) -> Image.Image:
    return mask.point(lambda value: 255 * (value >= _HALF))


def is_of(only: Only, sources: Sequence[Source]) -> bool:
    """Tell whether the picture of a region is among *sources*."""
    return any(only.picture in source.images for source in sources)


def drawn_of(only: Only, sources: Sequence[Source]) -> Drawn:
    """Return a region of one of the *sources* as a page draws it."""
    digest = next(key_of(source) for source in sources if only.picture in source.images)
    if only.mask is None:
        return {"digest": digest, "box": list(only.box)}
    from PIL.Image import Resampling

    from opeai_nb.notebook.display.previews import shown_size

    whole = whole_mask(only)
    size = shown_size(whole.size)
    shown = whole if size == whole.size else whole.resize(size, Resampling.BOX)
    pixels = _sharp(shown).tobytes()
    first = [0] if pixels[0] else []  # the first run is outside
    runs = [*first, *(len(run[0]) for run in _RUN.finditer(pixels))]
    return {"digest": digest, "size": list(size), "runs": runs}


def placed(
    mask: bytes | None, box: tuple[int, int, int, int], sources: Sequence[Source]
) -> Image.Image:
    """Return what was painted in a *box* of the one picture of *sources*, as `only=` takes it.

    Raises `InputError` where it is gone, or is none of that picture: a library may be a stranger's.
    """
    from PIL import Image

    from opeai_nb.imaging.open_picture import UndecodableError, decoded_picture

    gone = InputError(
        "The region that was painted is not in the library any more.", advice="Paint it anew."
    )
    size = next((source.images[0].whole_size for source in sources), None)
    if mask is None or size is None:
        raise gone
    try:
        part = decoded_picture(mask)
    except (UndecodableError, OSError) as error:
        raise gone from error
    x, y, width, height = box
    if (
        part.size != (width, height)
        or x < 0
        or y < 0
        or x + width > size[0]
        or y + height > size[1]
    ):
        raise gone
    whole = Image.new("L", size)
    whole.paste(part.convert("L"), (x, y))
    return whole


def whole_mask(only: Only) -> Image.Image:
    """Return a region as a mask of the whole picture, white where the edit goes."""
    from PIL import Image

    from opeai_nb.imaging.open_picture import decoded_picture

    x, y, width, height = only.box
    whole = Image.new("L", only.picture.whole_size or (x + width, y + height))
    if only.mask is None:
        whole.paste(255, (x, y, x + width, y + height))
    else:
        whole.paste(decoded_picture(only.mask), (x, y))
    return whole


def mask_file(only: Only) -> bytes:
    """Return that as a PNG, for a cell to name."""
    from opeai_nb.imaging.encode import saved

    return saved(whole_mask(only), "PNG")
