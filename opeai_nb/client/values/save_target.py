"""Where copies are to go, looked at before anything is sent: what cannot be is refused in time."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.name_template import (
    ENDINGS,
    Named,
    at_home,
    names_for,
    template_of,
    values_for,
)
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.values.request import ImageRequest

_LONGEST: Final = 255  # bytes of a step, on the file systems in use
_NO_WORD: Final = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")
_ADVICE: Final = "Nothing was sent."


def names_at(target: str | Path, asked: Iterable[Named]) -> list[list[str]] | None:
    """Return what a template would name the pictures of requests; None for a folder or a file.

    Raises `InputError` as `names_for` does, for one file that several requests would be saved to,
    for an ending in which no picture can be saved, for braces that are no word, and for a folder
    that cannot be made or written to.
    """
    requests = list(asked)
    if (template := template_of(target)) is not None:
        _refuse_folder(template.folder)
        return names_for(template, requests)
    path = at_home(Path(target))
    try:
        is_file = bool(path.suffix) and not path.is_dir()
        is_there = os.path.lexists(path)
    except (OSError, ValueError) as error:
        raise _no_folder(path, str(error)) from error
    if (braces := _NO_WORD.search(str(target))) and not is_there:
        raise InputError(
            f"{braces[0]} in {str(target)[:80]!r} is no word for the name of a file.",
            advice=f"Words are {{n}}, {{index}}, {{prompt:.30}} and so on. {_ADVICE}",
        )
    _refuse_folder(path.parent if is_file else path)
    if is_file:
        _refuse_file(path, len(requests))
    return None


def refuse_target(target: str | Path, request: ImageRequest) -> None:
    """Raise `InputError` where the pictures of one request cannot be saved at *target*."""
    names_at(target, [Named("This request", request, values_for(request))])


def _refuse_file(path: Path, requests: int) -> None:
    if not _is_format(path.suffix.lower()):
        raise InputError(
            f"{path.name[:80]!r} ends in {path.suffix}, which is no format that pictures can be "
            "saved in.",
            advice=f"Use .png, .jpg or .webp, or a folder that is there. {_ADVICE}",
        )
    if requests > 1:
        raise InputError(
            f"{path.name[:80]!r} is one file, and {requests} requests would be saved to it.",
            advice=f"Name a folder, or what tells them apart: {path.stem}-{{index}}{path.suffix}. "
            f"{_ADVICE}",
        )


def _is_format(suffix: str) -> bool:
    if suffix[1:] in ENDINGS:
        return True
    from PIL import Image

    return Image.registered_extensions().get(suffix) in Image.SAVE


def _refuse_folder(folder: Path) -> None:
    if any(len(os.fsencode(step)) > _LONGEST for step in folder.parts):
        raise _no_folder(folder, "a name in it is too long")
    try:
        there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
        is_folder, may_write = there.is_dir(), os.access(there, os.W_OK)
    except (OSError, ValueError) as error:
        raise _no_folder(folder, str(error)) from error
    if not is_folder:
        raise _no_folder(folder, f"{there.name!r} is no folder")
    if not may_write:
        raise _no_folder(folder, f"{there.name!r} cannot be written to")


def _no_folder(folder: Path, why: str) -> InputError:
    return InputError(
        f"Nothing can be saved in {str(folder)[:80]!r}: {why[:120]}.",
        advice=f"Name another folder. {_ADVICE}",
    )
