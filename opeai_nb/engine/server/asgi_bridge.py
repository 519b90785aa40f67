"""One request and its answer between a caller in any thread and an ASGI application on its loop.

The caller is told what happens as *events*; it never waits inside the application's loop. The
answer's body comes in slices, and the application waits while eight of them lie unread.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Scope

_LOG: Final = logging.getLogger("opeai_nb.engine")
_SLICE: Final = 256 * 1024  # as a socket hands them over; a fault in mid-body must show
_UNREAD_MAX: Final = 8  # slices, 2 MB: a slow reader holds the answer up, as behind a socket


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the answer."""

    status: int
    headers: list[tuple[bytes, bytes]]


class BodyWanted:
    """The application asks for the next chunk of the request's body."""


class BodyEnd:
    """The answer is whole."""


class BodyCut:
    """The application ended before its answer was whole."""


Event = Head | bytes | BodyWanted | BodyEnd | BodyCut


class AsgiCall:
    """Runs *app* once for *scope* and delivers its events.

    `run`, `receive` and `send` live on the application's loop; `feed`, `taken` and
    `hang_up` may be called from any thread. After a hang-up the application is not cancelled: as
    behind a socket it hears `http.disconnect`, and what it sends is dropped.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        scope: Scope,
        deliver: Callable[[Event], None],
        *,
        has_body: bool,
    ) -> None:
        self._loop = loop
        self._scope = scope
        self._deliver = deliver
        self._body: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self._more = has_body
        self._asked_empty = False
        self._unread = 0
        self._moved = asyncio.Event()
        self._started = False
        self._complete = False
        self._gone = False

    async def run(self, app: ASGIApp) -> None:
        """Run the application; a failure before the head is a 500, as a server makes of it."""
        try:
            await app(self._scope, self.receive, self.send)
        except Exception:  # noqa: BLE001  as a server does: the log and a 500, and it lives on
            _LOG.exception("the application failed")
            if not self._started:
                self._tell(Head(500, [(b"content-type", b"text/plain; charset=utf-8")]))
                self._tell(b"Internal Server Error")
                self._complete = True
                self._tell(BodyEnd())
        finally:
            if not self._complete:
                self._tell(BodyCut())

    async def receive(self) -> Message:
        """Return the next part of the request's body, then wait for the disconnect."""
        if self._more:
            self._tell(BodyWanted())
            chunk, self._more = await self._body.get()
            if not self._gone:
                return {"type": "http.request", "body": chunk, "more_body": self._more}
        elif not self._asked_empty and self._body.empty() and not self._gone:
            self._asked_empty = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while not (self._gone or self._complete):
            self._moved.clear()
            await self._moved.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Deliver a part of the answer, waiting while the caller is behind."""
        if message["type"] == "http.response.start":
            self._started = True
            self._tell(Head(message["status"], [(k, v) for k, v in message.get("headers", [])]))
            return
        body = b"" if self._scope["method"] == "HEAD" else message.get("body", b"")
        for start in range(0, len(body), _SLICE):
            while self._unread >= _UNREAD_MAX and not self._gone:
                self._moved.clear()
                await self._moved.wait()
            self._unread += 1
            self._tell(bytes(body[start : start + _SLICE]))
        if not message.get("more_body", False):
            self._complete = True
            self._moved.set()
            self._tell(BodyEnd())

    def feed(self, chunk: bytes, *, more: bool) -> None:
        """Give the application the chunk it wanted."""
        self._loop.call_soon_threadsafe(self._body.put_nowait, (chunk, more))

    def taken(self) -> None:
        """Tell that one slice of the answer has been read."""
        self._loop.call_soon_threadsafe(self._on_taken)

    def hang_up(self) -> None:
        """Tell that the caller is gone."""
        self._loop.call_soon_threadsafe(self._on_gone)

    def _on_taken(self) -> None:
        self._unread -= 1
        self._moved.set()

    def _on_gone(self) -> None:
        self._gone = True
        self._moved.set()
        self._body.put_nowait((b"", False))

    def _tell(self, event: Event) -> None:
        if self._gone:
            return
        try:
            self._deliver(event)
        except RuntimeError:  # the caller's loop is closed: nobody is there any more
            self._on_gone()
