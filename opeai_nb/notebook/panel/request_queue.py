"""Runs one request after another, and tells whoever shows it; knows no widget."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.client import ImageRequest
    from opeai_nb.client.values.only import Only
    from opeai_nb.studio import Job, Studio, Update

Turn = Literal["start", "wait", "ignore"]

ONE_CLICK: Final = 0.5
"""Seconds within which clicks with unchanged controls are one: a double click pays once.

Counted from the last click and from the end of a request: where handlers block (Colab), the
second click of two is handled when the first has its picture.
"""

GRACE: Final = 0.08
"""Seconds between a click and the look at the controls.

While the kernel is busy, the browser holds back the second change of a control until the first is
answered, but not the click: the click would send, and pay for, a prompt that is not yet whole.
"""


class Wish(NamedTuple):
    """What a click asks for: a request, and the region that its answer is laid over."""

    request: ImageRequest
    only: Only | None = None


class Listener(Protocol):
    """Who is told; always from the thread that follows the job."""

    def moved(self, job: Job, update: Update, waiting: int) -> None:
        """Take a change of the job, its beginning, or a second that has gone by."""

    def ended(self, job: Job) -> None:
        """Take the end of a job."""

    def refused(self, error: Exception) -> None:
        """Take the reason why nothing was started, or why it cannot be shown."""

    def ignored(self) -> None:
        """Take it that a click was one with the click before it."""


def in_thread(work: Callable[[], object]) -> None:
    """Run *work* on a daemon thread that publishes on behalf of the cell or handler that asks.

    Without its context ipykernel 7.0 raises LookupError where a trait is set.
    """
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(work,), name="opeai_nb-panel", daemon=True).start()


def in_place(work: Callable[[], object]) -> None:
    """Run *work* at once: in Colab, what another thread sets does not reach the page."""
    work()


def once_idle(act: Callable[[], object]) -> None:
    """Call *act* once this thread's event loop is done with the cell; at once where none runs."""
    try:
        asyncio.get_running_loop().call_soon(act)
    except RuntimeError:
        act()


class Turns:
    """One request runs, others wait in the order in which they were asked. Pure, time is given."""

    def __init__(self) -> None:
        self.waiting: list[Wish] = []
        self.is_busy = False
        self._last: Wish | None = None
        self._quiet_since = float("-inf")

    def ask(self, wish: Wish, now: float) -> Turn:
        """Take a click: start it, let it wait for its turn, or ignore it."""
        unchanged = wish == self._last
        recent = now - self._quiet_since < ONE_CLICK
        self._quiet_since = now
        if unchanged and (self.is_busy or recent):
            return "ignore"
        self._last = wish
        if self.is_busy:
            self.waiting.append(wish)
            return "wait"
        self.is_busy = True
        return "start"

    def done(self, now: float) -> Wish | None:
        """Take the end of what ran; return what starts now, if anything waits."""
        self._quiet_since = now
        if self.waiting:
            return self.waiting.pop(0)
        self.is_busy = False
        return None

    def drop(self) -> int:
        """Forget what waits and was not sent; return how many that were."""
        dropped = len(self.waiting)
        self.waiting.clear()
        return dropped


class Runs:
    """The requests of one panel. *spawn* runs what takes long, *clock* and *pause* are time's."""

    def __init__(
        self,
        studio: Callable[[], Studio],
        listener: Listener,
        spawn: Callable[[Callable[[], object]], object] = in_thread,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._studio = studio
        self._listener = listener
        self._spawn = spawn
        self._clock = clock
        self._pause = pause
        self._turns = Turns()
        self._lock = threading.Lock()
        self.job: Job | None = None
        self.grace = GRACE

    @property
    def is_busy(self) -> bool:
        """True while a request runs."""
        return self._turns.is_busy

    def click(self, read: Callable[[], Wish], then: Callable[[], object] = lambda: None) -> None:
        """Take a click: *read* gives the wish. Returns at once.

        *then* is called when it is known what the click leads to.
        """

        def ask() -> None:
            if self._spawn is not in_place:
                self._pause(self.grace)
            try:
                if self._asked(read()) == "ignore" and not self.is_busy:
                    self._listener.ignored()
            except Exception as error:  # noqa: BLE001  who clicked sees it, whatever it is
                self._listener.refused(error)
            finally:
                then()

        self._spawn(ask)

    def ask(self, wish: Wish) -> Job | None:
        """Start *wish* and return its job; None when it waits for its turn.

        The running job when it is the same request, asked twice. Raises `OpeaiError` where nothing
        can be started.
        """
        return None if self._asked(wish) == "wait" else self.job

    def resume(self) -> Job | None:
        """Wait again for the last job, which was not waited for to its end; None without one."""
        with self._lock:
            if self.job is None or self._turns.is_busy:
                return self.job
            self._turns.is_busy = True
        try:
            job = self.job = self._studio().resume(self.job.id)
        except BaseException:
            self._spawn_next(self._done())
            raise
        self._spawn(lambda: self._follow(job))
        return job

    def stop(self) -> int:
        """Stop waiting; return how many requests were waiting and are dropped, unsent."""
        with self._lock:
            dropped = self._turns.drop()
        if self.job is not None:
            self.job.stop()
        return dropped

    def _asked(self, wish: Wish) -> Turn:
        with self._lock:
            turn = self._turns.ask(wish, self._clock())
        if turn != "start":
            return turn
        try:
            job = self._started(wish)
        except BaseException:
            self._spawn_next(self._done())
            raise
        self._spawn(lambda: self._follow(job))
        return turn

    def _done(self) -> Wish | None:
        with self._lock:
            return self._turns.done(self._clock())

    def _spawn_next(self, wish: Wish | None) -> None:
        """Go on with what waited behind one that could not be started."""
        if wish is not None:
            self._spawn(lambda: self._follow(self._next(wish)))

    def _started(self, wish: Wish) -> Job:
        # A click is always fresh. What it finds stands in no cell: the first cell that asks for
        # the same shows it.
        self.job = self._studio().start(wish.request, caller="panel", only=wish.only)
        return self.job

    def _follow(self, job: Job | None) -> None:
        current = job
        while current is not None:
            for update in current.follow():
                if not current.is_settled:
                    self._listener.moved(current, update, len(self._turns.waiting))
            wish = self._done()
            try:
                self._listener.ended(current)
            except Exception as error:  # noqa: BLE001  what cannot be shown must not end the turns
                self._listener.refused(error)
            current = self._next(wish)

    def _next(self, wish: Wish | None) -> Job | None:
        while wish is not None:
            try:
                return self._started(wish)
            except Exception as error:  # noqa: BLE001  who clicked sees it, whatever it is
                self._listener.refused(error)
                wish = self._done()
        return None
