"""The paid request: sent once, and what came back said truly."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import assembled, received
from opeai_nb.client.protocol.steps import Call, CutAnswer, Flow, NotJson, Reply, Sleep, Unsent
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.client.wire.read_answer import Pictures, read_answer
from opeai_nb.client.wire.read_error import Problem, error_of
from opeai_nb.errors import (
    OpeaiError,
    OutcomeUnknownError,
    RateLimitError,
    UnreachableError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.wire.endpoint import Endpoint


_TASK_ID = re.compile(r'"task_id"\s*:\s*"([^"\\]{1,200})"')


def submit(endpoint: Endpoint, request: ImageRequest, key: str) -> Flow[Generation | Task]:
    """Send *request* once and return what came: pictures (not downloaded yet), or a task.

    *key* is the Idempotency-Key of every attempt. It is sent again only when the connection could
    not be made, and on 429: all else may have been paid for. Raises `UnreachableError`,
    `OutcomeUnknownError`, `UnreadableAnswerError`, or the `AnswerError` that the platform gave.
    """
    call = _submission(endpoint, request, key)
    try:
        return (yield from _sent(call, request))
    except OpeaiError as error:
        error.request, error.idempotency_key = request, key
        raise


def _sent(call: Call, request: ImageRequest) -> Flow[Generation | Task]:
    refused = unsent = 0
    while True:
        try:
            reply: Reply = yield call
        except Unsent as failure:
            unsent += 1
            if unsent >= schedule.CONNECT_ATTEMPTS:
                raise UnreachableError(f"The platform cannot be reached: {failure}.") from failure
            yield Sleep(schedule.backoff(unsent, first=0.5))
            continue
        except CutAnswer as failure:
            if (rescued := _rescued(failure.reply, request)) is not None:
                return rescued
            raise _unknown_outcome(failure) from failure
        answer = _read_submission(reply, request)
        if not isinstance(answer, Problem):
            return answer
        refused += 1
        yield Sleep(_pause_before_resending(answer, reply, refused))


def _submission(endpoint: Endpoint, request: ImageRequest, key: str) -> Call:
    dialect = DIALECTS[request.dialect]
    return Call(
        "POST",
        endpoint.at(dialect.submit_path),
        JsonReader,
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
        content=json.dumps(dialect.body(request), ensure_ascii=False).encode(),
        read_timeout=endpoint.submit_timeout,
    )


def _read_submission(reply: Reply, request: ImageRequest) -> Generation | Task | Problem:
    if _is_half(reply):
        if (task := _task_in_half(reply, request)) is not None:
            return task
        sources = tuple(source for _, source in sorted(reply.pictures.items()))
        raise _unknown_outcome(CutAnswer("it ends in the middle", reply.status, sources))
    try:
        answer = read_answer(reply)
    except OpeaiError as error:
        error.pictures = received(reply)
        raise
    if isinstance(answer, Pictures):
        return assembled(answer, request)
    if isinstance(answer, Problem):
        return answer
    if not answer.id and not answer.is_settled:
        raise UnreadableAnswerError(
            "The platform accepted the request, but gave no task id to ask about.",
            status_code=reply.status,
            request_id=answer.request_id,
            advice="It may have been painted and paid for; the request id helps its support.",
        )
    if answer.error is not None:
        answer.error.task_id = answer.id or None
        answer.error.pictures = received(reply)
    return replace(answer, request=request, retry_after=schedule.retry_after(reply.headers))


def _rescued(reply: Reply | None, request: ImageRequest) -> Generation | Task | None:
    """Return what an answer that was cut told all the same: all of it, or at least its task."""
    if reply is None or reply.status >= 300:  # noqa: PLR2004  HTTP success
        return None
    try:
        answer = _read_submission(reply, request)
    except OpeaiError:
        return None  # the cut itself says more
    return None if isinstance(answer, Problem) else answer


def _task_in_half(reply: Reply, request: ImageRequest) -> Task | None:
    """Return the task whose id stands in the first part of an answer: it can be asked about."""
    found = None if reply.pictures else _TASK_ID.search(reply.body.text)
    return Task(found[1], request=request) if found else None


def _is_half(reply: Reply) -> bool:
    """Tell a success whose JSON ends in the middle: without a length nobody else notices."""
    return (
        reply.status < 300  # noqa: PLR2004  HTTP success
        and isinstance(reply.body, NotJson)
        and reply.body.text.lstrip()[:1] in {"", "{", "["}
    )


def _pause_before_resending(problem: Problem, reply: Reply, refused: int) -> float:
    """Return the pause after a 429; raise the error when sending again cannot or must not help."""
    error = error_of(problem, paid=True)
    error.pictures = received(reply)
    error.retry_after = asked = schedule.retry_after(reply.headers)
    if (
        not isinstance(error, RateLimitError)
        or reply.status != 429  # noqa: PLR2004  only this status says that nothing was begun
        or refused >= schedule.SUBMIT_ATTEMPTS
        or (asked or 0) > schedule.LONGEST_PAUSE
    ):
        raise error
    return schedule.wished(asked) or schedule.backoff(refused)


def _unknown_outcome(failure: CutAnswer) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"The answer was cut off: {failure}.",
        status_code=failure.status,
        pictures=[Picture(source=source) for source in failure.pictures],
    )
