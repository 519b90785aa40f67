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


@dataclass
class _CellRun:
    """The latest run of a cell: its calls of each request, and the slots that took part."""

    name: str
    calls: Counter[str] = field(default_factory=Counter)
    took: set[tuple[str, Slot]] = field(default_factory=set)


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
        self._cells: dict[str | None, _CellRun] = {}
        self._ended_well: dict[str, bool] = {}
        self._orders: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()
        self._lock = Guard()

    def slot(self, request: str, cell: str, run: str) -> Slot:
        """Return the slot of the next call of *request* in this *run* of a cell."""
        own = Slot(cell).cell
        with self._lock:
            now = self._cells.get(own)
            if now is None or now.name != run:
                now = self._cells[own] = _CellRun(run)
            now.calls[request] += 1
            return Slot(cell, now.calls[request])

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
            if (now := self._cells.get(slot.cell)) is not None:
                now.took.add((request, slot))
                if (well := self._ended_well.get(now.name)) is not None:
                    self._ends(request, {slot}, well=well)  # a thread has outlived its cell
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
                    if (now := self._cells.get(slot.cell)) is not None:
                        now.took.discard((request, slot))
                takes[:] = [other for other in takes if other != take]
                if not takes:
                    del runs.takes[slot]

    def cell_ended(self, cell: str | None, *, well: bool, run: str = "") -> None:
        """Note that a *run* of *cell* ended; after an interrupt its job goes on, and stays its.

        It may be told more than once, for a cell can run others in it, and then has to end well in
        all of them.
        """
        own = Slot(cell).cell
        with self._lock:
            if run and own is not None:
                well = self._ended_well[run] = well and self._ended_well.get(run, True)
            for request in list(self._open):
                slots = self._requests[request].open
                ran = {slot for slot in slots if slot.cell == own or _is_point(slot)}
                self._ends(request, ran, well=well)
            if (now := self._cells.get(own)) is not None and now.name == run:
                for request, slot in now.took:
                    self._ends(request, {slot}, well=well)

    def _ends(self, request: str, slots: set[Slot], *, well: bool) -> None:
        runs = self._requests[request]
        runs.open -= slots
        runs.unwell = runs.unwell - slots if well else runs.unwell | slots
        if not runs.open:
            self._open.discard(request)

    def reserve(self, request: str, take: str) -> None:
        """Keep a take of the panel for the next cell that asks the same and has none yet."""
        with self._lock:
            self._requests[request].reserved = take


def _is_point(slot: Slot) -> bool:
    """Tell whether it is a point's of a sweep or a batch: those with a key have it in the name."""
    return slot.cell is not None and slot.cell.partition("-")[0] == POINT
