"""The engine in process, as an httpx transport: sync and async, no port, bodies in a stream.

`httpx.ASGITransport` is async only and answers after the whole body; a rehearsed fault in the
middle of a body would never show.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import warnings
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import unquote

import httpx

from opeai_nb.engine.server.app import Engine
from opeai_nb.engine.server.asgi_bridge import AsgiCall, BodyCut, BodyWanted, Event, Head
from opeai_nb.engine.server.cache_dir import cache_folder
from opeai_nb.engine.server.event_loop import engine_loop
from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_HTTP: Final = {"http_version": b"HTTP/1.1"}
_lock = Guard()
_shared: tuple[int, Path, Engine] | None = None
_inherited: list[Engine] = []
"""Engines of a parent process: to drop one would end what its threads are in the middle of."""


def shared_engine() -> Engine:
    """Return this process's engine, whose tasks live in the user's cache folder for 24 hours.

    Where the folder can't be used they live in memory, and a warning says so once.
    """
    global _shared  # noqa: PLW0603  one engine for each process and folder
    folder = cache_folder()
    with _lock:
        if _shared is None or _shared[:2] != (os.getpid(), folder):
            if _shared is not None and _shared[0] != os.getpid():
                _inherited.append(_shared[2])
            _shared = (os.getpid(), folder, _engine(folder))
        return _shared[2]


def _engine(folder: Path) -> Engine:
    try:
        return Engine(store=folder)
    except (OSError, sqlite3.Error) as error:
        _warn(
            f"The engine keeps its tasks in memory, so they end with this process: "
            f"{folder} can't be used ({error}). OPEAI_NB_CACHE names another folder."
        )
        return Engine()


def _warn(text: str) -> None:
    """Warn, or log it where warnings are errors (`python -W error`): it must cost no picture."""
    try:
        warnings.warn(text, stacklevel=5)
    except UserWarning:
        logging.getLogger(__name__).warning("%s", text)


class EngineTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends requests to *engine* (None: the process's shared one), whatever host they name.

    May be used from any thread and any asyncio loop at once, a running loop's own thread included.
    Failures are httpx's own: ConnectError when the engine is closed, ReadTimeout after the
    request's `read` timeout, RemoteProtocolError when an answer is cut.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self._given = engine
        self._process = os.getpid()
        self._engine = shared_engine() if engine is None else engine

    @property
    def engine(self) -> Engine:
        """The engine that answers; a fork gets a shared one of its own, with threads that live."""
        if self._given is None and self._process != os.getpid():
            self._process, self._engine = os.getpid(), shared_engine()
        return self._engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        call = self._begin(request, events.put)
        stream = _SyncBody(request, call, events)
        try:
            chunks = iter(request.stream)  # type: ignore[arg-type]  # httpx checks that it is sync
            while isinstance(event := stream.next_event(), BodyWanted):
                _feed(call, next(chunks, None))
        except BaseException:
            call.hang_up()
            raise
        return stream.begin(event)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()
        call = self._begin(request, lambda event: _deliver(loop, events, event))
        stream = _AsyncBody(request, call, events)
        try:
            chunks = aiter(request.stream)  # type: ignore[arg-type]  # httpx checks that it is async
            while isinstance(event := await stream.next_event(), BodyWanted):
                _feed(call, await anext(chunks, None))
        except BaseException:
            call.hang_up()
            raise
        return stream.begin(event)

    def _begin(self, request: httpx.Request, deliver: Any) -> AsgiCall:
        if not self.engine.accepting:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        headers = request.headers
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        loop = engine_loop()
        call = AsgiCall(loop, _scope(request), deliver, has_body=has_body)
        asyncio.run_coroutine_threadsafe(call.run(self.engine), loop)
        return call


class _Body:
    """What both kinds of answer's body know of their call."""

    def __init__(self, request: httpx.Request, call: AsgiCall, events: Any) -> None:
        self._request = request
        self._call = call
        self._events = events  # the queue of the caller's kind: of threads, or of its loop
        self._timeout: float | None = request.extensions.get("timeout", {}).get("read")
        self._received = 0
        self._expected: str | None = None
        self._over = False

    def _chunk(self, event: Event) -> bytes | None:
        """Return the bytes of *event*, None at the end; raise where the answer is cut."""
        if isinstance(event, bytes):
            self._received += len(event)
            self._call.taken()
            return event
        self._over = True
        if isinstance(event, BodyCut):
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body "
                f"(received {self._received} bytes, expected {self._expected})",
                request=self._request,
            )
        return None

    def begin(self, event: Event) -> httpx.Response:
        """Return the response whose head *event* is and whose body this is."""
        if not isinstance(event, Head):
            self._over = True
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=self._request
            )
        response = httpx.Response(
            event.status,
            headers=event.headers,
            stream=self,  # type: ignore[arg-type]  # each kind is one of httpx's two streams
            extensions=_HTTP,
        )
        self._expected = response.headers.get("content-length", "unknown")
        return response

    def _time_out(self) -> NoReturn:
        self._over = True
        self._call.hang_up()
        raise httpx.ReadTimeout("The read operation timed out", request=self._request)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._call.hang_up()


class _SyncBody(_Body, httpx.SyncByteStream):
    def next_event(self) -> Event:
        try:
            event: Event = self._events.get(timeout=self._timeout)
        except queue.Empty:
            self._time_out()
        return event

    def __iter__(self) -> Iterator[bytes]:
        while not self._over and (chunk := self._chunk(self.next_event())) is not None:
            yield chunk

    def close(self) -> None:
        self._end()


class _AsyncBody(_Body, httpx.AsyncByteStream):
    async def next_event(self) -> Event:
        try:
            async with asyncio.timeout(self._timeout):
                event: Event = await self._events.get()
        except TimeoutError:
            self._time_out()
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._over and (chunk := self._chunk(await self.next_event())) is not None:
            yield chunk

    async def aclose(self) -> None:
        self._end()


def _deliver(loop: asyncio.AbstractEventLoop, events: asyncio.Queue[Event], event: Event) -> None:
    loop.call_soon_threadsafe(events.put_nowait, event)


def _feed(call: AsgiCall, chunk: bytes | None) -> None:
    call.feed(chunk or b"", more=chunk is not None)


def _scope(request: httpx.Request) -> dict[str, Any]:
    """Return the ASGI scope that a server would make of *request*."""
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }
