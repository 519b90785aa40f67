"""A task in an answer, and the pictures that stand with it.

    read_task      the object that speaks of it, what has come of it, its id, its link
    holds_result   whether an HTTP failure shows all the same what was paid for

What a single object says of a task is read in `task_fields`, a link to it in `task_link`, several
tasks of one answer in `several_tasks`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.client.values.answer_notes import GUESS
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import VAGUE, Status, Task, read_status
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.read_error import find_problem, problem_of, reason_in
from opeai_nb.client.wire.read_pictures import (
    PICTURE_FILE,
    count_listed,
    found_in,
    guessed_in,
    listed_in,
    pictures_in,
)
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.task.guessed_id import GUESSED_ID, guessed_id, only_id
from opeai_nb.client.wire.task.task_fields import (
    id_of,
    integer,
    is_at_its_end,
    progress_in,
    row_id,
    status_word,
)
from opeai_nb.client.wire.task.task_link import (
    answer_link,
    id_in_link,
    poll_link,
    says_where,
    task_link_in,
)
from opeai_nb.errors import ModerationError, OpeaiError, QuotaError, TaskFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.wire.unwrap import Places
    from opeai_nb.client.wire.unwrapped_answer import UnwrappedAnswer

_TASK_OBJECT: Final = "image.generation.task"


def read_task(answer: UnwrappedAnswer) -> Task | None:
    """Return the task that an answer tells of; None when it tells of none."""
    places, reply = answer.places, answer.reply
    node = _task_node(places.nodes)
    link = poll_link(places, reply)
    if node is None and (link is None or not says_where(reply.status, link)):
        return None
    node = node or {}
    outcome = _outcome(answer, node)
    is_open = bool(status_word(node)) and outcome.status not in {"done", "failed"}
    task_id, is_guess = _task_id(places, node, link, is_open=is_open)
    return Task(
        id=task_id,
        status=outcome.status,
        platform_status=status_word(node) or "",
        progress=progress_in(places),
        model=places.first("model"),
        prompt=places.first("prompt"),
        created=integer(places.first("created_at", "created", "submit_time", kind=(int, float))),
        pictures=outcome.pictures,
        usage=places.first("usage", kind=dict),
        error=outcome.error,
        request_id=answer.request_id,
        poll_path=answer_link(places)
        if outcome.status == "done" and not outcome.pictures
        else link,
        notes=(*outcome.notes, GUESSED_ID) if is_guess else outcome.notes,
    )


class _Outcome(NamedTuple):
    """What has come of a task so far."""

    status: Status
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()
    error: OpeaiError | None = None


def _outcome(answer: UnwrappedAnswer, node: Mapping[str, Any]) -> _Outcome:
    """Return what has come of a task, by its word, and by what stands beside that."""
    word = status_word(node)
    status = read_status(word) if word or not is_at_its_end(answer.places.nodes) else "done"
    if status == "done" or _is_made(answer, word):
        pictures, notes = _pictures_of_done(answer)
        if pictures or not _ended_in_error(node):
            return _Outcome("done", pictures, notes)
        status = "failed"
    error = _failure(answer, node) if status == "failed" else None
    if error is not None and (left := _left_behind(answer, error)):
        return _Outcome("done", left, (LEFT_BEHIND,))
    return _Outcome(status, _early(answer, node), error=error)


def _is_made(answer: UnwrappedAnswer, word: str | None) -> bool:
    """Tell whether an answer lists what was asked for, without a word or with an unknown one.

    An unknown word beside fewer pictures than were asked for may say that more will come.
    """
    if word and read_status(word) != "unknown":
        return False
    listed = count_listed(answer)
    if not word and not listed:  # bytes under their own name are no input either
        named = [("", [each["b64_json"]]) for each in answer.places.nodes if "b64_json" in each]
        listed = count_listed(answer.with_lists(named))
    return listed > 0 and (not word or listed >= answer.wanted)


def _ended_in_error(node: Mapping[str, Any]) -> bool:
    """Tell a task that is over, with an `error` (Google, fal): it is not the question's.

    Beside `success` it may be.
    """
    problem = find_problem(node)
    is_sure = squeezed(status_word(node) or "").upper() not in VAGUE
    return is_sure and problem is not None and not problem.is_flat


def _task_id(
    places: Places, node: Mapping[str, Any], link: str | None, *, is_open: bool
) -> tuple[str, bool]:
    """Return the id of a task, and whether it is what stands in its place where it *is_open*."""
    told = id_of(node) or next(filter(None, map(id_of, places.nodes)), "")
    told = told or _last_id(places, link) or guessed_id(places)
    if told or not is_open:
        return told, False
    last = only_id(places)
    return last, bool(last)


def _early(answer: UnwrappedAnswer, node: Mapping[str, Any]) -> tuple[Picture, ...]:
    """Return what is shown before the status says that it is done: who asks again will tell.

    A word that nobody knows may mean it, and a failure may leave some behind, which are not to be
    lost. Of a task that goes on only the whole list of one that is at its end: others are drafts.
    """
    status = read_status(word := status_word(node))
    if not word or status in {"unknown", "failed"}:
        return _good(pictures_in(answer))
    listed = _good(listed_in(answer)) if is_at_its_end(answer.places.nodes) else ()
    return listed if len(listed) >= answer.wanted else ()


def holds_result(answer: UnwrappedAnswer, task: Task | None) -> bool:
    """Tell whether an HTTP failure shows all the same what was paid for: pictures, or a live task.

    A list of pictures, what by its name or its ending is one, or a task of which the answer says
    in a word that it goes on or is done: another id or URL may be an error's own.
    """
    is_live = task is not None and task.platform_status and task.status not in _NOT_LIVE
    if (task and task.id and is_live) or count_listed(answer):
        return True
    # What a 5xx says is kept in any case.
    is_refusal = answer.reply.status < 500 and not answer.is_of_edit  # noqa: PLR2004  the server's own fault
    return is_refusal and any(map(_names_picture, answer.places.nodes))


def _names_picture(node: Mapping[str, Any]) -> bool:
    """Tell an object that names a picture: by what a result is called, or by the file's ending."""
    links = (str(node.get(name)) for name in ("url", "image_url", "image", "sample"))
    return bool(node.get("result_url")) or any(map(PICTURE_FILE.fullmatch, links))


