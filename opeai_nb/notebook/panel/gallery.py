"""The gallery: the library's pictures, newest first, a page at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.panel import previews
from opeai_nb.notebook.panel.gallery_pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opeai_nb.library import Record
    from opeai_nb.notebook.panel.gallery_pages import Find
    from opeai_nb.notebook.panel.panel import Panel

PAGE: Final = 24
_EMPTY: Final = '<div class="ob-note">{}</div>'
_SEARCHED: Final = 2000


class Gallery:
    """Thumbnails as buttons, so that the keyboard reaches them; their pictures are one style sheet.

    One page is about 150 kB, however many pictures the library has.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._lock = threading.Lock()  # a job that ends and a person who turns the page
        self._buttons: list[Any] = []
        self._finds: list[Find] = []
        stock = panel.stock
        self.search = stock.text("Search the gallery", "search", "ob-path-field")
        self.newer = stock.button("←", lambda: self._turn("newer"), hint="Newer pictures")
        self.older = stock.button("→", lambda: self._turn("older"), hint="Older pictures")
        again = stock.button("↻", self.reload, hint="Read the library again")
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
        self.choose(self._panel.selected)
        # Last: the tiles are there, and can be clicked, before their pictures are decoded.
        rules = [rule for i, find in enumerate(self._finds) if (rule := self._rule(i, find))]
        self._style.value = f"<style>{''.join(rules)}</style>"

    def choose(self, chosen: Find | None) -> None:
        """Mark the find that stands on the stage."""
        for button, find in zip(self._buttons, self._finds, strict=False):
            if chosen is not None and find.key == chosen.key:
                button.add_class("ob-chosen")
            else:
                button.remove_class("ob-chosen")

    def _records(self) -> Iterable[Record]:
        library, text = self._panel.studio.library, self.search.value.strip()
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
            button.description = button.tooltip = find.title
        shown: Sequence[Any] = self._buttons[: len(self._finds)]
        if len(self._grid.children) != len(shown):
            self._grid.children = tuple(shown)

    def _thumb(self, place: int) -> Any:
        return self._panel.stock.button(
            "",
            lambda: self._panel.show(self._finds[place]),
            hint="",
            css=f"ob-thumb ob-at-{place}",
        )
