"""One picture of the library, as the panel shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.picture import Picture
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.library import Library, Marks, Record

_LINE: Final = 90


@dataclass(frozen=True)
class Find:
    """One picture of a record; *number* counts from 1.

    *path* and *size* are of what is shown: where an answer was laid over its original, of that, and
    *region* names the region. Else it is None.
    """

    record: Record
    number: int
    path: Path
    size: tuple[int, int] | None
    region: str | None = None

    @property
    def title(self) -> str:
        """One line that tells what it is: for a tooltip and for a screen reader."""
        return f"{shortened(self.record.prompt, _LINE)} · {self.record.model}"

    @property
    def about(self) -> str:
        """What tells it from others of its prompt: which of how many, its size, its time."""
        count = len(self._places)
        which = f"picture {self.number} of {count}" if count > 1 else ""
        size = f"{self.size[0]}×{self.size[1]}" if self.size else ""
        return " · ".join(filter(None, (which, size, when(self.record))))

    def marks_in(self, library: Library) -> Marks:
        """Return what people say of it."""
        return self.marks_of(library.marks(self.record))

    def marks_of(self, record: Marks) -> Marks:
        """Return what people say of it, of what they say of its record and its pictures."""
        return record.at(self._places[self.number - 1])

    @property
    def _places(self) -> list[int]:
        return [place for place, item in enumerate(self.record.pictures, 1) if item.file]

    def as_shown(self, generation: Generation) -> Generation:
        """Return the *generation* of its record with this picture as it is shown."""
        if self.region is None:
            return generation
        came = generation.good[self.number - 1]
        laid = replace(came, source=self.path, url=None, received_sha256=None)
        pictures = tuple(laid if each is came else each for each in generation.pictures)
        return replace(generation, pictures=pictures)

    @property
    def key(self) -> str:
        """What tells one find from another: `3f2a9c1d-2`, as its file says."""
        return f"{self.record.id}-{self.number}"


def finds_of(record: Record, library: Library) -> list[Find]:
    """Return the pictures of a record, in order: as they were laid over last, where they were."""
    laid = {
        number: (path, overlay.digest)
        for overlay in library.overlays(record)
        for number, path in overlay.paths.items()
    }
    kept = [(place, item) for place, item in enumerate(record.pictures, 1) if item.file]
    finds = []
    for number, (place, item) in enumerate(kept, 1):
        path, region = laid.get(place, (record.path_of(str(item.file)), None))
        size = item.size if region is None else Picture(source=path).size
        finds.append(Find(record, number, path, _sound(size), region))
    return finds


def when(record: Record) -> str:
    """Return the local time at which a record was made, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))


def _sound(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return a size that a picture may have; records are plain files, and may have been edited."""
    return size if size and min(size) > 0 else None
