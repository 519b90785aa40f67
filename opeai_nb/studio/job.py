"""Our handle on a request under way: the same for a cell, a background cell, a panel, a sweep.

The pipeline writes into a `JobProgress`, on its loop; whoever asked reads and stops a `Job`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from opeai_nb.client.http.per_loop import running_loop
from opeai_nb.errors import JobStoppedError
from opeai_nb.studio.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from opeai_nb.client import Generation, ImageRequest, Task
    from opeai_nb.settings import Origin

State = Literal[
    "waiting", "sending", "queued", "painting", "fetching", "done", "failed", "stopped", "unknown"
]


@dataclass(frozen=True)
class Update:
    """What a badge shows: the *state*, the time in it and in all, and how far a task has come.

    *elapsed* is in seconds since the job began, *progress* a percentage where the platform gives
    one, *left* the seconds that tasks of this model usually still need, where that is known;
    *trouble* is why the last question about the task failed: it goes on all the same; *whom*
    says for whom it waits.
    """

    state: State
    elapsed: float = 0.0
    progress: float | None = None
    left: float | None = None
    trouble: str | None = None
    whom: str = ""


class JobProgress:
    """The writing half of a job: what the pipeline tells, on its loop, to whoever holds the job."""

    def __init__(self, request: ImageRequest, origin: Origin, clock: Callable[[], float]) -> None:
        self.id = ""
        self.request = request
        self.origin = origin
        self.snapshots: list[Task] = []
        self.notes: list[str] = []
        self.durations: tuple[float, ...] = ()
        self.state: State = "sending"
        self.is_unsent = False
        """True while no request of it is under way: before it leaves, and in a pause after 429."""
        self.percent: float | None = None
        self.trouble: str | None = None
        self.whom = ""
        self.changes = Changes()
        self.future: concurrent.futures.Future[Generation] = concurrent.futures.Future()
        self._cancel: Callable[[], object] | None = None
        self._is_unwanted = False
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since it began, until it settled."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def task_id(self) -> str | None:
        """The platform's id of the task, once there is one."""
        return self.snapshots[-1].id if self.snapshots else None

    def says(self, state: State, percent: float | None = None) -> None:
        """Take the next state and tell everyone who follows."""
        self.state, self.percent = state, percent
        self.changes.tell()

    def waits(self, whom: str) -> None:
        """Say that it waits, and for whom."""
        if (self.state, self.whom) != ("waiting", whom):
            self.whom = whom
            self.says("waiting")

    def leaves(self) -> None:
        """Take it that the request leaves now."""
        self.is_unsent = False
        if self.state == "waiting":
            self.says("sending")

    def returned(self, why: str) -> None:
        """Take it that nothing is under way: a pause follows, and the request is sent again."""
        self.is_unsent = True
        self.waits(f"another try: {why[:1].lower()}{why[1:].rstrip('.')}")

    def note(self, text: str) -> None:
        """Take what could not be done, once, for whoever waits."""
        if text not in self.notes:
            self.notes.append(text)

    def saw(self, task: Task) -> None:
        """Take a snapshot of the task."""
        self.snapshots.append(task)
        self.trouble = task.trouble
        if task.status in {"queued", "painting"}:
            self.says("queued" if task.status == "queued" else "painting", task.progress)

    def may_be_stopped_by(self, cancel: Callable[[], object]) -> None:
        """Take what stops the work behind the job."""
        self._cancel = cancel
        if self._is_unwanted:
            cancel()

    def stop(self) -> None:
        """Stop the work, as soon as it is known how."""
        self._is_unwanted = True
        if self._cancel is not None:
            self._cancel()

    def succeeded(self, generation: Generation) -> None:
        """Settle with pictures."""
        self._ended = self._clock()
        self.state, self.percent = "done", None
        self.future.set_result(generation)
        self.changes.tell()

    def failed(self, error: BaseException, state: State = "failed") -> None:
        """Settle with an error."""
        self._ended = self._clock()
        self.state, self.percent = state, None
        self.future.set_exception(error)
        self.changes.tell()

    def stopped(self) -> None:
        """Settle because somebody stopped waiting."""
        text = "This job was stopped."
        error = JobStoppedError(text, task_id=self.task_id, request=self.request)
        self.failed(error, "stopped")


