"""One run of a request, decided with what a library holds: the record that it shows."""

from __future__ import annotations

from collections.abc import Collection

from opeai_nb.client import ImageRequest
from opeai_nb.library import Library, Record, Session, Slot, identity
from opeai_nb.library.replay.replay import decide

SERVER = "https://x.example"


def shown(
    library: Library,
    request: ImageRequest,
    *,
    slot: Slot | None = None,
    session: Session | None = None,
    origins: Collection[str] = ("platform",),
    fresh: bool = False,
) -> Record | None:
    """Return the record that a run shows, noted in *session*; None where it sends."""
    session, asked = session or Session(), identity(request)
    while True:
        look = library.look(asked, session, origins=origins, server=SERVER)
        own = slot or session.slot_without_cell(asked)
        choice = decide(look.scene, own, fresh=fresh)
        if choice.does != "show":
            return None
        if (record := library.kept(look.files[str(choice.take)])) is not None:
            session.has(asked, own, record.id, is_reserved=choice.is_reserved)
            return record
