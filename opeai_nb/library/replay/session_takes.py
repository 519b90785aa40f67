"""What one kernel did with the requests of a library since it was started."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final
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


_NONE: Final = frozenset[Slot]()
_NOTHING: Final = Had({})


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
        self._requests: dict[str, Had] = {}
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
            runs = self.had(request).takes
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
            return self._requests.get(request, _NOTHING)

    def has(self, request: str, slot: Slot, take: str, *, is_reserved: bool = False) -> None:
        """Note that *slot* shows, makes, finishes or waits for a take."""
        with self._lock:
            had = self.had(request).having(slot, take)
            if is_reserved:
                had = replace(had, reserved=None, inserted=_with(had.inserted, slot))
            self._remember(request, replace(had, open=_with(had.open, slot)))
            self._open.add(request)
            if (now := self._cells.get(slot.cell)) is not None:
                now.took.add((request, slot))
                if (well := self._ended_well.get(now.name)) is not None:
                    self._ends(request, {slot}, well=well)  # a thread has outlived its cell

    def told(self, request: str, slot: Slot) -> None:
        """Note that a run told of takes in the trash and sent nothing: it does so once."""
        with self._lock:
            had = self.had(request)
            self._remember(request, replace(had, told=_with(had.told, slot)))

    def gone(self, request: str, take: str) -> None:
        """Forget a take that failed unpaid, was forgotten, or whose outcome is unknown: no run."""
        with self._lock:
            had = self.had(request)
            last = {slot for slot, takes in had.takes.items() if takes[-1] == take}
            for slot in last:
                if (now := self._cells.get(slot.cell)) is not None:
                    now.took.discard((request, slot))
            self._remember(request, replace(had.without(take), open=had.open - last or _NONE))

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
                slots = self.had(request).open
                ran = {slot for slot in slots if slot.cell == own or _is_point(slot)}
                self._ends(request, ran, well=well)
            if (now := self._cells.get(own)) is not None and now.name == run:
                for request, slot in now.took:
                    self._ends(request, {slot}, well=well)

    def _ends(self, request: str, slots: set[Slot], *, well: bool) -> None:
        had = self.had(request)
        still = had.open - slots or _NONE
        unwell = (had.unwell - slots if well else had.unwell | slots) or _NONE
        self._remember(request, replace(had, open=still, unwell=unwell))
        if not still:
            self._open.discard(request)

    def reserve(self, request: str, take: str) -> None:
        """Keep a take of the panel for the next cell that asks the same and has none yet."""
        with self._lock:
            self._remember(request, replace(self.had(request), reserved=take))

    def _remember(self, request: str, had: Had) -> None:
        if had == _NOTHING:
            self._requests.pop(request, None)
        else:
            self._requests[request] = had


def _with(slots: frozenset[Slot], slot: Slot) -> frozenset[Slot]:
    return slots | {slot} if slots else _alone(slot)


@lru_cache(1024)
def _alone(slot: Slot) -> frozenset[Slot]:
    """Return one set for all requests of which this slot alone ran, as of ten thousand points."""
    return frozenset({slot})


def _is_point(slot: Slot) -> bool:
    """Tell whether it is a point's of a sweep or a batch: those with a key have it in the name."""
    return slot.cell is not None and slot.cell.partition("-")[0] == POINT
