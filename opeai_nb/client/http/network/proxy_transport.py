"""The way through a proxy: httpx's own transports, and what fails on the way, named."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import httpx

from opeai_nb.client.http.network.certificates import tls_context
from opeai_nb.client.http.network.proxies import Proxy, ProxyProblemError, named_proxy, proxy_for
from opeai_nb.client.wire.error.messages import LACKS_USER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

MOST_IDLE: Final = 20
"""How many connections are kept open to one server: httpx's own figure."""

Way = TypeVar("Way", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


class ProxyTransports(Generic[Way]):
    """httpx's own transports, one for each proxy; paid requests never share a connection."""

    def __init__(self, make: Callable[..., Way], backend: Callable[[], Any]) -> None:
        self._make: Callable[..., Way] = make
        self._backend = backend
        self._process = os.getpid()
        self._ways: dict[tuple[str, bool], Way] = {}
        self._tls = cache(tls_context)  # dear: it reads all certificates

    def way(self, proxy: Proxy, request: httpx.Request) -> Way:
        """Return the transport for a request that goes through *proxy*."""
        if self._process != os.getpid():  # what a fork inherited is its parent's
            self._process, self._ways = os.getpid(), {}
        key = (proxy.url, request.method == "POST")
        if key not in self._ways:
            limits = httpx.Limits(max_keepalive_connections=0 if key[1] else MOST_IDLE)
            self._ways[key] = self._make(
                proxy=httpx.Proxy(proxy.url), verify=self._tls(), limits=limits, trust_env=False
            )
            pool: Any = self._ways[key]._pool  # noqa: SLF001  httpx has no argument for a backend
            pool._network_backend = self._backend()  # noqa: SLF001  as above
        return self._ways[key]

    def all(self) -> list[Way]:
        """Give up all of them, to be closed."""
        ways, self._ways = list(self._ways.values()), {}
        return ways


def proxy_of(request: httpx.Request) -> Proxy | None:
    """Return the proxy for a request; raises `httpx.ProxyError` where a variable names none."""
    try:
        named = named_proxy(request.url.scheme)  # mostly there is none, and this is cheap
        return None if named is None else proxy_for(str(request.url))
    except ProxyProblemError as error:
        raise httpx.ProxyError(str(error), request=request) from error


class Departure:
    """Notes whether a request itself left for its proxy: a tunnel is asked for before it.

    *stream* is the connection to the proxy: httpcore leaves it open where a tunnel is refused.
    """

    def __init__(self) -> None:
        self.has_left = False
        self.stream: Any = None

    def noted(self, event: str, info: Mapping[str, Any]) -> None:
        """Take what httpcore tells of a request."""
        if event.endswith("send_request_headers.started"):
            self.has_left = self.has_left or info["request"].method != b"CONNECT"
        elif event.endswith("connect_tcp.complete"):
            self.stream = info["return_value"]

    def noted_before(
        self, further: Callable[..., Awaitable[None]] | None
    ) -> Callable[..., Awaitable[None]]:
        """Return the same for an asynchronous request; *further* is told of it as well."""

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if further is not None:
                await further(event, info)
            self.noted(event, info)

        return trace


@contextmanager
def errors_of_proxy(proxy: Proxy, departure: Departure) -> Iterator[None]:
    """Name the proxy, and what named it, in whatever fails on the way to it."""
    try:
        yield
    except ImportError as error:
        raise httpx.ProxyError(
            f"{proxy} needs a package: pip install 'httpx[socks]', or add the host to NO_PROXY"
        ) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        why = str(error) or "no connection could be made in time"
        why = LACKS_USER if why.startswith("407 ") else why
        raise httpx.ProxyError(f"{proxy} does not lead there: {why}") from error
    except httpx.TransportError as error:
        if departure.has_left:
            raise
        why = "it gives no answer" if isinstance(error, httpx.ReadTimeout) else "it hangs up"
        raise httpx.ProxyError(f"{proxy} does not lead there: {why}") from error
    except _errors_of_socks() as error:
        raise httpx.ProxyError(f"{proxy} does not lead there: it does not speak SOCKS5") from error
    except ValueError as error:
        raise httpx.ProxyError(f"{proxy} is no proxy that can be used") from error


def _errors_of_socks() -> tuple[type[Exception], ...]:
    """Return what `socksio` raises, which httpcore lets through."""
    try:
        from socksio import SOCKSError
    except ImportError:
        return ()
    return (SOCKSError,)


def for_proxy(request: httpx.Request, trace: Callable[..., object]) -> httpx.Request:
    """Take a target of our own away: httpcore would give it to the proxy in place of the URL."""
    kept = {k: v for k, v in request.extensions.items() if k != "target"}
    request.extensions = {**kept, "trace": trace}
    return request
