"""Whether a run shows what is kept or sends anew, as a pure function."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opeai_nb.library.records.record import Record

_NOTEBOOK_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True)
class Slot:
    """Where a picture has its place: a notebook cell and which call in that run, counted from 1.

    Without cell ids *cell* is None, and *call* is the ordinal of this request in its session. An
    id that is more than a notebook's own (some editors send a path) is kept as a hash.
    """

    cell: str | None
    call: int = 1

    def __post_init__(self) -> None:
        if self.cell is not None and not _NOTEBOOK_ID.fullmatch(self.cell):
            # The fragment alone: the path before it changes when the notebook is moved.
            telling = self.cell.rpartition("#")[2]
            digest = hashlib.sha256(telling.encode("utf-8", "replace")).hexdigest()
            object.__setattr__(self, "cell", f"hash-{digest[:16]}")

    def to_json(self) -> dict[str, Any]:
        """Return the slot as it stands in a record."""
        return {"cell": self.cell, "call": self.call}

    @classmethod
    def from_json(cls, written: Mapping[str, Any] | None) -> Slot | None:
        """Return the slot of a record; None for a find of the panel."""
        return None if written is None else cls(written.get("cell"), written.get("call", 1))


class Summary(NamedTuple):
    """As much of a record as the decision needs; *created* orders them."""

    id: str
    created: float
    slot: Slot | None


class Run(NamedTuple):
    """One run of a request: its slot, whether the slot's first in this session, and what is shown.

    *shown* are the ids of records that other slots of this session have shown as theirs.
    """

    slot: Slot
    is_first: bool
    shown: frozenset[str] = frozenset()


class Choice(NamedTuple):
    """The record to show, by its id, or None to send; and the slot that the run takes."""

    record: str | None
    slot: Slot


class Session:
    """What ran already since this kernel was started. In memory; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ran: set[tuple[Slot, str | None]] = set()
        self._ordinals: Counter[str] = Counter()
        self._shown: dict[str, Slot] = {}

    def run(self, identity: str, slot: Slot | None = None) -> Run:
        """Count one run and return it. Without a slot it is the next ordinal of this request."""
        with self._lock:
            if slot is None:
                slot = Slot(None, self._ordinals[identity] + 1)
            if slot.cell is None:
                self._ordinals[identity] = max(self._ordinals[identity], slot.call)
            # An ordinal counts the runs of one request; a cell is one place, whatever it asks.
            key = (slot, identity if slot.cell is None else None)
            is_first = key not in self._ran
            self._ran.add(key)
            shown = (record for record, owner in self._shown.items() if owner != slot)
            return Run(slot, is_first, frozenset(shown))

    def show(self, record: str, slot: Slot) -> None:
        """Note that *slot* shows this record: no other slot takes it for unclaimed."""
        with self._lock:
            self._shown.setdefault(record, slot)


def choose(records: Iterable[Summary], run: Run) -> Choice:
    """Return what a run shows of the records of the same request whose origins may be replayed.

    - The first run of a slot shows that slot's newest record;
    - else the newest one that no other slot claims;
    - any further run sends.
    - Without cell ids the k-th run takes the k-th slot in order of creation.
    """
    ordered = sorted(records, key=lambda record: (record.created, record.id))
    slot = run.slot if run.slot.cell is not None else _kth_slot(ordered, run.slot)
    if not run.is_first:
        return Choice(None, slot)
    own = [record for record in ordered if record.slot == slot]
    found = own or [record for record in ordered if _is_unclaimed(record, run)]
    return Choice(found[-1].id if found else None, slot)


def _kth_slot(ordered: Sequence[Summary], asked: Slot) -> Slot:
    slots = list(dict.fromkeys(record.slot for record in ordered if record.slot is not None))
    return slots[asked.call - 1] if asked.call <= len(slots) else asked


def _is_unclaimed(record: Summary, run: Run) -> bool:
    """Tell whether no other slot claims a record: by standing in it, or by showing it already.

    An ordinal is a claim among ordinals only; to a cell it is a find from elsewhere.
    """
    claimed = record.slot is not None and (record.slot.cell is not None or run.slot.cell is None)
    return not claimed and record.id not in run.shown


@dataclass(frozen=True)
class Decision:
    """What the library says to a run: the *record* to show, or None; and the *slot* it takes.

    The slot belongs into the journal when the request is sent, so that the next session finds the
    picture in the same place. *is_first* tells that the run may show what is kept or under way.
    """

    record: Record | None
    slot: Slot
    is_first: bool = False
