"""Changes that others follow, each in a thread of its own: of a job, and of a run of many."""

from __future__ import annotations

import queue
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_lock: Final = Guard()  # one for all: a batch has ten thousand jobs, and each is told of six times


class Changes:
    """Tells everyone who follows that something has changed. Any thread may use it."""

    def __init__(self) -> None:
        self._followers: list[queue.SimpleQueue[None]] = []

    def tell(self) -> None:
        """Wake everyone who follows; who begins just now looks at everything first."""
        if not self._followers:
            return
        with _lock:
            for follower in self._followers:
                follower.put(None)

    def follow(
        self,
        is_over: Callable[[], bool],
        tick: float,
        pause: Callable[[], object] = lambda: None,
    ) -> Iterator[None]:
        """Yield at once, at each change and each *tick* seconds without one, until *is_over*.

        *pause* is called after each change; what changes meanwhile counts as one with it. Runs in
        the caller's own thread, so that whoever displays does so from there; an interrupt ends it.
        """
        changed: queue.SimpleQueue[None] = queue.SimpleQueue()
        with _lock:
            self._followers.append(changed)
        try:
            while not is_over():
                yield
                with suppress(queue.Empty):  # nothing happened: the seconds still count
                    changed.get(timeout=tick)
                    pause()
                    while not changed.empty():
                        changed.get_nowait()
        finally:
            with _lock:
                self._followers.remove(changed)
