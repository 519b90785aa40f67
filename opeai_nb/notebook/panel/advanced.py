"""The fold of further fields: those that have an effect on the chosen model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from opeai_nb.notebook.panel.controls import ADVANCED_FIELDS
from opeai_nb.notebook.panel.html import note_html
from opeai_nb.notebook.panel.widget_factory import hide

if TYPE_CHECKING:
    from opeai_nb.fields import Field
    from opeai_nb.notebook.panel.controls import ControlTraits
    from opeai_nb.notebook.panel.widget_factory import Stock

_EXAMPLES: Final = {"pairs": '{"field": "value"}'}


class Advanced:
    """Shows and changes the traits of *controls* that `ADVANCED_FIELDS` names."""

    def __init__(self, stock: Stock, controls: ControlTraits) -> None:
        self._stock, self._controls = stock, controls
        self._made: dict[str, tuple[Field, Any]] = {}
        self._note = stock.html()
        self._grid = stock.box((), "ob-advanced")
        inside = stock.box([self._grid, self._note])
        self.box = widgets.Accordion(
            [inside], titles=("More options",), selected_index=None, layout=stock.layout
        ).add_class("ob-more")
        self.box.observe(lambda _: self._unfold(), "selected_index")
        controls.observe(lambda _: self.adapt(), "dialect")

    def _unfold(self) -> None:
        """Make the controls when they are first looked at: most people never do."""
        if self._made:
            return
        self._made = {field.name: (field, self._widget(field)) for field in ADVANCED_FIELDS}
        for field, made in self._made.values():
            self._controls.observe(lambda _, name=field.name: self._show(name), field.name)
            made.observe(lambda change, field=field: self._take(field, change.new), "value")
            self._show(field.name)
        self.adapt()
        self._grid.children = [made for _, made in self._made.values()]

    def _widget(self, field: Field) -> Any:
        choices = ("yes", "no") if field.kind == "flag" else field.choices
        if not choices:
            return self._stock.text(
                field.label, _EXAMPLES.get(field.kind) or field.range or field.help
            )
        options = (("default", ""), *((choice, choice) for choice in choices))
        return self._stock.field(widgets.Dropdown, field.label, options=options)

    def adapt(self) -> None:
        """Show the fields that have an effect now."""
        offered, dialect = self._controls.model_options, self._controls.dialect
        for name, (_, made) in self._made.items():
            hide(made, hidden=not offered.has_effect(name, dialect))

    def _show(self, name: str) -> None:
        field, made = self._made[name]
        made.value = _text_of(field, getattr(self._controls, name))

    def _take(self, field: Field, text: str) -> None:
        try:
            setattr(self._controls, field.name, value_of(field, text))
        except ValueError:
            told = "a whole number" if field.kind == "integer" else 'JSON such as {"field": 1}'
            self._note.value = note_html(f"{field.label} is not {told}.", css="ob-note ob-wrong")
        else:
            self._note.value = ""


def value_of(field: Field, text: str) -> Any:
    """Return what the text of a control means; None where it is not set. Raises `ValueError`."""
    if not text.strip():
        return None
    if field.kind == "integer":
        return int(text)
    if field.kind == "flag":
        return text == "yes"
    if field.kind == "pairs":
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found
    return text.strip()


def _text_of(field: Field, value: Any) -> str:
    if value in (None, {}):
        return ""
    if field.kind == "flag":
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if field.kind == "pairs" else str(value)
