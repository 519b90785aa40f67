"""The gallery: the library's pictures, newest first, a page at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.picture import Picture
from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.library import Library, Marks, Record

PAGE: Final = 24
_SEARCHED: Final = 2000


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
        prompt = " ".join(self.record.prompt.split())
        short = prompt if len(prompt) <= 90 else f"{prompt[:89]}…"  # noqa: PLR2004  a line of text
        return f"{short} · {self.record.model}"

    def marks_in(self, library: Library) -> Marks:
        """Return what people say of it."""
        places = [place for place, item in enumerate(self.record.pictures, 1) if item.file]
        return library.marks(self.record).at(places[self.number - 1])

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
        path, region = laid.get(place, (record.folder / str(item.file), None))
        size = item.size if region is None else Picture(source=path).size
        finds.append(Find(record, number, path, _sound(size), region))
    return finds


def _sound(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return a size that a picture may have; records are plain files, and may have been edited."""
    return size if size and min(size) > 0 else None


class Pages:
    """The finds in pages of *length*; no record is read before its page is looked at."""

    def __init__(
        self,
        records: Callable[[], Iterable[Record]],
        length: int,
        finds: Callable[[Record], Iterable[Find]],
    ) -> None:
        self._records = records
        self._finds_of = finds
        self.length = length
        self._read: list[Find] = []
        self._more: Iterator[Find] = iter(())
        self.reload()

    def reload(self) -> None:
        """Begin anew with what the library holds now."""
        self._read = []
        self._more = self._finds()

    def page(self, number: int = 0) -> list[Find]:
        """Return the finds of a page; the newest are on page 0."""
        start = number * self.length
        self._reach(start + self.length + 1)
        return self._read[start : start + self.length]

    def has_older(self, number: int = 0) -> bool:
        """Tell whether a page follows."""
        self._reach((number + 1) * self.length + 1)
        return len(self._read) > (number + 1) * self.length

    def find(self, key: str) -> Find | None:
        """Return the find of *key* among those that were read; None where there is none."""
        return next((find for find in self._read if find.key == key), None)

    def _finds(self) -> Iterator[Find]:
        """Ask for the records with the first look: opening the library is not for the cell."""
        for record in self._records():
            yield from self._finds_of(record)

    def _reach(self, count: int) -> None:
        self._read += islice(self._more, max(0, count - len(self._read)))


class Gallery:
    """What the page shows of the library, a page at a time. *search* are the words looked for.

    One page is about 150 kB, however many pictures the library has.
    """

    def __init__(self, library: Callable[[], Library]) -> None:
        self._library = library
        self._lock = threading.Lock()  # a job that ends and a person who turns the page
        self.search = ""
        self.pages = Pages(self._records, PAGE, lambda record: finds_of(record, library()))

    def reload(self, search: str | None = None) -> None:
        """Begin anew with what the library holds now; *search* are other words to look for."""
        with self._lock:
            self.search = self.search if search is None else search.strip()
            self.pages.reload()

    def page(self, number: int = 0) -> dict[str, Any]:
        """Return a page as the panel's page shows it, without its pictures."""
        with self._lock:
            finds = self.pages.page(number)
            older = self.pages.has_older(number)
        library = self._library() if finds else None
        rows = [_row(find, library) for find in finds if library is not None]
        return {"page": number, "finds": rows, "older": older, "search": self.search}

    def tiles(self, number: int = 0) -> dict[str, bytes]:
        """Return the tiles of a page by key; one whose file is gone or broken has none."""
        with self._lock:
            finds = self.pages.page(number)
        return {find.key: picture for find in finds if (picture := self._tile(find))}

    def _tile(self, find: Find) -> bytes | None:
        try:
            return previews.tile(find.path)
        except (OSError, UndecodableError):
            return None  # the tile stays, with its words

    def _records(self) -> Iterable[Record]:
        library = self._library()
        if self.search:
            return library.search(self.search, limit=_SEARCHED)
        return library.records()


def _row(find: Find, library: Library) -> dict[str, Any]:
    return {"key": find.key, "title": find.title, "marks": str(find.marks_in(library))}
