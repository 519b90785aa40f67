"""What goes on, below the buttons: badge, progress, notes and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.notebook.display import badge
from opeai_nb.notebook.panel.html import error_html, note_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.notebook.panel.widget_factory import Stock
    from opeai_nb.studio import Job, Update

_STOPPED = "no longer waiting · what was sent continues at the platform"


class Status:
    """One line of HTML in a widget, which stays live where displays do not."""

    def __init__(self, stock: Stock) -> None:
        self._html = stock.html(css="ob-status")
        self.box = self._html
        self._before = ""

    def sending(self) -> None:
        """Show that a click was taken, before anything is known."""
        if self._html.value != _SENDING:
            self._before = self._html.value
        self._html.value = _SENDING

    def not_sending(self) -> None:
        """Show again what stood there: the click was one with the click before it."""
        if self._html.value == _SENDING:
            self._html.value = self._before

    def moved(self, job: Job, update: Update, waiting: int) -> None:
        """Show how far a job has come."""
        text = badge.live_text(update, job.origin)
        more = f"{waiting} more queued" if waiting else ""
        self._html.value = line_html(update.state, text, more) + bar_html(update.progress)

    def ended(self, job: Job, dropped: int = 0, notes: Sequence[str] = ()) -> None:
        """Show how a job ended; *dropped* requests were waiting behind it and were not sent.

        *notes* say what could not be written on the way.
        """
        error = job.exception()
        if error is None:
            told = note_html(*notes, css="ob-warn")
            self._html.value = line_html("done", badge.final_text(job.result())) + told
        elif job.status == "stopped":
            more = f"{dropped} queued, not sent" if dropped else ""
            self._html.value = line_html("stopped", _STOPPED, more)
        else:
            word = "outcome unknown" if job.status == "unknown" else "failed"
            self._html.value = line_html(job.status, word) + error_html(error)

    def failed(self, error: BaseException) -> None:
        """Show why nothing was started."""
        self._html.value = error_html(error)

    def say(self, text: str) -> None:
        """Show a plain line."""
        self._html.value = note_html(text)


def line_html(state: str, text: str, more: str = "") -> str:
    """Return the badge; a screen reader hears its state, not each second."""
    shown = badge.bundle(state, text)["text/html"]
    heard = f'<span class="ob-sr" role="status">{state}</span>'
    return f'<div class="ob-line" data-state="{state}">{shown}{note_html(more)}{heard}</div>'


def bar_html(progress: float | None) -> str:
    """Return a bar: as far as is known, else moving to and fro."""
    if progress is None:
        return '<div class="ob-bar"><i class="ob-some"></i></div>'
    return f'<div class="ob-bar"><i style="width:{max(0.0, min(100.0, progress)):.0f}%"></i></div>'


_SENDING: Final = line_html("sending", "sending") + bar_html(None)
