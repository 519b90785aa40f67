"""uvicorn's HTTP/1.1, with an end for clients that send drop by drop, and answers in one piece.

uvicorn's one timeout is for connections that wait between two requests; a head or a body that never
ends would hold its connection, and a file descriptor, for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS: Final = 30.0
BODY_SECONDS: Final = 600.0
"""64 MB, the largest body, at 100 KB/s."""


class PacedProtocol(H11Protocol):
    """Closes a connection whose request is not whole in time, from its first byte on."""

    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _in_body: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
        """Wait for a head."""
        super().connection_made(_HeldHeads(transport, self.loop))  # type: ignore[arg-type]  # it has a transport's methods
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request, and look how far it is."""
        if self._timer is None and self.conn.their_state is h11.IDLE:
            self._wait(self.head_seconds)
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            return
        if self.conn.their_state is not h11.SEND_BODY:
            self._rest()
        elif not self._in_body:
            self._wait(self.body_seconds)
            self._in_body = True

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _rest(self) -> None:
        self._in_body = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _HeldHeads:
    """*transport*, which sends the head of an answer and the first of its body at once.

    Each call to the system hands the interpreter's lock to a painting thread: beside one, an answer
    in two calls takes twice as long.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send *data* with what was held, or hold it until the loop's next turn: it is a head."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/"):
            self._head = data
            self._loop.call_soon(self.flush)
            return
        if data:
            self._transport.write(data)

    def flush(self) -> None:
        """Send what is held: no body has followed."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        """Send what is held and close."""
        self.flush()
        self._transport.close()
