"""How many paid requests may be in flight: halved when the platform says 429, then grown again.

One for each client, so that what one request hears counts for all of them: after a 429 with
Retry-After nothing leaves before that time is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.steps import CutAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_TOO_MANY = 429


async def in_time(limit: asyncio.Semaphore | Throttle, seconds: float | None) -> int | None:
    """Take a turn of *limit*. Raises `CutAnswer` where none comes in so many *seconds*."""
    if seconds is None or not limit.locked():  # no timer where nobody waits
        return await limit.__aenter__()
    try:
        async with asyncio.timeout(seconds):
            return await limit.__aenter__()
    except TimeoutError as error:
        raise CutAnswer("others were still being answered") from error


class Throttle:
    """Lets at most *limit* requests through at once; `async with throttle as turn:` takes a turn.

    *limit* begins at *most*. A 429 sets it to half of what was in flight, once for all requests
    that were sent before it was heard of; as many successes as the limit is raise it by one, up
    to *most*. *clock* and *sleep* count seconds.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self.most = most
        self.limit = most
        self.busy = 0
        self._clock = clock
        self._sleep = sleep
        self._opens = float("-inf")
        self._halvings = 0
        self._successes = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __repr__(self) -> str:
        return f"<Throttle: {self.busy} of {self.limit}>"

    async def __aenter__(self) -> int:
        """Wait for a turn. What comes back tells `heard` when the request was sent."""
        while True:
            if (pause := self._opens - self._clock()) > 0:
                await self._sleep(pause)
            elif self.busy < self.limit:
                self.busy += 1
                return self._halvings
            else:
                await self._woken()

    def locked(self) -> bool:
        """Tell whether one has to wait for a turn."""
        return self.busy >= self.limit or self._opens > self._clock()

    async def __aexit__(self, *_: object) -> None:
        self.busy -= 1
        self._wake()

    def heard(self, turn: int, status: int, headers: Mapping[str, str]) -> None:
        """Learn from the answer to the request that was sent in this *turn*."""
        if status != _TOO_MANY:
            self._grow()
            return
        asked = schedule.wished(schedule.retry_after(headers))
        if asked is not None and asked < schedule.LONGEST_PAUSE:
            self._opens = max(self._opens, self._clock() + asked)
        if turn == self._halvings:  # else it left before the last halving, and tells nothing new
            self.limit = max(1, min(self.limit, self.busy) // 2)
            self._halvings += 1
            self._successes = 0

    def _grow(self) -> None:
        self._successes += 1
        if self._successes >= self.limit < self.most:
            self.limit += 1
            self._successes = 0

    async def _woken(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # the turn that woke it is somebody else's now
            raise

    def _wake(self) -> None:
        free = self.limit - self.busy
        while free > 0 and self._waiting:
            waiter: Any = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1
