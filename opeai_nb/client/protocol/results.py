"""From an answer to a generation whose pictures are all here.

    assembled   pictures of an answer at once, or the error for an answer without any
    finished    the pictures of a settled task, or what it failed of
    together    what the tasks of one request say as one

How far an answer was understood is told by `is_read` and `is_whole`; of a single picture by
`is_unread` (something stands there), `is_unfinished` (it may come) and `is_to_come` (from a task).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.picture_source import is_one_of
from opeai_nb.client.protocol.steps import Reply
from opeai_nb.client.values.answer_notes import DOUBTS, DROPPED_INPUT, ECHOED, GUESS
from opeai_nb.client.values.generation import Generation
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.picture_end import is_in_part
from opeai_nb.client.values.request import ImageRequest, wanted
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.error.messages import KEPT, SAID_EMPTY, UNFINISHED
from opeai_nb.client.wire.read_documented import Pictures
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.errors import (
    Answer,
    NoPictureError,
    OpeaiError,
    TaskExpiredError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.fields import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def assembled(
    found: Pictures,
    request: ImageRequest,
    task_id: str | None = None,
    answer: Callable[[], Answer] | None = None,
) -> Generation:
    """Return the generation of an answer; raise the items' `OpeaiError` when none is a picture.

    *answer* gives it as it came: kept where it was guessed at, or where an item cannot be read.
    """
    notes = (*found.notes, *_dropped_input(found, request))
    is_kept = answer is not None and not is_whole(found.pictures, notes)
    generation = Generation(
        pictures=found.pictures,
        request=request,
        usage=found.usage,
        task_id=task_id or found.task_id,
        created=found.created,
        model=found.model,
        request_id=found.request_id,
        notes=notes,
        answer=answer() if answer is not None and is_kept else None,
    )
    if not generation.good:
        raise nothing_good(generation, found.reason)
    return generation


def is_whole(pictures: Sequence[Picture], notes: Sequence[str] = ()) -> bool:
    """Tell whether all that an answer gave is here: only else it is kept as it came.

    What leads to no picture may have been the wrong URL of several.
    """
    is_here = all(p.source is not None or p.error is not None for p in pictures)
    has_some = any(picture.error is None for picture in pictures)
    return has_some and is_here and is_read(pictures, notes)


def is_read(pictures: Sequence[Picture], notes: Sequence[str] = ()) -> bool:
    """Tell whether an answer was understood to its end, its pictures fetched or not."""
    return _UNSURE.isdisjoint(notes) and not any(map(is_unread, pictures))


def is_unread(picture: Picture) -> bool:
    """Tell an item that we could not read to its end from one that the platform says has failed."""
    error = picture.error
    if error is None:
        return is_in_part(picture)
    return isinstance(error, NoPictureError) and not error.message.startswith(SAID_EMPTY)


def is_unfinished(picture: Picture) -> bool:
    """Tell an item that came before its picture: who asks again may get it."""
    return picture.error is not None and picture.error.message == UNFINISHED


def is_to_come(picture: Picture) -> bool:
    """Tell an item that came before its picture, and names the task that makes it."""
    return is_unfinished(picture) and bool(picture.error and picture.error.task_id)


def _dropped_input(found: Pictures, request: ImageRequest) -> tuple[str, ...]:
    """Tell a gateway that dropped the input pictures: the answer's own account counts none."""
    if not request.image:
        return ()
    usage = {squeezed(name): value for name, value in (found.usage or {}).items()}
    details = usage.get("inputtokensdetails", usage.get("prompttokensdetails"))
    details = details if isinstance(details, dict) else {}
    counted = next(
        (value for name, value in details.items() if squeezed(name) == "imagetokens"), None
    )
    is_none = str(counted).strip() in {"0", "0.0"}  # a gateway in another language says 0.0 or "0"
    return (DROPPED_INPUT,) if is_none else ()


_UNSURE: Final = DOUBTS | {GUESS}


def without_echo(generation: Generation) -> Generation:
    """Leave out an input that an answer repeats at a URL of its own: no name in it said so.

    Where that would leave fewer than were asked for it stays, and is told.
    """
    inputs = generation.request.image
    sent = {data for image in inputs for data in (image.data, image.sent) if data}
    others = tuple(p for p in generation.pictures if not sent or not is_one_of(p.source, sent))
    if len(others) == len(generation.pictures):
        return generation
    if sum(picture.error is None for picture in others) >= wanted(generation.request):
        return replace(generation, pictures=others)
    return replace(generation, notes=(*generation.notes, ECHOED))


def received(reply: Reply) -> tuple[Picture, ...]:
    """Return the pictures whose bytes came with an answer, for the error that it is."""
    return tuple(Picture(source=source) for _, source in sorted(reply.pictures.items()))


