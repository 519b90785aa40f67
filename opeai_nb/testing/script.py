"""A scripted server, as one httpx transport for the synchronous and the asynchronous client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from opeai_nb.testing.replies import Answer, Drop, Refuse, Reply, Stall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Plan = Callable[[httpx.Request], Any]


class Script(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests as planned and keeps them in `requests`, in order.

    A plan is the replies in their order, or one function that is given each `httpx.Request`. A
    reply is an `Answer`, `Refuse()`, `Drop()`, `Stall()`, an `httpx.Response`, an exception (which
    is raised), or the body of a 200 alone: bytes, text, a dict or a list. A request for which
    nothing is planned is an AssertionError. Safe to use from several threads.
    """

    def __init__(self, *plan: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._function: Plan | None = plan[0] if len(plan) == 1 and callable(plan[0]) else None
        self._replies = [] if self._function else list(plan)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Script: {len(self.requests)} requests so far>"

    @property
    def posts(self) -> list[httpx.Request]:
        """The requests that would have cost money."""
        return [request for request in self.requests if request.method == "POST"]

    @property
    def sent(self) -> list[Any]:
        """The JSON bodies of the POSTs."""
        return [json.loads(request.content) for request in self.posts]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as planned."""
        request.read()
        return _response(self._next(request), request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as planned."""
        await request.aread()
        return _response(self._next(request), request)

    def _next(self, request: httpx.Request) -> Any:
        with self._lock:
            self.requests.append(request)
            if self._function is None and not self._replies:
                raise AssertionError(f"nothing is planned for {request.method} {request.url}")
            reply = self._replies.pop(0) if self._function is None else None
        return reply if self._function is None else self._function(request)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, answer: Answer, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.pieces()
        if self._answer.drop_after is not None:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body",
                request=self._request,
            )
        if self._answer.stall_after is not None:
            raise httpx.ReadTimeout("The read operation timed out", request=self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def _response(reply: Any, request: httpx.Request) -> httpx.Response:
    reply = _as_reply(reply)
    if isinstance(reply, BaseException):
        raise reply
    if isinstance(reply, Refuse):
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
    if isinstance(reply, Drop):
        raise httpx.RemoteProtocolError(
            "Server disconnected without sending a response.", request=request
        )
    if isinstance(reply, Stall):
        raise httpx.ReadTimeout("The read operation timed out", request=request)
    if isinstance(reply, httpx.Response):
        return reply
    return httpx.Response(reply.status, headers=reply.all_headers(), stream=_Body(reply, request))


def _as_reply(reply: Any) -> Reply | httpx.Response | BaseException:
    known = (Answer, Refuse, Drop, Stall, httpx.Response, BaseException)
    return reply if isinstance(reply, known) else Answer(reply)
