"""The sub-commands that tell of the library: what is unfinished, what is kept, what was used."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError, OpeaiError, OptionError
from opeai_nb.notebook.display.table import Table, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opeai_nb.library import Entry, Record, UsageRow
    from opeai_nb.notebook.display.table import Cell
    from opeai_nb.notebook.magic.imagine import Imagine
    from opeai_nb.studio import Job, Studio

_SHOWN: Final = 20
_DAYS_SHOWN: Final = 14
_HOUR: Final = 3600.0
SEND: Final = "--send"
_NEXT: Final = {
    "not sent": f"run its cell again · forget · resume {SEND}",
    "outcome unknown": f"may be painted and paid for: forget · resume {SEND}",
    "expired": "the platform has dropped it: forget",
    "not kept": "its pictures could not be saved: forget",
}


# -- what is unfinished


def tasks(magic: Imagine) -> Table:
    """List what is unfinished, whichever kernel began it, and what can become of it."""
    from opeai_nb.studio.recovery import way_on

    studio = magic.studio
    jobs = {job.id: job for job in _under_way(studio)}
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
        return "runs in another kernel"
    if way == "resume":
        return "resume"
    return _NEXT[entry.truth]


def _left(entry: Entry) -> str:
    """Return how long the platform still keeps a task: `23 h`, or minutes when it is short."""
    left = entry.time_left()
    if left is None or entry.truth != "pending":
        return ""
    return f"{left / _HOUR:.0f} h" if left >= 2 * _HOUR else f"{left / 60:.0f} min"


def _with_problems(studio: Studio, note: str) -> str:
    problems = studio.library.problems(new=True)
    return "\n".join([*([note] if note else []), *(f"Skipped: {told}." for told in problems)])


def resume(magic: Imagine, *arguments: str) -> Any:
    """Finish one request, or with no id all that GETs alone can finish."""
    ids = [word for word in arguments if word != SEND]
    if len(ids) == 1:
        job = magic.studio.resume(_known(magic, ids[0]), send=SEND in arguments)
        return _watched(magic, job)
    if ids:
        raise OptionError("resume takes one id, or none.", advice="%imagine tasks lists the ids.")
    if arguments:
        raise OptionError(
            f"resume {SEND} sends one request, and may cost money.",
            advice=f"Name it: %imagine resume ID {SEND}. %imagine tasks lists the ids.",
        )
    jobs = magic.studio.resume_all()
    if not jobs:
        return Table((), (), note=_nothing_to_resume(len(magic.studio.library.pending())))
    return _watched(magic, jobs[0]) if len(jobs) == 1 else _each(magic, jobs)


def _nothing_to_resume(others: int) -> str:
    if not others:
        return "Nothing is pending."
    return f"Nothing can be resumed; {others} unfinished: %imagine tasks tells what can be done."


def _watched(magic: Imagine, job: Job) -> Any:
    from opeai_nb.notebook.display.badge_display import Screen
    from opeai_nb.notebook.magic.run_cell import watched

    return watched(job, Screen(magic.frontend))


def _each(magic: Imagine, jobs: Iterable[Job]) -> Table:
    """Wait for all, show what came of each, and raise the first error when all are done."""
    from IPython.display import display

    done, errors = [], []
    for job in jobs:
        try:
            generation = _watched(magic, job)
        except OpeaiError as error:
            errors.append(error)
        else:
            display(generation)
            done.append(generation)
    if errors:
        raise errors[0]
    return Table((), (), items=done, note=f"{len(done)} requests finished.")


def stop(magic: Imagine, task: str) -> Table:
    """Stop waiting for a job of this kernel."""
    for job in _under_way(magic.studio):
        if (job.id and job.id.startswith(task)) or job.task_id == task:
            job.stop()
            told = "Not waiting for it any more. What was sent goes on at the platform."
            return Table((), (), note=told)
    raise OptionError(f"No job {task!r} runs in this kernel.", advice="%imagine tasks lists all.")


def forget(magic: Imagine, task: str) -> Table:
    """Drop an unfinished request, with whatever reached us of it."""
    entry = magic.studio.library.entry(task)
    if any(job.id == entry.id for job in _under_way(magic.studio)):
        raise OptionError(
            f"The job {entry.id} runs in this kernel.", advice=f"%imagine stop {entry.id} first."
        )
    entry.forget()
    return Table((), (), note="Forgotten.")


def _known(magic: Imagine, text: str) -> Entry | str:
    """Return what *text* names: a job of this kernel that runs may be named by its task, too."""
    for job in _under_way(magic.studio):
        if job.task_id == text:
            return job.id
    return magic.studio.library.entry(text)


def _under_way(studio: Studio) -> list[Job]:
    return [job for job in studio.jobs if not job.is_settled]


# -- what is kept


def info(magic: Imagine, *words: str) -> Table:
    """Tell where a picture file comes from."""
    from opeai_nb.library import info as told_by

    name = " ".join(words).strip("\"'")
    told = told_by(_found(magic, name))
    try:
        rows = [(field, text) for field, text in _facts(told) if text]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise LibraryError(f"What {name}: its metadata has been edited.") from error
    return Table(("", ""), rows, items=(told,))


def _found(magic: Imagine, name: str) -> Path:
    """Return the file: by its path, or by its name in the library."""
    path = Path(name).expanduser()
    kept = magic.studio.library.folder / name
    return kept if not path.exists() and kept.is_file() else path


def _facts(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    request = told.get("request") or {}
    yield "prompt", str(request.get("prompt", told.get("parameters", "")))
    yield "revised prompt", str(told.get("revised_prompt") or "")
    for field, value in request.items():
        if field == "image":
            yield "input pictures", ", ".join(str(i.get("name") or i["sha256"]) for i in value)
        elif field != "prompt":
            yield field.replace("_", " "), str(value)
    width_height = told.get("size")
    yield "pixels", "x".join(map(str, width_height)) if width_height else ""
    yield "made", f"{_when_iso(told.get('created'))} by the {told.get('origin', '')}".strip()
    yield "task", str(told.get("task_id") or "")
    yield "request id", str(told.get("request_id") or "")
    yield "tokens", str((told.get("usage") or {}).get("total_tokens") or "")
    yield "toolkit", str(told.get("toolkit") or "")
    yield "sha256", str(told.get("sha256") or "")


def history(magic: Imagine, *words: str) -> Table:
    """List what is kept, newest first, each with a small picture: all, or what has these words."""
    found = magic.studio.library.search(" ".join(words), limit=_SHOWN + 1)
    records = found[:_SHOWN]
    rows = [
        (
            _tile(record),
            record.id,
            _when(record.created),
            record.model,
            len(record.paths),
            record.prompt,
        )
        for record in records
    ]
    note = "" if records else "The library is empty." if not words else "No prompt has these words."
    if len(found) > _SHOWN:
        note = f"The newest {_SHOWN}. %imagine history WORDS searches the prompts."
    head = ("", "id", "when", "model", "pictures", "prompt")
    return Table(head, rows, items=records, note=note)


def _tile(record: Record) -> Thumbnail | str:
    from opeai_nb.imaging.open_picture import UndecodableError
    from opeai_nb.notebook.panel.previews import tile

    if not record.paths:
        return ""
    try:
        return Thumbnail(tile(record.paths[0]), record.prompt)
    except (OSError, UndecodableError):
        return ""


# -- what was used


def usage(magic: Imagine) -> Table:
    """Tell requests, pictures and tokens: of this session, by day and model, and in all."""
    session, kept = magic.studio.usage, magic.studio.library.usage()
    days = list(dict.fromkeys(row.day for row in kept))
    rows = [_used("this session", row) for row in session]
    rows += [_used(row.day, row) for row in kept if row.day in days[:_DAYS_SHOWN]]
    note = "" if kept else "The library is empty."
    if kept:
        rows.append(_used("in all", kept.total))
    asked, limit = magic.studio.ledger.asked, magic.studio.settings.max_images_per_session
    if limit:
        note = f"{asked} of {limit} pictures asked for in this session."
    head = ("when", "model", "by", "requests", "pictures", "tokens")
    return Table(head, rows, items=kept, note=note)


def _used(when: str, row: UsageRow) -> tuple[Cell, ...]:
    return when, row.model, row.origin, row.requests, row.pictures, row.tokens


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _when_iso(text: object) -> str:
    return _when(datetime.fromisoformat(str(text)).timestamp()) if text else ""
