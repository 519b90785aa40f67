"""SWEEP: many pictures at once. Plans, sweeps, grids, batches, Dask.

    from opeai_nb import sweep
    found = sweep("a {animal} in {style}", animal=["fox", "owl"], style=["ink", "oil"])
    found                    # the plan: nothing is sent yet
    found.run()              # then the grid

Names are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.many.axis import Axis
    from opeai_nb.many.batching import Batch, batch
    from opeai_nb.many.grid import Grid
    from opeai_nb.many.outcome import Outcome
    from opeai_nb.many.plan import Plan, Point
    from opeai_nb.many.progress import Progress
    from opeai_nb.many.run import Run
    from opeai_nb.many.sweeping import Sweep, sweep

_HOMES = {
    "Axis": "axis",
    "Batch": "batching",
    "Grid": "grid",
    "Outcome": "outcome",
    "Plan": "plan",
    "Point": "plan",
    "Progress": "progress",
    "Run": "run",
    "Sweep": "sweeping",
    "batch": "batching",
    "sweep": "sweeping",
}

__all__ = [
    "Axis",
    "Batch",
    "Grid",
    "Outcome",
    "Plan",
    "Point",
    "Progress",
    "Run",
    "Sweep",
    "batch",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
