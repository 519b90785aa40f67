"""What a panel shows of the library, and what a person does there: traits and their changes."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from traitlets import Any as AnyTrait
from traitlets import Dict, List

from opeai_nb.errors import InputError, LibraryError
from opeai_nb.notebook.display.growth import growth_text
from opeai_nb.notebook.panel import input_sources, region, save_files, status
from opeai_nb.notebook.panel.controls import ControlTraits, controls_of
from opeai_nb.notebook.panel.gallery.finds import Find, finds_of
from opeai_nb.notebook.panel.gallery.gallery import PAGE, Gallery
from opeai_nb.notebook.panel.gallery.prompt_history import history_page
from opeai_nb.notebook.panel.gallery.stage import stage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from opeai_nb.library import Library, Record
    from opeai_nb.studio import Studio


_BEAT: Final = 0.2
"""Seconds between two looks at an index that grows."""


class ShownLibrary(ControlTraits):
    """The gallery, the stage, marks and the history of prompts, beside the controls."""

    selected = AnyTrait(None, read_only=True)

    _status = Dict().tag(sync=True)
    _stage = Dict().tag(sync=True)
    _gallery = Dict().tag(sync=True)
    _tiles = Dict().tag(sync=True)
    _tags: List[Any] = List().tag(sync=True)

    _studio: Callable[[], Studio]

    def __init__(self, *args: Any, **traits: Any) -> None:
        self.gallery = Gallery(lambda: self.library)
        self._trashed: dict[str, Find] = {}
        self._growth_said: dict[str, Any] = {}
        self._is_growing = False  # as it was when what is shown was read
        self._looks, self._look = count(1), 0
        super().__init__(*args, **traits)

    @property
    def studio(self) -> Studio:
        """The studio for the settings as they are now."""
        return self._studio()

    @property
    def library(self) -> Library:
        """The library for the settings as they are now."""
        return self.studio.library

    def find(self, key: str) -> Find | None:
        """Return a picture of the library by its key; None where there is none."""
        if self.selected is not None and self.selected.key == key:
            found: Find = self.selected
            return found
        known = self.gallery.pages.find(key) or self._trashed.get(key)
        if known is not None:
            return known
        try:
            finds = finds_of(self.library.record(key.partition("-")[0]), self.library)
        except LibraryError:
            return None
        return next((find for find in finds if find.key == key), None)

    def show(self, find: Find | None) -> None:
        """Put a picture of the library on the stage."""
        self.set_trait("selected", find)
        self._stage = {} if find is None else stage_of(find, self.library)

    # -- the gallery

    def search(self, text: str | None = None, marked: str | None = None) -> None:
        """Show the newest pictures of the library, those that *text* finds; None: as before.

        *marked* is `★` for what is starred, `#fox` for what has that tag, "" for all.
        """
        self.gallery.reload(text, marked)
        self._show_gallery()

    def _reload(self) -> None:
        self.gallery.reload()
        self._show_gallery()

    def _show_gallery(self) -> None:
        self._read_gallery()()

    def _read_gallery(self) -> Callable[[], None]:
        """Read what the gallery shows now, and return what shows it: until something newer is.

        The tiles go first, so that the page has them when it builds its grid: once.
        """
        look = next(self._looks)
        growth = self._growth()
        page, tiles, tags = self.gallery.page(), self.gallery.tiles(), self._counted_tags()

        def show() -> None:
            if look > self._look:
                self._look, self._is_growing = look, bool(growth)
                self._tell_growth(growth)
                self._tiles, self._gallery, self._tags = tiles, page, tags

        return show

    def _follow_growth(self) -> None:
        """Show what comes into the index of a large library: a first page, and all at its end."""
        while self._is_growing:
            time.sleep(_BEAT)
            if len(self._gallery["finds"]) < PAGE or not self._growth():
                self._reload()

    def _growth(self) -> dict[str, Any]:
        """Return what says that the index of a large library is being made; else nothing."""
        try:
            growth = self.library.growth()
        except LibraryError:  # the gallery is empty then, as ever
            return {}
        return {} if growth is None else status.said(growth_text(*growth))

    def _tell_growth(self, said: dict[str, Any]) -> None:
        """Say it where nothing else is said."""
        if self._status in ({}, self._growth_said):
            self._growth_said = self._status = said

    def _counted_tags(self) -> list[Any]:
        """Return which tags there are, each with the number of its records outside the trash."""
        marks = self.library.all_marks()
        counted = [
            [tag, sum(not marks[record].trashed for record in ids)]
            for tag, ids in self.library.tagged().items()
        ]
        return [each for each in counted if each[1]]

    # -- marks

    def mark(self, find: Find, **change: Any) -> None:
        """Star, tag or trash a picture of the library, or undo that; show what holds then."""
        whole = "trash" in change  # a record replays whole
        if change.get("trash"):
            self._trashed[find.key] = find  # for undo: the library lists it no more
        self.library.mark(find.record.id if whole else find.key, **change)
        if common := self._common_tags(find, change.get("untag", ())):
            self.library.mark(find.record.id, untag=common)
        if whole or self.gallery.marked:
            self._reload()  # another picture is shown, or one less
        else:
            self._gallery, self._tags = self.gallery.page(), self._counted_tags()
        if self.selected is not None and self.selected.key == find.key:
            self.show(None if change.get("trash") else find)

    def _common_tags(self, find: Find, tags: Sequence[str]) -> list[str]:
        """Return those of *tags* that the whole record has: a picture alone cannot lose them."""
        marks = replace(self.library.marks(find.record), pictures=())
        return [tag for tag in tags if marks.has_tag(tag)]

    # -- back to the controls

    def use_as_input(self) -> None:
        """Edit the picture on the stage: it becomes the input picture."""
        if self.selected is not None:
            path = save_files.as_written(self.selected.path)
            self.set_trait("images", (input_sources.named(path, {}),))

    def restore(self) -> None:
        """Set the controls as they were for the picture on the stage."""
        if self.selected is not None:
            self._restore(self.selected.record, self.selected)

    def recall(self, record_id: str) -> None:
        """Set the controls as they were for a record; the stage stays.

        Raises `InputError` when it is no longer in the library.
        """
        try:
            record = self.library.record(record_id)
        except LibraryError as error:
            raise InputError(
                "This prompt is no longer in the library.", advice="Nothing was changed."
            ) from error
        self._restore(record, next(iter(finds_of(record, self.library)), None))

    def prompts(
        self, text: str = "", after: Sequence[Any] = ()
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return a page of the history of prompts: see `history_page`."""
        return history_page(self.library, text, after)

    def _restore(self, record: Record, find: Find | None) -> None:
        request = record.request
        given = tuple(
            input_sources.Source((image,), image.name or "a picture", image.url, image.data)
            for image in request.image
        )
        self.take(controls_of(request, given))
        self.only = None
        if find is not None:
            self._restore_region(find)

    def _restore_region(self, find: Find) -> None:
        made = self.library.overlays(find.record)
        overlay = next((each for each in made if each.digest == find.region), None)
        if overlay is None:
            return
        if overlay.mask is None:
            self.only = overlay.box
            return
        try:
            self.only = region.placed(self.library.mask(overlay), overlay.box, self.images)
        except InputError as error:
            self._status = status.said(f"{error.message} {error.advice}")

    def save_as(self, target: str, find: Find) -> Path:
        """Write a copy of a picture of the library to *target*; return its path."""
        generation = find.as_shown(self.library.generation(find.record))
        return save_files.save_copy(generation, find.number, target)
