"""What goes on, as a page shows it below the buttons: badge, progress, notes and errors. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.notebook.display import badge
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.studio import Job, Update

Status = dict[str, Any]
"""*state* and its *words*, *more* beside them, *progress* (None: not known; absent:
no bar), *notes* below, a *problem*, and which of *stop* and *again* are offered."""

_STOPPED: Final = "no longer waiting · what was sent continues at the platform"
# Errors speak to whoever runs a cell. In a panel there is none, and each click is a new request.
_PANEL_WORDS: Final = (
    ("Running the cell again", "Clicking Generate again"),
    ("running the cell again", "clicking Generate again"),
    ("Run the cell again", "Click Generate again"),
    ("run the cell again", "click Generate again"),
    ("Run it again", "Click Generate again"),
    ("Run again", "Click Generate again"),
    ("run again", "click Generate again"),
)


def sending() -> Status:
    """Return what a click shows before anything is known of it."""
    return {**_line("sending", "sending"), "progress": None, "stop": False}


def moved(job: Job, update: Update, waiting: int) -> Status:
    """Return how far a job has come."""
    more = f"{waiting} more queued" if waiting else ""
    line = _line(update.state, badge.live_text(update, job.origin), more)
    return {**line, "progress": update.progress, "stop": True}


def ended(job: Job, dropped: int = 0, notes: Sequence[str] = ()) -> Status:
    """Return how a job ended; *dropped* requests were waiting behind it and were not sent.

    *notes* say what could not be written on the way.
    """
    error = job.exception()
    if error is None:
        return {**_line("done", badge.final_text(job.result())), "notes": list(notes)}
    if job.status == "stopped":
        more = f"{dropped} queued, not sent" if dropped else ""
        line = _line("stopped", _STOPPED, more)
    else:
        word = "outcome unknown" if job.status == "unknown" else "failed"
        line = {**_line(job.status, word), "problem": problem_of(error)}
    return {**line, "again": job.task_id is not None and _can_wait(error)}


def failed(error: BaseException) -> Status:
    """Return why nothing was started."""
    return {"state": "", "problem": problem_of(error)}


def said(text: str) -> Status:
    """Return a plain line."""
    return {"state": "", "notes": [text]}


def problem_of(error: BaseException) -> dict[str, str]:
    """Return an error as a person in front of a panel reads it: what happened, what to do."""
    advice = str(getattr(error, "advice", ""))
    for cell, panel in _PANEL_WORDS:
        advice = advice.replace(cell, panel)
    return {
        "message": getattr(error, "message", "") or f"{type(error).__name__}: {error}",
        "advice": advice,
        "evidence": error.evidence() if hasattr(error, "evidence") else "",
    }


def _line(state: str, text: str, more: str = "") -> Status:
    return {"state": state, "words": printable_line(text), "more": more}


def _can_wait(error: BaseException) -> bool:
    from opeai_nb.errors import TaskExpiredError, TaskFailedError

    return not isinstance(error, (TaskFailedError, TaskExpiredError))
