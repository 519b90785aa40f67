"""One run of many points: followed from any thread, halted by an interrupt."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from opeai_nb.bulk.run.counts import Counts
from opeai_nb.bulk.run.outcome import GOOD, Outcome, stopped
from opeai_nb.bulk.run.progress import Progress
from opeai_nb.bulk.run.workers import Workers
from opeai_nb.studio.changes import Changes
from opeai_nb.studio.loop import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.errors import OpeaiError
    from opeai_nb.studio import Studio

_FIRST: Final = 10
"""Files that a run remembers, for a terminal to name."""


class Work(Protocol):
    """What carries out a run: workers here, or a cluster."""

    running: int
    stopped_by: OpeaiError | None

    @property
    def note(self) -> str:
        """What is waited for, where nothing new is begun."""

    def halt(self) -> None:
        """Begin nothing more."""


class Run:
    """Points under way. *points* is the plan, *settled* is called with each outcome as it comes.

    *pictures* counts what has come, *first_files* are where some of them are.

    Every call of *settled* comes from one thread at a time.
    """

    def __init__(
        self, points: Sequence[Point], settled: Callable[[Point, Outcome], object]
    ) -> None:
        self.points = points
        self.error: BaseException | None = None
        self.origin = ""
        self.pictures = 0
        self.first_files: list[Path] = []
        self._settled = settled
        self._began = time.monotonic()
        self._ended: float | None = None
        self._counts = dict.fromkeys(("done", "replayed", "failed", "unknown", "stopped"), 0)
        self._over = threading.Event()
        self._changes = Changes()
        self._work: Work | None = None
        self._halted = False

    def __repr__(self) -> str:
        return f"<Run: {self.progress.line()}>"

    @property
    def final(self) -> str:
        """Return `12 of 12 done · 1 failed`: the same for sent and replayed, no seconds in it."""
        counts, total = self._counts, len(self.points)
        settled = sum(counts.values())
        rest = Counts(failed=counts["failed"], unknown=counts["unknown"], unsent=total - settled)
        return rest.line(f"{counts['done'] + counts['replayed']} of {total} done")

    def begin(self, studio: Studio, options: BulkOptions) -> Run:
        """Let workers of *studio* begin; returns at once."""
        self.origin = studio.settings.asks
        workers = Workers(studio, self.points, options, self.take)
        self.works(workers)
        schedule(workers.work()).add_done_callback(lambda done: self.ends(done.exception()))
        return self

    def works(self, work: Work) -> None:
        """Take what carries the run out."""
        self._work = work

    # -- for whoever waits

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        counts = self._counts
        elapsed = (time.monotonic() if self._ended is None else self._ended) - self._began
        return Progress(
            total=len(self.points),
            done=counts["done"],
            replayed=counts["replayed"],
            failed=counts["failed"],
            unknown=counts["unknown"],
            running=0 if self._work is None else self._running(),
            elapsed=elapsed,
            left=self._left(elapsed),
            note="" if self._work is None or self.is_over else self._work.note,
        )

    @property
    def stopped_by(self) -> OpeaiError | None:
        """What ended the run before all was begun, as every other point would have met it, too."""
        return None if self._work is None else self._work.stopped_by

    @property
    def is_over(self) -> bool:
        """True when nothing is under way any more."""
        return self._over.is_set()

    @property
    def is_halted(self) -> bool:
        """True when somebody ended it before all was begun."""
        return self._halted

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; False after *timeout* seconds. Raises what broke it."""
        over = self._over.wait(timeout)
        if self.error is not None:
            raise self.error
        return over

    def follow(self, tick: float = 1.0, least: float = 0.1) -> Iterator[Progress]:
        """Yield the progress when it changes, at most each *least* and at least each *tick* s.

        Runs in the caller's own thread. Raises what broke the run.
        """
        follow = self._changes.follow
        for _ in follow(lambda: self.is_over, tick, lambda: self._over.wait(least)):
            yield self.progress
        self.wait()
        yield self.progress

    def watch(self, watcher: Callable[[Run], object] | None = None) -> None:
        """Follow to the end, shown by *watcher*; an interrupt ends the following.

        Raises `KeyboardInterrupt` then: what is under way goes on, and nothing more is begun.
        Raises what broke the run.
        """
        try:
            if watcher is not None:
                watcher(self)
            for _ in self.follow():
                pass
        except KeyboardInterrupt:
            self.halt()
            raise

    def halt(self) -> None:
        """Begin nothing more; what is under way goes on, and lands in the library."""
        self._halted = not self.is_over
        if self._work is not None:
            self._work.halt()

    # -- for whoever works

    def take(self, point: Point, outcome: Outcome) -> None:
        """Take what became of a point."""
        self._counts[outcome.state] += 1
        if outcome.generation is not None:
            self.pictures += len(outcome.generation.good)
            if len(self.first_files) < _FIRST:
                self.first_files += outcome.generation.paths
        self._settled(point, outcome)
        self._changes.tell()

    def ends(self, error: BaseException | None = None) -> None:
        """Take it that nothing more comes; *error* is what broke the run, not a failed point."""
        self.error = error
        self._ended = time.monotonic()
        self._over.set()
        self._changes.tell()

    def _running(self) -> int:
        settled = sum(self._counts.values())
        return 0 if self._work is None else min(self._work.running, len(self.points) - settled)

    def _left(self, elapsed: float) -> float | None:
        sent = self._counts["done"] + self._counts["failed"] + self._counts["unknown"]
        open_ = len(self.points) - sum(self._counts.values())
        return elapsed / sent * open_ if sent and open_ else None


def missing(points: Sequence[Point], outcomes: dict[int, Outcome]) -> list[Point]:
    """Return the points that have no pictures yet."""
    none = stopped()
    return [point for point in points if outcomes.get(point.number, none).state not in GOOD]