_NOT_LIVE: Final = frozenset({"failed", "unknown"})


LEFT_BEHIND: Final = (
    "The platform says that the task failed; it lists pictures all the same, and these were taken."
)


def _left_behind(answer: UnwrappedAnswer, error: OpeaiError) -> tuple[Picture, ...]:
    """Return what a failed task lists all the same, its *error* in the place of what is missing.

    None where nobody knows what was asked for: a list of `images` may be the inputs of an edit.
    """
    items = listed_in(answer) if answer.request is not None else []
    is_short = len(items) < answer.wanted
    return (*items, *([Picture(error=error)] if is_short else [])) if _good(items) else ()


def _task_node(nodes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the object that speaks of a task, the outermost where an upstream's is inside.

    It has a status and an id, or names itself a task, or has a status alone, or an id with nothing
    that says otherwise beside it.
    """
    told = [node for node in nodes if status_word(node) is not None]
    told.sort(key=lambda node: read_status(status_word(node)) == "unknown")  # `ok`, of the question
    ways = (
        (node for node in told if id_of(node)),
        (node for node in nodes if node.get("object") == _TASK_OBJECT),
        told,
        (node for node in nodes if node.get("task_id") and id_of(node)),
        filter(task_link_in, nodes),
        (node for node in nodes[:1] if node.keys() <= _BARE and row_id(node)),
    )
    return next(chain.from_iterable(ways), None)


_BARE: Final = frozenset({"id", "created", "created_at", "model"})


def _good(pictures: list[Picture] | None) -> tuple[Picture, ...]:
    return tuple(picture for picture in pictures or () if picture.error is None)


def _last_id(places: Places, link: str | None) -> str:
    """Return what else may be an id: a number, or what the link to the task ends in."""
    numbers = filter(None, map(row_id, places.nodes))
    named = places.first("request_id", "uuid", "name") if link else None
    return next(numbers, None) or named or (id_in_link(link) if link else "")


def _pictures_of_done(answer: UnwrappedAnswer) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Return the pictures of a task that is done, and what a person should be told of them."""
    found = found_in(answer)
    pictures = found.pictures or []
    if any(picture.error is None for picture in pictures):
        return tuple(pictures), found.notes
    reason = answer.places.first("fail_reason")  # older builds keep the URL of a success there
    if reason and reason.startswith("http"):
        return (Picture(url=reason),), ()
    guesses = guessed_in(answer)
    return (tuple(guesses), (GUESS,)) if guesses else (tuple(pictures), ())


def _failure(answer: UnwrappedAnswer, node: Mapping[str, Any]) -> OpeaiError:
    # The task's own words first, and what is innermost: an envelope says SUCCEED of the query.
    inward = [node, *reversed(answer.places.nodes)]
    problem = next(filter(None, map(find_problem, inward)), None) or problem_of(
        reason_in(inward), code=node.get("code")
    )
    problem = replace(problem, message=problem.message or _word_of(node))
    error = error_of(problem, paid=False)
    if isinstance(error, (ModerationError, QuotaError)):
        return error
    return TaskFailedError(
        f"The task failed: {problem.message.rstrip('.')}.",
        code=problem.code,
        type=problem.type,
        request_id=answer.request_id or problem.request_id,
    )


def _word_of(node: Mapping[str, Any]) -> str:
    """Return a status word that says more than that it failed (BFL: `Content Moderated`)."""
    word = status_word(node) or ""
    return word if len(word.split()) > 1 else "no reason given"
