"""Writes a selection of the library for others. What is asked is checked before a byte is written.

The name of the target says what is made: a folder, a page or a contact sheet.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.name_template import at_home
from opeai_nb.errors import LibraryError, OptionError
from opeai_nb.library.disk.files import DISK, Disk, sync_file
from opeai_nb.library.export.data_set import UNLOADED, DataSet
from opeai_nb.library.export.split import Split, shares_of
from opeai_nb.library.export.target import (
    Kind,
    check_free,
    kind_of,
    new_file,
    new_folder,
    unwritten,
)
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opeai_nb.library.export.piece import Piece

_SIDES: Final = range(32, 8193)
_LARGEST_PAGE: Final = 200_000_000
"""Bytes of the pictures of a page: browsers open a larger one slowly, or not at all."""
_MOST_ON_A_PAGE: Final = 2_000
_SCREEN: Final = 1024
_NARROWER: Final = "Choose fewer: limit=, tag=, starred=. A folder takes any number."


@dataclass(frozen=True)
class Export:
    """What was written: *path*, how many *pictures*, and how many in each part of a split.

    *left_out* are the files in formats that a data set cannot hold. It can be used as a path.
    """

    path: Path
    pictures: int
    parts: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        told = [f"{counted(self.pictures, 'picture')} in {self.path.name}"]
        told += [f"{part}: {count}" for part, count in self.parts.items()]
        if self.left_out:
            told.append(f"left out, as Pillow does not decode them: {', '.join(self.left_out)}")
        return " · ".join(told)

    def __repr__(self) -> str:
        return f"<Export: {self}>"


def export(
    pieces: Iterable[Piece],
    target: str | Path,
    *,
    split: Split | None = None,
    side: int | None = None,
    replace: bool = False,
    disk: Disk = DISK,
) -> Export:
    """Write *pieces* to *target*, as `Library.export` says.

    Raises `InputError` for what cannot be asked, `LibraryError` where there is no picture, where
    something is at the target already, and when the disk refuses.
    """
    path = at_home(Path(target)).absolute()
    kind = kind_of(path, str(target))
    shares = _checked(kind, split, side)
    check_free(path, kind, replace=replace)
    found = _present(pieces)
    try:
        if kind == "folder":
            return _data_set(found, path, shares, disk)
        return _page(found, path, side, disk) if kind == "page" else _sheet(found, path, side, disk)
    except OSError as error:
        raise unwritten(path, error) from error


def _checked(kind: Kind, split: Split | None, side: int | None) -> dict[str, float]:
    """Return the shares of a split, empty where there is none."""
    if split is not None and kind != "folder":
        raise OptionError(
            "Only a data set has a split.", advice="Name a folder. Nothing was written."
        )
    if side is not None and kind == "folder":
        raise OptionError(
            "A data set holds the files as they are: it has no side.",
            advice="side= is for .html, .png, .jpg and .pdf. Nothing was written.",
        )
    if side is not None and (type(side) is not int or side not in _SIDES):
        raise OptionError(
            f"side is {side!r}, not a whole number from {_SIDES.start} to {_SIDES.stop - 1}.",
            advice="Nothing was written.",
        )
    return {} if split is None else shares_of(split)


def _present(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Return *pieces* again. Raises `LibraryError` where there is none."""
    rest = iter(pieces)
    first = next(rest, None)
    if first is None:
        raise LibraryError(
            "Nothing kept matches this: there is nothing to export.",
            advice="`%imagine history` lists what is kept. Nothing was written.",
        )
    return chain((first,), rest)


def _data_set(
    pieces: Iterator[Piece], path: Path, shares: Mapping[str, float], disk: Disk
) -> Export:
    left_out: list[str] = []
    loaded = _present(_loadable(pieces, left_out))
    with new_folder(path, disk) as folder:
        made = DataSet(folder, shares, disk)
        made.write(loaded)
        made.close(path.name)
    counts = made.census.parts
    parts = {name: counts[name] for name in shares}
    return Export(path, counts.total(), parts, tuple(left_out))


def _loadable(pieces: Iterable[Piece], left_out: list[str]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.picture.format in UNLOADED:
            left_out.append(piece.file)
        else:
            yield piece


def _page(pieces: Iterator[Piece], path: Path, side: int | None, disk: Disk) -> Export:
    from opeai_nb.library.export.web_page import whole, write_page

    shown = _at_most(_MOST_ON_A_PAGE, pieces, "a page")
    total = sum(piece.path.lstat().st_size for piece in shown) if side is None else 0
    if total > _LARGEST_PAGE:
        raise LibraryError(
            f"These {len(shown)} pictures have {total // 1_000_000} MB: too much for one page.",
            advice=f"side={_SCREEN} puts them in at the size of a screen. Nothing was written.",
        )
    picture_of = whole if side is None else partial(_smaller, side=side)
    about = f"{counted(len(shown), 'picture')} · opeai_nb"
    with new_file(path, disk) as part:
        handle = disk.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(handle, "wb") as out:
            write_page(out, shown, path.stem, about, picture_of)
            out.flush()
            disk.sync(out.fileno())
    return Export(path, len(shown))


def _smaller(piece: Piece, side: int) -> tuple[bytes, str]:
    """Return a picture at most *side* pixels long, or as it is where it cannot be decoded."""
    from opeai_nb.imaging.encode import encoded
    from opeai_nb.imaging.open_picture import UndecodableError, decoded_picture
    from opeai_nb.imaging.scale import scaled
    from opeai_nb.library.export.web_page import whole

    try:
        small = encoded(scaled(decoded_picture(piece.read()), side))
    except UndecodableError:
        return whole(piece)
    return small.data, small.mime


def _sheet(pieces: Iterator[Piece], path: Path, side: int | None, disk: Disk) -> Export:
    from opeai_nb.library.export import sheets

    ending, side = path.suffix.lower(), side or sheets.SIDE
    most = _MOST_ON_A_PAGE if ending == ".pdf" else sheets.MOST
    shown = _at_most(most, pieces, f"one {ending} sheet")
    with new_file(path, disk) as part:
        if ending == ".pdf":
            sheets.write_pdf(part, shown, path.stem, side)
        else:
            sheets.write_sheet(part, shown, ending, path.stem, side)
        sync_file(part, disk)
    return Export(path, len(shown))


def _at_most(most: int, pieces: Iterator[Piece], what: str) -> list[Piece]:
    found = list(islice(pieces, most + 1))
    if len(found) > most:
        raise LibraryError(
            f"These are more than {most} pictures: too many for {what}.",
            advice=f"{_NARROWER} Nothing was written.",
        )
    return found
