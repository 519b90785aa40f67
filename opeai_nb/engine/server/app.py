"""The engine as one ASGI application: authentication, request ids, the log, faults, errors."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import deque
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router

from opeai_nb.engine.api.admission import Admission
from opeai_nb.engine.api.aliyun_routes import AliyunRoutes
from opeai_nb.engine.api.error_envelope import ApiError, envelope_for
from opeai_nb.engine.api.openai_routes import OpenAIRoutes
from opeai_nb.engine.api.picture_urls import PictureUrls
from opeai_nb.engine.faults.misbehaviour import Misbehaviour
from opeai_nb.engine.faults.random_faults import ConnectionDropped, Faults, cutting, failure
from opeai_nb.engine.server.gate import Gate, RawHeaders
from opeai_nb.engine.server.home_page import AnsweredRequest, home_page
from opeai_nb.engine.work.generations import Generations
from opeai_nb.engine.work.render import Painter
from opeai_nb.engine.work.store_cache import CachedStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.types import Message, Receive, Scope, Send


ENGINE_URL: Final = "http://engine.invalid"
"""The base URL in process; a name that never resolves (RFC 2606)."""

TIME_SCALE_VARIABLE: Final = "OPEAI_NB_TIME_SCALE"
_UNDER_V1: Final = ("/images/", "/models")  # what a client asks whose base URL lacks /v1
_DASHSCOPES: Final = "/api/v1/"  # what DashScope's SDK asks at its vendor's own address
_POLLED: Final = "/v1/images/generations"
_LOG: Final = logging.getLogger("opeai_nb.engine")
_LOG_MAX: Final = 10_000  # requests: a day of polls, in a few megabytes
_OWN_ID: Final = b"x-oneapi-request-id"  # platform.md 2.5
_OPENAI_ID: Final = b"x-request-id"  # what OpenAI's SDKs read
_SHOWN_MAX: Final = 10  # requests on the page at /


class LoggedRequest(NamedTuple):
    """One line of `Engine.requests`."""

    method: str
    path: str
    idempotency_key: str | None


class Engine:
    """The embedded platform, an ASGI callable (no lifespan) for a server or `EngineTransport`.

    *store*: a folder that keeps tasks and pictures; None keeps them in memory.
    *key*: the only Bearer token that is accepted; None accepts any.
    *clock*: seconds since the epoch; what queues, ends and expires goes by it.
    *painter*: what makes pictures; None is `opeai_nb.engine.painter`, loaded at the first paint.
    *latency*, *jitter*: seconds that each answer waits, more or less; *fail_rate*: the part of
    requests (0 to 1) that fail; *seed* makes both sequences the same on every run.
    *base_url*: where picture URLs start; None is the origin of the request.
    *task_seconds*: least and most seconds of a task.
    *time_scale*: multiplies every duration of the engine; None reads
    `OPEAI_NB_TIME_SCALE`, else 1.
    *sleep*: what waits for a latency's seconds.
    *hosts*: the names in `Host` that are answered; None answers all.
    *cors*: the origin whose pages may ask, `*` (every one, as the gateway) or None.
    *sync*: every model answers with pictures, for clients that know no tasks; rehearsals apart.
    *workers*: painting threads, None one fewer than processors (1 to 4), which leaves one to answer
    polls; 0 paints a task before its POST is answered, so that it depends on the clock alone.

    Raises OSError or sqlite3.Error where *store* is unusable.
    """

    def __init__(
        self,
        *,
        store: str | Path | None = None,
        key: str | None = None,
        clock: Callable[[], float] = time.time,
        painter: Painter | None = None,
        latency: float = 0.0,
        jitter: float = 0.0,
        fail_rate: float = 0.0,
        seed: int | None = None,
        base_url: str | None = None,
        task_seconds: tuple[float, float] = (1.5, 2.5),
        time_scale: float | None = None,
        workers: int | None = None,
        hosts: Collection[str] | None = None,
        cors: str | None = "*",
        sync: bool = False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        scale = _time_scale() if time_scale is None else time_scale
        rng = random.Random(seed)  # noqa: S311  durations and faults, not secrets
        self.requests: deque[LoggedRequest] = deque(maxlen=_LOG_MAX)
        self.accepting = True
        """False lets EngineTransport raise ConnectError, as if nobody listened."""
        self._gate = Gate(key, hosts, cors)
        self._ids = _RequestIds(clock)
        self._sync = sync
        self._answered: deque[AnsweredRequest] = deque(maxlen=_SHOWN_MAX)
        self._clock = clock
        self._faults = Faults(
            latency=latency * scale,
            jitter=jitter * scale,
            fail_rate=fail_rate,
            rng=rng,
            sleep=sleep,
        )
        self._generations = Generations(
            CachedStore(None if store is None else Path(store)),
            painter,
            clock,
            workers=max(1, min(4, (os.cpu_count() or 1) - 1)) if workers is None else workers,
            task_seconds=task_seconds,
            time_scale=scale,
            rng=rng,
        )
        misbehaviour = Misbehaviour(time_scale=scale)
        self._urls = PictureUrls(
            self._generations, misbehaviour, base_url=base_url, aliases=(ENGINE_URL,)
        )
        admission = Admission(self._generations, self._urls, misbehaviour, sync=sync)
        self._openai = OpenAIRoutes(admission)
        routes = [
            *self._openai.routes(),
            *AliyunRoutes(admission).routes(),
            *self._urls.routes(),
            Route("/openapi.json", _description, methods=["GET"]),
            Route("/", self._home, methods=["GET"]),
            Route("/docs", _to_home, methods=["GET"]),
        ]
        self._router = Router(routes, redirect_slashes=False)

    def __repr__(self) -> str:
        return f"<Engine: {len(self.requests)} requests so far>"

    def close(self) -> None:
        """Dismiss the painting threads and close the store; the engine refuses from then on."""
        self.accepting = False
        self._generations.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            raise NotImplementedError("the engine has no lifespan")
        if scope["path"][:4] == "http":  # RFC 9112 3.2.2: the target may be a whole URL
            scope = {**scope, "path": _path_of(scope["path"])}
        headers = Headers(scope=scope)
        self.requests.append(
            LoggedRequest(scope["method"], scope["path"], headers.get("idempotency-key"))
        )
        answer = _Answer(send, self._ids.next(), self._gate.cors_headers(scope["path"], headers))
        kind = self._faults.draw()  # before the wait: the sequence is that of the arrivals
        try:
            await self._faults.delay()
            if kind not in ("", "cut"):
                await failure(kind, answer.request_id, scope["path"])(scope, receive, answer.send)
            else:
                outlet = cutting(answer.send) if kind == "cut" else answer.send
                await self._dispatch(scope, headers, receive, outlet, answer)
        except (ConnectionDropped, ClientDisconnect):
            return  # without the end of the body: the server drops the connection
        except asyncio.CancelledError:  # the server ends, and somebody waits
            if answer.status:
                raise
            await _error(_ending(), scope, answer)(scope, receive, answer.send)
        finally:
            self._answered.appendleft(
                AnsweredRequest(self._clock(), scope["method"], scope["path"], answer.status)
            )

    async def _dispatch(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, answer: _Answer
    ) -> None:
        # An "app" in the scope makes Starlette raise its 404 and 405 rather than answer them.
        scope = {**scope, "app": self, "request_id": answer.request_id}
        try:
            self._gate.check_host(headers)
            if scope["method"] == "OPTIONS":
                await self._gate.options(headers)(scope, receive, send)
                return
            self._gate.check_key(scope["path"], headers)
            folder, _, task = scope["path"].rpartition("/")
            if folder == _POLLED and scope["method"] == "GET" and task:
                # Asked most often, by hundreds at once: the router would cost more than the answer.
                await self._openai.poll(task, Request(scope, receive))(scope, receive, send)
            else:
                await self._router(scope, receive, send)
        except ApiError as error:
            await _error(error, scope, answer)(scope, receive, send)
        except HTTPException:
            await _error(_invalid_url(scope), scope, answer)(scope, receive, send)
        except (ConnectionDropped, ClientDisconnect):
            raise
        except Exception:
            _LOG.exception("the engine failed on %s %s", scope["method"], scope["path"])
            if answer.status:
                raise
            await _error(_internal_error(), scope, answer)(scope, receive, send)

    async def _home(self, http: Request) -> Response:
        """Answer GET / with a page that a person can read."""
        return home_page(
            self._urls.base(http),
            tuple(self._answered),
            needs_key=self._gate.key is not None,
            sync=self._sync,
        )


class _RequestIds:
    """Makes ids of a time and a random number, as the gateway's are.

    The numbers are no secrets: asking the system for each hands the interpreter's lock to a
    painting thread, and getting it back takes longer than all the rest of a poll.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rng = random.Random()  # noqa: S311  ids, not secrets
        self._second = -1
        self._stamp = ""

    def next(self) -> str:
        """Return a new id."""
        second = max(0, int(self._clock()))
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(second))
        return f"{self._stamp}{self._rng.getrandbits(64):016x}"


