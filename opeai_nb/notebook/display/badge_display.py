"""Where a badge is shown: the only place that publishes one.

While a cell runs, everything is published from its own thread: updates from other
threads land in another cell, are lost, or never arrive in Colab. After it, only what was reserved
in the cell is updated, by its id.
"""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Any

from opeai_nb.client.values.views.text_output import from_here
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.frontend import is_captured, is_tty

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opeai_nb.notebook.display.frontend import Frontend

_CLEAR_LINE = "\r\x1b[K"
_FILES = 10
"""Pictures that a terminal names below a badge; of more it says how many."""


def publish(
    data: dict[str, Any],
    metadata: dict[str, Any] | None = None,
    *,
    slot: str | None = None,
    again: bool = False,
) -> None:
    """Show a mimebundle in the cell that runs now; *again*: in the *slot* where one was shown."""
    from IPython.display import display, update_display

    if again:
        update_display(data, metadata=metadata, raw=True, display_id=slot)
    elif slot:
        display(data, metadata=metadata, raw=True, display_id=slot)
    else:
        display(data, metadata=metadata, raw=True)


def show_value(value: Any) -> None:
    """Show *value* in the cell that runs now as a last line would; None is not shown."""
    from IPython.display import display

    if value is not None:
        display(value)


class Screen:
    """The badge of one cell.

    `live`: one display that is updated. `batch`: nothing until the end, then one display, so that
    what nbval compares is final; so under `%%capture`. `terminal`: one line, written over where it
    can be. `script` and *quiet*: nothing.
    """

    def __init__(self, kind: Frontend, *, quiet: bool = False) -> None:
        if kind == "live" and is_captured():
            kind = "batch"
        self._kind: Frontend | None = None if quiet else kind
        self._shown = False
        self._last = ""
        # In batch none: a saved notebook then holds nothing that changes from run to run.
        self._id = uuid.uuid4().hex if kind == "live" else None

    def show(self, state: str, text: str) -> None:
        """Show a passing state."""
        if self._kind == "live":
            self._publish(badge.bundle(state, text))
        elif self._kind == "terminal" and is_tty():
            self._write(f"{_CLEAR_LINE}{badge.bundle(state, text)['text/plain']}")

    def end(self, state: str, text: str, caption: str = "") -> None:
        """Show the last state; nothing follows it. *caption* says what the pictures below show."""
        if self._kind in {"live", "batch"}:
            self._publish(badge.bundle(state, text, caption, is_end=True))
        elif self._kind == "terminal":
            start = _CLEAR_LINE if is_tty() else ""
            self._write(f"{start}{badge.bundle(state, text)['text/plain']}\n")

    def tell_files(self, paths: Sequence[Path], count: int = 0) -> None:
        """On a terminal, say where the pictures are: it may show none. They are *count* in all."""
        if self._kind != "terminal":
            return
        for path in paths[:_FILES]:
            self._write(f"  {from_here(path)}\n")
        if (more := max(count, len(paths)) - len(paths[:_FILES])) > 0:
            self._write(f"  … and {more} more in {from_here(paths[0].parent)}\n")

    def replace(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Put a result where the badge stood: for front ends with one display a cell."""
        if self._kind == "live":
            self._put(data, metadata)

    def _write(self, text: str) -> None:
        if text != self._last:
            self._last = text
            sys.stdout.write(text)
            sys.stdout.flush()

    def _publish(self, made: badge.Bundle) -> None:
        if made["text/plain"] != self._last:
            self._last = made["text/plain"]
            self._put(made, {})

    def _put(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        publish(data, metadata, slot=self._id, again=self._shown)
        self._shown = True
