"""What the journal holds, and which of it can be finished without sending anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from opeai_nb.library import Decision, Entry, identity
from opeai_nb.library.records.request_json import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client import ImageRequest

Way = Literal["", "wait", "resume", "send"]


def way_on(entry: Entry) -> Way:
    """Return what can become of an unfinished request, besides being forgotten.

    `wait`: another living process works on it. `resume`: GETs alone finish it, what reached us is
    all there will be, or an answer may be read by now. `send`: only a POST can help. Empty:
    nothing, it can only be forgotten.
    """
    if entry.is_alive and not entry.is_mine:
        return "wait"
    if entry.truth in {"pending", "fetching", "answer not read"}:
        return "resume"
    if entry.truth == "in flight":
        return "wait"
    if entry.truth == "outcome unknown" and entry.received():
        return "resume"
    return "send" if entry.truth in {"not sent", "outcome unknown"} else ""


def left_by(
    entries: Iterable[Entry], request: ImageRequest, decision: Decision, origin: str
) -> list[Entry]:
    """Return what an earlier session left of this very run, newest last.

    The same request in the same slot, begun after what the library would show.
    """
    shown = decision.record.created if decision.record is not None else float("-inf")
    known = identity(request)
    return [
        entry
        for entry in entries
        if entry.origin == origin
        and entry.created > shown
        and entry.slot == decision.slot
        and identity_of(entry.written) == known
    ]
