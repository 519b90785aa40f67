"""The panel: explore with widgets, keep what you find. `opeai_nb.panel()` or `%imagine panel`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.notebook.panel.opening import panel
    from opeai_nb.notebook.panel.widget import Panel

_HOMES = {"Panel": "widget", "panel": "opening"}

__all__ = ["Panel", "panel"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
