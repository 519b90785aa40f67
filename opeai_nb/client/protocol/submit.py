"""The paid request: sent once, and what came back said truly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import assembled
from opeai_nb.client.protocol.steps import Call, CutAnswer, Flow, Reply, Returned, Sleep, Unsent
from opeai_nb.client.values.generation import Generation
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.client.wire.read_documented import read_documented
from opeai_nb.errors import NotFoundError, OpeaiError, UnreachableError

if TYPE_CHECKING:
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.wire.endpoint import Endpoint


def submit(endpoint: Endpoint, request: ImageRequest, key: str) -> Flow[Generation | Task]:
    """Send *request* once and return what came: pictures (not downloaded yet), or a task.

    *key* is the Idempotency-Key of every attempt. It is sent again only when the connection could
    not be made, and on 429: all else may have been paid for. Raises `UnreachableError`,
    `OutcomeUnknownError`, `UnreadableAnswerError`, or the `AnswerError` that the platform gave.
    """
    call = _submission(endpoint, request, key)
    try:
        return (yield from _sent(endpoint, call, request))
    except OpeaiError as error:
        if type(error) is NotFoundError:
            error.advice = f"POST {urlsplit(call.url).path} was asked. {error.advice}"
        error.request, error.idempotency_key = request, key
        raise


def _sent(endpoint: Endpoint, call: Call, request: ImageRequest) -> Flow[Generation | Task]:
    refused = unsent = moved = 0
    while True:
        try:
            reply: Reply = endpoint.at_home((yield call))
        except Unsent as failure:
            unsent += 1
            if unsent >= schedule.CONNECT_ATTEMPTS:
                raise UnreachableError(
                    f"The platform cannot be reached: {failure}.", advice=failure.advice
                ) from failure
            yield Returned(f"The platform cannot be reached: {failure}.")
            yield Sleep(schedule.backoff(unsent, first=0.5))
            continue
        except CutAnswer as failure:
            from opeai_nb.client.protocol.read_submission import cut, rescued

            if (part := rescued(failure.reply, request)) is not None:
                return part
            raise cut(failure, request) from failure
        if (url := endpoint.moved_to(call.url, reply)) is not None and moved < schedule.MOVES:
            # It says that nothing was begun here, and the key does not leave its origin.
            call, moved = replace(call, url=url), moved + 1
            yield Returned("The platform sent it elsewhere.")
            continue
        if (found := read_documented(reply, request)) is not None:
            return assembled(found, request, answer=reply.answer)
        from opeai_nb.client.protocol import read_submission as reading  # most need none of it

        answer = reading.read_submission(reply, request)
        if isinstance(answer, (Generation, Task)):
            return answer
        refused += 1
        pause = reading.pause_before_resending(answer, reply, refused)
        yield Returned("The platform had no room for it (HTTP 429).")
        yield Sleep(pause)


def _submission(endpoint: Endpoint, request: ImageRequest, key: str) -> Call:
    dialect = DIALECTS[request.dialect]
    return Call(
        "POST",
        endpoint.at(dialect.submit_path),
        JsonReader,
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
        content=_JSON.encode(dialect.body(request)).encode(),
        read_timeout=endpoint.submit_timeout,
    )


_JSON: Final = json.JSONEncoder(ensure_ascii=False)
