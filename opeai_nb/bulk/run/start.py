"""Where a run is carried out: in this process, or by a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.run.run import Run
    from opeai_nb.studio import Studio


def start(run: Run, studio: Studio, options: BulkOptions, cluster: Any = None) -> Run:
    """Begin *run* and return it at once: *cluster* is a `distributed.Client`, if any."""
    if cluster is None:
        return run.begin(studio, options)
    from opeai_nb.bulk.run.dask_cluster import begin_on

    begin_on(cluster, run, studio, options)
    return run
