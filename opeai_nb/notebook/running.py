"""A request run from a cell: the cell's own thread waits, shows and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opeai_nb.notebook import badge
from opeai_nb.notebook.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.notebook.magic import Imagine
    from opeai_nb.studio import Job


class Detached(KeyboardInterrupt):
    """The cell was interrupted; the job goes on, and its pictures land in the library.

    *job* is its handle: `job.result()` waits for it, `job.stop()` drops it.
    """

    def __init__(self, job: Job) -> None:
        super().__init__("The cell was interrupted; its job goes on.")
        self.job = job

    def _render_traceback_(self) -> list[str]:
        step = f"wait: %imagine resume {self.job.id} · drop: %imagine stop {self.job.id}"
        return [f"KeyboardInterrupt: {self}", f"  → Its pictures land in the library. {step}"]


def run(magic: Imagine, request: ImageRequest, cell: Mapping[str, Any]) -> Generation | None:
    """Start *request*, wait for it with a live badge, store it and return it to be shown.

    Raises what the job failed of (then the `-o` variable holds the job), or `Detached`.
    """
    job = magic.studio.start(
        request,
        fresh=bool(cell.get("fresh")),
        slot=magic.slot(),
        timeout=float(cell["timeout"]),
    )
    screen = Screen(magic.frontend, quiet=bool(cell.get("quiet")))
    return waited(magic, job, screen, cell)


def waited(magic: Imagine, job: Job, screen: Screen, cell: Mapping[str, Any]) -> Generation | None:
    """Wait for *job* in this cell, and do with its result what the options say."""
    name = cell.get("out")
    try:
        generation = watched(job, screen)
    except BaseException:
        magic.store(name, job)
        raise
    magic.store(name, generation)
    if cell.get("save"):
        generation.save(cell["save"])
    if cell["show"] == "thumb":
        return generation
    from IPython.display import display

    from opeai_nb.notebook.view import generation_bundle

    data, metadata = generation_bundle(generation, cell["show"])
    display(data, metadata=metadata, raw=True)
    magic.store("_", generation)
    return None


def watched(job: Job, screen: Screen) -> Generation:
    """Show the states of *job* until it settles; return its generation or raise its error."""
    try:
        for update in job.follow():
            if not job.is_settled:
                screen.show(update.state, badge.live_text(update, job.origin))
        generation = job.result()
    except KeyboardInterrupt:
        screen.end("stopped", badge.detached_text(job))
        raise Detached(job) from None
    except Exception as error:
        screen.end(job.status, badge.failure_text(job.status, error))
        raise
    if generation.replayed_from:
        screen.show("fetching", "shown from the library, nothing was sent")
    screen.end("done", badge.final_text(generation))
    return generation
