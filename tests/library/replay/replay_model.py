"""The replay rule as a model that runs: values in, a decision out, no I/O.

A *take* is one record of a request, or what the journal holds of one; a *slot* is a cell and which
call of this same request in that run of the cell; a *session* is one kernel. The *notes* tell of
each session which slots ran, in which order, and what each had; a take tells its slot and its
*place*: that of the take which its slot had before. `decide` and what is recorded of it happen
under the *claim* of the request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

State = Literal[
    "kept", "pending", "complete", "under way", "unknown"
]  # the last four are left-overs


class Slot(NamedTuple):
    request: str
    cell: str | None
    call: int = 1

    @property
    def lasts(self) -> bool:
        """Tell whether it lasts beyond its session: nbstripout's bare numbers do not."""
        return self.cell is not None and not self.cell.isdecimal()


@dataclass(frozen=True)
class Take:
    id: int  # in order of creation
    request: str
    slot: Slot | None  # None: made by the panel
    place: int  # the id of the first take of its place
    state: State = "kept"
    session: int = 0  # who made it
    trashed: bool = False


class Note(NamedTuple):
    at: int
    session: int
    slot: Slot
    take: int
    notebook: str = ""  # its file; not every front end tells it


@dataclass(frozen=True)
class Library:
    takes: tuple[Take, ...] = ()  # kept ones and left-overs, in order of creation
    notes: tuple[Note, ...] = ()  # may be lost
    notebooks: frozenset[str] = frozenset()  # the files that are there
    clock: int = 0


@dataclass(frozen=True)
class Session:
    """What this kernel knows. *had*: per slot, its takes in this session, the last one last."""

    id: int  # counted in the order of starts
    notebook: str = ""
    had: tuple[tuple[Slot, tuple[int, ...]], ...] = ()  # in the order of first runs
    open: frozenset[Slot] = frozenset()  # in runs of cells that have not ended
    unwell: frozenset[Slot] = frozenset()  # whose last run ended in an error or an interrupt
    reserved: tuple[tuple[str, int], ...] = ()  # by "insert code": request, take
    inserted: frozenset[Slot] = frozenset()  # that showed a reserved take
    told: frozenset[Slot] = frozenset()  # of takes in the trash

    @property
    def failed(self) -> frozenset[Slot]:
        return self.unwell - self.open


class Run(NamedTuple):
    request: str
    cell: str | None
    call: int = 1
    fresh: bool = False
    caller: Literal["cell", "point", "panel"] = "cell"  # a point is one of a sweep or batch


class Decision(NamedTuple):
    does: Literal["show", "resume", "wait", "refuse", "send"]
    take: int | None = None  # what is shown, finished, waited for, or refused for
    reserved: bool = False


# -- deciding


def slot_of(session: Session, run: Run) -> Slot | None:
    """Return the slot of a run; without a cell id it is the next one of this request."""
    if run.caller == "panel":
        return None
    if run.caller == "point":
        return Slot(run.request, "point", run.call)
    if run.cell is None:
        gone = sum(slot.request == run.request and slot.cell is None for slot, _ in session.had)
        return Slot(run.request, None, gone + 1)
    return Slot(run.request, run.cell, run.call)


def decide(library: Library, session: Session, run: Run) -> Decision:
    """Say what a run does. After a wait or a resume that brought nothing, ask again."""
    slot = slot_of(session, run)
    if slot is None or run.fresh:
        return _send(library, run)
    found = _choose(library, session, slot)
    does: Any = (
        {"kept": "show", "under way": "wait"}.get(_there(library)[found[0]].state, "resume")
        if found
        else "send"
    )
    further = run.caller != "point" and slot in dict(session.had) and slot not in session.failed
    if further and not (does == "resume" and found[0] == had_last(library, session, slot)):
        return _send(library, run)
    if found:
        return Decision(does, *found)
    untrashed = replace(library, takes=tuple(replace(t, trashed=False) for t in library.takes))
    if slot not in session.told and (found := _choose(untrashed, session, slot)):
        return Decision("refuse", found[0])  # told once, for the trash
    return _send(library, run)


def _choose(library: Library, session: Session, slot: Slot) -> tuple[int, bool] | None:
    """Return the take for a run that need not send: its own, the reserved one, the row's."""
    there = _there(library)
    if (own := had_last(library, session, slot)) is not None:
        return own, False
    if (reserved := dict(session.reserved).get(slot.request)) in there:
        return reserved, True
    if untouched := _untouched(library, session, slot.request):
        return untouched[0], False
    left = {
        other  # whose run did not end well, or whose take nobody finishes
        for other, ids in session.had
        if other.request == slot.request
        and (other in session.failed or (slot.cell != "point" and _is_pending(there.get(ids[-1]))))
    }
    held = {id for other, ids in session.had if other not in left for id in ids}
    for other, ids in session.had:
        if other in left and ids[-1] in there.keys() - held:
            return ids[-1], False
    return None


def _is_pending(take: Take | None) -> bool:
    return take is not None and take.state in ("pending", "complete")


def _untouched(library: Library, session: Session, request: str) -> list[int]:
    """Return the row less what this session has of it: one position for each of its slots."""
    mine = {slot: ids for slot, ids in session.had if slot.request == request}
    known = {note.slot for note in library.notes if note.session != session.id and note.slot.lasts}
    left = [(slot, take) for slot, take in row(library, session, request) if slot not in mine]
    for slot, ids in mine.items():
        position = next((pair for pair in left if pair[1] in ids), None)
        if position and slot not in known | session.inserted:
            left.remove(position)
    return [take for _, take in left]


