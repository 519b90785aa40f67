"""The names of sub-folders by date, in which the records of a large library lie.

    2026-11-22/2026-11-22-fox-3f2a9c1d.json
    2026-11-22/2026-11-22-fox-3f2a9c1d-1.png
    2026-11-22-002/…                            once the first one has a thousand records

What lies in the library's folder itself stays there: both are read. A name has digits and hyphens
alone, which every system takes.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from typing import TYPE_CHECKING, Final

from opeai_nb.library.disk.files import is_plain_name, is_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_DAY: Final = 10  # letters of 2026-11-22
_NAMED = re.compile(r"(?:[0-9-]+/)?\d{4}-\d\d-\d\d-(?P<slug>.+)-[0-9a-f]{8}\.json")
_SUBFOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[0-9]{3,6})?")


def is_subfolder(name: object) -> bool:
    """Tell whether a name is that of a sub-folder by date."""
    return isinstance(name, str) and _SUBFOLDER.fullmatch(name) is not None


def subfolders_among(names: Iterable[str]) -> list[str]:
    """Return those of all *names* in a folder that are of sub-folders: the rest have dots."""
    return [name for name in names if "." not in name and is_subfolder(name)]


def is_place(file: str) -> bool:
    """Tell whether *file* can only be a file of the library's folder, or of a sub-folder of it."""
    subfolder, slash, name = file.rpartition("/")
    return is_plain_name(name) and (not slash or is_subfolder(subfolder))


def subfolder_of(file: str) -> str:
    """Return the sub-folder of a file of the library; empty for the library's folder itself."""
    return file.rpartition("/")[0]


def time_in(folder: Path, subfolder: str) -> int | None:
    """Return the time of a sub-folder in ns; None where there is none, or a link in its place."""
    try:
        status = os.lstat(f"{folder}{os.sep}{subfolder}")
    except OSError:
        return None
    return status.st_mtime_ns if stat.S_ISDIR(status.st_mode) else None


def day_in(name: str) -> str:
    """Return the day that the name of a record or of its picture begins with: `2026-11-22`."""
    return name[:_DAY]


def part_of(day: str, number: int) -> str:
    """Return the name of a day's sub-folder, by its number from 1."""
    return day if number == 1 else f"{day}-{number:03}"


def named_file(folder: Path, name: str) -> Path | None:
    """Return the file of a library that *name* names, whatever sub-folder it lies in."""
    if (folder / name).is_file():
        return folder / name
    day = day_in(name)
    number = 1
    while is_subfolder(day) and time_in(folder, part := part_of(day, number)) is not None:
        if is_plain_name(name) and (folder / part / name).is_file():
            return folder / part / name
        number += 1
    return None


def slug_in(file: str) -> str | None:
    """Return the slug of its prompt that a record's file tells by its name.

    None where a person has renamed it, or an archive: then it may be of any.
    """
    named = _NAMED.fullmatch(file) if is_text(file) else None
    return None if named is None else unicodedata.normalize("NFC", named["slug"])
