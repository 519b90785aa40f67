"""From an answer or a task to pictures in the library: wait, fetch, keep.

follow_task --> receive --> keep
|
+------> what came stays in the journal: some are still to be fetched
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opeai_nb.client.protocol.patience import Patience
from opeai_nb.client.protocol.results import (
    NO_GUESS,
    finished,
    is_read,
    is_to_come,
    is_unread,
    nothing_good,
    without_echo,
)
from opeai_nb.client.values.answer_notes import CUT_TASKS, DOUBTS, GUESS
from opeai_nb.client.wire.task.guessed_id import GUESSED_ID
from opeai_nb.errors import Answer, DownloadError, NoPictureError, OpeaiError, TaskExpiredError
from opeai_nb.studio.pipeline.answered import in_file, out_of_the_journal
from opeai_nb.studio.pipeline.job_context import made_folder, reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.task import Task
    from opeai_nb.library import Entry
    from opeai_nb.studio.pipeline.job_context import JobContext

_DROPPED: Final = (
    "The platform keeps pictures for 24 hours, and these are over: `%imagine forget` drops the "
    "request, and its cell can ask for another picture then."
)
_SHOWN: Final = "The answer shows a picture beside the id of a task."
_NOWHERE: Final = "This picture could not be saved, and the process that had it is gone."


async def follow_task(
    context: JobContext, entry: Entry, task: Task, *, is_new: bool = True
) -> Generation:
    """Wait for a task, and return its pictures as they are kept.

    *is_new* says that it was begun just now: else it may be done for long.
    """
    started = time.monotonic()
    try:
        if not is_new:  # ask before waiting for it
            task = replace(task, answer=await context.disk(_kept_answer, entry))
            task = await context.client.task(task, timeout=context.timeout)
        last = await context.client.watch(
            task,
            context.progress.saw,
            timeout=max(0.0, started + context.timeout - time.monotonic()),
            durations=context.progress.durations if is_new else (),
            into=await context.disk(made_folder, entry.folder),
        )
    except TaskExpiredError as error:
        from opeai_nb.client.protocol.read_submission import beside_id  # seldom needed

        last = beside_id(task)
        # Within its 24 hours a task that is not found may be another account's.
        if not last.pictures:
            if entry.is_over:
                await context.settle(entry, error)
            raise
    try:
        generation = finished(last)
    except NoPictureError as error:
        await context.disk(entry.unread, reason(error), error.answer or b"")
        raise
    except OpeaiError as error:
        # It failed, and may show some all the same.
        if any(picture.error is None for picture in last.pictures):
            await context.disk(entry.unread, reason(error), error.answer or b"")
        else:
            if task.notes == (GUESSED_ID,):  # the guess came true: the first answer is read
                await context.disk(entry.understood)
            await context.settle(entry, error)
        raise
    return await receive(context, entry, generation, time.monotonic() - started)


def _kept_answer(entry: Entry) -> Answer | None:
    answer = entry.answer()
    return None if answer is None else Answer(answer)


def noted_task(context: JobContext, entry: Entry, task: Task) -> tuple[float, ...]:
    """Note a task in the journal, and return how long such tasks took, in seconds."""
    entry.submitted(context.mask.hidden_in_task(task))
    doubts = {GUESSED_ID, CUT_TASKS}.intersection(task.notes)
    if task.answer and (doubts or task.pictures or task.status == "done"):
        entry.unread(next(iter(doubts), _SHOWN), task.answer)
    elif task.answer and task.says_more:
        entry.keep_answer(task.answer)
    return context.durations(tasks=True)


async def receive(
    context: JobContext, entry: Entry, generation: Generation, waited: float = 0.0
) -> Generation:
    """Download what is not here yet, keep everything, and return it as it is kept.

    *waited* is how many of the job's seconds went by with its task.
    """
    context.progress.says("fetching")
    known, whole = await context.disk(_arrived, context, entry, generation)
    if whole is not None:
        return whole
    # Of several each is fetched alone: none is looked for in the answer, where the others are.
    answer = generation.answer if len(generation.pictures) == 1 else None
    seconds = Patience(context.timeout).for_downloads(waited)
    fetched = await asyncio.gather(
        *(
            _fetched(
                context,
                replace(generation, pictures=(picture,), notes=(), answer=answer),
                entry.folder / str(number),
                known.get(number),
                seconds,
            )
            for number, picture in enumerate(generation.pictures)
        )
    )
    # A task may bring more than the one that was to come: the places of the others stay.
    pictures = (*(first for first, *_ in fetched), *(p for _, *more in fetched for p in more))
    whole = replace(generation, pictures=pictures, origin=context.progress.origin)
    missing = sum(isinstance(picture.error, DownloadError) for picture in whole.failed)
    if missing and len(pictures) > len(generation.pictures):
        await context.disk(entry.answered, context.mask.hidden_in(whole))
    if missing and generation.answer:  # the URLs that were read in it may be the wrong ones
        await context.disk(entry.keep_answer, generation.answer)
    if not whole.good:
        raise await _without_any(context, entry, whole)
    if not missing or entry.is_over:
        _tell_only(context, generation)
        return await context.disk(keep, context, entry, whole)
    context.progress.note(
        f"{missing} of {len(pictures)} pictures could not be downloaded yet; "
        "`%imagine resume` fetches what is missing, for 24 hours."
    )
    return await context.disk(out_of_the_journal, whole, entry)


async def _without_any(context: JobContext, entry: Entry, whole: Generation) -> BaseException:
    """Return the error for an answer of which no picture came."""
    if GUESS in whole.notes:
        await context.disk(entry.unread, NO_GUESS, whole.answer or b"")
        return nothing_good(whole)
    error = whole.failed[0].error or AssertionError("a failed picture has an error")
    if entry.is_over and type(error) is DownloadError:  # one refused may still be there
        error.advice = _DROPPED
    return error


def _arrived(
    context: JobContext, entry: Entry, generation: Generation
) -> tuple[Mapping[int, Path], Generation | None]:
    """Note an answer; return the files that came with it, and what is kept if that is all."""
    if generation.answer is not None and not is_read(generation.pictures, generation.notes):
        entry.keep_answer(generation.answer)
    entry.answered(context.mask.hidden_in(generation))
    known = entry.received()
    if not known or len(known) < len(generation.pictures):
        return known, None
    pictures = tuple(
        in_file(picture, known[number]) for number, picture in enumerate(generation.pictures)
    )
    _tell_only(context, generation)
    whole = replace(generation, pictures=pictures, origin=context.progress.origin)
    return known, keep(context, entry, whole)


async def _fetched(
    context: JobContext, alone: Generation, folder: Path, known: Path | None, seconds: float
) -> tuple[Picture, ...]:
    """Return what is at the one place of *alone*, at least one picture.

    *known* is the file with which it came, *folder* where it goes while it is fetched.
    """
    (picture,) = alone.pictures
    if known is not None:
        return (replace(picture, source=known, error=None),)
    if picture.source is not None or (picture.error is not None and not is_to_come(picture)):
        return (picture,)
    if not picture.url and picture.error is None:
        return (replace(picture, error=NoPictureError(_NOWHERE)),)
    try:
        room = await context.disk(made_folder, folder)
        fetched = await context.client.fetch(alone, timeout=seconds, into=room)
    except DownloadError as error:
        first, *more = error.pictures or (picture,)
        return replace(first, error=error), *more
    except OpeaiError as error:  # one that is still to come
        return error.pictures or (picture,)
    return fetched.pictures


def keep(context: JobContext, entry: Entry, whole: Generation) -> Generation:
    """Keep pictures and record, and settle the entry."""
    told = len(whole.notes)
    whole = without_echo(whole)
    for note in whole.notes[told:]:
        context.progress.note(note)
    is_sure = DOUBTS.isdisjoint(whole.notes)
    if whole.answer is not None and is_sure and not any(map(is_unread, whole.pictures)):
        whole = replace(whole, answer=None)  # a guess that came true
    kept = context.library.keep(entry, context.mask.hidden_in(whole))
    context.ledger.made(entry.id)
    return out_of_the_journal(kept, entry)


def _tell_only(context: JobContext, generation: Generation) -> None:
    """Say what is to be said of the answer; what the journal could not promise is over."""
    context.progress.notes.clear()
    for note in generation.notes:
        context.progress.note(note)
