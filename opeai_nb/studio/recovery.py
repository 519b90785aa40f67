"""What can become of what the journal holds, without sending anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opeai_nb.library import Entry

Way = Literal["", "wait", "resume", "send"]


def way_on(entry: Entry) -> Way:
    """Return what can become of an unfinished request, besides being forgotten.

    `wait`: somebody works on it. `resume`: GETs alone finish it, what reached us is all there will
    be, or an answer may be read by now. `send`: only a POST can help. Empty: nothing, it can only
    be forgotten.
    """
    if entry.is_alive:
        return "wait"
    if entry.truth in {"pending", "fetching", "answer not read"}:
        return "resume"
    if entry.truth == "outcome unknown" and entry.received():
        return "resume"
    return "send" if entry.truth in {"not sent", "refused", "outcome unknown"} else ""
