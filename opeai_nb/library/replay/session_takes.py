"""What one kernel did with the requests of a library since it was started."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from opeai_nb.guard import Guard
from opeai_nb.library.replay.replay import Had
from opeai_nb.library.replay.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_STEP = 1e-6
POINT = "sweep"
"""The cell of all points of sweeps and batches: they are the same in every run and process."""


@dataclass
class _Runs:
    """The runs of one request, as `Had` tells them."""

    takes: dict[Slot, list[str]] = field(default_factory=dict)
    open: set[Slot] = field(default_factory=set)
    unwell: set[Slot] = field(default_factory=set)
    inserted: set[Slot] = field(default_factory=set)
    told: set[Slot] = field(default_factory=set)
    reserved: str | None = None


class Session:
    """Which slots ran since this kernel was started, and what each had. Any thread may use it.

    *name* sorts by when the session began, and behind one that began at *after*: the clock may have
    been set back since. *made* are the ids of the takes that it began itself, and the request of
    each. Requests are named by their identity, or by `replay.row_key`. *notebook* is the file that
    it runs, None where that is not known.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, after: float = 0.0) -> None:
        self.name = f"{max(clock(), after + _STEP):.6f}-{secrets.token_hex(4)}"
        self.made: dict[str, str] = {}
        self.notebook: Path | None = None
        self._requests: defaultdict[str, _Runs] = defaultdict(_Runs)
        self._open: set[str] = set()
        self._run: dict[str, tuple[str, Counter[str]]] = {}
        self._orders: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()
        self._lock = Guard()

    def slot(self, request: str, cell: str, run: str) -> Slot:
        """Return the slot of the next call of *request* in this *run* of a cell."""
        with self._lock:
            if self._run.get(cell, ("",))[0] != run:
                self._run[cell] = run, Counter()
            calls = self._run[cell][1]
            calls[request] += 1
            return Slot(cell, calls[request])

    def slot_without_cell(self, request: str) -> Slot:
        """Return the slot of a run in no cell that is known: the next one of this request."""
        with self._lock:
            runs = self._requests[request].takes
            return Slot(None, sum(slot.cell is None for slot in runs) + 1)

    def order(self, request: str) -> asyncio.Lock:
        """Return what lets runs in no cell that is known decide in the order in which they began.

        Their place in the row is all that tells them apart after a restart. A fork has its own.
        """
        with self._lock:
            return self._orders.setdefault((os.getpid(), request), asyncio.Lock())

    def had(self, request: str) -> Had:
        """Return what this session had of a request until now."""
        with self._lock:
            runs = self._requests[request]
            return Had(
                {slot: tuple(takes) for slot, takes in runs.takes.items()},
                open=frozenset(runs.open),
                unwell=frozenset(runs.unwell),
                inserted=frozenset(runs.inserted),
                told=frozenset(runs.told),
                reserved=runs.reserved,
            )

    def has(self, request: str, slot: Slot, take: str, *, is_reserved: bool = False) -> None:
        """Note that *slot* shows, makes, finishes or waits for a take."""
        with self._lock:
            runs = self._requests[request]
            runs.takes.setdefault(slot, []).append(take)
            runs.open.add(slot)
            self._open.add(request)
            if is_reserved:
                runs.reserved = None
                runs.inserted.add(slot)

    def told(self, request: str, slot: Slot) -> None:
        """Note that a run told of takes in the trash and sent nothing: it does so once."""
        with self._lock:
            self._requests[request].told.add(slot)

    def gone(self, request: str, take: str) -> None:
        """Forget a take that failed unpaid, was forgotten, or whose outcome is unknown: no run."""
        with self._lock:
            runs = self._requests[request]
            for slot, takes in list(runs.takes.items()):
                if takes[-1] == take:
                    runs.open.discard(slot)
                takes[:] = [other for other in takes if other != take]
                if not takes:
                    del runs.takes[slot]

    def cell_ended(self, cell: str | None, *, well: bool) -> None:
        """Note that a run of *cell* ended; after an interrupt its job goes on, and stays its."""
        own = Slot(cell).cell
        with self._lock:
            for request in list(self._open):
                runs = self._requests[request]
                ran = {slot for slot in runs.open if slot.cell == own or _is_point(slot)}
                runs.open -= ran
                runs.unwell = runs.unwell - ran if well else runs.unwell | ran
                if not runs.open:
                    self._open.discard(request)

    def reserve(self, request: str, take: str) -> None:
        """Keep a take of the panel for the next cell that asks the same and has none yet."""
        with self._lock:
            self._requests[request].reserved = take


def _is_point(slot: Slot) -> bool:
    """Tell whether it is a point's of a sweep or a batch: those with a key have it in the name."""
    return slot.cell is not None and slot.cell.partition("-")[0] == POINT
