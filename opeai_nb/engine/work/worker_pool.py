"""Threads that paint, so that the loop never waits for a picture."""

from __future__ import annotations

import itertools
import queue
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Entry = tuple[int, int, "_Job | None"]


class _Job:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.is_running = False

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        self.is_running = True
        try:
            value = self.work()
        except BaseException as error:  # noqa: BLE001  a job's failure belongs to whoever waits
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class WorkerPool:
    """A pool of daemon threads with two queues: who waits for an answer goes before tasks.

    Not concurrent.futures: its threads are joined when the interpreter ends, after all that is
    queued, so that a notebook with a long queue would not close.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._queue: queue.PriorityQueue[_Entry] = queue.PriorityQueue()
        self._order = itertools.count()
        self._jobs: dict[str, _Job] = {}
        self._lock = Guard()
        self._started = False
        self._finalizer = weakref.finalize(self, _dismiss, self._queue, threads)

    def submit(self, key: str, work: Callable[[], Any], *, urgent: bool) -> Future[Any]:
        """Have *work* done once; while *key* is under way, return the same future."""
        with self._lock:
            if key in self._jobs:
                return self._jobs[key].future
            job = self._jobs[key] = _Job(work)
            if not self._started:
                self._started = True
                for number in range(self._threads):
                    name = f"opeai_nb-painter-{number}"
                    threading.Thread(
                        target=_work, args=(self._queue,), name=name, daemon=True
                    ).start()
        job.future.add_done_callback(lambda _future: self._forget(key))
        self._queue.put((0 if urgent else 1, next(self._order), job))
        return job.future

    def has(self, keys: Iterable[str]) -> bool:
        """Tell whether the work of all *keys* is queued or under way."""
        return all(map(self._jobs.__contains__, keys))

    def is_running(self, keys: Iterable[str]) -> bool:
        """Tell whether a thread has begun the work of one of *keys* and not ended it."""
        return any(job.is_running for job in map(self._jobs.get, keys) if job is not None)

    def close(self) -> None:
        """Let the threads leave after what they hold; what is queued is not done."""
        self._finalizer()

    def _forget(self, key: str) -> None:
        with self._lock:
            self._jobs.pop(key, None)


def _work(entries: queue.PriorityQueue[_Entry]) -> None:
    while (job := entries.get()[2]) is not None:
        job.run()
        del job  # a picture's bytes must not live on until the next job


def _dismiss(entries: queue.PriorityQueue[_Entry], threads: int) -> None:
    for _ in range(threads):
        entries.put((-1, -1, None))
