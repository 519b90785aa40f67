"""How the rehearsal models misbehave on the wire: refusals, cut and stalled answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, Response

from opeai_nb.engine.api.responses import Piece, PiecesResponse
from opeai_nb.engine.faults import in_the_wild
from opeai_nb.engine.faults.rehearsal import (
    BAD_GATEWAY,
    CUT_AT,
    RATE_LIMITS,
    STALL_SECONDS,
    moderation_blocked,
    rate_limited,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

_COUNTERS_MAX: Final = 1000  # requests between their first 429 and the picture


class Misbehaviour:
    """Answers that models of `rehearsal.REHEARSALS` give in place of the right ones."""

    def __init__(self, *, time_scale: float) -> None:
        self._time_scale = time_scale
        self._counts: dict[str, int] = {}

    def refusal(self, model: str, asker: str) -> Response | None:
        """Return the answer of a model that does not get as far as painting, or raise ApiError.

        *asker* tells one request from another: its Idempotency-Key, else its body's digest.
        """
        if model == "rehearsal-moderation":
            raise moderation_blocked()
        if model == "rehearsal-502":
            return HTMLResponse(BAD_GATEWAY, status_code=502)
        if model == "rehearsal-rate-limited":
            return self._too_many(asker)
        return None

    def _too_many(self, asker: str) -> Response | None:
        times = self._times(asker)
        if times >= RATE_LIMITS:
            self._counts.pop(asker, None)
            return None
        if times == 0:
            raise rate_limited()
        return Response(status_code=429)  # as the per-IP limiter: no body, platform.md 2.5

    def _times(self, what: str) -> int:
        """Return how often *what* was there before."""
        if len(self._counts) >= _COUNTERS_MAX:
            self._counts.clear()
        times = self._counts.get(what, 0)
        self._counts[what] = times + 1
        return times

    def task(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a query of a task, or raise ApiError; *body* is the right one."""
        polls = self._times(body["id"]) if model == "rehearsal-hiccup" else 0
        return in_the_wild.task(model, body, polls)

    def picture(self, model: str, url: str, response: Response) -> Response:
        """Return the answer to the GET of a picture; *response* is the right one."""
        if model != "rehearsal-cdn":
            return response
        if not self._times(url):
            return Response("not here yet", status_code=404, media_type="text/plain")
        response.headers["Content-Encoding"] = "aws-chunked"
        return response

    def answer(self, model: str, pieces: Sequence[Piece], *, fresh: bool) -> Response:
        """Return the response that sends *pieces*: all of them, or what *model* lets through.

        *fresh* is False when an Idempotency-Key is sent again: then nothing drops.
        """
        length = sum(map(len, pieces))
        if model == "rehearsal-dropped" and fresh:
            return PiecesResponse(pieces, cut=int(length * CUT_AT))
        if model == "rehearsal-stalled":
            return _StalledResponse(
                pieces, cut=length // 2, seconds=STALL_SECONDS * self._time_scale
            )
        if model == "rehearsal-stream":
            stream = in_the_wild.event_stream(in_the_wild.whole(pieces))
            return Response(stream, media_type="text/event-stream")
        if model == "rehearsal-spelling":
            answer = in_the_wild.spelt_oddly(in_the_wild.whole(pieces))
            return Response(answer, media_type="application/json")
        return PiecesResponse(pieces)


class _StalledResponse(PiecesResponse):
    """Sends *cut* bytes, then nothing until the client hangs up or *seconds* are over."""

    def __init__(self, pieces: Sequence[Piece], *, cut: int, seconds: float) -> None:
        super().__init__(pieces, cut=cut)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return  # and the server drops the connection
