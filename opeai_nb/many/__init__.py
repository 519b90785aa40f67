"""SWEEP: many pictures at once. Plans, sweeps, grids, batches, Dask.

    from opeai_nb import sweep
    found = sweep("a {animal} in {style}", animal=["fox", "owl"], style=["ink", "oil"])
    found                    # the plan: nothing is sent yet
    found.run()              # then the grid

Names are loaded when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.many.axis import Axis as Axis
    from opeai_nb.many.batching import Batch as Batch
    from opeai_nb.many.batching import batch as batch
    from opeai_nb.many.grid import Grid as Grid
    from opeai_nb.many.outcome import Outcome as Outcome
    from opeai_nb.many.plan import Plan as Plan
    from opeai_nb.many.plan import Point as Point
    from opeai_nb.many.progress import Progress as Progress
    from opeai_nb.many.run import Run as Run
    from opeai_nb.many.sweeping import Sweep as Sweep
    from opeai_nb.many.sweeping import sweep as sweep

__getattr__, __dir__ = attach(__name__)
