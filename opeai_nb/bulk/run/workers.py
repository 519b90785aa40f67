"""The crew: works through points on the studio's loop, no more at once than is good."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.bulk.run.outcome import Outcome, failed
from opeai_nb.errors import (
    AuthenticationError,
    JobStoppedError,
    OpeaiError,
    OptionError,
    QuotaError,
    RateLimitError,
)
from opeai_nb.library import Slot
from opeai_nb.library.session_takes import POINT
from opeai_nb.studio.decision import Ask
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.studio import Studio

Result = TypeVar("Result")

_THREADS: Final = 4
_ROUNDS: Final = 10
"""How often a request that was refused with 429 to the end is begun again."""
_PAUSE: Final = 5.0
# What every other request would meet as well: nothing more is sent.
HOPELESS: Final = (AuthenticationError, QuotaError, OptionError)


class Crew:
    """Makes *points* and calls *settled* with each and its outcome, on the loop."""

    def __init__(
        self,
        studio: Studio,
        points: Iterable[Point],
        options: BulkOptions,
        settled: Callable[[Point, Outcome], object],
        *,
        is_halted: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.running = 0
        self._is_halted = is_halted
        self._studio = studio
        self._points: Iterator[Point] = iter(points)
        self._options = options
        self._settled = settled
        self._sleep = sleep
        self._throttle = studio.throttle
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="opeai_nb-bulk")
        self._halted = False
        self._parked: deque[asyncio.Future[None]] = deque()

    def halt(self) -> None:
        """Begin nothing more; what is under way goes on. Any thread may call it."""
        self._halted = True

    async def work(self) -> None:
        """Make all points; return when nothing is under way any more."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._options.concurrency):
                    group.create_task(self._hand())
        finally:
            self._threads.shutdown(wait=False)

    async def _hand(self) -> None:
        while True:
            await self._turn()
            try:
                if self._halted or self._is_halted():
                    return
                if (point := next(self._points, None)) is None:
                    return
                self._settled(point, await self._outcome(point))
            finally:
                self._leave()

    # -- how many at once

    async def _turn(self) -> None:
        while self.running >= max(1, self._throttle.limit):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._parked.append(waiter)
            await waiter
        self.running += 1

    def _leave(self) -> None:
        self.running -= 1
        free = max(1, self._throttle.limit) - self.running
        while free > 0 and self._parked:
            waiter = self._parked.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1

    # -- one point

    async def _outcome(self, point: Point) -> Outcome:
        try:
            outcome = await self._made(point)
        except OpeaiError as error:
            self._halted = self._halted or isinstance(error, HOPELESS)
            return failed(error)
        except Exception as error:  # noqa: BLE001  whatever one point meets, the others go on
            return failed(_broken(error, point.request))
        return await self._handed_on(point, outcome)

    async def _handed_on(self, point: Point, outcome: Outcome) -> Outcome:
        """Copy and hand on what was kept; what goes wrong then costs no picture."""
        if outcome.generation is None:
            return outcome
        try:
            if self._options.mirror is not None:
                await self._disk(self._options.mirror.put, outcome.generation)
            if self._options.then is not None:
                value = await self._disk(self._options.then, outcome.generation)
                outcome = replace(outcome, value=value)
        except OpeaiError as error:
            return replace(outcome, error=error)
        except Exception as error:  # noqa: BLE001  a function of the user's may raise anything
            return replace(outcome, error=_broken(error, point.request))
        return outcome

    async def _made(self, point: Point) -> Outcome:
        for attempt in range(_ROUNDS):
            job = self._studio.start_asked(asked(point, self._options))
            try:
                generation = await job
            except RateLimitError as error:
                # It was refused to the end, so nothing was begun and nothing was paid for.
                if self._halted or attempt == _ROUNDS - 1:
                    raise
                await self._sleep(error.retry_after or _PAUSE)
            else:
                replayed = generation.replayed_from
                return Outcome(
                    "replayed" if replayed else "done", generation, id=replayed or job.id
                )
        raise AssertionError("the last round returns or raises")

    async def _disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _broken(error: Exception, request: ImageRequest) -> OpeaiError:
    made = OpeaiError(f"{type(error).__name__}: {error}", request=request)
    made.__cause__ = error
    return made


def asked(point: Point, options: RunOptions | None = None) -> Ask:
    """Return the run of a point. Its slot is the same in every run and every process.

    Named after no cell: the same point of an extended, reordered or copied sweep is found again.
    """
    return Ask(
        point.request, Slot(POINT, point.call), "point", options or RunOptions(), point.identity
    )


def kept_of(studio: Studio, points: Iterable[Point]) -> frozenset[int]:
    """Return the numbers of the points that the library can show now."""
    points = list(points)
    shown = studio.door.shown(asked(point) for point in points)
    return frozenset(point.number for point, is_kept in zip(points, shown, strict=True) if is_kept)


def stopped() -> Outcome:
    """Return the outcome of a point that was not begun."""
    error = JobStoppedError(
        "It was not sent.", advice="Running it again sends what is missing, and nothing else."
    )
    return Outcome("stopped", error=error)