class _Answer:
    """The way to the client, which puts the request id on every answer, and *headers*."""

    def __init__(self, send: Send, request_id: str, headers: RawHeaders) -> None:
        self._send = send
        self._headers = headers
        self.request_id = request_id
        self.status = 0
        """0 until the head is sent."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            value = self.request_id.encode()
            ids = ((_OWN_ID, value), (_OPENAI_ID, value))
            message = {**message, "headers": [*message["headers"], *self._headers, *ids]}
        await self._send(message)


def _path_of(target: str) -> str:
    """Return the path of a request's target in absolute form, as a proxy gets it."""
    scheme, mark, rest = target.partition("://")
    is_url = mark and scheme in {"http", "https"}
    return f"/{rest.partition('/')[2]}" if is_url else target


async def _to_home(_http: Request) -> Response:
    """Answer GET /docs, where other servers have a page."""
    return RedirectResponse("./")


async def _description(_http: Request) -> Response:
    """Answer GET /openapi.json."""
    data = files("opeai_nb.engine.api").joinpath("openapi.json").read_bytes()
    return Response(data, media_type="application/json")


def _error(error: ApiError, scope: Scope, answer: _Answer) -> JSONResponse:
    body = envelope_for(scope["path"])(error, answer.request_id)
    return JSONResponse(body, status_code=error.status, headers=error.headers)


def _internal_error() -> ApiError:
    return ApiError("internal error", status=500, type="new_api_error", code="internal_error")


def _ending() -> ApiError:
    return ApiError("the server ends", status=503, type="new_api_error", code="server_ending")


def _invalid_url(scope: Scope) -> ApiError:
    """Return the gateway's 404, for a wrong method as well (platform.md 2.4)."""
    path = scope["path"][:200]
    hint = ""
    if path.startswith(_UNDER_V1):
        hint = "; the base URL of an OpenAI client ends in /v1"
    elif path.startswith(_DASHSCOPES):
        hint = "; the base URL of DashScope's SDK ends in /aliyun/v1"
    return ApiError(
        f"Invalid URL ({scope['method']} {path}){hint}",
        status=404,
        code="",
        param="",
        documented=True,
    )


def _time_scale() -> float:
    text = os.environ.get(TIME_SCALE_VARIABLE, "1")
    try:
        scale = float(text)
    except ValueError as error:
        raise ValueError(f"{TIME_SCALE_VARIABLE} must be a number: {text!r}") from error
    if not 0.0 <= scale < float("inf"):
        raise ValueError(f"{TIME_SCALE_VARIABLE} must be zero or more: {text!r}")
    return scale
