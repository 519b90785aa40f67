"""MAKE: client and library on one loop thread. Requests go in, jobs come out.

from opeai_nb.studio import Studio
job = Studio().start("a red fox in the snow", n=2)
job.result()                                   # or: await job
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.studio.job import Job as Job
    from opeai_nb.studio.job import Update as Update
    from opeai_nb.studio.studio import Studio as Studio

__getattr__, __dir__ = attach(__name__)
