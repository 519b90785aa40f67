"""Stock widgets that share one layout and one style of each kind.

Each layout and each style is a model of its own in the page: without sharing, a panel opens 200 of
them, with it 70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Stock:
    """Makes the widgets of one panel. *css* are class names that the style sheet knows."""

    def __init__(self) -> None:
        self.layout = widgets.Layout()
        self._styles: dict[Any, Any] = {}

    def make(self, kind: Any, css: str = "", **traits: Any) -> Any:
        """Return a widget of *kind*; the first of its kind brings the style that all have."""
        if kind in self._styles:
            traits["style"] = self._styles[kind]
        made = kind(layout=self.layout, **traits)
        if kind not in self._styles and made.has_trait("style"):
            self._styles[kind] = made.style
        for name in css.split():
            made.add_class(name)
        return made

    def html(self, value: str = "", css: str = "") -> Any:
        """Return a place for HTML."""
        return self.make(widgets.HTML, css, value=value)

    def box(self, children: Iterable[Any] = (), css: str = "") -> Any:
        """Return a box."""
        return self.make(widgets.VBox, css, children=tuple(children))

    def button(
        self, label: str, act: Callable[[], object], *, hint: str, icon: str = "", css: str = ""
    ) -> Any:
        """Return a button that does *act*."""
        made = self.make(widgets.Button, css, description=label, tooltip=hint, icon=icon)
        made.on_click(lambda _: act())
        return made

    def toggle(self, label: str, *, hint: str, icon: str = "") -> Any:
        """Return a button that stays pressed."""
        return self.make(widgets.ToggleButton, description=label, tooltip=hint, icon=icon)

    def text(self, label: str, hint: str = "", css: str = "ob-field") -> Any:
        """Return a line of text; it tells its value when it is whole."""
        return self.make(
            widgets.Text, css, description=label, placeholder=hint, continuous_update=False
        )

    def field(self, kind: Any, label: str, **traits: Any) -> Any:
        """Return a control of another *kind* with its label above it."""
        return self.make(kind, "ob-field", description=label, **traits)

    def chips(self, label: str, css: str) -> Any:
        """Return a row of buttons of which one is chosen."""
        return self.make(widgets.ToggleButtons, f"ob-field ob-chips {css}", description=label)


def hide(widget: Any, *, hidden: bool) -> None:
    """Hide a widget, or show it."""
    if hidden:
        widget.add_class("ob-hidden")
    else:
        widget.remove_class("ob-hidden")
