"""Workers through points, on the studio's loop: no more at once than is good."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.bulk.run.before_paying import asked
from opeai_nb.bulk.run.callback import call_then
from opeai_nb.bulk.run.circuit_breaker import CircuitBreaker
from opeai_nb.bulk.run.outcome import Outcome, failed, let_frames_go, stopped
from opeai_nb.bulk.run.progress import duration
from opeai_nb.errors import (
    AuthenticationError,
    JobStoppedError,
    LibraryError,
    OpeaiError,
    OptionError,
    QuotaError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.studio import Job, Studio

Result = TypeVar("Result")
_THREADS: Final = 4
_ROUNDS: Final = 10
"""How often a request that was refused with 429 to the end is begun again."""
_PAUSE: Final = 5.0
_STEP: Final = 1.0
_AHEAD: Final = 200
"""Points of which the library is asked at once whether it holds any."""
_DAY: Final = 86_400.0  # a server that says more has a wrong clock, or means never
# What every other request would meet as well: nothing more is sent.
HOPELESS: Final = (AuthenticationError, QuotaError, OptionError)


class Workers:
    """Make *points* and call *settled* with each and its outcome, on the loop."""

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
        self._reason = ""
        self.stopped_by: OpeaiError | None = None
        self._is_halted = is_halted
        self._studio = studio
        self._points: Iterator[Point] = iter(points)
        self._ahead: deque[tuple[Point, bool]] = deque()
        self._looking = asyncio.Lock()
        self._options = options
        self._settled = settled
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="opeai_nb-bulk")
        self._halted = False
        self._is_exhausted = False
        self._parked: deque[asyncio.Future[None]] = deque()
        self._breaker = CircuitBreaker()
        self._one_at_a_time = asyncio.Lock()
        self._sleeping: set[asyncio.Future[None]] = set()
        self._jobs: set[Job] = set()  # those under way
        self._loop: asyncio.AbstractEventLoop | None = None

    def halt(self) -> None:
        """Begin nothing more; what is under way goes on. Any thread may call it."""
        self._halted = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def work(self) -> None:
        """Make all points; return when nothing is under way any more."""
        self._loop = asyncio.get_running_loop()
        self._throttle = self._studio.throttle  # that of this loop
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._options.concurrency):
                    group.create_task(self._worker())
        finally:
            self._threads.shutdown(wait=False)

    async def _worker(self) -> None:
        while not (self._is_over or self._is_exhausted):
            if self._breaker.is_open:
                await self._probe()
            else:
                await self._next()

    @property
    def _is_over(self) -> bool:
        """True when nothing more is to be begun."""
        return self._halted or self._is_halted()

    async def _next(self) -> None:
        await self._turn()
        try:
            if self._is_over:
                return
            if (following := await self._following()) is None:
                self._is_exhausted = True
                return
            point, is_new = following
            outcome = await self._outcome(point, is_new=is_new)
            let_frames_go(outcome.error)
            self._breaker.hears(None if outcome.is_good else outcome.error)
            self._settled(point, outcome)
        finally:
            self._leave()

    async def _following(self) -> tuple[Point, bool] | None:
        """Return the next point, and whether nothing is held of it: None behind the last."""
        async with self._looking:
            if not self._ahead:
                part = list(islice(self._points, _AHEAD))
                held = await self._disk(self._held, part) if part else frozenset()
                self._ahead.extend((point, point.identity not in held) for point in part)
            return self._ahead.popleft() if self._ahead else None

    def _held(self, points: Sequence[Point]) -> frozenset[str]:
        """Return the identities of those points of which a record may be shown."""
        if self._options.fresh or not self._studio.settings.replay:
            return frozenset()
        identities = [point.identity for point in points]
        try:
            return self._studio.library.holds(identities)
        except LibraryError:  # each point meets it by itself, and says so
            return frozenset(identities)

    # -- trouble

    @property
    def note(self) -> str:
        """What is waited for: by the run, or by every request that is to be sent again."""
        if self._reason:
            return self._reason
        waiting = (job.whom for job in tuple(self._jobs) if not job.is_settled)
        whom = next(waiting, "")
        return f"waiting for {whom}" if whom and all(waiting) else ""

    async def _probe(self) -> None:
        """Try one row after a pause; the others wait for what becomes of it."""
        async with self._one_at_a_time:
            trouble = self._breaker.trouble
            if not self._breaker.is_open or trouble is None:
                return
            seconds = self._breaker.pause(self._options.max_wait)
            if seconds is None:
                self._stop(trouble)
            elif await self._pause(seconds, f"{trouble.message.rstrip('.')}; one row is tried"):
                await self._next()

    def _stop(self, error: OpeaiError) -> None:
        """Begin nothing more, for what every other row would meet as well."""
        self.stopped_by = self.stopped_by or error
        self._halted = True

    async def _pause(self, seconds: float, reason: str) -> bool:
        """Wait, and say why; False when the run was halted, which ends the waiting at once."""
        left = seconds
        while left > 0 and not self._is_over:
            self._reason = f"{reason} in {duration(left)}"
            step = min(left, _STEP)  # a halted cluster tells it by a file, which is looked for
            sleep = asyncio.ensure_future(self._sleep(step))
            self._sleeping.add(sleep)
            await asyncio.wait([sleep])
            self._sleeping.discard(sleep)
            left -= step
        self._reason = ""
        return not self._is_over

    def _wake(self) -> None:
        """End every waiting: pauses of the run, and those of requests that are to be sent again."""
        for sleep in self._sleeping:
            sleep.cancel()
        for job in self._jobs:
            job.stop_unless_sent()

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

    async def _outcome(self, point: Point, *, is_new: bool) -> Outcome:
        try:
            outcome = await self._made(point, is_new=is_new)
        except OpeaiError as error:
            if isinstance(error, HOPELESS):
                self._stop(error)
            return failed(error)
        except Exception as error:  # noqa: BLE001  whatever one point meets, the others go on
            return failed(_broken(error, point.request))
        return await self._handed_on(point, outcome)

    async def _handed_on(self, point: Point, outcome: Outcome) -> Outcome:
        """Copy and hand on what was kept; what goes wrong then costs no picture."""
        if (generation := outcome.generation) is None:
            return outcome
        try:
            if self._options.copies is not None:
                copies = await self._disk(self._options.copies.put, point, generation)
                outcome = replace(outcome, copies=copies)
            if self._options.mirror is not None:
                await self._disk(self._options.mirror.put, generation, outcome.copies)
        except OpeaiError as error:
            return replace(outcome, error=error)
        return await self._then(point, outcome, generation)

    async def _then(self, point: Point, outcome: Outcome, generation: Generation) -> Outcome:
        """Call the user's function, once for each record: an upload is not repeated."""
        options = self._options
        if options.then is None:
            return outcome
        if outcome.id in options.then_values:
            return replace(outcome, value=options.then_values[outcome.id], is_handed_on=True)
        value, error = await call_then(options.then, generation, point.row)
        if error is None:
            return replace(outcome, value=value, is_handed_on=True)
        told = error if isinstance(error, OpeaiError) else _broken(error, point.request)
        return replace(outcome, error=told)

    async def _made(self, point: Point, *, is_new: bool) -> Outcome:
        for attempt in range(_ROUNDS):
            job = self._studio.start_asked(asked(point, self._options, is_new=is_new))
            try:
                generation = await self._result(job)
            except JobStoppedError:
                if not self._is_over:
                    raise
                return stopped()
            except RateLimitError as error:
                # It was refused to the end, so nothing was begun and nothing was paid for.
                if attempt == _ROUNDS - 1:
                    raise
                pause = min(error.retry_after or _PAUSE, _DAY)
                if pause > self._options.max_wait:
                    self._stop(_too_long(error, pause))
                elif await self._pause(pause, "The platform asks to wait; it is asked again"):
                    continue
                return stopped()
            else:
                replayed = generation.replayed_from
                return Outcome(
                    "replayed" if replayed else "done",
                    generation,
                    id=replayed or job.id,
                    names=self._studio.library.names_of(generation.paths),
                )
        raise AssertionError("the last round returns or raises")

    async def _result(self, job: Job) -> Generation:
        self._jobs.add(job)
        try:
            return await job
        finally:
            self._jobs.discard(job)

    async def _disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _too_long(error: RateLimitError, seconds: float) -> RateLimitError:
    return RateLimitError(
        f"The platform asks to wait {duration(seconds)} before the next request.",
        advice="Run it again then: it sends what is missing. max_wait (--max-wait) waits longer.",
        status_code=error.status_code,
        code=error.code,
        request_id=error.request_id,
    )


def _broken(error: BaseException, request: ImageRequest) -> OpeaiError:
    made = OpeaiError(f"{type(error).__name__}: {error}", request=request)
    made.__cause__ = error
    return made
