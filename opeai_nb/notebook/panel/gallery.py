"""The gallery: the library's pictures, newest first, a page at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from opeai_nb.library import Library, Marks, Record

PAGE: Final = 24
_SEARCHED: Final = 2000


@dataclass(frozen=True)
class Find:
    """One picture of a record; *number* counts from 1."""

    record: Record
    number: int
    path: Path
    size: tuple[int, int] | None

    @property
    def title(self) -> str:
        """One line that tells what it is: for a tooltip and for a screen reader."""
        prompt = " ".join(self.record.prompt.split())
        short = prompt if len(prompt) <= 90 else f"{prompt[:89]}…"  # noqa: PLR2004  a line of text
        return f"{short} · {self.record.model}"

    def marks_in(self, library: Library) -> Marks:
        """Return what people say of it."""
        names = [item.file for item in self.record.pictures]
        return library.marks(self.record).at(names.index(self.path.name) + 1)

    @property
    def key(self) -> str:
        """What tells one find from another: `3f2a9c1d-2`, as its file says."""
        return f"{self.record.id}-{self.number}"


def finds_of(record: Record) -> list[Find]:
    """Return the pictures of a record, in order."""
    kept = [item for item in record.pictures if item.file]
    return [
        Find(record, number, record.folder / str(item.file), _sound(item.size))
        for number, item in enumerate(kept, 1)
    ]


def _sound(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return a size that a picture may have; records are plain files, and may have been edited."""
    return size if size and min(size) > 0 else None


class Pages:
    """The finds in pages of *length*; no record is read before its page is looked at."""

    def __init__(self, records: Callable[[], Iterable[Record]], length: int) -> None:
        self._records = records
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
            yield from finds_of(record)

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
        self.pages = Pages(self._records, PAGE)

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
