"""The size of a picture as people write it, brought to the form that the platform reads."""

from __future__ import annotations

import re
from typing import Final

from opeai_nb.errors import InputError

_SIGNS = re.compile("\\s*[xX×✕*\u0445]\\s*")  # U+0445 is the Cyrillic letter that looks alike
_PIXELS = re.compile(r"(\d{1,5})x(\d{1,5})")
_CLASS = re.compile(r"\d(?:\.\d)?[kK]")
_RATIO = re.compile(r"(\d{1,4})\s*[:/]\s*(\d{1,4})")

Ratio = tuple[int, int]
SAME: Final = "same"
"""The size of the first input picture, or the nearest that the model takes."""


def parse_size(size: object) -> str | Ratio:
    """Return *size* as the platform reads it: `"1024x1024"`, `"2K"`, `"auto"`; a ratio as a pair.

    `"same"` stays: it means the input picture's, which is known to the request.

    The signs `×`, `*`, `X` and spaces become `x`: the platform refuses `×` (platform.md 1.2). A
    pair of integers is width and height. Raises `InputError` for anything else; a size of a form
    we do not know can still be sent with `extra={"size": …}`.
    """
    if isinstance(size, (tuple, list)) and len(size) == 2:  # noqa: PLR2004  width, height
        size = f"{size[0]}x{size[1]}"
    if not isinstance(size, str):
        raise _bad_size(size)
    text = _SIGNS.sub("x", size.strip())
    if (word := text.lower()) in {"auto", SAME}:
        return word
    if _CLASS.fullmatch(text):
        return text.upper()
    if ratio := _RATIO.fullmatch(text):
        pair = (int(ratio[1]), int(ratio[2]))
        if all(pair):
            return pair
    pixels = _PIXELS.fullmatch(text)
    if pixels and int(pixels[1]) and int(pixels[2]):
        return f"{int(pixels[1])}x{int(pixels[2])}"
    raise _bad_size(size)


def pixels_of(size: str | None) -> tuple[int, int] | None:
    """Return (width, height) of a size such as `"1024x768"`; None for `"2K"`, `"auto"` or None."""
    found = _PIXELS.fullmatch(size or "")
    return (int(found[1]), int(found[2])) if found else None


def _bad_size(size: object) -> InputError:
    return InputError(
        f"{size!r} is not a size.",
        advice="Write width x height such as 1024x1024, a ratio such as 16:9, 2K, auto, or same. "
        "Nothing was sent.",
    )
