"""What the journal holds of a run that was cut off: nothing of it is sent a second time."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from opeai_nb.library import Slot
from opeai_nb.library.records.request_json import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.library import Entry

CELL: Final = "sweep"


def slot_of(point: Point) -> Slot:
    """Return a point's place in the library: the same for every run and every process.

    Named after no cell: the same point of an extended, reordered or copied sweep is found again.
    """
    return Slot(CELL, point.call)


class Unfinished:
    """The entries that runs like this one began and did not settle, to be taken by their points."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: defaultdict[tuple[str, int], deque[Entry]] = defaultdict(deque)
        for entry in entries:
            if entry.slot is not None and entry.slot.cell == CELL:
                self._entries[identity_of(entry.written), entry.slot.call].append(entry)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def take(self, identity: str, call: int) -> Entry | None:
        """Return the entry of a point, once; what has a task or an answer comes first."""
        found = self._entries.get((identity, call))
        if not found:
            return None
        best = max(found, key=lambda entry: (entry.task_id is not None, entry.state == "fetching"))
        found.remove(best)
        return best
