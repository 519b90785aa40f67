"""Whether a run shows what is there or sends: the rule of replay, values in, a decision out.

A *take* is one record of a request, or what the journal holds of one. All values here are of one
request: its takes, the notes of all sessions on it, and what this session had of it. The rule
stands as a model of its own, without I/O and for all requests, in
`tests/library/replay/replay_model.py`; on random lives both decide the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opeai_nb.library.replay.slot import Slot

Does = Literal["show", "resume", "wait", "refuse", "send"]
Caller = Literal["cell", "point", "panel"]
TakeState = Literal["kept", "pending", "under way", "unknown"]


@dataclass(frozen=True)
class Take:
    """One record, or an unfinished request.

    *at* is when it was asked (seconds since 1970). *place* is the key of the first take of its
    place. *is_mine* tells that this session made it. `pending` can be finished without a POST,
    `under way` has somebody who works on it.
    """

    id: str
    at: float
    slot: Slot | None = None
    place: str = ""
    state: TakeState = "kept"
    is_mine: bool = False
    is_trashed: bool = False

    @property
    def order(self) -> tuple[float, str]:
        """When it was asked, in an order that is the same everywhere."""
        return self.at, self.id


class Note(NamedTuple):
    """A session's word that *slot* had *take* at the time *at*; *session* sorts by its start.

    *notebook* is the file in which it ran; empty where that is not known, or is there no more.
    """

    at: float
    session: str
    slot: Slot
    take: str
    notebook: str = ""


@dataclass(frozen=True, slots=True)
class Had:
    """What this session had of one request: per slot its takes, in the order of first runs.

    *open* are slots in runs of cells that have not ended, *unwell* those whose last run ended in an
    error or an interrupt. *reserved* is what "insert code" keeps for the next cell, *inserted* are
    slots that showed such a take; *told* are slots that told of takes in the trash.
    """

    takes: Mapping[Slot, tuple[str, ...]]
    open: frozenset[Slot] = frozenset()
    unwell: frozenset[Slot] = frozenset()
    inserted: frozenset[Slot] = frozenset()
    told: frozenset[Slot] = frozenset()
    reserved: str | None = None

    @property
    def failed(self) -> frozenset[Slot]:
        """The slots whose run has ended, and not well."""
        return self.unwell - self.open

    def having(self, slot: Slot, take: str) -> Had:
        """Return it once *slot* has a take."""
        return replace(self, takes={**self.takes, slot: (*self.takes.get(slot, ()), take)})

    def without(self, take: str) -> Had:
        """Return it as if no slot had had a take."""
        rest = {
            slot: tuple(other for other in ids if other != take) if take in ids else ids
            for slot, ids in self.takes.items()
        }
        return replace(self, takes={slot: ids for slot, ids in rest.items() if ids})

    def is_untold(self, slot: Slot) -> bool:
        """Tell a slot that has had nothing yet, and of which nothing was told."""
        return slot not in self.told and slot not in self.takes


class Scene(NamedTuple):
    """All that a decision looks at. *session* is this one's name in the notes.

    *notebook* is its file there; empty where that is not known.
    """

    takes: tuple[Take, ...]
    notes: tuple[Note, ...]
    had: Had
    session: str = ""
    notebook: str = ""


class Choice(NamedTuple):
    """What a run does, and with which take: the one shown, finished, waited for or refused for.

    *place* is where a take that is made now belongs, None for a place of its own.
    """

    does: Does
    take: str | None = None
    is_reserved: bool = False
    place: str | None = None


def place_key(at: float, id: str) -> str:  # noqa: A002  the id of a record, as everywhere
    """Return the key of a take that begins a place of its own."""
    return f"{at:.6f}-{id}"


def row_key(identity: str, region: str | None) -> str:
    """Return what names the row of a request, whose answer may be laid over a *region* alone.

    The request is the same, and so are its takes; but who wants another region of the same answer
    has had nothing of it yet, and is shown what is there.
    """
    return (
        identity if region is None else hashlib.sha256(f"{identity} {region}".encode()).hexdigest()
    )


def decide(scene: Scene, slot: Slot | None, *, caller: Caller = "cell", fresh: bool) -> Choice:
    """Say what a run does. After a wait or a resume that brought nothing, ask again.

    *slot* is None for a click in the panel.
    """
    if not scene.takes:  # as of most points of a batch
        return Choice("send")
    if slot is None:
        return _send(scene, None, fresh=fresh)
    choice = _choose(scene, slot, caller)
    place = _place(scene, slot, choice)
    if fresh:
        return _send(scene, place, fresh=True)
    does = _does(scene, choice) if choice else "send"
    is_further = caller != "point" and slot in scene.had.takes and slot not in scene.had.failed
    own = choice and does == "resume" and choice.take == had_last(scene, slot)
    if choice and (not is_further or own):
        return choice._replace(does=does, place=place)
    untrashed = scene._replace(takes=tuple(replace(t, is_trashed=False) for t in scene.takes))
    if (
        not is_further
        and slot not in scene.had.told
        and (hidden := _choose(untrashed, slot, caller))
    ):
        return Choice("refuse", hidden.take)  # told once, for the trash
    return _send(scene, place, fresh=False)


def _does(scene: Scene, choice: Choice) -> Does:
    state = next(take.state for take in scene.takes if take.id == choice.take)
    return {"kept": "show", "under way": "wait"}.get(state, "resume")  # type: ignore[return-value]  # two of its words


def _send(scene: Scene, place: str | None, *, fresh: bool) -> Choice:
    unknown = [take.id for take in scene.takes if take.state == "unknown"]
    return Choice("refuse", unknown[-1]) if unknown and not fresh else Choice("send", place=place)


def _place(scene: Scene, slot: Slot, choice: Choice | None) -> str | None:
    """Return the place of a take that is made now: that of the take which the slot had before."""
    if choice is None:
        return None
    others = {ids[-1] for other, ids in scene.had.takes.items() if other != slot}
    return None if choice.take in others else _there(scene)[str(choice.take)].place


def _choose(scene: Scene, slot: Slot, caller: Caller) -> Choice | None:
    """Return the take for a run that need not send.

    Its own, the reserved one, the row's next, or what another run has left: one that did not end
    well, or whose take nobody finishes. A loop that tries again is such a run; of equal points of
    a sweep each has its own to finish.
    """
    there, had = _there(scene), scene.had
    if (own := had_last(scene, slot)) is not None:
        return Choice("show", own)
    if had.reserved in there:
        return Choice("show", had.reserved, is_reserved=True)
    if untouched := _untouched(scene):
        return Choice("show", untouched[0])
    unfinished = {take.id for take in there.values() if take.state == "pending"}
    left = {
        other
        for other, ids in had.takes.items()
        if other in had.failed or (caller != "point" and ids[-1] in unfinished)
    }
    held = {take for other, ids in had.takes.items() if other not in left for take in ids}
    for other, ids in had.takes.items():
        if other in left and ids[-1] in there.keys() - held:
            return Choice("show", ids[-1])
    return None


def _untouched(scene: Scene) -> list[str]:
    """Return the row less what this session has of it: one position for each of its slots."""
    had = scene.had
    known = {n.slot for n in scene.notes if n.session != scene.session and n.slot.lasts}
    left = [(slot, take) for slot, take in row(scene) if slot not in had.takes]
    for slot, ids in had.takes.items():
        position = next((pair for pair in left if pair[1] in ids), None)
        if position and slot not in known | had.inserted:
            left.remove(position)
    return [take for _, take in left]


def had_last(scene: Scene, slot: Slot) -> str | None:
    """Return the take that a slot made or showed last, of those that are still there.

    A duplicate of a notebook has the same cells. From when it has run one, both are there and each
    goes by what it had itself; until then it shows what the other had.
    """
    there = _there(scene)
    here = [take for take in scene.had.takes.get(slot, ()) if take in there]
    if here or not slot.lasts:
        return here[-1] if here else None
    notes = [note for note in scene.notes if note.slot == slot and note.take in there]
    noted = {note.take for note in notes}
    if scene.notebook and any(note.notebook == scene.notebook for note in notes):
        notes = [note for note in notes if note.notebook in ("", scene.notebook)]
    shown = [(note.at, note.take) for note in notes]
    made = [(t.at, t.id) for t in there.values() if t.slot == slot and t.id not in noted]
    return max(shown + made, default=(0, None))[1]


def row(scene: Scene) -> list[tuple[Slot | None, str]]:
    """Return what stands in notebooks, in order: slot (None: not known any more) and take.

    The latest other session first, its slots as they first ran, with what each had last; then what
    only sessions before it had; at last the newest take of each place that no session noted.
    """
    there = _there(scene)
    notes = [n for n in scene.notes if n.session != scene.session and n.take in there]
    latest = {n.slot: n.session for n in notes if n.slot.lasts}  # such a slot stands there alone
    positions: list[tuple[Slot | None, str]] = []
    for session in sorted({note.session for note in notes}, reverse=True):
        listed = {take for _, take in positions}
        ends = {
            note.slot: note.take
            for note in notes
            if note.session == session and latest.get(note.slot, session) == session
        }
        positions += [
            (slot if slot.lasts else None, take)
            for slot, take in ends.items()
            if take not in listed
        ]
    return positions + _unnoted(scene, there.values(), {note.take for note in notes})


def _unnoted(scene: Scene, there: Iterable[Take], noted: set[str]) -> list[tuple[Slot | None, str]]:
    """Return the newest take of each place of which no session has a note."""
    noted = noted.union(*scene.had.takes.values())
    others = [take for take in there if not (take.is_mine and take.slot)]
    known = {take.place for take in others if take.id in noted}
    newest = {take.place: take for take in others if take.place not in known}
    return [(t.slot if t.slot and t.slot.lasts else None, t.id) for _, t in sorted(newest.items())]


def _there(scene: Scene) -> dict[str, Take]:
    return {t.id: t for t in scene.takes if t.state != "unknown" and not t.is_trashed}
