"""The left column's controls of what is asked: prompt, model, count, size, quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from traitlets import link

from opeai_nb.client.values.size import SAME
from opeai_nb.notebook.panel.html import note_html
from opeai_nb.notebook.panel.model_options import (
    ANOTHER,
    beyond_title,
    grouped,
    is_title,
    menu,
)
from opeai_nb.notebook.panel.widget_factory import hide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client import Model
    from opeai_nb.notebook.panel.controls import ControlTraits
    from opeai_nb.notebook.panel.widget_factory import Stock

_SAME_SIZE: Final = ("same\nas the picture", SAME)
_OTHER_SIZE: Final = ("other…\nany size", ANOTHER)


class Composer:
    """Shows and changes `prompt model n size quality` of *controls*."""

    def __init__(self, stock: Stock, controls: ControlTraits) -> None:
        self._controls = controls
        self._models: Sequence[Model] = ()
        self._is_showing = False
        self.prompt = stock.field(
            widgets.Textarea,
            "Prompt",
            placeholder="What should the picture show?",
            continuous_update=False,  # else a click overtakes the last letters (runs.GRACE)
        )
        self.model = stock.field(widgets.Dropdown, "Model")
        self.count = stock.field(widgets.BoundedIntText, "Pictures", min=1, max=10)
        self.other_model = stock.text("Name of the model", "as the platform calls it")
        self.note = stock.html()
        self.size = stock.chips("Size", "ob-sizes")
        self.other_size = stock.text("Other size", "1280x720, 16:9 or 2K")
        self.quality = stock.chips("Quality", "ob-qualities")
        self.children = (
            self.prompt,
            stock.box([self.model, self.count], "ob-row"),
            self.other_model,
            self.note,
            self.size,
            self.other_size,
            self.quality,
        )
        link((controls, "prompt"), (self.prompt, "value"))
        controls.observe(lambda change: self._make_room(change.new), "n")  # first: the link clamps
        link((controls, "n"), (self.count, "value"))
        self.adapt()
        controls.observe(lambda _: self.show_size(), "size")
        controls.observe(self._show_pictures, "images")
        controls.observe(lambda _: self.show_quality(), "quality")
        self.model.observe(self._choose_model, "value")
        self.size.observe(self._choose_size, "value")
        self.quality.observe(self._choose_quality, "value")
        self.other_model.observe(self._name_model, "value")
        self.other_size.observe(self._name_size, "value")

    def list_models(self, models: Sequence[Model]) -> None:
        """Take the models that the platform tells of."""
        self._models = models
        self._show_model()

    def adapt(self) -> None:
        """Show what the chosen model takes."""
        self._show_model()
        offered = self._controls.model_options
        self.count.max = max(offered.n_max, self._controls.n)
        self.note.value = note_html(offered.note)
        self.show_size()
        self.show_quality()

    def _make_room(self, n: int) -> None:
        """Let a count from code stand: what is known of a model is a hint, not a gate."""
        self.count.max = max(self.count.max, n)

    def _show_model(self) -> None:
        options = menu(grouped(self._models, self._controls.model))
        self._offer(self.model, options, self._controls.model)
        hide(self.other_model, hidden=True)

    def show_size(self) -> None:
        """Show the size that is set, as a chip or in words."""
        size, offered = self._controls.size, self._controls.model_options
        # The default has a chip of its own; asked for by name it is another request.
        unnamed = offered.default_size if size != offered.default_size else None
        sizes = [option for option in offered.sizes if option[1] != unnamed]
        sizes = [*([_SAME_SIZE] if self._controls.images else []), *sizes]
        listed = not size or any(size == value for _, value in sizes)
        options = (self._default_size(), *sizes, _OTHER_SIZE)
        self._offer(self.size, options, size if listed else ANOTHER)
        hide(self.other_size, hidden=listed)
        if not listed:
            self.other_size.value = size

    def _show_pictures(self, change: Any) -> None:
        """Offer the shape of the picture while there is one."""
        if not change.new and self._controls.size == SAME:
            self._controls.size = ""
        self.show_size()

    def _default_size(self) -> tuple[str, str]:
        known = self._controls.model_options.default_size
        return f"default\n{known.replace('x', '×') if known else 'the model chooses'}", ""

    def show_quality(self) -> None:
        """Show the quality that is set; nothing where the model knows none."""
        known, quality = self._controls.model_options.qualities, self._controls.quality
        named = dict.fromkeys([*known, *([quality] if quality else [])])
        self._offer(self.quality, (("default", ""), *((name, name) for name in named)), quality)
        hide(self.quality, hidden=not named)

    def _offer(self, chooser: Any, options: tuple[tuple[str, str], ...], value: str) -> None:
        """Set options and value in one message; what happens in between is nobody's choice."""
        if chooser.options == options and chooser.value == value:
            return
        self._is_showing = True
        try:
            with chooser.hold_sync():
                if chooser.options != options:
                    chooser.options = options
                chooser.value = value
        finally:
            self._is_showing = False

    # -- what a person does

    def _choose_model(self, change: Any) -> None:
        if self._is_showing:
            return
        values = [value for _, value in self.model.options]
        if change.new == ANOTHER:
            hide(self.other_model, hidden=False)
            return
        if is_title(change.new):
            before = values.index(change.old) if change.old in values else 0
            self.model.value = values[beyond_title(values, before, values.index(change.new))]
            return
        self._controls.model = change.new

    def _name_model(self, change: Any) -> None:
        if change.new.strip():
            self._controls.model = change.new.strip()

    def _choose_size(self, change: Any) -> None:
        if self._is_showing or change.new is None:
            return
        if change.new == ANOTHER:
            hide(self.other_size, hidden=False)
        else:
            self._controls.size = change.new

    def _choose_quality(self, change: Any) -> None:
        if not self._is_showing and change.new is not None:
            self._controls.quality = change.new

    def _name_size(self, change: Any) -> None:
        if change.new.strip():
            self._controls.size = change.new.strip()
