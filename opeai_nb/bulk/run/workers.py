"""The crew: works through points on the studio's loop, no more at once than is good."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.bulk.run.left_over import Unfinished, slot_of
from opeai_nb.bulk.run.outcome import Outcome, failed
from opeai_nb.errors import (
    AuthenticationError,
    JobStoppedError,
    OpeaiError,
    OptionError,
    OutcomeUnknownError,
    QuotaError,
    RateLimitError,
)
from opeai_nb.library import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opeai_nb.bulk.run.orders import Orders
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library import Entry, Record
    from opeai_nb.studio import Job, Studio

Result = TypeVar("Result")

_THREADS: Final = 4
_ROUNDS: Final = 10
"""How often a request that was refused with 429 to the end is begun again."""
_PAUSE: Final = 5.0
_LOOK_AGAIN: Final = 0.5
_AHEAD: Final = 256
# What every other request would meet as well: nothing more is sent.
HOPELESS: Final = (AuthenticationError, QuotaError, OptionError)


class Crew:
    """Makes *points* and calls *settled* with each and its outcome, on the loop."""

    def __init__(
        self,
        studio: Studio,
        points: Iterable[Point],
        orders: Orders,
        settled: Callable[[Point, Outcome], object],
        *,
        is_halted: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.running = 0
        self._is_halted = is_halted
        self._studio = studio
        self._points: Iterator[Point] = iter(points)
        self._ahead: deque[tuple[Point, bool]] = deque()
        self._looking = asyncio.Lock()
        self._orders = orders
        self._settled = settled
        self._sleep = sleep
        self._throttle = studio.throttle
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="opeai_nb-bulk")
        self._unfinished = Unfinished(())
        self._halted = False
        self._parked: deque[asyncio.Future[None]] = deque()

    def halt(self) -> None:
        """Begin nothing more; what is under way goes on. Any thread may call it."""
        self._halted = True

    async def work(self) -> None:
        """Make all points; return when nothing is under way any more."""
        try:
            self._unfinished = await self._left()
            async with asyncio.TaskGroup() as group:
                for _ in range(self._orders.concurrency):
                    group.create_task(self._hand())
        finally:
            self._threads.shutdown(wait=False)

    async def _left(self) -> Unfinished:
        """Return what is unfinished at the origin that this crew asks, platform or engine.

        Else a sweep of the platform would finish, and show, what the engine began to paint.
        """
        origin = self._studio.settings.origin
        pending = await self._disk(self._studio.library.pending)
        return Unfinished(entry for entry in pending if entry.origin == origin)

    async def _hand(self) -> None:
        while True:
            await self._turn()
            try:
                following = await self._next()
                if following is None:
                    return
                point, is_held = following
                self._settled(point, await self._outcome(point, is_held=is_held))
            finally:
                self._leave()

    async def _next(self) -> tuple[Point, bool] | None:
        """Return the next point, and whether the library may have it; None when there is none.

        The library is asked about hundreds at once: a look for each costs more than the rest.
        """
        if self._halted or self._is_halted():
            return None
        if not self._ahead:
            async with self._looking:
                if not self._ahead:
                    points = list(itertools.islice(self._points, _AHEAD))
                    held = await self._disk(self._held, points) if points else frozenset()
                    self._ahead.extend((point, point.identity in held) for point in points)
        return self._ahead.popleft() if self._ahead else None

    def _held(self, points: list[Point]) -> frozenset[str]:
        if self._orders.fresh or not self._studio.settings.replay:
            return frozenset()
        return self._studio.library.holds(point.identity for point in points)

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

    async def _outcome(self, point: Point, *, is_held: bool) -> Outcome:
        try:
            outcome = await self._made(point, is_held=is_held)
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
            if self._orders.mirror is not None:
                await self._disk(self._orders.mirror.put, outcome.generation)
            if self._orders.then is not None:
                value = await self._disk(self._orders.then, outcome.generation)
                outcome = replace(outcome, value=value)
        except OpeaiError as error:
            return replace(outcome, error=error)
        except Exception as error:  # noqa: BLE001  a function of the user's may raise anything
            return replace(outcome, error=_broken(error, point.request))
        return outcome

    async def _made(self, point: Point, *, is_held: bool) -> Outcome:
        if is_held and (kept := await self._kept(point)) is not None:
            return kept
        if self._unfinished:
            entry = self._unfinished.take(point.identity, point.call)
            if entry is not None and (finished := await self._finished(point, entry)) is not None:
                return finished
        return await self._sent(point)

    async def _sent(self, point: Point) -> Outcome:
        for attempt in range(_ROUNDS):
            job = self._studio.send(
                point.request,
                slot=slot_of(point),
                metadata=self._orders.metadata,
                beyond_limit=self._orders.beyond_limit,
                timeout=self._orders.timeout,
            )
            try:
                return Outcome("done", await job, id=job.id)
            except RateLimitError as error:
                # It was refused to the end, so nothing was begun and nothing was paid for.
                if self._halted or attempt == _ROUNDS - 1:
                    raise
                await self._sleep(error.retry_after or _PAUSE)
        raise AssertionError("the last round returns or raises")

    async def _finished(self, point: Point, entry: Entry) -> Outcome | None:
        """Return what becomes of a point that the journal has; None where it may be sent."""
        while self._is_elsewhere(entry):
            # Somebody else is at it: what they get is kept where it is looked for again.
            await self._sleep(_LOOK_AGAIN)
            if (kept := await self._kept(point)) is not None:
                return kept
            latest = (await self._left()).take(point.identity, point.call)
            if latest is None:
                return None
            entry = latest
        if entry.is_mine and (job := self._job_of(entry)) is not None:
            return Outcome("done", await job, id=job.id)
        received = await self._disk(entry.received)
        if entry.task_id is not None or received:
            return await self._resumed(point, entry)
        if entry.truth == "not sent" or self._orders.send_unknown:
            await self._disk(entry.forget)
            return None
        raise OutcomeUnknownError(
            "An earlier run ended while it was sending this, before an answer came.",
            advice="It may have been painted and paid for, so it is not sent again by itself. "
            "send_unknown=True (--send-unknown) sends such requests again.",
            request=point.request,
        )

    async def _resumed(self, point: Point, entry: Entry) -> Outcome:
        try:
            # On a thread: a client for another server is made on the loop, and waited for.
            job = await self._disk(self._studio.resume, entry)
            return Outcome("done", await job, id=entry.id)
        except (OpeaiError, OSError):
            # Another studio of this process may have settled it meanwhile, and kept what came.
            if (kept := await self._kept(point)) is None:
                raise
            return kept

    async def _kept(self, point: Point) -> Outcome | None:
        record = await self._disk(found, self._studio, point)
        if record is None:
            return None
        kept = self._studio.library.generation(record, point.request)
        return Outcome("replayed", kept, id=record.id)

    def _is_elsewhere(self, entry: Entry) -> bool:
        if entry.is_mine:
            return entry.truth == "in flight" and self._job_of(entry) is None
        return entry.is_alive

    def _job_of(self, entry: Entry) -> Job | None:
        return next((job for job in self._studio.jobs if job.id == entry.id), None)

    async def _disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _broken(error: Exception, request: ImageRequest) -> OpeaiError:
    made = OpeaiError(f"{type(error).__name__}: {error}", request=request)
    made.__cause__ = error
    return made


def found(studio: Studio, point: Point) -> Record | None:
    """Return the record that a point shows: its own, else one of the same request from elsewhere.

    Any picture of this request that is kept will do for its first point, also one that a cell made:
    who sweeps asks for what is missing.
    """
    origins = frozenset({"platform", studio.settings.origin})
    library, request = studio.library, point.request
    own = library.replay(request, slot=slot_of(point), session=Session(), origins=origins)
    if own is not None or point.call > 1:
        return own
    return library.replay(request, slot=None, session=Session(), origins=origins)


def kept_of(studio: Studio, points: Iterable[Point]) -> frozenset[int]:
    """Return the numbers of the points that the library can show now."""
    if not studio.settings.replay:
        return frozenset()
    return frozenset(point.number for point in points if found(studio, point) is not None)


def stopped() -> Outcome:
    """Return the outcome of a point that was not begun."""
    error = JobStoppedError(
        "It was not sent.", advice="Running it again sends what is missing, and nothing else."
    )
    return Outcome("stopped", error=error)
