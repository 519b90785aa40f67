"""A request run from a cell: the cell's own thread waits, shows and stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import SessionLimitError
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.badge_display import Screen, publish
from opeai_nb.notebook.display.job_view import JobView
from opeai_nb.notebook.display.result_view import full_bundles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.library import Slot
    from opeai_nb.notebook.magic.imagine import Imagine
    from opeai_nb.studio import Job

# Where a wait cannot be interrupted (Windows), an interrupt is heard when a wait ends.
_TICK: Final = 0.25


class Detached(KeyboardInterrupt):
    """The cell was interrupted; the job goes on, and its pictures land in the library.

    *job* is its handle: `job.result()` waits for it, `job.stop()` drops it.
    """

    def __init__(self, job: Job) -> None:
        super().__init__("The cell was interrupted; its job goes on.")
        self.job = job

    def _render_traceback_(self) -> list[str]:
        known = self.job.id  # none before the request is noted in the journal
        step = f"wait: %imagine resume {known} · drop: %imagine stop {known}" if known else ""
        told = f"  → Its pictures land in the library. {step}".rstrip()
        return [f"KeyboardInterrupt: {self}", told]


def run(magic: Imagine, request: ImageRequest, cell: Mapping[str, Any]) -> Generation | Job:
    """Start *request* and wait for it with a live badge, unless *cell* says not to.

    Returns what the cell shows: the generation, or the job in the background. Raises what the job
    failed of (then the `-o` variable holds the job), or `Detached`. Asks whoever sits there before
    the session's limit of pictures is passed.
    """
    slot = magic.slot()
    try:
        return _run(magic, request, cell, slot)
    except SessionLimitError as error:
        if not _is_agreed(magic, error):
            raise
        return _run(magic, request, {**cell, "yes": True}, slot)


def _may_ask(magic: Imagine) -> bool:
    return magic.frontend in {"live", "terminal"}


def _is_agreed(magic: Imagine, error: SessionLimitError) -> bool:
    if not _may_ask(magic):
        return False
    try:
        answer = input(f"{error.message} Send it all the same? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in {"y", "yes"}


def _run(
    magic: Imagine, request: ImageRequest, cell: Mapping[str, Any], slot: Slot | None
) -> Generation | Job:
    job = magic.studio.start(
        request,
        fresh=bool(cell.get("fresh")),
        slot=slot,
        metadata=cell.get("metadata"),
        beyond_limit=bool(cell.get("yes")),
        timeout=float(cell["timeout"]),
    )
    if magic.studio.settings.max_images_per_session and not cell.get("yes") and _may_ask(magic):
        _let_in(magic, job, cell)
    if cell.get("no_wait"):
        return _begun(magic, job, cell)
    return waited(magic, job, Screen(magic.frontend, quiet=bool(cell.get("quiet"))), cell)


def _let_in(magic: Imagine, job: Job, cell: Mapping[str, Any]) -> None:
    """Wait a moment, until *job* is begun: a refusal is to be asked about, and not to be shown.

    Raises `SessionLimitError` for a job that would pass the limit.
    """
    try:
        for _ in job.follow(_TICK):
            if job.id or job.is_settled:
                break
    except KeyboardInterrupt:
        magic.store(cell.get("out"), job)
        raise Detached(job) from None
    error = job.exception()
    if isinstance(error, SessionLimitError):
        magic.store(cell.get("out"), job)
        raise error


def waited(magic: Imagine, job: Job, screen: Screen, cell: Mapping[str, Any]) -> Generation:
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
    if cell["show"] == "full" and len(generation) > 1:
        for data, metadata in full_bundles(generation):
            publish(data, metadata)
        magic.will_show(generation, "none")
    else:
        magic.will_show(generation, cell["show"])
    return generation


def _begun(magic: Imagine, job: Job, cell: Mapping[str, Any]) -> Job:
    """Leave *job* in the background; where nobody looks at the notebook, wait for it after all."""
    magic.store(cell.get("out"), job)
    kind = magic.frontend
    quiet = bool(cell.get("quiet"))
    if kind == "batch":
        generation = watched(job, Screen(kind, quiet=quiet))
        if cell.get("save"):
            generation.save(cell["save"])
        JobView(job, kind, show=cell["show"]).show_result()
    elif kind == "live":
        view = JobView(
            job,
            kind,
            show=cell["show"],
            save=cell.get("save"),
            quiet=quiet,
            one_slot=magic.has_one_display,
        )
        view.open()
    if kind in {"batch", "live"}:
        magic.will_show(job, "none")
    return job


def watched(job: Job, screen: Screen) -> Generation:
    """Show the states of *job* until it settles; return its generation or raise its error.

    An interrupt detaches: the job goes on. A second one, while the first is told, drops it.
    """
    try:
        for update in job.follow(_TICK):
            if not job.is_settled:
                screen.show(update.state, badge.live_text(update, job.origin))
        for note in job.take_notes():
            print(f"Note: {note}", file=sys.stderr)  # noqa: T201  where a cell's warnings stand
        generation = job.result()
    except KeyboardInterrupt:
        try:
            screen.end("stopped", badge.detached_text(job))
        except KeyboardInterrupt:
            job.stop()
        raise Detached(job) from None
    except Exception as error:
        screen.end(job.status, badge.failure_text(job.status, error))
        raise
    if generation.replayed_from:
        screen.show("fetching", "shown from the library, nothing was sent")
    screen.end("done", badge.final_text(generation))
    return generation
