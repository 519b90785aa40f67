"""A blind choice in a notebook: two pictures, buttons and keys, and the table below.

The table is an output of its own, so that a saved notebook shows it where there is no kernel.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, get_args

from opeai_nb.errors import OpeaiError
from opeai_nb.library.picks import Choice

if TYPE_CHECKING:
    from opeai_nb.bulk import Pick
    from opeai_nb.client import Picture

_SIDE: Final = 900
"""Pixels of the longer side of a picture that is shown."""
_PIXEL: Final = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_LABELS: Final = {
    "left": "← Left",
    "equal": "= Equal",
    "skip": "Skip (s)",
    "right": "Right →",
}
_HINT: Final = "Keys, after a click or Tab in here: ← → choose, = ↓ equal, s skip, Backspace back"
_TEXT: Final = "Two pictures to choose between: run this cell, in a notebook that shows widgets."
_PLAIN: Final = "font:13px/1.45 system-ui,-apple-system,sans-serif"
_PICTURE: Final = "display:block;max-width:100%;max-height:70vh;margin:0 auto;cursor:pointer"
_MARK: Final = "opeai-nb-pick-table"
# Where the notebook is trusted, it also hides what the front end says of the widget that is gone.
_STYLE: Final = (
    f"<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .{_MARK}):not(:has("
    ".opeai-nb-pick)) { display: none; }</style>"
)


def show_pick(pick: Pick, frontend: str) -> None:
    """Show the pairs and the table in the cell that runs; where nobody can choose, the table."""
    from IPython.display import display

    if frontend != "live":
        display(_bundle(pick), raw=True)
        return
    import uuid

    view = PickView(pick, uuid.uuid4().hex)
    # Where the widgets are gone this is read, not their repr, which is HTML as text.
    display({**view.box._repr_mimebundle_(), "text/plain": _TEXT}, raw=True)
    display(_bundle(pick), raw=True, display_id=view.table_id)


class PickView:
    """The widgets of a choice: *box* holds them, *table_id* is the display that has the table."""

    def __init__(self, pick: Pick, table_id: str) -> None:
        import ipywidgets as widgets

        self.table_id = table_id
        self._pick = pick
        self._status = widgets.HTML()
        self._pictures = {side: widgets.HTML() for side in ("left", "right")}
        self.buttons = {name: self._button(name) for name in (*_LABELS, "back")}
        half = widgets.Layout(width="50%", min_width="0")
        sides = [widgets.VBox([image], layout=half) for image in self._pictures.values()]
        script = widgets.HTML(f'<img alt="" hidden src="{_PIXEL}" onload="{_keys()}">')
        self.box = widgets.VBox(
            [
                self._status,
                widgets.HBox(sides),
                widgets.HBox(list(self.buttons.values()), layout=_centred()),
                script,
            ]
        )
        self.box.add_class("opeai-nb-pick")
        self._show("")

    def _button(self, name: str) -> Any:
        import ipywidgets as widgets

        made = widgets.Button(description=_LABELS.get(name, "Back"), tooltip=_HINT)
        made.add_class(f"opeai-nb-{name}")
        made.on_click(lambda _: self._press(name))
        return made

    def _press(self, name: str) -> None:
        try:
            if name == "back":
                self._pick.back()
            else:
                (choice,) = (each for each in get_args(Choice) if each == name)
                self._pick.choose(choice)
        except OpeaiError as error:
            self._show(str(error))
            return
        self._show("")
        from IPython.display import update_display

        update_display(_bundle(self._pick), raw=True, display_id=self.table_id)

    def _show(self, trouble: str) -> None:
        pair = self._pick.pair
        told = trouble or ("Which one is better?" if pair else "Every pair has its choice.")
        self._status.value = (
            f'<div role="status" style="{_PLAIN}"><b>{escape(told)}</b> '
            f"{escape(self._pick.summary)}<br><small>{escape(_HINT)}</small></div>"
        )
        for name, button in self.buttons.items():
            button.disabled = pair is None and name != "back"
        for place, (side, html) in enumerate(self._pictures.items()):
            html.value = _picture(pair[place].picture, side) if pair else ""


def _centred() -> Any:
    import ipywidgets as widgets

    return widgets.Layout(justify_content="center", flex_flow="row wrap")


def _picture(picture: Picture, side: str) -> str:
    """Return a picture without its name and metadata, which would tell how it was made."""
    from opeai_nb.imaging.encode import encoded
    from opeai_nb.imaging.scale import scaled

    try:
        small = encoded(scaled(picture.image, _SIDE))
    except OpeaiError as error:
        return f'<div style="{_PLAIN}">{escape(error.message)}</div>'
    source = f"data:{small.mime};base64,{b64encode(small.data).decode()}"
    alt = f"The picture on the {side}"
    return f'<img data-choice="{side}" alt="{alt}" style="{_PICTURE}" src="{source}">'


def _bundle(pick: Pick) -> dict[str, str]:
    html = f'{_STYLE}<div class="{_MARK}">{pick.html}</div>'
    return {"text/plain": pick.table, "text/html": html}


@cache
def _keys() -> str:
    script = (files("opeai_nb.notebook.display") / "pick_keys.js").read_text(encoding="utf-8")
    return escape(script, quote=True)
