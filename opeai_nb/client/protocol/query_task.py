"""One question about a task: where it is asked, and what the answer says."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urljoin

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import is_whole, received
from opeai_nb.client.protocol.steps import CutAnswer, Flow, NotJson, Now, Reply, Sleep, Unsent
from opeai_nb.client.values.request import wanted
from opeai_nb.client.values.task import VAGUE, Task, goes_on
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.client.wire.endpoint import path_in
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.read_error import Problem
from opeai_nb.client.wire.links import links_in_json
from opeai_nb.client.wire.read_answer import read_answer
from opeai_nb.client.wire.read_documented import Pictures
from opeai_nb.client.wire.redact import without_key
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.task.task_fields import waiting_word
from opeai_nb.errors import (
    AuthenticationError,
    ConnectionLostError,
    OpeaiError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    TaskExpiredError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.client.wire.endpoint import Endpoint

Result = TypeVar("Result")
PASSING: Final = (ConnectionLostError, ServerError, RateLimitError)
"""Failures that may be over in a moment: free questions are asked again after these."""
_GONE_WORDS: Final = frozenset({"tasknotfound", "notfound", "tasknotexist", "notexist"})
_LAST_QUESTION: Final = 0.5
"""Seconds for a question at the deadline itself: it is asked, and not waited for much longer."""


def ask_once(endpoint: Endpoint, task: Task, until: float) -> Flow[Task]:
    """Return what the platform says of a task now, at the first of its paths that knows it.

    *until* is what the clock says when nobody waits for it any more. Raises what the answer is
    instead, with the task's id on it, and `ConnectionLostError`.
    """
    dialect = DIALECTS[task.request.dialect if task.request else "openai"]
    paths = dialect.task_paths(task.id)
    if task.poll_path and (own := endpoint.own_path(task.poll_path)):
        paths = (own, *(path for path in paths if path != own))
    elif task.poll_path and (there := path_in(task.poll_path)) not in {"", *paths}:
        # Behind a proxy a server names itself as it is called inside: `http://localhost:8000/…`.
        paths = (*paths, there)
    for path in paths:
        try:
            reply: Reply = yield from query(endpoint, path, until)
        except (Unsent, CutAnswer) as failure:
            raise ConnectionLostError(
                f"The connection was lost while checking on the task: {failure}.",
                task_id=task.id,
                request=task.request,
            ) from failure
        try:
            return _read_query(reply, task, path)
        except TaskExpiredError:
            if path == paths[-1]:
                raise
    raise AssertionError("a dialect has at least one path")  # pragma: no cover


def again(once: Callable[[], Flow[Result]], until: float = math.inf) -> Flow[Result]:
    """Return what asking *once* returns; it is repeated while it fails in passing.

    *until* is what the clock says when nobody waits for it any more. Raises the last failure.
    """
    for attempt in range(1, schedule.QUERY_ATTEMPTS):
        try:
            return (yield from once())
        except PASSING as error:
            pause = schedule.pause_after(error, attempt)
            now: float = yield Now()
            if now + pause >= until:
                raise
            yield Sleep(pause)
    return (yield from once())


def query(endpoint: Endpoint, path: str, until: float | None = None) -> Flow[Reply]:
    """Return the answer to a GET; a redirect inside the base URL's origin is followed.

    *until* is what the clock says when nobody waits for it any more.
    """
    call = endpoint.query(path)
    for moves in range(schedule.MOVES + 1):
        if until is not None:
            now: float = yield Now()
            if moves and now >= until:
                break
            call = replace(call, patience=max(_LAST_QUESTION, until - now))
        try:
            reply: Reply = yield call
        except CutAnswer as failure:
            # It may break behind the last brace: with a wrong length it does so each time.
            if failure.reply is None or not isinstance(failure.reply.body, (dict, list)):
                raise
            reply = replace(failure.reply, clock=(yield Now()))
        target = reply.headers.get("location")
        if not (reply.is_redirect and target):
            break
        if (moved := endpoint.own_path(urljoin(call.url, target))) is None:
            break
        call = replace(call, url=endpoint.at(moved))
    return reply


def _read_query(reply: Reply, task: Task, path: str) -> Task:
    """Return the snapshot in an answer to a question at *path*; raise the error that it is."""
    answer = _answer_or_error(reply, task)
    if isinstance(answer, OpeaiError):
        answer.task_id, answer.request = task.id, task.request
        answer.retry_after = schedule.retry_after(reply.headers)
        answer.answer = reply.answer()
        raise answer
    if squeezed(answer.platform_status) in _GONE_WORDS:
        asked = replace(task, answer=reply.answer())
        raise gone(f"The platform says of the task: {answer.platform_status}.", asked)
    if answer.error is not None:
        answer.error.task_id, answer.error.request = task.id, task.request
        answer.error.pictures = received(reply)
        answer.error.answer = reply.answer()
    # Its answer may lie elsewhere: a link that comes with "done" is asked next.
    is_apart = answer.status == "done" and not answer.pictures and answer.poll_path
    return replace(
        answer,
        id=task.id,
        poll_path=answer.poll_path if is_apart else path,
        answer=None
        if answer.is_settled and is_whole(answer.pictures, answer.notes)
        else reply.answer(),
        request=task.request,
        model=answer.model or task.model,
        prompt=answer.prompt or task.prompt,
        created=answer.created or task.created,
        retry_after=schedule.retry_after(reply.headers),
    )


def _answer_or_error(reply: Reply, task: Task) -> Task | OpeaiError:
    answer = _answer_if_any(reply, task)
    if isinstance(answer, (Task, *_OF_THE_KEY)):
        return answer
    body = reply.body.text if isinstance(reply.body, NotJson) else reply.body
    word = waiting_word(body)
    # A firewall's challenge page is a 202 at times.
    is_accepted = reply.status == HTTPStatus.ACCEPTED and isinstance(answer, ServerError)
    is_page = isinstance(reply.body, NotJson) and bool(body.strip())
    if word or (is_accepted and not is_page):
        return Task("", "painting", without_key(word, reply.key))
    return answer


_OF_THE_KEY: Final = (AuthenticationError, PermissionDeniedError, QuotaError, RateLimitError)


def _answer_if_any(reply: Reply, task: Task) -> Task | OpeaiError:
    try:
        answer = _read_anew(reply, task)
        if _is_empty_envelope(answer, reply.body):
            raise UnreadableAnswerError(_NO_ROW, status_code=reply.status)
    except UnreadableAnswerError as error:
        # A page of a proxy or a load balancer passes; the task does not. An answer of the table
        # without a row (platform.md 2.2) is a task that it does not know.
        is_no_row = _is_no_row(reply.body)
        kind = TaskExpiredError if is_no_row else ServerError
        message = _NO_ROW if is_no_row else error.message
        return kind(message, status_code=error.status_code, request_id=error.request_id)
    if isinstance(answer, Problem):
        return error_of(answer, paid=False, task_id=task.id)
    return _done(answer) if isinstance(answer, Pictures) else answer


def _read_anew(reply: Reply, task: Task) -> Pictures | Task | Problem:
    """Return what an answer says; a URL that stood there before is no result beside new ones.

    An edit repeats its inputs, from a host of the platform's own, while it is painted and after.
    Of several pictures some may be there before the others.
    """
    answer = read_answer(reply, task.request, task.id)
    is_begun = not task.platform_status or goes_on(task.platform_status)
    shown = () if isinstance(answer, Problem) else answer.pictures
    if not (task.answer and is_begun and shown):
        return answer
    known = links_in_json(task.answer)
    if not any(picture.url in known for picture in shown):
        return answer
    with suppress(UnreadableAnswerError):
        other = read_answer(replace(reply, known=known), task.request, task.id)
        new = () if isinstance(other, Problem) else other.pictures
        if sum(picture.error is None for picture in new) >= wanted(task.request):
            return other
    return answer


def _done(found: Pictures) -> Task:
    """Return the snapshot of a task whose answer is just its pictures.

    An empty list without a status may be what a gateway answers until there are some.
    """
    return Task(
        "",
        "done" if found.pictures else "unknown",
        "SUCCESS" if found.pictures else "",
        pictures=found.pictures,
        usage=found.usage,
        model=found.model,
        created=found.created,
        request_id=found.request_id,
        notes=found.notes,
    )


_NO_ROW: Final = "The platform does not know the task."


def _is_empty_envelope(answer: Pictures | Task | Problem, body: object) -> bool:
    """Tell a word of success for the question from one for the task: there is no row beside it."""
    if not isinstance(answer, Task) or answer.pictures or not _is_no_row(body):
        return False
    return squeezed(answer.platform_status).upper() in VAGUE


def _is_no_row(body: object) -> bool:
    return isinstance(body, dict) and "data" in body and body["data"] is None


def gone(message: str, task: Task) -> TaskExpiredError:
    """Return the error for a task that the platform does not know, or no more."""
    error = TaskExpiredError(message, task_id=task.id, request=task.request)
    error.answer = task.answer
    return error
