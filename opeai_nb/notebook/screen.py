"""Where a badge is shown: the only place that publishes one.

Everything is published from the thread of the cell itself (jupyter.md 1.4): updates from other
threads land in another cell, are lost, or never arrive in Colab.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opeai_nb.notebook import badge
from opeai_nb.notebook.frontend import is_tty

if TYPE_CHECKING:
    from opeai_nb.notebook.frontend import Frontend

_CLEAR_LINE = "\r\x1b[K"


class Screen:
    """The badge of one cell.

    `live`: one display that is updated. `batch`: nothing until the end, then one display, so that
    what nbval compares is final. `terminal`: one line, written over where it can be. `script` and
    *quiet*: nothing.
    """

    def __init__(self, kind: Frontend, *, quiet: bool = False) -> None:
        self._kind: Frontend | None = None if quiet else kind
        self._shown = False
        self._last = ""
        self._id = ""

    def show(self, state: str, text: str) -> None:
        """Show a passing state."""
        if self._kind == "live":
            self._publish(state, text)
        elif self._kind == "terminal" and is_tty():
            sys.stdout.write(f"{_CLEAR_LINE}{badge.bundle(state, text)['text/plain']}")
            sys.stdout.flush()

    def end(self, state: str, text: str) -> None:
        """Show the last state; nothing follows it."""
        if self._kind in {"live", "batch"}:
            self._publish(state, text)
        elif self._kind == "terminal":
            start = _CLEAR_LINE if is_tty() else ""
            sys.stdout.write(f"{start}{badge.bundle(state, text)['text/plain']}\n")
            sys.stdout.flush()

    def _publish(self, state: str, text: str) -> None:
        from IPython.display import display, update_display

        made = badge.bundle(state, text)
        if made["text/plain"] == self._last:
            return
        self._last = made["text/plain"]
        if self._shown:
            update_display(made, display_id=self._id, raw=True)
            return
        self._shown = True
        if self._kind == "batch":
            # Without an id: a saved notebook then holds nothing that changes from run to run.
            display(made, raw=True)
            return
        import uuid

        self._id = uuid.uuid4().hex
        display(made, raw=True, display_id=self._id)
