"""What came back for a paid request: pictures, a task, a refusal, or the error that keeps it.

read_submission           an answer, whole or in part; `reread` one that was kept
beside_id                 what stood beside the id of a task that nobody knows
rescued, cut              what an answer told that broke off, else the error of that
pause_before_resending    what a refusal says about sending it again
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.content_encoding import unpacking
from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import (
    assembled,
    finished,
    is_to_come,
    is_whole,
    received,
)
from opeai_nb.client.protocol.steps import (
    CutAnswer,
    NotJson,
    Piece,
    Reply,
)
from opeai_nb.client.values.answer_notes import CUT_TASKS, GUESS
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import Task, joined
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.messages import KEPT
from opeai_nb.client.wire.error.read_error import Problem, problem_in
from opeai_nb.client.wire.error.unreadable import unread
from opeai_nb.client.wire.read_answer import read_answer
from opeai_nb.client.wire.read_documented import Pictures
from opeai_nb.client.wire.read_pictures import sure_guesses
from opeai_nb.client.wire.redact import without_key
from opeai_nb.client.wire.request_id import request_id_of
from opeai_nb.client.wire.task.task_link import leads_to_task, poll_link
from opeai_nb.client.wire.unwrap import Places
from opeai_nb.client.wire.unwrapped_answer import unwrapped
from opeai_nb.errors import (
    OpeaiError,
    OutcomeUnknownError,
    RateLimitError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.secret import Secret


_TASK_ID = re.compile(
    r'"(?:task|job)[_-]?id"\s*:\s*(?:"([^"\\]{1,200})"|(\d{1,30})\s*[,}])', re.IGNORECASE
)


def reread(
    answer: bytes,
    request: ImageRequest,
    key: Secret | None,
    known: frozenset[str] = frozenset(),
) -> Generation | Task:
    """Return what an answer that was kept says today: pictures (not downloaded yet), or a task.

    *known* are URLs that are no results.
    Raises what `submit` raises when it cannot be read yet.
    """
    answer = answer if key is None else key.restored(answer)
    reply = replace(_reply_of(answer, key), known=known)
    if _is_half(reply) and (part := _whole_part(reply, request)):
        return part
    result = read_submission(reply, request)
    if isinstance(result, Problem) and result.task_id:
        return Task(result.task_id, request=request)  # an error stood beside it: asking tells more
    if isinstance(result, Problem):
        raise _with_answer(error_of(result, paid=True), reply)
    return result


def beside_id(task: Task) -> Task:
    """Return as done what the answer shows that named a task, once nobody knows that task.

    The task itself where it shows nothing that is surely a picture.
    """
    shown = task.pictures
    if not shown and task.answer is not None and task.request is not None:
        shown = sure_guesses(unwrapped(_reply_of(task.answer, None), task.request))
    return (
        replace(task, status="done", pictures=shown, notes=(*task.notes, GUESS)) if shown else task
    )


def _reply_of(answer: bytes, key: Secret | None) -> Reply:
    """Return an answer that was kept as it came in: packed, perhaps, and nobody noted how."""
    replies = (_unpacked_reply(answer, coding, key) for coding in ("", "br", "deflate"))
    plain = next(replies)
    return next((r for r in (plain, *replies) if not isinstance(r.body, NotJson)), plain)


def _unpacked_reply(answer: bytes, coding: str, key: Secret | None) -> Reply:
    reader, pictures = unpacking(JsonReader(), coding), {}
    parts: dict[int, bytearray] = {}
    with suppress(CutAnswer):  # what stands before the damage may say enough
        for event in chain(reader.feed(answer), reader.finish()):
            if isinstance(event, Piece):
                parts.setdefault(event.number, bytearray()).extend(event.data)
            else:
                pictures[event.number] = bytes(parts.pop(event.number, b""))
    return Reply(200, {}, reader.body(), pictures, key=key, raw=lambda: answer)


def read_submission(reply: Reply, request: ImageRequest) -> Generation | Task | Problem:
    """Return what an answer says: pictures (not downloaded yet), a task, or a problem.

    Raises `UnreadableAnswerError`, `OutcomeUnknownError` where it ends in the middle, or what all
    its pictures failed of; each has the answer, and the pictures that came with it.
    """
    try:
        if _is_half(reply):
            return _half(reply, request)
        answer = read_answer(reply, request)
        if isinstance(answer, Problem) and answer.is_beside_result:
            answer = _task_beside(answer, reply)
        if isinstance(answer, Problem):
            return answer
        if isinstance(answer, Pictures):
            return assembled(answer, request, answer=reply.answer)
        if not answer.id and answer.is_settled:
            return finished(replace(answer, request=request, answer=reply.answer()))
        if not answer.id:
            raise UnreadableAnswerError(
                "The platform accepted the request, but gave no task id to ask about.",
                advice=KEPT,
                status_code=reply.status,
                request_id=answer.request_id,
            )
    except OpeaiError as error:
        error.pictures = error.pictures or received(reply)
        raise _with_answer(error, reply)  # noqa: B904  it is the same error
    if answer.error is not None:
        answer.error.task_id = answer.id or None
        answer.error.pictures = received(reply)
    return replace(
        answer,
        request=request,
        retry_after=schedule.retry_after(reply.headers),
        answer=None
        if answer.is_settled and is_whole(answer.pictures, answer.notes)
        else reply.answer(),
    )


def _task_beside(problem: Problem, reply: Reply) -> Task:
    """Return the task that a failure names, where no word of its body speaks of an error.

    Raises where one does: it is not sent again, on 429 neither, and not told as a refusal after
    which nothing was made.
    """
    if problem.task_id and problem_in(reply.body) is None:
        return Task(problem.task_id, request_id=problem.request_id)
    says = problem.message or problem.code or f"HTTP {problem.status}"
    raise unread(
        problem, f"The platform says {says!r}, and shows a picture or a task all the same."
    )


def _whole_part(reply: Reply, request: ImageRequest) -> Generation | None:
    """Return the pictures that are whole in an answer that ends in the middle; None without any."""
    whole = replace(reply, body=reply.body.whole) if isinstance(reply.body, NotJson) else None
    if whole is None or not isinstance(whole.body, (dict, list)):
        return None
    try:
        read = read_answer(whole, request)
        if not isinstance(read, Pictures) or GUESS in read.notes:
            return None
        part = assembled(read, request)
    except OpeaiError:
        return None
    later = tuple(filter(is_to_come, part.pictures))
    lost = max(0, request.count - len(part.good) - len(later))
    cut = tuple(Picture(error=OutcomeUnknownError(CUT)) for _ in range(lost))
    return replace(part, pictures=(*part.good, *later, *cut))


CUT: Final = "The answer was cut off before this picture."
_CAME_WHOLE: Final = (
    "What came whole is in error.pictures, and `%imagine resume` keeps it without paying again. "
    "The rest may have been painted and paid for, so it was not sent again."
)


def _with_answer(error: OpeaiError, reply: Reply) -> OpeaiError:
    """Hang on an error about a paid request what came: nothing of it is dropped."""
    is_open = isinstance(error, (UnreadableAnswerError, OutcomeUnknownError))
    if reply.is_success or is_open:
        error.answer = error.answer or reply.answer()
        error.status_code = error.status_code or reply.status
        error.request_id = error.request_id or _request_id(reply)
    return error


def _request_id(reply: Reply) -> str | None:
    name = request_id_of(reply.headers)
    return name and without_key(name, reply.key)


def _half(reply: Reply, request: ImageRequest) -> Task:
    """Return the task in an answer that ends in the middle; raise where there is none."""
    has_pictures = _whole_part(reply, request) is not None
    if not has_pictures and (task := _task_in_half(reply, request)) is not None:
        is_short = len(task.parts) < request.count
        return replace(task, answer=reply.answer(), notes=(CUT_TASKS,)) if is_short else task
    if not reply.body.text.strip():
        name = _request_id(reply)
        told = f", and names nothing but the request {name}." if name else "."
        raise _unknown_outcome(f"The answer is empty{told}", reply.status)
    error = _unknown_outcome("The answer was cut off: it ends in the middle.", reply.status)
    raise _with_pictures(error, reply, request, received(reply))


def rescued(reply: Reply | None, request: ImageRequest) -> Generation | Task | None:
    """Return what an answer that was cut told all the same: all of it, or at least its task."""
    if reply is None or not reply.is_success:
        return None
    try:
        answer = read_submission(reply, request)
    except OpeaiError:
        return None  # the cut itself says more
    return None if isinstance(answer, Problem) else answer


def _task_in_half(reply: Reply, request: ImageRequest) -> Task | None:
    """Return the tasks whose ids stand in the first part of an answer: they can be asked about."""
    if reply.pictures:
        return None
    with suppress(OpeaiError):
        read = read_answer(replace(reply, body=reply.body.whole), request)
        if isinstance(read, Task) and (len(read.parts) > 1 or (read.id and read.platform_status)):
            return replace(read, request=request)
    found = _TASK_ID.finditer(reply.body.text)
    ids = dict.fromkeys(each[1] or each[2] for each in found)
    return joined([Task(task_id, request=request) for task_id in ids]) if ids else None


def _is_half(reply: Reply) -> bool:
    """Tell a success whose JSON ends in the middle: without a length nobody else notices.

    An empty one that says where to ask (202 and a Location) is whole.
    """
    return (
        reply.is_success
        and isinstance(reply.body, NotJson)
        and (reply.body.is_open or not reply.body.text.strip())
        and reply.body.text.lstrip()[:1] in {"", "{", "["}
        and not _says_where(reply)
    )


def _says_where(reply: Reply) -> bool:
    link = poll_link(Places(), reply)
    return link is not None and (reply.status in {201, 202} or leads_to_task(link))


def pause_before_resending(problem: Problem, reply: Reply, refused: int) -> float:
    """Return the pause after a 429; raise the error when sending again cannot or must not help."""
    error = error_of(problem, paid=True)
    error.pictures = received(reply)
    _with_answer(error, reply)
    error.retry_after = asked = schedule.retry_after(reply.headers)
    if (
        not isinstance(error, RateLimitError)
        or reply.status != 429  # noqa: PLR2004  only this status says that nothing was begun
        or refused >= schedule.SUBMIT_ATTEMPTS
        or (asked or 0) > schedule.LONGEST_PAUSE
    ):
        raise error
    return schedule.wished(asked) or schedule.backoff(refused)


def _unknown_outcome(message: str, status: int | None) -> OutcomeUnknownError:
    return OutcomeUnknownError(message, status_code=status)


def cut(failure: CutAnswer, request: ImageRequest) -> OutcomeUnknownError:
    """Return the error of an answer that broke off, with what of it is whole."""
    error = _unknown_outcome(f"The answer was cut off: {failure}.", failure.status)
    error.answer = failure.answer() or None
    pictures = tuple(Picture(source=source) for source in failure.pictures)
    return _with_pictures(error, failure.reply, request, pictures)


def _with_pictures(
    error: OutcomeUnknownError,
    reply: Reply | None,
    request: ImageRequest,
    pictures: tuple[Picture, ...],
) -> OutcomeUnknownError:
    """Hang on the error of a cut answer what of it is whole: *pictures*, and those with a URL."""
    part = _whole_part(reply, request) if reply is not None and reply.is_success else None
    named = () if part is None else part.pictures
    urls = (p for p in named if is_to_come(p) or (p.error is None and p.source is None))
    error.pictures = (*pictures, *urls)
    if error.pictures:
        error.advice = _CAME_WHOLE
    return error
