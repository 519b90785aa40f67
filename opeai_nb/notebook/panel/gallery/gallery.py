"""The gallery: the library's pictures, newest first, a page at a time."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews
from opeai_nb.notebook.panel.gallery.finds import Find, finds_of, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opeai_nb.library import Library, Marks, Record
    from opeai_nb.library.selection import Selection

PAGE: Final = 24
STARRED: Final = "★"
"""The filter for what is starred; `#fox` is the one for a tag."""
_AT_ONCE: Final = 4
_LONGEST_PROMPT: Final = 4_000
"""Characters of a prompt that travel with each of its pictures."""


class Pages:
    """The finds in pages of *length*; none is asked for before its page is looked at."""

    def __init__(self, finds: Callable[[], Iterator[Find]], length: int) -> None:
        self._finds = finds
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

    def _reach(self, count: int) -> None:
        self._read += islice(self._more, max(0, count - len(self._read)))


class Gallery:
    """What the page shows of the library, a page at a time.

    *search* are the words looked for; *marked* is "", `STARRED`, or a tag behind its `#`. One page
    is about 150 kB, however many pictures the library has.
    """

    def __init__(self, library: Callable[[], Library]) -> None:
        self._library = library
        self._lock = threading.Lock()  # a job that ends and a person who turns the page
        self.search = self.marked = ""
        self.pages = Pages(self._finds, PAGE)

    def reload(self, search: str | None = None, marked: str | None = None) -> None:
        """Begin anew with what the library holds now; *search* and *marked* are other ones."""
        with self._lock:
            self.search = self.search if search is None else search.strip()
            self.marked = self.marked if marked is None else marked.strip()
            self.pages.reload()

    def page(self, number: int = 0) -> dict[str, Any]:
        """Return a page as the panel's page shows it, without its pictures."""
        with self._lock:
            finds = self.pages.page(number)
            older = self.pages.has_older(number)
        rows = self.rows(finds)
        asked = {"search": self.search, "marked": self.marked}
        return {"page": number, "finds": rows, "older": older, **asked}

    def rows(self, finds: Iterable[Find]) -> list[dict[str, Any]]:
        """Return what the page shows of finds, each with a name of its own."""
        finds = [*finds]
        marks = self._library().all_marks() if finds else {}
        rows = [row_of(find, marks) for find in finds]
        names = Counter((row["title"], row["about"]) for row in rows)
        for row in rows:
            if names[row["title"], row["about"]] > 1:
                row["about"] += f" · {row['key']}"
        return rows

    def tiles(self, number: int = 0) -> dict[str, bytes]:
        """Return the tiles of a page by key; one whose file is gone or broken has none."""
        with self._lock:
            finds = self.pages.page(number)
        return tiles_of(finds)

    def _finds(self) -> Iterator[Find]:
        """Yield the pictures of the library; of a record, those alone that have the mark.

        The library is asked for with the first look: to open it is not for the cell.
        """
        library = self._library()
        for record in self._records(library):
            for find in finds_of(record, library):
                if not self.marked or _has(find.marks_in(library), self.marked):
                    yield find

    def _records(self, library: Library) -> Iterable[Record]:
        if self.search or self.marked:
            return library.selected(self.search, whole=False, **self._selection())
        return library.records(whole=False)

    def _selection(self) -> Selection:
        if self.marked == STARRED:
            return {"starred": True}
        return {"tag": self.marked} if self.marked else {}


def _has(marks: Marks, wanted: str) -> bool:
    return marks.starred if wanted == STARRED else marks.has_tag(wanted)


def tiles_of(finds: Iterable[Find]) -> dict[str, bytes]:
    """Return the tiles of finds by key; one whose file is gone or broken has none."""
    finds = [*finds]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # Pillow decodes without the interpreter's lock
        pictures = pool.map(_tile, finds)
        return {find.key: picture for find, picture in zip(finds, pictures, strict=True) if picture}


def _tile(find: Find) -> bytes | None:
    try:
        return previews.tile(find.path)
    except (OSError, UndecodableError):
        return None  # the tile stays, with its words


def row_of(find: Find, marks: Mapping[str, Marks]) -> dict[str, Any]:
    """Return what the page shows of a find; *marks* are those of the library, by record."""
    said = find.marks_of(marks[find.record.id]) if find.record.id in marks else ""
    prompt = find.record.prompt
    return {
        "key": find.key,
        "record": find.record.id,
        "title": find.title,
        "about": find.about,
        "marks": str(said),
        # The history of prompts has it at hand while the kernel is busy.
        "prompt": prompt if len(prompt) <= _LONGEST_PROMPT else "",
        "model": find.record.model,
        "made": when(find.record),
    }
