"""The panel of stock widgets alone: small, for front ends that have no anywidget."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from traitlets import default

from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.previews import mime_of
from opeai_nb.notebook.panel import status
from opeai_nb.notebook.panel.panel_state import PanelState
from opeai_nb.notebook.panel.static_output import PLAIN, TERMINAL_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = "Panel of opeai_nb, plain: run this cell to use it, in a notebook that shows widgets."
_MESSAGE: Final = 10_400_000
"""Bytes of one upload: a websocket message carries 10 MiB (10,485,760) with its envelope."""
_PROMPTS: Final = 200
_WIDE: Final = {"layout": {"width": "auto"}, "style": {"description_width": "70px"}}
# As large as it is, and not stretched to the width of the form.
_PICTURE: Final = {"max_width": "min(100%, 768px)", "height": "auto", "align_self": "flex-start"}


class PlainPanel(PanelState, widgets.VBox):  # type: ignore[misc]  # ipywidgets carries no types
    """The panel in its small form: the same traits and observers, fewer things to click.

    Prompt, its history (found by typing, without pictures), preset (where there are any), model,
    size, quality, count, uploads, Generate, Stop, the badge, the picture and the code of its cell.
    Everything else is there from Python, as with
    `Panel`.
    """

    def __init__(self, studio: Any, *, upload_limit: int = _MESSAGE, **options: Any) -> None:
        self._past: dict[str, str] = {}  # prompts of the library by the lines that stand for them
        self._make()
        super().__init__(studio, upload_limit=upload_limit, **options)
        self.children = self._rows()
        self.add_class(PLAIN)
        self._follow()

    @default("keys")
    def _keys(self) -> list[str]:
        """Send what the box of stock widgets has, none of what the one component shows."""
        return [name for name in widgets.VBox.class_traits(sync=True) if name != "keys"]

    def __repr__(self) -> str:
        return TERMINAL_TEXT if self._is_in_terminal else TEXT

    def _ipython_display_(self) -> None:
        """Show the panel, and beside it the picture for readers without a kernel."""
        from IPython.display import display

        display({**self._repr_mimebundle_(), "text/plain": repr(self)}, raw=True)
        self._is_shown()
        self._go_on_unseen()  # stock widgets say nothing of it

    def _make(self) -> None:
        text = {"continuous_update": False, **_WIDE}
        self.prompt_field = widgets.Textarea(description="Prompt", rows=3, **text)
        self.history_field = widgets.Combobox(
            description="History", placeholder="find an earlier prompt", **text
        )
        self.preset_field = widgets.Combobox(description="Preset", placeholder="none", **text)
        self.model_field = widgets.Combobox(description="Model", **text)
        self.size_field = widgets.Combobox(description="Size", placeholder="default", **text)
        self.quality_field = widgets.Combobox(description="Quality", placeholder="default", **text)
        self.count = widgets.BoundedIntText(description="Pictures", min=1, max=128, **_WIDE)
        self.upload = widgets.FileUpload(accept="image/*", multiple=True, description="Upload")
        self.inputs, self.notes, self.badge = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.picture: Any = None  # an image, once there is one
        self.place = widgets.VBox()
        self.code = widgets.Textarea(description="Cell", disabled=True, rows=4, **_WIDE)

    def _rows(self) -> tuple[Any, ...]:
        self.go = _button("Generate", self.click, button_style="primary")
        self.halt = _button("Stop waiting", self.stop, disabled=True)
        self.again = _button("Wait again", lambda: self._try(self.resume), disabled=True)
        empty = _button("Remove pictures", lambda: self.set_trait("images", ()))
        insert = _button("Show code", lambda: self._try(self._show_code))
        asked = (
            *(self.prompt_field, self.history_field, self.preset_field),
            *(self.model_field, self.size_field, self.quality_field),
        )
        inputs = widgets.HBox([self.upload, empty, self.inputs])
        acts = widgets.HBox([self.go, self.halt, self.again, insert])
        return (*asked, self.count, inputs, self.notes, acts, self.badge, self.place, self.code)

    def _follow(self) -> None:
        """Show each trait in its field, and take what a person sets there."""
        fields = {
            "prompt": self.prompt_field,
            "preset": self.preset_field,
            "model": self.model_field,
            "size": self.size_field,
            "quality": self.quality_field,
            "n": self.count,
        }
        for name, field in fields.items():
            field.observe(lambda change, name=name: self._take(name, change.new), "value")
        self.history_field.observe(lambda change: self._take_past(change.new), "value")
        self.upload.observe(self._take_files, "value")
        shown = ["_controls", "_models", "_presets", "_inputs", "_advice", "_status", "_stage"]
        self.observe(lambda _: self._show(), shown)
        self._fields = fields
        self._show()

    def _take(self, name: str, value: Any) -> None:
        if getattr(self, name) != value:
            self._try(lambda: setattr(self, name, value))

    def _take_past(self, line: str) -> None:
        if line in self._past:
            self.prompt = self._past[line]
            self.history_field.value = ""  # the same one can be chosen again

    def _take_files(self, change: Any) -> None:
        files = [(str(item.name), bytes(item.content)) for item in change.new]
        if not files:
            return
        self.upload.value = ()  # else each reload of the page would bring the bytes again
        for name, content in files:
            self._try(partial(self.add_upload, name, content))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OpeaiError as error:
            self._status = status.failed(error)

    def _show_code(self) -> None:
        code, first = self.insert()
        self.code.value = f"{code}\n\n# {first}"

    def _show(self) -> None:
        for name, field in self._fields.items():
            if field.value != getattr(self, name):
                field.value = getattr(self, name)
        offered = self.model_options
        self.model_field.options = [name for _, names in self._models for name in names]
        self.size_field.options = [size for _, size in offered.sizes]
        self.quality_field.options = offered.quality_words
        only = f" (changed at {','.join(map(str, self.only.box))} alone)" if self.only else ""
        labels = ", ".join(item["label"] for item in self._inputs) or "none"
        self.inputs.value = escape(labels + only)
        self._show_presets()
        preset = "" if self._preset is None else self._preset.prompt or ""
        said = [self._presets["problem"], preset and f"The preset says: {preset}", offered.note]
        self.notes.value = notes_html([*said, *self._advice["notes"]])
        self.halt.disabled = not self._status.get("stop")
        self.again.disabled = not self._status.get("again")
        self.badge.value = status_html(self._status)
        self._show_picture()

    def _show_picture(self) -> None:
        """Put the picture in its place, as a widget of its own.

        euporie draws no image that has no sides, and stops at one that becomes another.
        """
        data, former = self._stage.get("picture"), self.picture
        if data == (former and former.value):
            return
        self.picture = None
        if data:
            width, height = map(str, self._stage["size"])
            self.picture = widgets.Image(
                value=data,
                format=mime_of(data).removeprefix("image/"),
                width=width,
                height=height,
                layout=dict(_PICTURE),
            )
        self.place.children = (self.picture,) if data else ()
        if former is not None:
            former.layout.close()
            former.close()

    def _read_gallery(self) -> Callable[[], None]:
        """Read of the library what a form of stock widgets has a place for: its prompts."""
        page = self.gallery.page()
        records = self.library.prompts(limit=_PROMPTS).records

        def show() -> None:
            self._gallery = page
            self._past = {
                " ".join(record.prompt.split()): record.prompt for record in reversed(records)
            }
            self.history_field.options = list(reversed(self._past))
            self.history_field.layout.display = "flex" if self._past else "none"

        return show

    def _show_presets(self) -> None:
        names = [each["name"] for each in self._presets["choices"]]
        self.preset_field.options = names
        is_wanted = names or self.preset or self._presets["problem"]
        self.preset_field.layout.display = "flex" if is_wanted else "none"


def _button(label: str, act: Callable[[], object], **traits: Any) -> Any:
    made = widgets.Button(description=label, **traits)
    made.on_click(lambda _: act())
    return made


def notes_html(notes: list[str]) -> str:
    """Return notes below one another."""
    return "".join(f"<div>{escape(note)}</div>" for note in notes if note)


def status_html(shown: status.Status) -> str:
    """Return the badge, how far it is, and what there is to say."""
    words = shown.get("words")
    line = badge.bundle(shown["state"], words)["text/html"] if words else ""
    parts = [line, escape(str(shown.get("more", "")))]
    if problem := shown.get("problem"):
        said = " ".join(filter(None, (problem["message"], problem["advice"])))
        parts.append(f'<div role="alert"><b>{escape(said)}</b></div>')
    return " ".join(filter(None, parts)) + notes_html(shown.get("notes", []))
