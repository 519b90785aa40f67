"""The gallery: the library's pictures, newest first, a page at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from opeai_nb.library import Library, Marks, Record
    from opeai_nb.notebook.panel.widget_factory import Stock

PAGE: Final = 24
_EMPTY: Final = '<div class="ob-note">{}</div>'
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
    def key(self) -> tuple[str, int]:
        """What tells one find from another."""
        return self.record.id, self.number


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
        self.number = 0
        self._read: list[Find] = []
        self._more: Iterator[Find] = iter(())
        self.reload()

    def reload(self) -> None:
        """Begin anew with what the library holds now, on the first page."""
        self.number = 0
        self._read = []
        self._more = self._finds()

    @property
    def page(self) -> list[Find]:
        """The finds of the page that is looked at."""
        start = self.number * self.length
        self._reach(start + self.length + 1)
        return self._read[start : start + self.length]

    @property
    def has_older(self) -> bool:
        """Tell whether a page follows."""
        self._reach((self.number + 1) * self.length + 1)
        return len(self._read) > (self.number + 1) * self.length

    @property
    def has_newer(self) -> bool:
        """Tell whether a page stands before."""
        return self.number > 0

    def older(self) -> None:
        """Go to the next page, where there is one."""
        if self.has_older:
            self.number += 1

    def newer(self) -> None:
        """Go back a page, where there is one."""
        self.number = max(0, self.number - 1)

    def _finds(self) -> Iterator[Find]:
        """Ask for the records with the first look: opening the library is not for the cell."""
        for record in self._records():
            yield from finds_of(record)

    def _reach(self, count: int) -> None:
        self._read += islice(self._more, max(0, count - len(self._read)))


class Gallery:
    """Thumbnails as buttons, so that the keyboard reaches them; their pictures are one style sheet.

    One page is about 150 kB, however many pictures the library has. *show* is called with the one
    that is clicked.
    """

    def __init__(
        self, stock: Stock, library: Callable[[], Library], show: Callable[[Find], None]
    ) -> None:
        self._stock, self._library, self._show_large = stock, library, show
        self._chosen: Find | None = None
        self._lock = threading.Lock()  # a job that ends and a person who turns the page
        self._buttons: list[Any] = []
        self._finds: list[Find] = []
        self.search = stock.text("Search the gallery", "search", "ob-path-field")
        self.newer = stock.button("←", lambda: self._turn("newer"), hint="Newer pictures")
        self.older = stock.button("→", lambda: self._turn("older"), hint="Older pictures")
        again = stock.button("↻", self.reload, hint="Reload the gallery")
        title = stock.html('<div class="ob-label">Gallery</div>')
        head = [title, self.search, self.newer, self.older, again]
        self._style, self._said = stock.html(css="ob-style"), stock.html()
        self._grid = stock.box((), "ob-grid")
        self.box = stock.box(
            [stock.box(head, "ob-gallery-head"), self._grid, self._said, self._style],
            "ob-gallery",
        )
        self._mark = f"ob-in-{self.box.model_id}"
        self._grid.add_class(self._mark)
        self.pages = Pages(self._records, PAGE)
        self.search.observe(lambda _: self.reload(), "value")

    def reload(self) -> None:
        """Read the library anew and show its newest pictures."""
        with self._lock:
            self.pages.reload()
            self.show()

    def show(self) -> None:
        """Show the page that is looked at."""
        self._finds = self.pages.page
        self._name()
        self.newer.disabled, self.older.disabled = (
            not self.pages.has_newer,
            not self.pages.has_older,
        )
        empty = "No matches." if self.search.value else "What you make is kept here."
        self._said.value = "" if self._finds else _EMPTY.format(empty)
        self.choose(self._chosen)
        # Last: the tiles are there, and can be clicked, before their pictures are decoded.
        rules = [rule for i, find in enumerate(self._finds) if (rule := self._rule(i, find))]
        self._style.value = f"<style>{''.join(rules)}</style>"

    def choose(self, chosen: Find | None) -> None:
        """Mark the find that stands on the stage."""
        self._chosen = chosen
        for button, find in zip(self._buttons, self._finds, strict=False):
            if chosen is not None and find.key == chosen.key:
                button.add_class("ob-chosen")
            else:
                button.remove_class("ob-chosen")

    def _records(self) -> Iterable[Record]:
        library, text = self._library(), self.search.value.strip()
        return library.search(text, limit=_SEARCHED) if text else library.records()

    def _turn(self, where: str) -> None:
        with self._lock:
            getattr(self.pages, where)()
            self.show()

    def _rule(self, place: int, find: Find) -> str | None:
        try:
            source = previews.tile(find.path)
        except (OSError, UndecodableError):
            return None  # the button stays, with its words: the picture is gone or broken
        return f".{self._mark} .ob-at-{place}{{background-image:url({source})}}"

    def _name(self) -> None:
        while len(self._buttons) < len(self._finds):
            self._buttons.append(self._thumb(len(self._buttons)))
        for button, find in zip(self._buttons, self._finds, strict=False):
            marks = str(find.marks_in(self._library()))
            button.description = button.tooltip = " · ".join(filter(None, (marks, find.title)))
        shown: Sequence[Any] = self._buttons[: len(self._finds)]
        if len(self._grid.children) != len(shown):
            self._grid.children = tuple(shown)

    def _thumb(self, place: int) -> Any:
        return self._stock.button(
            "",
            lambda: self._show_large(self._finds[place]),
            hint="",
            css=f"ob-thumb ob-at-{place}",
        )
