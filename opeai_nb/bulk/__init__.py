"""SWEEP: many pictures at once. Plans, sweeps, grids, batches, Dask.

    from opeai_nb import sweep
    found = sweep("a {animal} in {style}", animal=["fox", "owl"], style=["ink", "oil"])
    found                    # the plan: nothing is sent yet
    found.run()              # then the grid

Names are loaded when they are used. The functions `sweep` and `batch` are `opeai_nb`'s: here these
names are rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.bulk.batch.batch import Batch as Batch
    from opeai_nb.bulk.run.outcome import Outcome as Outcome
    from opeai_nb.bulk.run.progress import Progress as Progress
    from opeai_nb.bulk.run.run import Run as Run
    from opeai_nb.bulk.sweep.axis import Axis as Axis
    from opeai_nb.bulk.sweep.grid import Grid as Grid
    from opeai_nb.bulk.sweep.pick import Pick as Pick
    from opeai_nb.bulk.sweep.plan import Plan as Plan
    from opeai_nb.bulk.sweep.plan import Point as Point
    from opeai_nb.bulk.sweep.sweep import Sweep as Sweep

__getattr__, __dir__ = attach(__name__)
