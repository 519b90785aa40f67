"""httpcore's network on asyncio, over plain sockets.

Ours since anyio's, which httpcore takes, pays for task groups and cancel scopes that serve other
event loops: half of what a paid request cost (`tests/bench/bench_client.py`).
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpcore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Result = TypeVar("Result")
_AT_ONCE: Final = 512 * 1024
"""Bytes that a TLS connection takes from its stream at once; a record of TLS has 16 KB."""


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Connects to an IP address on the running loop of asyncio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect. Raises `httpcore.ConnectTimeout` and `httpcore.ConnectError`."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            plain = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        try:
            plain.setblocking(False)
            # What is written is whole, and need not wait for more.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in socket_options or ():
                plain.setsockopt(*option)
            if local_address is not None:
                plain.bind((local_address, 0))
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(plain, (host, port))
        except BaseException as error:
            plain.close()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError):
                raise httpcore.ConnectError(_why(error)) from error
            raise
        return _Stream(plain)

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        await asyncio.sleep(seconds)


class _InTime(httpcore.AsyncNetworkStream):
    """A stream with httpcore's limits and errors, in which TLS can begin."""

    async def _receive(self, max_bytes: int) -> bytes:
        raise NotImplementedError

    async def _send(self, buffer: bytes) -> None:
        raise NotImplementedError

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._receive(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._send(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Shake hands. Raises `httpcore.ConnectTimeout` and `httpcore.ConnectError`."""
        try:
            stream = _TlsStream(self, ssl_context, server_hostname)
            async with asyncio.timeout(timeout):
                await stream.shake_hands()
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, (OSError, httpcore.NetworkError)):  # of ssl, too
                raise httpcore.ConnectError(str(error)) from error
            raise
        return stream


class _Stream(_InTime):
    """A connection without TLS."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._loop = asyncio.get_running_loop()

    async def _receive(self, max_bytes: int) -> bytes:
        return await self._loop.sock_recv(self._socket, max_bytes)

    async def _send(self, buffer: bytes) -> None:
        if rest := buffer[self._sent(buffer) :]:
            await self._loop.sock_sendall(self._socket, rest)

    def _sent(self, buffer: bytes) -> int:
        """Send what leaves at once, mostly all of it, and return how much that was."""
        try:
            return self._socket.send(buffer)
        except (BlockingIOError, InterruptedError):
            return 0

    async def aclose(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "socket":
                return self._socket
            case "client_addr":
                return self._socket.getsockname()
            case "server_addr":
                return self._socket.getpeername()
            case "is_readable":
                return _is_readable(self._socket)
        return None


class _TlsStream(_InTime):
    """TLS inside a stream: `ssl` speaks it, between two buffers."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext, host: str | None
    ) -> None:
        self._stream = stream
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)

    async def shake_hands(self) -> None:
        await self._done(self._tls.do_handshake)

    async def _receive(self, max_bytes: int) -> bytes:
        try:
            return await self._done(lambda: self._records(max_bytes))
        except ssl.SSLEOFError:  # many servers end without a farewell
            return b""

    async def _send(self, buffer: bytes) -> None:
        await self._done(lambda: self._tls.write(buffer) if buffer else 0)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._stream.get_extra_info(info)

    def _records(self, most: int) -> bytes:
        """Return what the records that are here hold; nothing after the last of them."""
        parts = [self._tls.read(most)]
        with suppress(ssl.SSLWantReadError):
            while parts[-1] and (left := most - sum(map(len, parts))) > 0:
                parts.append(self._tls.read(left))
        return b"".join(parts)

    async def _done(self, work: Callable[[], Result]) -> Result:
        """Return what *work* returns, once what it needs has come and what it says has left."""
        while True:
            try:
                result = work()
            except ssl.SSLWantReadError:
                await self._said()
                if data := await self._stream.read(_AT_ONCE):
                    self._arrived.write(data)
                else:
                    self._arrived.write_eof()
            else:
                await self._said()
                return result

    async def _said(self) -> None:
        if self._leaving.pending:
            await self._stream.write(self._leaving.read())


def _why(error: OSError) -> str:
    """Return what the system says; asyncio puts address and port in its place."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def _is_readable(plain: socket.socket) -> bool:
    """Tell whether something can be read at once, be it the end; of a closed one, its end."""
    if plain.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([plain], [], [], 0)[0])
    poll = select.poll()
    poll.register(plain, select.POLLIN)
    return bool(poll.poll(0))
