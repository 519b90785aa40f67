"""Outputs for programs: with `OPEAI_NB_SHOW=none` a notebook holds paths and sizes, and no base64.

A program that reads a notebook, an agent for one, pays for each letter of a picture that it does
not see there, and can open the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from opeai_nb.errors import NoPictureError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE: Final = "OPEAI_NB_SHOW"
SHOWS: Final = ("thumb", "full", "none")
_MOST: Final = 100
"""Pictures that are named below a result; of more it says how many."""


class Placed(Protocol):
    """What a line has to know of a picture, which itself leads here."""

    @property
    def source(self) -> object:
        """None where it was never fetched."""

    @property
    def path(self) -> Path | None:
        """Its file."""

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height). Raises `NoPictureError`."""


def show_wanted() -> str:
    """Return what `OPEAI_NB_SHOW` says: `thumb`, `full` or `none`; empty where it says nothing.

    Raises `OptionError` for another word.
    """
    word = os.environ.get(VARIABLE, "").strip().lower()
    if word and word not in SHOWS:
        raise OptionError(f"{VARIABLE} is {word!r}.", advice=f"One of: {', '.join(SHOWS)}.")
    return word


def is_text_alone() -> bool:
    """Tell whether outputs hold no picture. Raises `OptionError` as `show_wanted` does."""
    return show_wanted() == "none"


def text_bundle(text: str, pictures: Iterable[Placed]) -> dict[str, Any]:
    """Return the data of an output without a picture: *text*, and below it a line for each."""
    lines = [_line(picture) for picture in pictures if picture.source is not None]
    more = [f"… and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return {"text/plain": "\n".join([text, *lines[:_MOST], *more])}


def from_here(path: Path) -> Path:
    """Return *path* relative to the working folder where it lies in there, as people write it."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it has been removed
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path


def _line(picture: Placed) -> str:
    """Return `imagine/a-red-fox-3f2a.png 1024x1024`."""
    try:
        size = picture.size
    except NoPictureError as error:
        return f"{_place(picture)} ({error.message})"
    return _place(picture) if size is None else f"{_place(picture)} {size[0]}x{size[1]}"


def _place(picture: Placed) -> str:
    return "in memory" if picture.path is None else from_here(picture.path).as_posix()
