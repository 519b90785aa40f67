"""Our handle on a request under way: the same for a cell, a background cell, a panel, a sweep."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from opeai_nb.errors import JobStoppedError
from opeai_nb.studio.loop import running_here

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from opeai_nb.client import Generation, ImageRequest, Task
    from opeai_nb.settings import Origin

State = Literal["sending", "queued", "painting", "fetching", "done", "failed", "stopped", "unknown"]
SETTLED: Final = frozenset({"done", "failed", "stopped", "unknown"})


@dataclass(frozen=True)
class Update:
    """What a badge shows: the *state*, the time in it and in all, and how far a task has come.

    *elapsed* is in seconds since the job began, *progress* a percentage where the platform gives
    one, *left* the seconds that tasks of this model usually still need, where that is known.
    """

    state: State
    elapsed: float = 0.0
    progress: float | None = None
    left: float | None = None


class Job:
    """A request under way.

    *id* names it in the library's journal, *request* is what was asked, *origin* who paints
    (`platform` or `engine`). *notes* say what could not be written on the way. `result()` waits,
    `await job` waits on any loop, `stop()` drops it.
    """

    def __init__(self, request: ImageRequest, origin: Origin, clock: Callable[[], float]) -> None:
        self.id = ""
        self.request = request
        self.origin = origin
        self.snapshots: list[Task] = []
        self.notes: list[str] = []
        self._future: concurrent.futures.Future[Generation] = concurrent.futures.Future()
        self._cancel: Callable[[], object] | None = None
        self._is_unwanted = False
        self._state: State = "sending"
        self._progress: float | None = None
        self.durations: tuple[float, ...] = ()
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None
        self._lock = threading.Lock()
        self._followers: list[queue.SimpleQueue[None]] = []

    def __repr__(self) -> str:
        return f"<Job: {self.status} · {self.request.model}>"

    @property
    def status(self) -> State:
        """One of `sending queued painting fetching done failed stopped unknown`."""
        return self._state

    @property
    def is_settled(self) -> bool:
        """True when there is nothing more to wait for."""
        return self._future.done()

    @property
    def task_id(self) -> str | None:
        """The platform's id of the task, once there is one."""
        return self.snapshots[-1].id if self.snapshots else None

    @property
    def update(self) -> Update:
        """What a badge shows now."""
        from opeai_nb.client.protocol.schedule import time_left

        elapsed = (self._clock() if self._ended is None else self._ended) - self._began
        waiting = self._state in {"sending", "queued", "painting"}
        left = time_left(elapsed, self.durations) if waiting else None
        return Update(self._state, elapsed, self._progress if waiting else None, left)

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

    def _settled_on(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Return what is done on *loop* when the job settles."""
        settled: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not settled.done():
                settled.set_result(None)

        def settle(_: object) -> None:
            if running_here() is loop:
                tell()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(tell)

        self._future.add_done_callback(settle)
        return settled

    def stop(self) -> None:
        """Stop waiting and drop the job. The platform has no cancel: what was sent goes on there.

        A task that is known stays in the library's list of pending tasks.
        """
        self._is_unwanted = True
        if self._cancel is not None:
            self._cancel()

    def follow(self, tick: float = 1.0) -> Iterator[Update]:
        """Yield an update whenever something changes and each *tick* seconds, until it settles.

        Runs in the caller's own thread, so that whoever displays does so from there; an interrupt
        ends the iteration and leaves the job running.
        """
        changed: queue.SimpleQueue[None] = queue.SimpleQueue()
        with self._lock:
            self._followers.append(changed)
        try:
            yield self.update
            while not self.is_settled:
                try:
                    changed.get(timeout=tick)
                except queue.Empty:
                    pass  # nothing happened: the seconds still count
                else:
                    self._drain(changed)
                if not self.is_settled:
                    yield self.update
            yield self.update
        finally:
            with self._lock:
                self._followers.remove(changed)

    def take_notes(self) -> list[str]:
        """Return the notes and forget them: whoever takes them tells them."""
        taken, self.notes[:] = list(self.notes), []
        return taken

    def when_settled(self, call: Callable[[Job], object]) -> None:
        """Call *call* with the job when it settles, on the thread where that happens."""
        self._future.add_done_callback(lambda _: call(self))

    def _warn(self) -> None:
        from opeai_nb.library import LibraryWarning

        for note in self.take_notes():
            warnings.warn(note, LibraryWarning, stacklevel=3)

    # -- for the studio, on its loop

    def says(self, state: State, progress: float | None = None) -> None:
        """Take the next state and tell everyone who follows."""
        self._state, self._progress = state, progress
        self._tell()

    def note(self, text: str) -> None:
        """Take what could not be done, once, for whoever waits."""
        if text not in self.notes:
            self.notes.append(text)

    def saw(self, task: Task) -> None:
        """Take a snapshot of the task."""
        self.snapshots.append(task)
        if task.status in {"queued", "painting"}:
            self.says("queued" if task.status == "queued" else "painting", task.progress)

    def learns(self, durations: tuple[float, ...]) -> None:
        """Take how long this model took before, in seconds."""
        self.durations = durations

    def may_be_stopped_by(self, cancel: Callable[[], object]) -> None:
        """Take what stops the work behind this job."""
        self._cancel = cancel
        if self._is_unwanted:
            cancel()

    def succeeded(self, generation: Generation) -> None:
        """Settle with pictures."""
        self._settle("done")
        self._future.set_result(generation)
        self._tell()

    def failed(self, error: BaseException, state: State = "failed") -> None:
        """Settle with an error."""
        self._settle(state)
        self._future.set_exception(error)
        self._tell()

    def stopped(self) -> None:
        """Settle because somebody stopped waiting."""
        error = JobStoppedError("This job was stopped.", task_id=self.task_id, request=self.request)
        self.failed(error, "stopped")

    def _settle(self, state: State) -> None:
        self._ended = self._clock()
        self._state, self._progress = state, None

    def _tell(self) -> None:
        with self._lock:
            for follower in self._followers:
                follower.put(None)

    @staticmethod
    def _drain(changed: queue.SimpleQueue[None]) -> None:
        while not changed.empty():
            changed.get_nowait()
