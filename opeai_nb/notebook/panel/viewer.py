"""The stage: one picture, large, and what can be done with it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from opeai_nb.errors import OpeaiError
from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews
from opeai_nb.notebook.panel.html import (
    STILL_HTML,
    compare_html,
    empty_stage_html,
    note_html,
    path_html,
)
from opeai_nb.notebook.panel.save_files import as_written
from opeai_nb.notebook.panel.widget_factory import hide

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.notebook.panel.gallery import Find
    from opeai_nb.notebook.panel.widget_factory import Stock


class Stage:
    """Shows one find.

    *edit*, *restore* and *save_as* are what its buttons do with it, *beside* says how it is marked
    and where it was made from.
    """

    def __init__(
        self,
        stock: Stock,
        *,
        edit: Callable[[], object],
        restore: Callable[[], object],
        save_as: Callable[[str, Find], Path],
        beside: Callable[[Find], str],
    ) -> None:
        self._save_as, self._beside = save_as, beside
        self._find: Find | None = None
        self._picture = stock.html(empty_stage_html())
        self._caption, self._path, self._said = stock.html(), stock.html(), stock.html()
        self.compare = stock.toggle(
            "Compare", icon="columns", hint="Before and after, with a slider"
        )
        saves = stock.toggle("Save as…", icon="save", hint="Save a copy under a name you choose")
        self.target = stock.text("File to save as", css="ob-path-field")
        save = stock.button("Save", self._save, hint="Write the file")
        self._saving = stock.box([self.target, save], "ob-save ob-hidden")
        edits = stock.button("Edit this", edit, icon="pencil", hint="Use this picture as input")
        restores = stock.button(
            "Restore settings",
            restore,
            icon="undo",
            hint="Set the controls as they were for this picture",
        )
        self._tools = stock.box([edits, self.compare, restores, saves], "ob-tools ob-hidden")
        self.box = stock.box(
            [self._picture, self._caption, self._tools, self._saving, self._said, self._path],
            "ob-stage",
        )
        self.compare.observe(lambda _: self._draw(), "value")
        saves.observe(lambda change: hide(self._saving, hidden=not change.new), "value")

    def show(self, find: Find | None) -> None:
        """Show a find of the library, or that there is none yet."""
        self._find = find
        self._said.value = ""
        hide(self._tools, hidden=find is None)
        if find is None:
            self._picture.value = empty_stage_html()
            self._caption.value = self._path.value = ""
            return
        has_before = bool(find.record.written.get("image"))
        hide(self.compare, hidden=not has_before)
        if self.compare.value and not has_before:
            self.compare.value = False  # draws
        else:
            self._draw()
        self._caption.value = caption_html(find, self._beside(find))
        self._path.value = path_html(as_written(find.path)) + STILL_HTML
        self.target.value = f"{find.path.name}"

    def show_unkept(self, generation: Generation) -> None:
        """Show pictures that the library could not keep: they are in memory alone."""
        self.show(None)
        for picture in generation.good[:1]:
            if picture.data and picture.size:
                size = previews.shown_size(picture.size)
                source = previews.large_of(picture.data, size)
                self._picture.value = previews.picture_html(source, generation.request.prompt, size)

    def _draw(self) -> None:
        find = self._find
        if find is None:
            return
        try:
            self._picture.value = self._compared(find) or picture_of(find)
        except (OSError, UndecodableError, OpeaiError) as error:
            why = getattr(error, "strerror", None) or error
            self._picture.value = note_html(
                f"{find.path.name} cannot be read: {why}.", css="ob-empty"
            )

    def _compared(self, find: Find) -> str | None:
        if not self.compare.value or find.size is None:
            return None
        given = find.record.rebuilt(strict=False).image
        before = next((image.data for image in given if image.data), None)
        if before is None:
            self._said.value = note_html("The input picture is no longer in the library.")
            return None
        size = previews.shown_size(find.size)
        large = previews.large(find.path)
        return compare_html(previews.large_of(before, size), large, find.title, size)

    def _save(self) -> None:
        if self._find is None:
            return
        try:
            path = self._save_as(self.target.value, self._find)
        except OpeaiError as error:
            self._said.value = note_html(str(error), css="ob-note ob-wrong")
        else:
            self._said.value = note_html(f"Saved: {path}")


def picture_of(find: Find) -> str:
    """Return the picture of a find, as large as it is shown."""
    size = previews.shown_size(find.size or (1, 1))
    return previews.picture_html(previews.large(find.path), find.title, size)


def caption_html(find: Find, beside: str = "") -> str:
    """Return the prompt, below it what it was made with, and what is said *beside*."""
    record = find.record
    facts = [record.model]
    if find.size:
        facts.append(f"{find.size[0]}×{find.size[1]}")
    if quality := record.written.get("quality"):
        facts.append(str(quality))
    if record.duration:
        facts.append(f"{record.duration:.0f} s" if record.duration >= 1 else "under 1 s")
    if record.origin == "engine":
        facts.append("embedded engine")
    prompt = " ".join(record.prompt.split())
    shown = prompt if len(prompt) <= 280 else f"{prompt[:279]}…"  # noqa: PLR2004  four lines
    return (
        f'<div class="ob-caption"><b>{escape(shown)}</b>'
        f"<small>{escape(' · '.join(facts))}</small>"
        f"{f'<small>{escape(beside)}</small>' if beside else ''}</div>"
    )
