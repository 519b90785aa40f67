"""Copies of a batch's pictures under the names that its rows give them, in the batch's folder.

The library's own files stay what they are: a copy that is cropped or renamed costs no record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.bulk.sweep.axis import whole
from opeai_nb.client.values.name_template import name_below, values_for
from opeai_nb.client.values.save_pictures import write_named
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.name_template import NameTemplate
    from opeai_nb.client.values.picture import Picture

FILE: Final = "file"
"""What the column and the option are called."""
_HEAD: Final = 65_536  # bytes: two packed pictures that agree in these and in length are one


class Copy(NamedTuple):
    """A copy that is there: its *path*, and its *name* below the batch's folder."""

    path: Path
    name: str


def template_in(value: object) -> NameTemplate:
    """Return how pictures are named, as a row's cell or the whole batch's option says it.

    Raises `InputError` for what is no text, and for a name that is none below the batch's folder.
    """
    if isinstance(value, Mapping | list | tuple | set | bool):
        raise InputError(
            f"It is a {type(value).__name__}, not text.",
            advice="Give a name such as {sku}-{n}.png. Nothing was sent.",
        )
    return name_below(str(whole(value)))


def template_in_cell(value: object) -> NameTemplate:
    """Return how a row's own cell names its pictures. Raises `InputError` as `template_in` does."""
    template = template_in(value)
    if FILE in template.words:
        raise InputError("{file} would name itself.", advice="Leave it out. Nothing was sent.")
    return template


def names_of(point: Point, count: int = 0) -> list[str]:
    """Return the names of a row's pictures, below the batch's folder: as many as it asks for.

    Of more that came, *count* says so. The words of a template mean the row's cells, else the
    fields of its request.
    """
    if point.file is None:
        return []
    cells = {name: whole(value) for name, value in point.row.items()}
    words = {**values_for(point.request, point.number + 1), **cells}
    names = point.file.names(words, max(point.request.count, count))
    return [(point.file.folder / name).as_posix() for name in names]


@dataclass(frozen=True)
class Copies:
    """Puts copies below *folder*. One that is there already is left alone."""

    folder: Path

    def put(self, point: Point, generation: Generation) -> tuple[Copy, ...]:
        """Copy the pictures of a row that names them. Raises `LibraryError`."""
        if point.file is None:
            return ()
        names = names_of(point, len(generation))
        try:
            paths = [
                self._put(self.folder / name, picture)
                for name, picture in zip(names, generation.good, strict=False)
            ]
        except OSError as error:
            raise LibraryError(
                f"The picture could not be named: {error.strerror}.", advice=_ADVICE
            ) from error
        return tuple(Copy(path, path.relative_to(self.folder).as_posix()) for path in paths)

    def _put(self, path: Path, picture: Picture) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise LibraryError(f"A link leads out of the folder: {path.parent}.", advice=_ADVICE)
        if picture.path is not None and _is_copy(path, picture.path):
            return path
        return write_named(path, picture)


_ADVICE: Final = "The picture is kept in the library; running again names it."


def _is_copy(path: Path, kept: Path) -> bool:
    """Tell whether a file is the copy of a picture, by its length and its beginning."""
    try:
        if path.is_symlink() or path.stat().st_size != kept.stat().st_size:
            return False
        return read_plain(path, _HEAD, head=True) == read_plain(kept, _HEAD, head=True)
    except OSError:
        return False
