"""Sockets for httpcore that are read in wide strokes, and written to in as few packets as can be.

httpx reads a body 64 KB at a time, and an answer with four pictures is 8 MB of base64: reading up
to 512 KB at once halves the time of such a call (`tests/bench/bench_client.py`). No
setting of httpx or httpcore reads more at once. A connection begins with 64 KB, which the system
need not be asked for: most answers are smaller.
"""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import httpcore

from opeai_nb.client.http.network.deadline import left_of
from opeai_nb.client.http.network.resolve import addresses_to_try, is_address, looked_up
from opeai_nb.client.http.per_loop import running_loop

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

READ_BYTES: Final = 512 * 1024
_SMALL: Final = 64 * 1024
_WINDOW: Final = 3 * 1024 * 1024
"""Bytes of an answer that may wait in the system: with the 128 KB that a fresh connection begins
with, a body of several pictures costs a sixth more processor time."""


class _Outbox:
    """Holds the head of a request back until its body, so that both leave in one packet."""

    def __init__(self) -> None:
        self._held = b""
        self._timeout: float | None = None

    def take(self, buffer: bytes, timeout: float | None) -> tuple[bytes, ...]:
        """Return what is to be written now; a large body is not copied for the sake of its head."""
        held, self._held = self._held, b""
        if held or len(buffer) > _SMALL:
            return (held + buffer,) if len(buffer) <= _SMALL else (held, buffer)
        self._held, self._timeout = buffer, timeout
        return ()

    def rest(self) -> tuple[bytes, float | None]:
        """Return what is still held back, and the timeout that it was given."""
        held, self._held = self._held, b""
        return held, self._timeout


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._outbox = _Outbox()
        self._most = _SMALL

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._stream.write(*self._outbox.rest())
        left = left_of(timeout, httpcore.ReadTimeout)
        data = self._stream.read(max(max_bytes, self._most), left)
        if len(data) == self._most:  # there is more, and soon
            self._most = READ_BYTES
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for part in self._outbox.take(buffer, timeout):
            self._stream.write(part, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = left_of(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._outbox = _Outbox()
        self._most = _SMALL

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> bytes:
        await self._stream.write(*self._outbox.rest())
        left = left_of(timeout, httpcore.ReadTimeout)
        data = await self._stream.read(max(max_bytes, self._most), left)
        if len(data) == self._most:  # there is more, and soon
            self._most = READ_BYTES
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> None:
        for part in self._outbox.take(buffer, timeout):
            await self._stream.write(part, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        left = left_of(timeout, httpcore.ConnectTimeout)
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _make_room(plain: socket.socket) -> None:
    """Let `_WINDOW` bytes of an answer wait in the system.

    Linux makes room for what a reader says it waits for, and keeps it when the reader waits for one
    byte again. SO_RCVBUF would end the system's own growth of it, which long lines need.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a kernel in a sandbox may not know it
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _WINDOW)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


@contextmanager
def _failures_of_lookup() -> Iterator[None]:
    """Give httpcore's errors for those of a lookup."""
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("the name could not be looked up in time") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error


class WideBackend(httpcore.SyncBackend):
    """httpcore's synchronous backend with wide reads.

    *addresses* are tried in their order in place of the host, which is not looked up again: what
    was checked is what is connected to. A name is looked up within the time to connect, for the
    system's own lookup may take any.
    """

    def __init__(self, addresses: tuple[str, ...] = ()) -> None:
        self._addresses = addresses

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *where: Any, **options: Any
    ) -> httpcore.NetworkStream:
        """Connect; the stream reads widely."""
        *others, last = self._addresses or self._found(host, timeout)

        def connected(address: str) -> httpcore.NetworkStream:
            left = left_of(timeout, httpcore.ConnectTimeout)
            stream = super(WideBackend, self).connect_tcp(address, port, left, *where, **options)
            _make_room(stream.get_extra_info("socket"))
            return stream

        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Stream(connected(address))
        return _Stream(connected(last))

    def _found(self, host: str, timeout: float | None) -> tuple[str, ...]:
        if is_address(host):
            return (host,)
        with _failures_of_lookup():
            left = left_of(timeout, httpcore.ConnectTimeout)
            return addresses_to_try(looked_up(host).result(left)) or (host,)


class AsyncWideBackend(httpcore.AsyncNetworkBackend):
    """The same for event loops, over *network*: by default one of ours on asyncio, else anyio's."""

    def __init__(
        self,
        addresses: tuple[str, ...] = (),
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._addresses = addresses
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        *where: Any,
        **options: Any,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; the stream reads widely."""
        *others, last = self._addresses or await self._found(host, timeout)
        network = self._network or _network_here()

        async def connected(address: str) -> httpcore.AsyncNetworkStream:
            left = left_of(timeout, httpcore.ConnectTimeout)
            stream = await network.connect_tcp(address, port, left, *where, **options)
            _make_room(stream.get_extra_info("socket"))
            return stream

        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _AsyncStream(await connected(address))
        return _AsyncStream(await connected(last))

    async def _found(self, host: str, limit: float | None) -> tuple[str, ...]:
        if is_address(host):
            return (host,)
        import asyncio  # dear, and the synchronous client needs none

        with _failures_of_lookup():
            left = left_of(limit, httpcore.ConnectTimeout)
            found = await asyncio.wait_for(asyncio.wrap_future(looked_up(host)), left)
            return addresses_to_try(found) or (host,)

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        await (self._network or _network_here()).sleep(seconds)


def _network_here() -> httpcore.AsyncNetworkBackend:
    """Return the network for the event loop that runs: anyio's where it is not asyncio's."""
    from opeai_nb.client.http.network.asyncio_sockets import AsyncioBackend

    return httpcore.AnyIOBackend() if running_loop() is None else AsyncioBackend()
