"""The tray of input pictures: upload, path, URL or variable; tiles that can be taken away."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.display import previews
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.html import note_html
from opeai_nb.notebook.panel.widget_factory import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.notebook.panel.controls import ControlTraits
    from opeai_nb.notebook.panel.input_sources import Source
    from opeai_nb.notebook.panel.widget_factory import Stock


UPLOAD_LIMIT: Final = 10_400_000
"""Bytes of one upload: a websocket message carries 10 MiB (10,485,760) with its envelope."""


class Tray:
    """Shows and changes the *images* of *controls*.

    *names* is the user's namespace, *limit* how many bytes one upload may have.
    """

    def __init__(
        self, stock: Stock, controls: ControlTraits, names: Mapping[str, Any], limit: int
    ) -> None:
        self._stock, self._controls, self._names = stock, controls, names
        self._hint = f"Up to {limit / 1e6:.0f} MB per upload; for a larger file give its path."
        self._label, self._note = stock.html(), stock.html()
        self._tiles = stock.box((), "ob-tiles")
        self.upload = widgets.FileUpload(
            accept="image/*",
            multiple=True,
            description="Upload",
            tooltip=self._hint,
            layout=stock.layout,
        )
        self.path = stock.text(
            "A path, a URL or a variable", "path, URL or variable", "ob-path-field"
        )
        add = stock.button("Add", self._take_named, hint="Add this picture")
        adding = stock.box([self.upload, self.path, add], "ob-add")
        self.box = stock.box([self._label, self._tiles, adding, self._note], "ob-tray")
        self.upload.observe(self._take_files, "value")
        self.path.observe(lambda _: self._take_named(), "value")
        controls.observe(lambda _: self.show(), "images")
        self.show()
        self._say()

    def show(self) -> None:
        """Show the pictures, and whether the chosen model takes them."""
        images, offered = self._controls.images, self._controls.model_options
        most, least = offered.images_max, offered.images_min
        hide(self.box, hidden=not most and not images)
        told = "takes none: it paints from the prompt alone" if not most else f"takes up to {most}"
        told = f"needs 1 to {most}" if least else told
        self._label.value = (
            f'<div class="ob-label">Pictures to edit <span style="font-weight:400">· the model '
            f"{told}</span></div>"
        )
        self._tiles.children = [self._tile(source) for source in images]

    def _tile(self, source: Source) -> Any:
        stock, hint = self._stock, f"Remove {source.label}"
        remove = stock.button("×", lambda: self._remove(source), hint=hint)
        return stock.box([stock.html(tile_html(source)), remove], "ob-source")

    def _remove(self, source: Source) -> None:
        images = self._controls.images
        self._controls.images = tuple(other for other in images if other is not source)

    def _take_files(self, change: Any) -> None:
        if not change.new:
            return
        files = [(str(item.name), bytes(item.content)) for item in change.new]
        self.upload.value = ()  # else each reload of the page would bring the bytes again
        notes: list[str] = []
        for name, content in files:
            notes += self._taken(
                lambda name=name, content=content: input_sources.uploaded(name, content)
            )
        self._say(*notes)

    def _take_named(self) -> None:
        """Add what the field names: on Enter, when it is left, and so before any click."""
        text = self.path.value.strip()
        if not text:
            return
        notes = self._taken(lambda: input_sources.named(text, self._names))
        if not notes or not notes[-1].startswith("!"):
            self.path.value = ""
        self._say(*notes)

    def _taken(self, read: Any) -> list[str]:
        try:
            source = read()
            self._controls.images = input_sources.with_source(self._controls.images, source)
        except OpeaiError as error:
            return [f"!{error.message}"]
        return [source.note]

    def _say(self, *notes: str) -> None:
        told = [
            note_html(note.lstrip("!"), css=f"ob-note{' ob-wrong' if note[0] == '!' else ''}")
            for note in notes
            if note
        ]
        hint = f'<div class="ob-note ob-upload-note">{escape(self._hint)}</div>'
        self._note.value = "".join(told) or hint


def tile_html(source: Source) -> str:
    """Return the tile of a source; a URL is not fetched for it."""
    data = source.images[0].data
    if data is None:
        shown = '<span class="ob-no-tile">URL</span>'
    else:
        shown = f'<img src="{previews.tile_of(data)}" alt="{escape(source.label)}">'
    more = f" (+{len(source.images) - 1})" if len(source.images) > 1 else ""
    name = escape(f"{source.label}{more}")
    return f'{shown}<span class="ob-name" title="{name}">{name}</span>'
