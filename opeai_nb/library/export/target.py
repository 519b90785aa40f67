"""Where an export goes: whole or not at all, and over an earlier export only when asked."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from opeai_nb.errors import LibraryError, OptionError
from opeai_nb.library.disk.files import (
    DISK,
    Disk,
    discard,
    is_plain_file,
    passing_name,
    sync_folder,
)
from opeai_nb.library.export.earlier import is_data_set, is_page_or_sheet
from opeai_nb.library.library_warning import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["folder", "page", "sheet"]
_ENDINGS: Final[dict[str, Kind]] = {
    **dict.fromkeys((".html", ".htm"), "page"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".pdf"), "sheet"),
}
_ENDING: Final = re.compile(r"\.[a-z]{1,8}")
_WAYS: Final = (
    "A folder (no ending) becomes a data set, .html a page, .png, .jpg or .pdf a contact sheet. "
    "Nothing was written."
)


def kind_of(target: Path, name: str) -> Kind:
    """Return what a target asks for; *name* is how it was written.

    Raises `OptionError` for an ending that stands for nothing.
    """
    ending = target.suffix.lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if not name.strip() or (_ENDING.fullmatch(ending) and not target.is_dir()):
        raise OptionError(f"{name!r} is no name of an export.", advice=_WAYS)
    return "folder"


def check_free(target: Path, kind: Kind, *, replace: bool = False) -> None:
    """Raise `LibraryError` where something is there already; an empty folder may be.

    With *replace* a file or a folder that is an earlier export may be, too.
    """
    if not os.path.lexists(target) or (replace and _is_replaceable(target, kind)):
        return
    if kind == "folder" and target.is_dir() and not target.is_symlink():
        try:
            if not any(target.iterdir()):
                return
        except OSError as error:
            raise unwritten(target, error) from error
        what = "The folder {name} is not empty"
    else:
        what = "{name} is there already"
    raise LibraryError(
        f"{what.format(name=target.name or target)}.",
        advice="Name another one, or say replace (--replace) where it is an earlier export. "
        "Nothing was written.",
    )


def _is_replaceable(target: Path, kind: Kind) -> bool:
    """Tell whether an export may take the place: of an earlier one, and of nothing else."""
    if kind == "folder":
        return is_data_set(target)
    return is_plain_file(target) and is_page_or_sheet(target)


def unwritten(target: Path, error: OSError) -> LibraryError:
    """Return the error for an export that the disk refused."""
    return LibraryError(
        f"The export {target.name} cannot be written: {reason(error)}.",
        advice="Nothing of it is left. The library is as it was.",
    )


@contextmanager
def new_folder(target: Path, disk: Disk = DISK) -> Iterator[Path]:
    """Yield a hidden folder beside *target* that takes its place when all went well.

    Raises `OSError`; nothing is left then, nor after an interrupt.
    """
    disk.mkdir(target.parent)
    part = passing_name(target.parent)
    disk.mkdir(part)
    try:
        yield part
        sync_folder(part)
        _put_away(target, disk)
        disk.rename(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(target.parent)


def _put_away(target: Path, disk: Disk) -> None:
    """Take away the earlier export, or the empty folder, to which Windows does not rename."""
    if target.is_dir():
        old = passing_name(target.parent)
        disk.rename(target, old)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def new_file(target: Path, disk: Disk = DISK) -> Iterator[Path]:
    """Yield a hidden path beside *target*: what is written there takes its place, as a folder does.

    Raises `OSError`.
    """
    disk.mkdir(target.parent)
    part = passing_name(target.parent)
    try:
        yield part
        disk.rename(part, target)
    except BaseException:
        discard(part)
        raise
    sync_folder(target.parent)
