"""Which panels stand below which cell: one whose cell is run again is closed."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet


class ShownPanels:
    """Keeps for each cell the panels of its last run."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[str, WeakSet[Any]]] = {}

    def take(self, panel: Any, cell: str | None, run: str) -> list[Any]:
        """Note that *run* of *cell* shows *panel*; return those that stand on no page any more.

        They are the panels of the cell's former run, but for those that another cell shows too.
        Nothing is known of a front end that tells no cells.
        """
        if cell is None:
            return []
        former_run, former = self._cells.get(cell, (run, WeakSet()))
        if former_run == run:
            former.add(panel)
            self._cells[cell] = run, former
            return []
        self._cells[cell] = run, WeakSet([panel])
        shown = {one for _, panels in self._cells.values() for one in panels}
        return [one for one in former if one not in shown]
