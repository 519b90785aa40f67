"""The paid request: sent once, and what came back said truly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client import pace
from opeai_nb.client.answer import Pictures, read_answer
from opeai_nb.client.dialect import DIALECTS
from opeai_nb.client.fetching import assembled
from opeai_nb.client.picture import Picture
from opeai_nb.client.problem import Problem, error_of
from opeai_nb.client.reader import JsonReader
from opeai_nb.client.steps import Call, Cut, Flow, Reply, Sleep, Unsent
from opeai_nb.client.task import Task
from opeai_nb.errors import OpeaiError, OutcomeUnknownError, RateLimitError, UnreachableError

if TYPE_CHECKING:
    from opeai_nb.client.endpoint import Endpoint
    from opeai_nb.client.generation import Generation
    from opeai_nb.client.request import ImageRequest


def submit(endpoint: Endpoint, request: ImageRequest, key: str) -> Flow[Generation | Task]:
    """Send *request* once and return what came: pictures (not downloaded yet), or a task.

    *key* is the Idempotency-Key of every attempt. It is sent again only when the connection could
    not be made, and on 429 (design.md section 4). Raises `UnreachableError`,
    `OutcomeUnknownError`, `UnreadableAnswerError`, or the `AnswerError` that the platform gave.
    """
    call = _submission(endpoint, request, key)
    refused = unsent = 0
    while True:
        try:
            reply: Reply = yield call
        except Unsent as failure:
            unsent += 1
            if unsent >= pace.CONNECT_ATTEMPTS:
                raise UnreachableError(
                    f"The platform cannot be reached: {failure}.", request=request
                ) from failure
            yield Sleep(pace.backoff(unsent, first=0.5))
            continue
        except Cut as failure:
            raise _unknown_outcome(failure, request) from failure
        answer = _read_submission(reply, request)
        if isinstance(answer, Problem):
            refused += 1
            yield Sleep(_pause_before_resending(answer, reply, refused, request))
            continue
        return answer


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
    try:
        answer = read_answer(reply)
    except OpeaiError as error:
        error.request = request
        error.pictures = _received(reply)
        raise
    if isinstance(answer, Task):
        return replace(answer, request=request, retry_after=pace.retry_after(reply.headers))
    if isinstance(answer, Pictures):
        return assembled(answer, request)
    return answer


def _pause_before_resending(
    problem: Problem, reply: Reply, refused: int, request: ImageRequest
) -> float:
    """Return the pause after a 429; raise the error when sending again cannot or must not help."""
    error = error_of(problem, paid=True)
    error.request = request
    error.pictures = _received(reply)
    asked = pace.retry_after(reply.headers)
    if (
        not isinstance(error, RateLimitError)
        or reply.status != 429  # noqa: PLR2004  only this status says that nothing was begun
        or refused >= pace.SUBMIT_ATTEMPTS
        or (asked or 0) > pace.LONGEST_PAUSE
    ):
        raise error
    return pace.backoff(refused) if asked is None else asked


def _unknown_outcome(failure: Cut, request: ImageRequest) -> OutcomeUnknownError:
    pictures = tuple(Picture(source=source) for source in failure.pictures)
    return OutcomeUnknownError(
        f"The answer was cut off: {failure}.",
        status_code=failure.status,
        request=request,
        pictures=pictures,
    )


def _received(reply: Reply) -> tuple[Picture, ...]:
    return tuple(Picture(source=source) for _, source in sorted(reply.pictures.items()))
