"""Latency and random failures of the whole server: `--latency --jitter --fail-rate --seed`."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, JSONResponse, Response

from opeai_nb.engine.api.error_envelope import ApiError, envelope_for
from opeai_nb.engine.faults.rehearsal import BAD_GATEWAY

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from starlette.types import Message, Send

_KINDS: Final = ("500", "502", "503", "429", "cut")


class ConnectionDropped(Exception):  # noqa: N818  not an error: the way out of an application
    """Raised out of `send` when the connection is to drop here."""


class Faults:
    """Draws delays (seconds) and failures from one seeded sequence.

    *fail_rate* is the part of requests, from 0 to 1, that end as a 500, 503 or 429 of the gateway,
    a 502 of a proxy, or a connection dropped in the middle of the body, the request being obeyed.
    *sleep* waits for seconds. Raises `ValueError` for a number out of its range.
    """

    def __init__(
        self,
        *,
        latency: float,
        jitter: float,
        fail_rate: float,
        rng: random.Random,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        if not 0.0 <= fail_rate <= 1.0:
            raise ValueError(f"fail_rate must be from 0 to 1: {fail_rate}")
        if not (0 <= latency < inf and 0 <= jitter < inf):  # nan is neither
            raise ValueError("latency and jitter must be seconds, and not negative")
        self._latency = latency
        self._jitter = jitter
        self._fail_rate = fail_rate
        self._rng = rng
        self._sleep = sleep

    async def delay(self) -> None:
        """Wait for the latency, more or less."""
        seconds = self._latency + self._rng.uniform(-self._jitter, self._jitter)
        if seconds > 0:
            await self._sleep(seconds)

    def draw(self) -> str:
        """Return the kind of failure of one request, "" for none."""
        if self._fail_rate and self._rng.random() < self._fail_rate:
            return self._rng.choice(_KINDS)
        return ""


def failure(kind: str, request_id: str, path: str) -> Response:
    """Return the answer for a failure other than `cut` (platform.md 2.5, 7).

    Below `/aliyun` an envelope is DashScope's. The 502 is a proxy's and the 429 the limiter's, who
    know no paths.
    """
    if kind == "502":
        return HTMLResponse(BAD_GATEWAY, status_code=502)
    if kind == "429":  # the per-IP limiter's: no body
        return Response(status_code=429)
    error = ApiError(
        "请求上游地址失败 (the upstream could not be reached)",
        status=int(kind),
        type="new_api_error",
        code="do_request_failed",
    )
    body = envelope_for(path)(error, request_id)
    return JSONResponse(body, status_code=error.status)


def cutting(send: Send) -> Send:
    """Return *send* that raises `ConnectionDropped` after half of a body's first part."""

    async def cut(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and (body or not message.get("more_body")):
            await send({**message, "body": body[: len(body) // 2], "more_body": True})
            raise ConnectionDropped
        await send(message)

    return cut
