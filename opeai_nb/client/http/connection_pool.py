"""The way to the network: httpcore's connections, kept on a stack, as an httpx transport.

httpx's pool looks through all its connections, with a system call for each, whenever one is asked
for; here the one that was used last is taken: with 64 polls in flight each costs 1 ms of CPU
instead of 3.6 (`tests/bench/bench_load.py`). `httpx2` has mended its pool; with it this file would
go. The TLS context, half of the start of httpx, is made for the first https request only.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.request import getproxies

import httpcore
import httpx

from opeai_nb.client.http.sockets import AsyncWideBackend, WideBackend

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator

MOST_IDLE: Final = 20
IDLE_SECONDS: Final = 5.0
"""How many connections are kept open to one server, and for how long: httpx's own figures."""
_FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)

Connection = TypeVar("Connection", httpcore.HTTPConnection, httpcore.AsyncHTTPConnection)


def transport_for_here() -> httpx.BaseTransport:
    """Return the way to the network: through the proxy of this environment, where it has one."""
    return _Proxied() if _through_proxy() else WideTransport()


def async_transport_for_here() -> httpx.AsyncBaseTransport:
    """Return the way to the network: through the proxy of this environment, where it has one."""
    return _AsyncProxied() if _through_proxy() else AsyncWideTransport()


class WideTransport(httpx.BaseTransport):
    """`httpx.HTTPTransport` with wide reads. How many connections it opens is the caller's care."""

    def __init__(self) -> None:
        self._idle: _Idle[httpcore.HTTPConnection] = _Idle()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        sent = _as_httpcore(request)
        origin = sent.url.origin
        with _errors_of_httpx():
            connection = self._connection(origin, _pinned(request))
            try:
                answer = connection.handle_request(sent)
            except BaseException:
                connection.close()
                raise
        return _as_httpx(answer, _Body(answer.stream, connection, self._idle.stack(origin)))

    def close(self) -> None:
        """Close all connections that nobody uses."""
        for connection in self._idle.all():
            connection.close()

    def _connection(
        self, origin: httpcore.Origin, pinned: tuple[str, ...]
    ) -> httpcore.HTTPConnection:
        stack = self._idle.stack(origin)
        while (known := _popped(stack)) is not None:
            if not known.has_expired():
                return known
            known.close()
        return httpcore.HTTPConnection(
            origin, self._idle.tls_for(origin), IDLE_SECONDS, network_backend=WideBackend(pinned)
        )


class AsyncWideTransport(httpx.AsyncBaseTransport):
    """`httpx.AsyncHTTPTransport` with wide reads. How many connections it opens: as its twin."""

    def __init__(self) -> None:
        self._idle: _Idle[httpcore.AsyncHTTPConnection] = _Idle()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        sent = _as_httpcore(request)
        origin = sent.url.origin
        with _errors_of_httpx():
            connection = await self._connection(origin, _pinned(request))
            try:
                answer = await connection.handle_async_request(sent)
            except BaseException:
                await connection.aclose()
                raise
        return _as_httpx(answer, _AsyncBody(answer.stream, connection, self._idle.stack(origin)))

    async def aclose(self) -> None:
        """Close all connections that nobody uses."""
        for connection in self._idle.all():
            await connection.aclose()

    async def _connection(
        self, origin: httpcore.Origin, pinned: tuple[str, ...]
    ) -> httpcore.AsyncHTTPConnection:
        stack = self._idle.stack(origin)
        while (known := _popped(stack)) is not None:
            if not known.has_expired():
                return known
            await known.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            self._idle.tls_for(origin),
            IDLE_SECONDS,
            network_backend=AsyncWideBackend(pinned),
        )


class _Proxied(httpx.BaseTransport):
    """httpx itself, which knows what the environment says of proxies."""

    def __init__(self) -> None:
        self._client = httpx.Client()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._client.send(_for_proxy(request), stream=True)

    def close(self) -> None:
        self._client.close()


class _AsyncProxied(httpx.AsyncBaseTransport):
    """httpx itself, which knows what the environment says of proxies."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(_for_proxy(request), stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def _for_proxy(request: httpx.Request) -> httpx.Request:
    """Take a target of our own away: httpcore would give it to the proxy in place of the URL."""
    request.extensions = {k: v for k, v in request.extensions.items() if k != "target"}
    return request


class _Idle(Generic[Connection]):
    """Connections that nobody uses, those of one server on a stack with the last used on top.

    Safe to use from several threads: a list's append and pop are.
    """

    def __init__(self) -> None:
        self._stacks: dict[tuple[bytes, bytes, int], list[Connection]] = {}
        self._tls: ssl.SSLContext | None = None

    def stack(self, origin: httpcore.Origin) -> list[Connection]:
        return self._stacks.setdefault((origin.scheme, origin.host, origin.port), [])

    def all(self) -> Iterator[Connection]:
        for stack in self._stacks.values():
            while stack:
                yield stack.pop()

    def tls_for(self, origin: httpcore.Origin) -> ssl.SSLContext | None:
        if self._tls is None and origin.scheme == b"https":
            try:
                self._tls = httpx.create_ssl_context()
            except OSError as error:  # a wrong SSL_CERT_FILE, or what it holds
                why = error.strerror or "their file is broken"
                told = f"the certificates for TLS cannot be loaded ({why})"
                raise httpx.ConnectError(told) from error
        return self._tls


def _pinned(request: httpx.Request) -> tuple[str, ...]:
    """Return the addresses that may be connected to for a request; none: any of its host."""
    addresses: tuple[str, ...] = request.extensions.get("addresses", ())
    return addresses


def _popped(stack: list[Connection]) -> Connection | None:
    try:
        return stack.pop()
    except IndexError:  # also where another thread was quicker
        return None


def _kept(connection: Connection, stack: list[Connection]) -> bool:
    """Put a connection back, if it can be used again; tell whether it was."""
    if not connection.is_idle() or len(stack) >= MOST_IDLE:
        return False
    stack.append(connection)
    return True


def _through_proxy() -> bool:
    return any(scheme != "no" for scheme in getproxies())


def _as_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _as_httpx(answer: httpcore.Response, body: Any) -> httpx.Response:
    return httpx.Response(
        answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
    )


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Turn httpcore's errors into those of httpx, which have the same names."""
    try:
        yield
    except _FAILURES as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class _Body(httpx.SyncByteStream):
    def __init__(
        self,
        stream: Any,
        connection: httpcore.HTTPConnection,
        stack: list[httpcore.HTTPConnection],
    ) -> None:
        self._stream = stream
        self._connection: httpcore.HTTPConnection | None = connection
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._stream

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._stream.close()
            if not _kept(connection, self._stack):
                connection.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(
        self,
        stream: Any,
        connection: httpcore.AsyncHTTPConnection,
        stack: list[httpcore.AsyncHTTPConnection],
    ) -> None:
        self._stream = stream
        self._connection: httpcore.AsyncHTTPConnection | None = connection
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._stream.aclose()
            if not _kept(connection, self._stack):
                await connection.aclose()
