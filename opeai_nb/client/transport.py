"""The way to the network: httpcore's connection pools, read in wide strokes.

httpx reads a body 64 KB at a time, and an answer with four pictures is 8 MB of base64. Reading up
to 512 KB at once halves the time of such a call (`tests/bench/bench_client.py`). The TLS context,
half of the start of httpx, is made for the first https request only.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.request import getproxies

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator

READ_BYTES: Final = 512 * 1024
# httpx's own limits: its pool looks at every connection for each request, so more cost more.
_LIMITS: Final = {"max_connections": 100, "max_keepalive_connections": 20, "keepalive_expiry": 5.0}
_FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)

Pool = TypeVar("Pool")


def wide_transport() -> WideTransport | None:
    """Return the synchronous transport; None behind a proxy, which httpx itself knows to use."""
    return None if _through_proxy() else WideTransport()


def async_wide_transport() -> AsyncWideTransport | None:
    """Return the asynchronous transport; None behind a proxy, which httpx itself knows to use."""
    return None if _through_proxy() else AsyncWideTransport()


class WideTransport(httpx.BaseTransport):
    """`httpx.HTTPTransport` with wide reads."""

    def __init__(self) -> None:
        self._pools: dict[str, httpcore.ConnectionPool] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        pool = _pool_for(request, self._pools, httpcore.ConnectionPool, _Backend)
        with _errors_of_httpx():
            answer = pool.handle_request(_as_httpcore(request))
        return _as_httpx(answer, _Body(answer.stream))

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()


class AsyncWideTransport(httpx.AsyncBaseTransport):
    """`httpx.AsyncHTTPTransport` with wide reads."""

    def __init__(self) -> None:
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return when the head of its answer is there."""
        pool = _pool_for(request, self._pools, httpcore.AsyncConnectionPool, _AsyncBackend)
        with _errors_of_httpx():
            answer = await pool.handle_async_request(_as_httpcore(request))
        return _as_httpx(answer, _AsyncBody(answer.stream))

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()


def _through_proxy() -> bool:
    return any(scheme != "no" for scheme in getproxies())


def _pool_for(
    request: httpx.Request, pools: dict[str, Pool], make: Callable[..., Pool], backend: type
) -> Pool:
    scheme = request.url.scheme
    if scheme not in pools:
        context = httpx.create_ssl_context() if scheme == "https" else None
        pool = make(ssl_context=context, network_backend=backend(), **_LIMITS)
        return pools.setdefault(scheme, pool)  # another thread may have been quicker
    return pools[scheme]


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
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, READ_BYTES), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> bytes:
        return await self._stream.read(max(max_bytes, READ_BYTES), timeout)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *where: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*where, **options))


class _AsyncBackend(httpcore.AnyIOBackend):
    async def connect_tcp(self, *where: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await super().connect_tcp(*where, **options))