def had_last(library: Library, session: Session, slot: Slot) -> int | None:
    """Return the take that a slot made or showed last, of those that are still there.

    Of two notebooks that are both there each goes by its own notes, once it has one on this slot:
    a duplicate has the same cells. What is noted by one that is there no more is anybody's.
    """
    there = _there(library)
    here = [id for id in dict(session.had).get(slot, ()) if id in there]
    if here or not slot.lasts:
        return here[-1] if here else None
    notes = [note for note in library.notes if note.slot == slot and note.take in there]
    theirs = library.notebooks - {session.notebook}
    if session.notebook and session.notebook in {note.notebook for note in notes}:
        shown = [(note.at, note.take) for note in notes if note.notebook not in theirs]
    else:
        shown = [(note.at, note.take) for note in notes]
    noted = {note.take for note in notes}
    made = [(t.id, t.id) for t in there.values() if t.slot == slot and t.id not in noted]
    return max(shown + made, default=(0, None))[1]


def row(library: Library, session: Session, request: str) -> list[tuple[Slot | None, int]]:
    """Return what stands in notebooks, in order: slot (None: not known any more) and take.

    The latest other session first, its slots as they first ran, with what each had last; then what
    only sessions before it had; at last the newest take of each place that no session noted.
    """
    there = _there(library)
    notes = [
        n
        for n in library.notes
        if n.slot.request == request and n.session != session.id and n.take in there
    ]
    latest = {n.slot: n.session for n in notes if n.slot.lasts}  # such a slot stands there alone
    found: list[tuple[Slot | None, int]] = []
    for number in sorted({note.session for note in notes}, reverse=True):
        listed = {take for _, take in found}
        ends = {
            n.slot: n.take
            for n in notes
            if n.session == number and latest.get(n.slot, number) == number
        }
        found += [
            (slot if slot.lasts else None, take)
            for slot, take in ends.items()
            if take not in listed
        ]
    noted = {note.take for note in notes}.union(*(ids for _, ids in session.had))
    others = [
        t
        for t in there.values()
        if t.request == request and (t.session != session.id or not t.slot)
    ]
    known = {take.place for take in others if take.id in noted}
    newest = {take.place: take for take in others if take.place not in known}
    return found + [
        (t.slot if t.slot and t.slot.lasts else None, t.id) for _, t in sorted(newest.items())
    ]


def _there(library: Library) -> dict[int, Take]:
    return {t.id: t for t in library.takes if t.state != "unknown" and not t.trashed}


def _send(library: Library, run: Run) -> Decision:
    unknown = [t.id for t in library.takes if t.request == run.request and t.state == "unknown"]
    return Decision("refuse", unknown[-1]) if unknown and not run.fresh else Decision("send")


# -- recording what happened


def began(library: Library, session: Session, run: Run) -> tuple[Library, Session, int]:
    """The intent is on the disk, the POST may leave: a take under way, in its slot and place."""
    slot, id = slot_of(session, run), library.clock + 1
    found = _choose(library, session, slot) if slot else None  # fresh: what it would have shown
    before = found[0] if found else None
    shared = any(ids[-1] == before for other, ids in session.had if other != slot)
    place = id if before is None or shared else _there(library)[before].place
    take = Take(id, run.request, slot, place, "under way", session.id)
    library = replace(library, takes=(*library.takes, take), clock=id)
    return (*(_noted(library, session, slot, id) if slot else (library, session)), id)


def shown(library: Library, session: Session, run: Run, what: Decision) -> tuple[Library, Session]:
    """A take was shown, or is finished or waited for, in the slot of this run."""
    slot = slot_of(session, run)
    if what.reserved:
        left = tuple(pair for pair in session.reserved if pair[0] != run.request)
        session = replace(session, reserved=left, inserted=session.inserted | {slot})
    return _noted(library, session, slot, what.take)


def _noted(library: Library, session: Session, slot: Slot, take: int) -> tuple[Library, Session]:
    at = library.clock + 1
    had = dict(session.had)
    had[slot] = (*had.get(slot, ()), take)
    note = Note(at, session.id, slot, take, session.notebook)
    library = replace(library, notes=(*library.notes, note), clock=at)
    return library, replace(session, had=(*had.items(),), open=session.open | {slot})


def refused(session: Session, run: Run) -> Session:
    """The run told of takes in the trash and sent nothing. No refused run counts as a run."""
    return replace(session, told=session.told | {slot_of(session, run)})


def changed(library: Library, take: int, **to: Any) -> Library:
    """Change a take: state="kept" when made, else how it failed once paid; trashed=True."""
    return replace(
        library, takes=tuple(replace(t, **to) if t.id == take else t for t in library.takes)
    )


def gone(library: Library, session: Session, take: int) -> tuple[Library, Session]:
    """Failed unpaid, forgotten, or unknown (then only the session forgets it): no run."""
    left = tuple(t for t in library.takes if t.id != take or t.state == "unknown")
    had = ((slot, tuple(id for id in ids if id != take)) for slot, ids in session.had)
    no_run = {slot for slot, ids in session.had if ids[-1] == take}
    session = replace(
        session, had=tuple(pair for pair in had if pair[1]), open=session.open - no_run
    )
    return replace(library, takes=left), session


def cell_ended(session: Session, cell: str | None, *, well: bool) -> Session:
    """A run of a cell ended; after an interrupt its job goes on, and stays the slot's."""
    ran = frozenset(slot for slot in session.open if slot.cell in {cell, "point"})
    return replace(
        session,
        open=session.open - ran,
        unwell=session.unwell - ran if well else session.unwell | ran,
    )


def reserved(session: Session, request: str, take: int) -> Session:
    """ "Insert code" was clicked: the next first run of a slot without a take shows this one."""
    return replace(
        session, reserved=(*(r for r in session.reserved if r[0] != request), (request, take))
    )
