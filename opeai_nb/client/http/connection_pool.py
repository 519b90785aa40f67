"""The way to the network: httpcore's connections, kept on a stack, as an httpx transport.

httpx's pool looks through all its connections, with a system call for each, whenever one is asked
for; here the one that was used last is taken: with 64 polls in flight each costs 1 ms of CPU
instead of 3.6 (`tests/bench/bench_load.py`). `httpx2` has mended its pool; with it this file would
go. The TLS context, half of the start of httpx, is made for the first https request only.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import httpcore
import httpx

from opeai_nb.client.http.network.certificates import tls_context
from opeai_nb.client.http.network.proxy_transport import (
    MOST_IDLE,
    Departure,
    ProxyTransports,
    errors_of_proxy,
    for_proxy,
    proxy_of,
)
from opeai_nb.client.http.network.sockets import AsyncWideBackend, WideBackend
from opeai_nb.client.http.per_loop import PerLoop

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

IDLE_SECONDS: Final = 5.0
"""How long a connection is kept open that nobody uses: httpx's own figure."""
MOST_AFTER_POST: Final = 2  # for the first polls
_FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)

Connection = TypeVar("Connection", httpcore.HTTP11Connection, httpcore.AsyncHTTP11Connection)


class WideTransport(httpx.BaseTransport):
    """`httpx.HTTPTransport` with wide reads. How many connections it opens is the caller's care.

    A paid POST goes on a connection of its own: on one that was kept, the server may just have
    closed it, and nobody could tell whether the request was read. Where the environment names a
    proxy for a URL, httpx takes that way.
    """

    def __init__(self) -> None:
        self._idle: _Idle[httpcore.HTTP11Connection] = _Idle()
        self._proxied: ProxyTransports[httpx.HTTPTransport] = ProxyTransports(
            httpx.HTTPTransport, WideBackend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        if (proxy := proxy_of(request)) is not None:
            departure = Departure()
            try:
                with errors_of_proxy(proxy, departure):
                    way = self._proxied.way(proxy, request)
                    return way.handle_request(for_proxy(request, departure.noted))
            except httpx.ProxyError:
                if departure.stream is not None:
                    departure.stream.close()
                raise
        sent = _as_httpcore(request)
        origin = sent.url.origin
        with _errors_of_httpx():
            connection = self._connection(origin, request)
            try:
                answer = connection.handle_request(sent)
            except BaseException as error:
                connection.close()
                if (remains := _remains(connection, error)) is not None:
                    return remains
                raise
        return _as_httpx(
            answer, _Body(answer.stream, connection, self._idle.stack(origin), _most_idle(request))
        )

    def close(self) -> None:
        """Close all connections that nobody uses."""
        for connection in self._idle.all():
            connection.close()
        for way in self._proxied.all():
            way.close()

    def _connection(
        self, origin: httpcore.Origin, request: httpx.Request
    ) -> httpcore.HTTP11Connection:
        stack = self._idle.stack(origin)
        while request.method != "POST" and (known := _popped(stack)) is not None:
            if not known.has_expired():
                return known
            known.close()
        seconds, pinned = _connect_timeout(request), _pinned(request)
        tls, host = self._idle.tls_for(origin), origin.host.decode("ascii")
        stream = WideBackend(pinned).connect_tcp(host, origin.port, seconds)
        if tls is not None:
            stream = stream.start_tls(tls, host, seconds)
        return httpcore.HTTP11Connection(origin, stream, IDLE_SECONDS)


class AsyncWideTransport(httpx.AsyncBaseTransport):
    """`httpx.AsyncHTTPTransport` with wide reads: as its twin, on any number of event loops.

    *network* connects; None: what is cheapest on the loop that runs.
    """

    def __init__(self, network: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._network = network
        self._idle: PerLoop[_Idle[httpcore.AsyncHTTP11Connection]] = PerLoop(_Idle)
        self._proxied: PerLoop[ProxyTransports[httpx.AsyncHTTPTransport]] = PerLoop(
            lambda: ProxyTransports(
                httpx.AsyncHTTPTransport, lambda: AsyncWideBackend(network=network)
            )
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        if (proxy := proxy_of(request)) is not None:
            departure = Departure()
            try:
                with errors_of_proxy(proxy, departure):
                    way = self._proxied.here().way(proxy, request)
                    trace = departure.noted_before(request.extensions.get("trace"))
                    return await way.handle_async_request(for_proxy(request, trace))
            except httpx.ProxyError:
                if departure.stream is not None:
                    await departure.stream.aclose()
                raise
        sent = _as_httpcore(request)
        origin = sent.url.origin
        idle = self._idle.here()
        with _errors_of_httpx():
            connection = await self._connection(idle, origin, request)
            try:
                answer = await connection.handle_async_request(sent)
            except BaseException as error:
                await connection.aclose()
                if (remains := _remains(connection, error)) is not None:
                    return remains
                raise
        return _as_httpx(
            answer, _AsyncBody(answer.stream, connection, idle.stack(origin), _most_idle(request))
        )

    async def aclose(self) -> None:
        """Close all connections that nobody uses on this loop; other loops closed theirs."""
        for connection in self._idle.here().all():
            await connection.aclose()
        for way in self._proxied.here().all():
            await way.aclose()

    async def _connection(
        self,
        idle: _Idle[httpcore.AsyncHTTP11Connection],
        origin: httpcore.Origin,
        request: httpx.Request,
    ) -> httpcore.AsyncHTTP11Connection:
        stack = idle.stack(origin)
        while request.method != "POST" and (known := _popped(stack)) is not None:
            if not known.has_expired():
                return known
            await known.aclose()
        seconds, pinned = _connect_timeout(request), _pinned(request)
        tls, host = idle.tls_for(origin), origin.host.decode("ascii")
        backend = AsyncWideBackend(pinned, self._network)
        stream = await backend.connect_tcp(host, origin.port, seconds)
        if tls is not None:
            plain = stream
            try:
                stream = await plain.start_tls(tls, host, seconds)
            except BaseException:
                await plain.aclose()  # anyio's is left open where it is cancelled
                raise
        connection = httpcore.AsyncHTTP11Connection(origin, stream, IDLE_SECONDS)
        connection._state_lock = _ALONE  # type: ignore[assignment]  # noqa: SLF001  httpcore has no argument for it
        return connection


class _Alone:
    """In place of the lock of a connection, which nobody but the one who took it asks anything.

    anyio's lock goes round the loop for each request and each answer: an eighth of what a poll
    costs (`tests/bench/bench_load.py`).
    """

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


_ALONE: Final = _Alone()


def _remains(connection: Any, error: BaseException) -> httpx.Response | None:
    """Return what had come behind a head that h11 cannot read: it may be paid for; None for none.

    Its status is not known: as a success it is not sent again, whatever it says.
    """
    if not isinstance(error, httpcore.RemoteProtocolError):
        return None
    data, _ = connection._h11_state.trailing_data  # noqa: SLF001  httpcore has no way to ask
    return httpx.Response(200, stream=_Remains(data)) if data else None


class _Remains(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data
        raise httpx.RemoteProtocolError("the head of the answer is not HTTP")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data


def tracing_departure(leaves: Callable[[], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return what httpcore tells of a request: *leaves* is awaited before its first byte.

    A proxy is asked for a tunnel first, with a request of its own.
    """

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and info["request"].method == b"POST":
            await leaves()

    return trace


class _Idle(Generic[Connection]):
    """Connections that nobody uses, those of one server on a stack with the last used on top.

    Safe to use from several threads: a list's append and pop are. They belong to one process: a
    fork that wrote to its parent's would read the parent's answers.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._stacks: dict[tuple[bytes, bytes, int], list[Connection]] = {}
        self._inherited: list[object] = []
        self._tls: ssl.SSLContext | None = None

    def stack(self, origin: httpcore.Origin) -> list[Connection]:
        if self._process != os.getpid():
            self._inherited.append(self._stacks)  # never closed here: the parent uses them
            self._process, self._stacks = os.getpid(), {}
        return self._stacks.setdefault((origin.scheme, origin.host, origin.port), [])

    def all(self) -> Iterator[Connection]:
        for stack in self._stacks.values() if self._process == os.getpid() else ():
            while stack:
                yield stack.pop()

    def tls_for(self, origin: httpcore.Origin) -> ssl.SSLContext | None:
        if self._tls is None and origin.scheme == b"https":
            self._tls = tls_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls if origin.scheme == b"https" else None


def _pinned(request: httpx.Request) -> tuple[str, ...]:
    """Return the addresses that may be connected to for a request; none: any of its host."""
    addresses: tuple[str, ...] = request.extensions.get("addresses", ())
    return addresses


def _connect_timeout(request: httpx.Request) -> float | None:
    """Return the seconds that connecting may take, in httpx's own place for them."""
    seconds: float | None = request.extensions.get("timeout", {}).get("connect")
    return seconds


def _most_idle(request: httpx.Request) -> int:
    """Return how many connections may wait beside that of *request*: POSTs use none of them."""
    return MOST_AFTER_POST if request.method == "POST" else MOST_IDLE


def _unframed(connection: Any) -> bytes:
    """Return what came behind the end that the head of an answer, or its chunks, tell of.

    A length may count letters instead of bytes, and a relay may say `chunked` of what it has put
    together. A chunk's own line is no part of an answer, and neither is another answer.
    """
    data, _ = connection._h11_state.trailing_data  # noqa: SLF001  httpcore has no way to ask
    return b"" if _FRAMING.match(data) else data


_FRAMING: Final = re.compile(rb"\s*+(?:[0-9A-Fa-f]{0,16}\s*+\Z|HTTP/1)")


def _popped(stack: list[Connection]) -> Connection | None:
    try:
        return stack.pop()
    except IndexError:  # also where another thread was quicker
        return None


def _kept(connection: Connection, stack: list[Connection], most: int) -> bool:
    """Put a connection back, if it can be used again; tell whether it was."""
    rest, _ = connection._h11_state.trailing_data  # noqa: SLF001  the next answer would begin so
    if not connection.is_idle() or len(stack) >= most or rest:
        return False
    stack.append(connection)
    return True


def _as_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    sent = httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        content=request.stream,
        extensions=request.extensions,
    )
    sent.headers = request.headers.raw  # given above, each would be looked at once more
    return sent


def _as_httpx(answer: httpcore.Response, body: Any) -> httpx.Response:
    return httpx.Response(
        answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
    )


class _errors_of_httpx:  # noqa: N801  used as a function; a class of its own is five times as quick
    """Turn httpcore's errors into those of httpx, which have the same names."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, _FAILURES):
            raise getattr(httpx, type(error).__name__)(str(error)) from error


class _Body(httpx.SyncByteStream):
    def __init__(
        self,
        stream: Any,
        connection: httpcore.HTTP11Connection,
        stack: list[httpcore.HTTP11Connection],
        most: int,
    ) -> None:
        self._most = most
        self._stream = stream
        self._connection: httpcore.HTTP11Connection | None = connection
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            try:
                yield from self._stream
            except httpcore.RemoteProtocolError:
                if rest := _unframed(self._connection):
                    yield rest
                raise
            if rest := _unframed(self._connection):
                yield rest

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                self._stream.close()
            except BaseException:  # interrupted
                connection.close()
                raise
            if not _kept(connection, self._stack, self._most):
                connection.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(
        self,
        stream: Any,
        connection: httpcore.AsyncHTTP11Connection,
        stack: list[httpcore.AsyncHTTP11Connection],
        most: int,
    ) -> None:
        self._most = most
        self._stream = stream
        self._end: Exception | None = None
        self._connection: httpcore.AsyncHTTP11Connection | None = connection
        self._stack = stack

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._chunks = aiter(self._stream)
        return self  # a loop keeps account of each generator, and this is none

    async def __anext__(self) -> bytes:
        with _errors_of_httpx():
            if self._end is not None:
                raise self._end
            try:
                chunk: bytes = await anext(self._chunks)
            except (StopAsyncIteration, httpcore.RemoteProtocolError) as end:
                self._end = end
                if not (chunk := _unframed(self._connection)):
                    raise
            return chunk

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await self._stream.aclose()
            except BaseException:  # interrupted
                await connection.aclose()
                raise
            if not _kept(connection, self._stack, self._most):
                await connection.aclose()