def nothing_good(generation: Generation, reason: str = "") -> OpeaiError:
    """Return the error for an answer without any picture: the items' own when they agree.

    *reason* is what the answer says where it lists none.
    """
    if GUESS in generation.notes:
        return _with_evidence(UnreadableAnswerError(NO_GUESS, advice=KEPT), generation)
    errors = [picture.error for picture in generation.failed if picture.error is not None]
    error = copy(errors[0]) if len({type(error) for error in errors}) == 1 else None
    if error is None or isinstance(error, NoPictureError):
        empty = f": its list is empty, and it says: {reason!r}." if reason else _EMPTY
        told = f": {errors[0].message}" if errors else empty
        error = NoPictureError(f"The platform answered without any picture{told}")
    return _with_evidence(error, generation)


def _with_evidence(error: OpeaiError, generation: Generation) -> OpeaiError:
    error.request, error.pictures = generation.request, generation.pictures
    error.request_id, error.task_id = generation.request_id, generation.task_id
    error.answer = generation.answer or error.answer
    return error


NO_GUESS: Final = (
    "The answer holds neither a picture, nor a task, nor an error; what stood where a picture "
    "might be is none."
)
_EMPTY: Final = (
    ": its list is empty. A proxy between may have dropped a task that is still being painted, and "
    "paid for."
)


def finished(task: Task) -> Generation:
    """Return the generation of a settled task (not downloaded yet); raise what it failed of."""
    request = task.request or _earlier(task)
    if task.error is not None:
        # What an object shows may be its input, so it is no result; nor nothing. What a refusal or
        # an empty account advises helps all the same.
        if task.pictures and type(task.error) is TaskFailedError:
            task.error.advice = _TASK_KEPT
        raise task.error
    if not task.pictures:
        error = NoPictureError(
            _NO_PICTURE,
            task_id=task.id,
            request=request,
            advice=_TASK_KEPT if task.id else None,
        )
        error.answer = task.answer
        raise error
    found = Pictures(
        task.pictures, task.usage, task.created, task.model, task.request_id, notes=task.notes
    )
    answer = task.answer
    try:
        return assembled(found, request, task.id, None if answer is None else lambda: answer)
    except OpeaiError as failure:
        failure.answer = task.answer
        raise


def together(task: Task, ends: Sequence[Task]) -> Task:
    """Return what the last snapshots of the tasks of one request say of all of them, in order.

    While one goes on, so do all; one that failed is a failed picture beside those of the others, if
    these are not all that was asked for. Raises `TaskExpiredError` where there is none of these,
    and one is not known.
    """
    ids: dict[str, Any] = {"id": task.id, "poll_path": task.poll_path}
    if still := [end for end in ends if not end.is_settled]:
        return replace(still[0], **ids)
    done = [end for end in ends if end.status == "done"]
    if not done:
        # One that nobody knows now may be known later; what failed has failed.
        lost = [end for end in ends if isinstance(end.error, TaskExpiredError)]
        last = (lost or ends)[0]
        if last.error is not None:
            last.error.task_id = task.id
        if lost and last.error is not None:
            raise last.error
        return replace(last, **ids)
    count = sum(picture.error is None for end in done for picture in end.pictures)
    ends = done if count >= wanted(task.request) else ends
    answers = [a for end in ends if (a := end.answer or (end.error and end.error.answer))]
    return replace(
        done[0],
        **ids,
        pictures=tuple(picture for end in ends for picture in _outcome(end)),
        usage=reduce(_added, [end.usage for end in done if end.usage], None),
        notes=tuple(dict.fromkeys(note for end in ends for note in end.notes)),
        answer=Answer(b"\n".join(answers)) if answers else None,
    )


def _outcome(task: Task) -> tuple[Picture, ...]:
    if task.status == "done" and task.pictures:
        return task.pictures
    error = task.error
    if error is None or isinstance(error, TaskExpiredError):  # it is missing, and may come yet
        error = NoPictureError(error.message if error else _NO_PICTURE, task_id=task.id)
    return (Picture(error=error),)


def _added(one: Any, other: Any) -> Any:
    """Return the sum of two accounts, count by count; what is no count stays as in the first."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: _added(one.get(name), other.get(name)) for name in {**one, **other}}
    are_counts = all(type(each) in (int, float) for each in (one, other))
    return one + other if are_counts else other if one is None else one


_NO_PICTURE: Final = "The task succeeded, but no picture came with it."
_TASK_KEPT: Final = (
    "The task's answer is kept in error.answer, and the task itself for 24 hours: `%imagine "
    "resume` asks it again, also after an update."
)


def _earlier(task: Task) -> ImageRequest:
    """Return the request of a task of which only the id was known: what the platform echoes."""
    prompt = task.prompt if task.prompt and task.prompt.strip() else "an earlier task"
    return ImageRequest(prompt=prompt, model=task.model or DEFAULT_MODEL)
