"""Which axes of a sweep make the rows, the columns and the pages of its grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opeai_nb.bulk.sweep.axis import Axis


@dataclass(frozen=True)
class GridTable:
    """Which labels go where: *rows* and *columns* are axes or None, *pages* all the others."""

    rows: Axis | None
    columns: Axis | None
    pages: tuple[Axis, ...]


LIST: Final = GridTable(None, None, ())
"""No table: the pictures stand side by side."""


def table_of(axes: tuple[Axis, ...], rows: str | None, columns: str | None) -> GridTable:
    """Return which axis goes where.

    One axis alone makes columns; of several the first makes rows and the second columns, unless
    they are named. Axes of a single value are no axes here.
    """
    by_name = {axis.name: axis for axis in axes}
    free = [axis for axis in axes if len(axis) > 1 and axis.name not in {rows, columns}]
    down = by_name[rows] if rows else None
    across = by_name[columns] if columns else None
    if down is None and across is None and len(free) > 1:
        down = free.pop(0)
    if across is None and free:
        across = free.pop(0)
    if down is None and free:
        down = free.pop(0)
    return GridTable(down, across, tuple(free))
