"""Work shown while a cell waits for it: the cell's own thread follows, an interrupt detaches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.views.text_alternative import caption
from opeai_nb.notebook.display import badge
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.bulk import Run
    from opeai_nb.client import Generation
    from opeai_nb.notebook.display.badge_display import Screen
    from opeai_nb.studio import Job

# Where a wait cannot be interrupted (Windows), an interrupt is heard when a wait ends.
TICK: Final = 0.25
_REPLAYED: Final = "shown from the library, nothing was sent"


class _ToldInterrupt(KeyboardInterrupt):
    """An interrupt that IPython shows in two lines: what ended, and what to do."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self._step = step

    def _render_traceback_(self) -> list[str]:
        return [f"KeyboardInterrupt: {self}", f"  → {self._step}"]


class Detached(_ToldInterrupt):
    """The cell was interrupted; the job goes on, and its pictures land in the library.

    *job* is its handle: `job.result()` waits for it, `job.stop()` drops it.
    """

    def __init__(self, job: Job) -> None:
        known = job.id  # none before the request is noted in the journal
        step = f"wait: %imagine resume {known} · drop: %imagine stop {known}" if known else ""
        step = f"Its pictures land in the library. {step}".rstrip()
        super().__init__("The cell was interrupted; its job goes on.", step)
        self.job = job


class NotWaiting(_ToldInterrupt):
    """The cell was interrupted while another kernel, or another cell, made its picture."""

    def __init__(self) -> None:
        super().__init__(
            "The cell was interrupted while it waited. Nothing was sent.",
            "The other goes on. Run the cell again: it shows the picture, or waits for it.",
        )


class SweepDetached(_ToldInterrupt):
    """The cell was interrupted: nothing more is sent, what is under way lands in the library."""

    def __init__(self) -> None:
        super().__init__(
            "The sweep was interrupted: nothing more is sent.",
            "What came is kept, and so is what is under way. Run the cell again for the rest.",
        )


def tell_notes(notes: Iterable[str]) -> None:
    """Print what one should know beside the pictures."""
    for note in notes:
        print(f"Note: {printable_line(note)}", file=sys.stderr)  # noqa: T201  where a cell's warnings stand


def watch_job(job: Job, screen: Screen) -> Generation:
    """Show the states of *job* until it settles; return its generation or raise its error.

    An interrupt detaches, by `Detached`: the job goes on. A second one, while the first is told,
    drops it. While it waits for another, an interrupt drops it, by `NotWaiting`: nothing was sent.
    """
    try:
        for update in job.follow(TICK):
            if not job.is_settled:
                screen.show(update.state, badge.live_text(update, job.origin))
        tell_notes(job.take_notes())
        generation = job.result()
        tell_notes(generation.differences)
    except KeyboardInterrupt:
        if job.status == "waiting":  # what another makes goes on; here nothing is sent later either
            job.stop()
            screen.end("stopped", badge.NOT_WAITING)
            raise NotWaiting from None
        try:
            screen.end("stopped", badge.detached_text(job))
        except KeyboardInterrupt:
            job.stop()
        raise Detached(job) from None
    except Exception as error:
        screen.end(job.status, badge.failure_text(job.status, error))
        raise
    if generation.replayed_from:
        screen.show("fetching", _REPLAYED)
    screen.end(
        "done",
        badge.final_text(generation),
        caption([generation.words.caption or generation.request.prompt]),
    )
    screen.tell_files(generation.paths)
    return generation


def watch_run(run: Run, screen: Screen) -> None:
    """Show the progress of *run* until it is over. Raises `SweepDetached` on an interrupt."""
    note = [badge.ENGINE_NOTE] if run.origin == "engine" else []
    try:
        for progress in run.follow(TICK):
            if not run.is_over:
                screen.show("painting", " · ".join([progress.line(), *note]))
    except KeyboardInterrupt:
        run.halt()
        screen.end("stopped", " · ".join([f"interrupted · {run.final}", *note]))
        raise SweepDetached from None
    progress = run.progress
    if progress.replayed == progress.total:
        screen.show("fetching", _REPLAYED)
    good = progress.done + progress.replayed == progress.total
    shown = caption(point.request.prompt for point in run.points)
    screen.end("done" if good else "failed", " · ".join([run.final, *note]), shown)
    screen.tell_files(run.first_files, run.pictures)
