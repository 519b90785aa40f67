"""KEEP: what was asked and what came back, in a folder that a person can read.

    from opeai_nb.library import Library
    for record in Library("imagine").search("watercolour cat"):
        print(record.created, record.prompt, record.paths)

Names are loaded when they are used: looking for a replay costs no Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.library.export.export import Export as Export
    from opeai_nb.library.journal.entry import Entry as Entry
    from opeai_nb.library.library import Library as Library
    from opeai_nb.library.library_warning import LibraryWarning as LibraryWarning
    from opeai_nb.library.lineage import info as info
    from opeai_nb.library.marks import Marks as Marks
    from opeai_nb.library.metadata.provenance import received_bytes as received_bytes
    from opeai_nb.library.metadata.provenance import request_from as request_from
    from opeai_nb.library.metadata.provenance import with_provenance as with_provenance
    from opeai_nb.library.records.record import KeptPicture as KeptPicture
    from opeai_nb.library.records.record import Record as Record
    from opeai_nb.library.records.request_json import identity as identity
    from opeai_nb.library.replay.session_takes import Session as Session
    from opeai_nb.library.replay.slot import Slot as Slot
    from opeai_nb.library.usage import Usage as Usage
    from opeai_nb.library.usage import UsageRow as UsageRow

__getattr__, __dir__ = attach(__name__)
