"""The badge: the state of a job in one line, as text and as one styled element. Pure rendering."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client import Generation
    from opeai_nb.studio import Job, Update

ENGINE_NOTE: Final = "embedded engine"

# State -> (sign, colour). The sign tells the state without the colour; every colour carries white
# text with a contrast of 4.5 or more and stands on a white page as well as on a dark one.
LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "waiting": ("⧗", "#5b6472"),
    "sending": ("↗", "#5b6472"),
    "queued": ("◷", "#7a5c00"),
    "painting": ("◐", "#1f5fbf"),
    "fetching": ("↓", "#0b7285"),
    "done": ("✓", "#1a7f4b"),
    "failed": ("✗", "#b3261e"),
    "stopped": ("■", "#5b6472"),
    "unknown": ("?", "#8a3ffc"),
}
# Literal values only: a notebook reopened without trust keeps these and drops var(), classes of
# ours, style sheets and scripts.
_STYLE: Final = (
    "display:inline-block;padding:2px 10px;border-radius:11px;background:{colour};color:#ffffff;"
    "font:500 12px/18px system-ui,-apple-system,'Segoe UI',sans-serif;white-space:nowrap"
)
# Beside the badge, in the page's own colour: a literal one is not read on white and on dark pages.
_CAPTION: Final = "font:12px/18px system-ui,-apple-system,'Segoe UI',sans-serif;opacity:0.8"
Bundle = dict[str, str]
_TROUBLE: Final = 120  # characters: the badge is one line


def live_text(update: Update, origin: str) -> str:
    """Return `painting 12 s · 40 % · about 4 s left`: the line of a job under way."""
    whom = f" for {update.whom}" if update.whom else ""
    parts = [f"{update.state}{whom} {update.elapsed:.0f} s"]
    if update.progress is not None:
        parts.append(f"{update.progress:.0f} %")
    if update.left is not None:
        parts.append(f"about {max(1, round(update.left))} s left")
    if origin == "engine":
        parts.append(ENGINE_NOTE)
    if update.trouble:
        parts.append(f"still asking: {update.trouble[:_TROUBLE].rstrip('.')}")
    return " · ".join(parts)


def final_text(generation: Generation) -> str:
    """Return the line of a job that is done: the same for sent, replayed, live and batch."""
    note = [ENGINE_NOTE] if generation.origin == "engine" else []
    return " · ".join([generation.summary, *note])


def failure_text(state: str, error: BaseException) -> str:
    """Return the line of a job that ended without pictures."""
    reason = getattr(error, "message", "") or type(error).__name__
    return reason if state == "failed" else f"{_STATE_WORDS.get(state, state)} · {reason}"


_STATE_WORDS: Final = {"unknown": "outcome unknown"}


NOT_WAITING: Final = "not waiting any more, nothing was sent"


def detached_text(job: Job) -> str:
    """Return the line of a cell that was interrupted while its job goes on."""
    note = [ENGINE_NOTE] if job.origin == "engine" else []
    return " · ".join(["not waiting any more, the job goes on", *note])


def bundle(state: str, text: str, caption: str = "", *, is_end: bool = False) -> Bundle:
    """Return the badge as a mimebundle: plain text, and one escaped element.

    *caption* stands beside it in HTML: it says what the pictures below show. *is_end* makes it a
    status that screen readers announce; what changes each second is none.
    """
    sign, colour = LOOKS[state]
    line = f"{sign} {printable_line(text)}"
    role = ' role="status"' if is_end else ""
    # Bold where styles are dropped, as on GitHub: else nothing parts it from what stands beside it.
    html = f'<b{role} style="{_STYLE.format(colour=colour)}">{escape(line)}</b>'
    if caption:
        html += f' <span style="{_CAPTION}">{escape(caption)}</span>'
    return {"text/plain": line, "text/html": html}