class Job:
    """A request under way.

    *request* is what was asked, *origin* who paints (`platform` or `engine`). *notes* say what
    could not be written on the way. `result()` waits,
    `await job` waits on any loop, `stop()` drops it.
    """

    def __init__(self, progress: JobProgress) -> None:
        self.request = progress.request
        self.origin = progress.origin
        self.snapshots = progress.snapshots
        self.notes = progress.notes
        self._progress = progress
        self._future = progress.future

    def __repr__(self) -> str:
        return f"<Job: {self.status} · {self.request.model}>"

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata: the pictures where they are there, else the state as text."""
        if self.status == "done":
            return self.result()._repr_mimebundle_()
        return {"text/plain": repr(self)}, {}

    @property
    def id(self) -> str:
        """Its name in the library's journal; empty until something is noted there."""
        return self._progress.id

    @property
    def status(self) -> State:
        """One of `waiting sending queued painting fetching done failed stopped unknown`."""
        return self._progress.state

    @property
    def is_settled(self) -> bool:
        """True when there is nothing more to wait for."""
        return self._future.done()

    @property
    def task_id(self) -> str | None:
        """The platform's id of the task, once there is one."""
        return self._progress.task_id

    @property
    def whom(self) -> str:
        """For whom, or for what, it waits; empty where it waits for the platform alone."""
        return self._progress.whom if self.status == "waiting" else ""

    @property
    def durations(self) -> tuple[float, ...]:
        """How long this model took before, in seconds, newest last."""
        return self._progress.durations

    @property
    def update(self) -> Update:
        """What a badge shows now."""
        from opeai_nb.client.protocol.schedule import time_left

        now, elapsed = self._progress, self._progress.elapsed
        is_open = now.state in {"sending", "queued", "painting"}
        left = time_left(elapsed, now.durations) if is_open else None
        trouble = now.trouble if is_open else None
        percent = now.percent if is_open else None
        return Update(now.state, elapsed, percent, left, trouble, self.whom)

    def result(self, timeout: float | None = None) -> Generation:
        """Wait for the pictures and return them; raise what the job failed of.

        Raises `TimeoutError` after *timeout* seconds: the job goes on. Warns, once, of what could
        not be written (`LibraryWarning`).
        """
        generation = self._future.result(timeout)
        self._warn()
        return generation

    def exception(self) -> BaseException | None:
        """Return what the job failed of; None while it runs and when it succeeded."""
        return self._future.exception() if self._future.done() else None

    def __await__(self) -> Generator[None, None, Generation]:
        # Who awaits may be cancelled, the job is not; `stop()` is the word for that.
        yield from self._settled_on(asyncio.get_running_loop()).__await__()
        generation = self._future.result()
        self._warn()
        return generation

    async def settled(self) -> None:
        """Wait until the job has settled, however it ends."""
        await self._settled_on(asyncio.get_running_loop())

    def _settled_on(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Return what is done on *loop* when the job settles."""
        settled: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not settled.done():
                settled.set_result(None)

        def settle(_: object) -> None:
            if running_loop() is loop:
                tell()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(tell)

        self._future.add_done_callback(settle)
        return settled

    def stop(self) -> None:
        """Stop waiting and drop the job. The platform has no cancel: what was sent goes on there.

        A task that is known stays in the library's list of pending tasks.
        """
        self._progress.stop()

    def stop_unless_sent(self) -> None:
        """Stop the job if nothing of it is under way. For the thread of the loop."""
        if self._progress.is_unsent:
            self.stop()

    def follow(self, tick: float = 1.0) -> Iterator[Update]:
        """Yield an update whenever something changes and each *tick* seconds, until it settles.

        Runs in the caller's own thread, so that whoever displays does so from there; an interrupt
        ends the iteration and leaves the job running.
        """
        for _ in self._progress.changes.follow(lambda: self.is_settled, tick):
            yield self.update
        yield self.update

    def take_notes(self) -> list[str]:
        """Return the notes and forget them: whoever takes them tells them."""
        taken, self.notes[:] = list(self.notes), []
        return taken

    def _warn(self) -> None:
        from opeai_nb.library import LibraryWarning

        for note in self.take_notes():
            warnings.warn(note, LibraryWarning, stacklevel=3)
