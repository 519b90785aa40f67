"""KEEP: what was asked and what came back, in a folder that a person can read.

    from opeai_nb.library import Library
    for record in Library("imagine").search("watercolour cat"):
        print(record.created, record.prompt, record.paths)

Names are loaded when they are used: looking for a replay costs no Pillow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.library.entry import Entry
    from opeai_nb.library.library import Library
    from opeai_nb.library.provenance import info, received_bytes, request_from, with_provenance
    from opeai_nb.library.record import KeptPicture, Record
    from opeai_nb.library.replay import Decision, Session, Slot
    from opeai_nb.library.usage import Usage, UsageRow
    from opeai_nb.library.warning import LibraryWarning
    from opeai_nb.library.written_request import identity

_HOMES = {
    "Decision": "replay",
    "Entry": "entry",
    "KeptPicture": "record",
    "Library": "library",
    "LibraryWarning": "warning",
    "Record": "record",
    "Session": "replay",
    "Slot": "replay",
    "Usage": "usage",
    "UsageRow": "usage",
    "identity": "written_request",
    "info": "provenance",
    "received_bytes": "provenance",
    "request_from": "provenance",
    "with_provenance": "provenance",
}

__all__ = [
    "Decision",
    "Entry",
    "KeptPicture",
    "Library",
    "LibraryWarning",
    "Record",
    "Session",
    "Slot",
    "Usage",
    "UsageRow",
    "identity",
    "info",
    "received_bytes",
    "request_from",
    "with_provenance",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
