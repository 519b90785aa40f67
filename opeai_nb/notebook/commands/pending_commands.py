"""`%imagine tasks`, `resume`, `stop` and `forget`: what is pending, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.task import ids_in
from opeai_nb.errors import OpeaiError, OptionError
from opeai_nb.notebook.display.badge_display import Screen, show_value
from opeai_nb.notebook.display.table import Table
from opeai_nb.notebook.display.watch import watch_job
from opeai_nb.wording import counted, rough_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opeai_nb.library import Entry
    from opeai_nb.notebook.display.table import Cell
    from opeai_nb.notebook.session import Session
    from opeai_nb.studio import Job, Studio

SEND: Final = "--send"
FETCH: Final = "--fetch"
_NEXT: Final = {
    "not sent": f"run its cell again · forget · resume {SEND}",
    "refused": f"nothing was paid: run its cell again · forget · resume {SEND}",
    "outcome unknown": f"may be painted and paid for: forget · resume {SEND}",
    "expired": "the platform has dropped it: forget",
    "not kept": "its pictures could not be saved: forget",
}


# What a resume of all leaves, by what is true of it.
_LEFT: Final = {
    "in flight": "{count} under way in another kernel: running the cell waits for {them}.",
    "not sent": "{count} never left, and nothing was paid: run the cell again to send {them}.",
    "refused": "{count} refused, and nothing was paid: run the cell again to send {them}.",
    "outcome unknown": "{count} may have been painted and paid for, and no picture came: "
    f"%imagine forget ID drops one, %imagine resume ID {SEND} asks again, which may cost again.",
    "answer not read": "{count} answered in a way that nobody can read yet: the answer is kept, "
    "and an update may read {them}.",
    "pending": "{count} still waited for: %imagine resume asks about {them} again.",
    "fetching": "{count} not downloaded yet: %imagine resume tries {them} again, for 24 hours.",
    "expired": "{count} older than the platform keeps its results: %imagine forget ID drops one.",
    "not kept": "{count} without pictures, which no disk took: %imagine forget ID drops one.",
}


def tasks(session: Session) -> Table:
    """List what is unfinished, whichever kernel began it, and what can become of it."""
    from opeai_nb.studio.recovery import way_on

    studio = session.studio
    jobs = {job.id: job for job in studio.under_way}
    entries = studio.library.pending()
    rows: list[tuple[Cell, ...]] = []
    for entry in entries:
        job = jobs.get(entry.id)
        state = job.status if job else entry.truth
        then = "runs in this kernel: stop" if job else _next(entry, way_on(entry))
        rows.append((entry.id, state, _left(entry), entry.model, entry.prompt, then))
    head = ("id", "state", "time left", "model", "prompt", "next")
    note = "" if entries else "Nothing is pending."
    return Table(head, rows, items=entries, note=_with_problems(studio, note))


def _next(entry: Entry, way: str) -> str:
    if way == "wait":
        return f"{entry.worker} works on it"
    if way == "resume" and entry.has_unread:
        return "its answer is kept: resume reads it again (also after an update) · forget"
    if way == "resume":
        return "resume"
    return _NEXT[entry.truth]


def _left(entry: Entry) -> str:
    """Return how long the platform still keeps a task: `23 h`, or minutes when it is short."""
    left = entry.time_left()
    if left is None or entry.truth != "pending":
        return ""
    return rough_duration(left)


def _with_problems(studio: Studio, note: str) -> str:
    problems = studio.library.problems(new=True)
    return "\n".join([*([note] if note else []), *(f"Skipped: {told}." for told in problems)])


def resume(session: Session, *arguments: str) -> Any:
    """Finish one request, or with no id all that GETs alone can finish.

    Raises `OptionError` for other words, and the first error of what was finished.
    """
    ids = [word for word in arguments if word not in {SEND, FETCH}]
    if len(ids) == 1:
        job = session.studio.resume(
            _known(session, ids[0]), send=SEND in arguments, fetch=FETCH in arguments
        )
        return watch_job(job, Screen(session.frontend))
    if ids:
        raise OptionError("resume takes one id, or none.", advice="%imagine tasks lists the ids.")
    if arguments:
        what = (
            "sends one request, and may cost money" if SEND in arguments else "is for one request"
        )
        raise OptionError(
            f"resume {arguments[0]} {what}.",
            advice=f"Name it: %imagine resume ID {arguments[0]}. %imagine tasks lists the ids.",
        )
    jobs, library = session.studio.resume_all(), session.studio.library
    if len(jobs) == 1 == len(library.pending()):
        return watch_job(jobs[0], Screen(session.frontend))
    return _each(session, jobs)


def _left_over(entries: Sequence[Entry]) -> str:
    """Say what was not finished, and what can be done about it."""
    told = [
        _LEFT[truth].format(count=count, them="it" if count == 1 else "them")
        for truth, count in Counter(_kind(entry) for entry in entries).items()
    ]
    return "\n".join([*told, "%imagine tasks lists them with their ids."]) if told else ""


def _kind(entry: Entry) -> str:
    return "in flight" if entry.is_alive else entry.truth


def _each(session: Session, jobs: Iterable[Job]) -> Table:
    """Wait for all, show what came of each, and raise the first error when all are done."""
    done, errors = [], []
    for job in jobs:
        try:
            generation = watch_job(job, Screen(session.frontend))
        except OpeaiError as error:
            errors.append(error)
        else:
            show_value(generation)
            done.append(generation)
    if errors:
        raise errors[0]
    left = _left_over(session.studio.library.pending())
    first = f"{counted(len(done), 'request')} finished."
    if not done:
        first = "Nothing can be resumed by itself." if left else "Nothing is pending."
    note = f"{first}\n{left}".rstrip()
    return Table((), (), items=done, note=note)


def stop(session: Session, task: str) -> Table:
    """Stop waiting for a job of this kernel. Raises `OptionError` where there is none."""
    for job in session.studio.under_way:
        if (job.id and job.id.startswith(task)) or task in ids_in(job.task_id):
            job.stop()
            told = "No longer waiting for it. What was sent continues at the platform."
            return Table((), (), note=told)
    raise OptionError(f"No job {task!r} runs in this kernel.", advice="%imagine tasks lists all.")


def forget(session: Session, task: str) -> Table:
    """Drop an unfinished request, with whatever reached us of it.

    Raises `OptionError` while its job runs here, `LibraryError` for an unknown id.
    """
    entry = session.studio.library.entry(task)
    if any(job.id == entry.id for job in session.studio.under_way):
        raise OptionError(
            f"The job {entry.id} runs in this kernel.", advice=f"%imagine stop {entry.id} first."
        )
    session.studio.library.forget(entry)
    return Table((), (), note="Forgotten.")


def _known(session: Session, text: str) -> Entry | str:
    """Return what *text* names: a job of this kernel that runs may be named by its task, too."""
    for job in session.studio.under_way:
        if text in ids_in(job.task_id):
            return job.id
    return session.studio.library.entry(text)
