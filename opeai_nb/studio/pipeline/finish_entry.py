"""What an earlier run has left in the journal is finished here, by GETs alone.

In this order: pictures in this process's memory, an answer that was not read to its end, pictures
whose URLs are known, a task. What somebody else's journal names is fetched from hosts that are
known already, else only when the user says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb.client.protocol.results import is_unfinished, is_unread
from opeai_nb.client.values.task import Task
from opeai_nb.errors import (
    DownloadError,
    InputError,
    LibraryError,
    OpeaiError,
    RefusedDownloadError,
)
from opeai_nb.studio.pipeline.answered import hosts_of, with_missing
from opeai_nb.studio.pipeline.receive_pictures import follow_task, keep, noted_task, receive

if TYPE_CHECKING:
    from opeai_nb.client import Generation
    from opeai_nb.library import Entry
    from opeai_nb.studio.pipeline.job_context import JobContext


async def finish(context: JobContext, entry: Entry) -> Generation:
    """Finish what was begun earlier, by GETs alone.

    Raises `InputError` when there is neither a task nor a picture: its outcome is unknown, or
    it was never sent. Raises `LibraryError` when another kernel's memory holds its pictures.
    """
    if (unkept := context.library.unkept(entry)) is not None:
        return await context.disk(keep, context, entry, unkept)
    if await context.disk(lambda: entry.is_held_elsewhere):
        raise LibraryError(
            "Pictures of this request are in the memory of another kernel: no disk took them.",
            advice="Free some room, and run %imagine resume in that kernel.",
        )
    is_pending = entry.state == "pending"
    generation = None if is_pending else await context.disk(_left, context, entry)
    left = () if generation is None else generation.pictures
    if (entry.has_unread or any(map(is_unread, left))) and (
        answer := await context.disk(entry.answer)
    ) is not None:
        is_own = not await context.disk(entry.foreign_hosts)
        known = hosts_of(generation) if is_own and generation is not None else frozenset()
        return await _reread(context, entry, answer, known)
    if generation is not None:
        return await _fetched_or_reread(context, entry, generation)
    if entry.task_id is None:
        raise InputError(
            "This request has neither a task that could be asked about nor pictures to fetch.",
            advice="%imagine forget drops it, %imagine resume with --send sends it once more.",
        )
    return await follow_task(context, entry, _task_of(context, entry), is_new=False)


async def _fetched_or_reread(
    context: JobContext, entry: Entry, generation: Generation
) -> Generation:
    """Fetch what the journal names; where that is no picture, look into the answer again."""
    _check_hosts(context, entry, generation, await context.disk(entry.foreign_hosts))
    try:
        return await receive(context, entry, generation)
    except DownloadError:
        if (other := await context.disk(_other_reading, context, entry, generation)) is None:
            raise
    known = hosts_of(generation) if not await context.disk(entry.foreign_hosts) else frozenset()
    return await _fetched(context, entry, other, hosts_of(other) - known)


async def _fetched(
    context: JobContext, entry: Entry, generation: Generation, foreign: frozenset[str]
) -> Generation:
    """Fetch and keep pictures, unless they lie at *foreign* hosts that nobody has agreed to."""
    _check_hosts(context, entry, generation, foreign)
    return await receive(context, entry, generation)


def _other_reading(context: JobContext, entry: Entry, generation: Generation) -> Generation | None:
    """Return what the answer that was kept says today, where it leads elsewhere than it did."""
    if (answer := entry.answer()) is None:
        return None
    try:
        read = context.client.reread(answer, context.progress.request)
    except OpeaiError:
        return None
    if isinstance(read, Task) or [p.url for p in read.pictures] == [
        p.url for p in generation.pictures
    ]:
        return None
    return read


async def _reread(
    context: JobContext, entry: Entry, answer: bytes, known: frozenset[str]
) -> Generation:
    """Read an answer again that an earlier version, or a fault of ours, could not read.

    *known* are hosts that this user's own journal names.
    """
    known_task = _task_of(context, entry)
    try:
        read = await context.disk(context.client.reread, answer, context.progress.request)
    except OpeaiError:
        if entry.task_id is not None:
            return await follow_task(context, entry, known_task, is_new=False)
        generation = await context.disk(_left, context, entry)
        if generation is None:
            raise
        return await _fetched(context, entry, generation, await context.disk(entry.foreign_hosts))
    if len(known_task.parts) > 1 and getattr(read, "id", None) != known_task.id:
        return await follow_task(
            context, entry, known_task, is_new=False
        )  # it is the answer of one
    if isinstance(read, Task):
        context.progress.durations = await context.disk(noted_task, context, entry, read)
        return await follow_task(context, entry, read)
    if entry.task_id is not None and any(map(is_unfinished, read.pictures)):
        return await follow_task(context, entry, known_task, is_new=False)
    is_own = await context.disk(entry.wrote, answer)
    return await _fetched(context, entry, read, frozenset() if is_own else hosts_of(read) - known)


def _check_hosts(
    context: JobContext, entry: Entry, generation: Generation, foreign: frozenset[str]
) -> None:
    """Ask first where pictures lie at *foreign* hosts, which somebody else's journal names.

    Raises `RefusedDownloadError`, which says how to go on.
    """
    endpoint = context.client.endpoint
    new = foreign - {"", endpoint.host, *endpoint.allow_hosts}
    is_open = any(p.source is None and p.error is None for p in generation.pictures)
    if context.fetches_anywhere or not (new and is_open):
        return
    names = ", ".join(ascii(host)[1:-1] for host in sorted(new))[:300]
    raise RefusedDownloadError(
        f"This request was begun by somebody else, or on another machine, and its pictures are "
        f"to be fetched from {names}. Nothing was fetched.",
        advice=f"If you trust that: %imagine resume {entry.id} --fetch. Else "
        f"%imagine forget {entry.id} drops it.",
    )


def _left(context: JobContext, entry: Entry) -> Generation | None:
    """Return what the journal has of an answer, ready to be fetched."""
    if (generation := entry.generation()) is None:
        return None
    return with_missing(context.mask.restored_in(generation), entry)


def _task_of(context: JobContext, entry: Entry) -> Task:
    return Task(
        context.mask.restored(entry.task_id) or "",
        poll_path=context.mask.restored(entry.poll_path),
        request=context.progress.request,
    )
