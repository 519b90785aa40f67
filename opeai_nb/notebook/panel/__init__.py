"""The panel: explore with widgets, keep what you find. `opeai_nb.panel()` or `%imagine panel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.notebook.panel.opening import panel as panel
    from opeai_nb.notebook.panel.widget import Panel as Panel

__getattr__, __dir__ = attach(__name__)
