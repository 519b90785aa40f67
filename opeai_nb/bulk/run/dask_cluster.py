"""Beyond one machine: a plan split over the workers of a Dask cluster."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.run import dask_worker
from opeai_nb.bulk.run.before_paying import kept_of
from opeai_nb.bulk.run.outcome import failed
from opeai_nb.bulk.run.workers import HOPELESS
from opeai_nb.errors import OpeaiError, OptionError, SessionLimitError
from opeai_nb.studio.session_limit import Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.run.run import Run
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.studio import Studio

_LARGEST: Final = 64
_PER_SLOT: Final = 8
_RETRIES: Final = 3
_LOOK: Final = 1.0


def begin_on(client: Any, run: Run, studio: Studio, options: BulkOptions) -> None:
    """Let the workers of a `distributed.Client` make the points of *run*; returns at once.

    `options.concurrency` is the limit on requests under way for the whole cluster. The library must
    lie in a folder that all workers see under the same path. Raises `OptionError`, and
    `SessionLimitError` for more pictures than this session may ask for: workers have no session.
    """
    _check_limit(run, studio, options)
    slots = sum(client.nthreads().values())
    if not slots:
        raise OptionError("The cluster has no workers.", advice="Wait for them, then run again.")
    cluster = Cluster(client, run, studio, options, slots)
    run.origin = studio.settings.origin
    run.works(cluster)
    threading.Thread(target=cluster.work, name="opeai_nb-cluster", daemon=True).start()


def _check_limit(run: Run, studio: Studio, options: BulkOptions) -> None:
    limit = Limit.of(studio.settings)
    if limit == Limit() or options.beyond_limit:
        return
    kept = frozenset[int]() if options.fresh else kept_of(studio, run.points)
    requests = [point.request for point in run.points if point.number not in kept]
    pictures = sum(request.count for request in requests)
    try:
        studio.ledger.refuse_above(limit, pictures, studio.cost(requests))
    except SessionLimitError as error:
        raise SessionLimitError(error.message, advice="beyond_limit=True allows it once.") from None


class Cluster:
    """Hands out shares, no more at once than the limit allows, and takes back what became of them.

    At most *lanes* shares are under way, each with at most `limit // lanes` requests: so the limit
    holds for all workers together, with no word between them.
    """

    def __init__(
        self, client: Any, run: Run, studio: Studio, options: BulkOptions, slots: int
    ) -> None:
        self.running = 0
        self.note = ""
        self.stopped_by: OpeaiError | None = None
        self._broken_by: OpeaiError | None = None
        self._client = client
        self._run = run
        self._site = dask_worker.Site.of(studio.settings, studio.library.folder)
        self._studio = studio
        self._library = studio.library.folder
        self._lanes = min(slots, options.concurrency)
        self._options = replace(options, concurrency=options.concurrency // self._lanes)
        self._name = secrets.token_hex(8)
        self._halted = threading.Event()
        self._is_marked = False
        self._shares = shares_of(run.points, self._lanes, self._options.concurrency)

    def halt(self) -> None:
        """Begin nothing more, on any worker."""
        self._halted.set()
        with suppress(OSError):  # where the sign cannot be set, the shares under way end first
            dask_worker.halt(self._library, self._name)

    def work(self) -> None:
        """Hand out all shares; returns when the last one has ended."""
        self._is_marked = dask_worker.mark(self._library, self._name)
        broken_by: OpeaiError | None
        try:
            self._hand_out()
        except Exception as error:  # noqa: BLE001  whoever waits gets it, whatever Dask raises
            broken_by = error if isinstance(error, OpeaiError) else _lost("run", error)
        else:
            broken_by = self._broken_by
        with suppress(OSError):  # signs of a run that is over mean nothing to the next one
            dask_worker.clear(self._library, self._name)
        self._run.ends(broken_by)

    def _hand_out(self) -> None:
        waiting = deque(enumerate(self._shares))
        under_way: dict[Any, Sequence[Point]] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        while waiting or under_way:
            while waiting and len(under_way) < self._lanes and not self._halted.is_set():
                number, points = waiting.popleft()
                future = self._submitted(number, points)
                if future is not None:
                    under_way[future] = points
                    future.add_done_callback(ended.put)
            if not under_way:
                return
            self.running = sum(
                min(len(points), self._options.concurrency) for points in under_way.values()
            )
            future = self._next(ended)
            if future is None:
                for points in (*under_way.values(), *(points for _, points in waiting)):
                    self._lose(points, ConnectionError("its scheduler is gone"))
                return
            self._take(future, under_way.pop(future))

    def _next(self, ended: SimpleQueue[Any]) -> Any:
        """Return the next share that ends; None once the client has closed.

        What is submitted while it looks for a scheduler that is gone never ends, not even then.
        """
        while True:
            with suppress(Empty):
                return ended.get(timeout=_LOOK)
            if getattr(self._client, "status", "") == "closed":
                return None

    def _submitted(self, number: int, points: Sequence[Point]) -> Any:
        """Return the future of a share; None for one that the cluster did not take any more.

        Raises what Dask raises for the first one: it would raise that for all, and nothing is sent.
        """
        try:
            return self._client.submit(
                dask_worker.make,
                self._site,
                self._name,
                points,
                self._options,
                is_marked=self._is_marked,
                key=f"opeai_nb-share-{self._name}-{number}",
                pure=False,
                retries=_RETRIES,
            )
        except Exception as error:
            if number == 0:
                raise
            self._lose(points, error)
            return None

    def _take(self, future: Any, points: Sequence[Point]) -> None:
        # A share can be cancelled at any moment, also after it has ended well, so that no look at
        # its state beforehand tells whether its result can still be had.
        try:
            made = future.result()
        except OptionError as error:
            self._broken_by = self._broken_by or error
            self.halt()  # the other shares would meet it as well; those under way end first
        except Exception as error:  # noqa: BLE001  workers died over it again and again, or it was cancelled
            self._lose(points, error)
        else:
            for point, outcome in made:
                self._take_point(point, outcome)
        future.release()

    def _take_point(self, point: Point, outcome: Outcome) -> None:
        if outcome.state == "done":
            # It counts in this session, wherever it was made.
            self._studio.ledger.count(point.request, self._studio.cost([point.request]))
        elif isinstance(outcome.error, HOPELESS):
            self.stopped_by = self.stopped_by or outcome.error
            self.halt()  # the other shares would meet it as well
        self._run.take(point, outcome)

    def _lose(self, points: Sequence[Point], error: Exception) -> None:
        """Take it that nothing is heard of a share: what was kept is found at the next run."""
        for point in points:
            self._run.take(point, failed(_lost("share", error)))


def _lost(what: str, error: Exception) -> OpeaiError:
    lost = OpeaiError(
        f"The cluster lost this {what}: {_reason(error)}.",
        advice="Running it again finishes what the journal has, and sends what is missing.",
    )
    lost.__cause__ = error
    return lost


def _reason(error: Exception) -> str:
    """Return what happened, without Dask's names of shares and addresses of workers."""
    if isinstance(error, CancelledError):
        return "it was cancelled"
    if type(error).__name__ == "KilledWorker":
        return "its workers died"
    return f"{type(error).__name__}: {error}".rstrip(".")


def shares_of(points: Sequence[Point], lanes: int, concurrency: int) -> list[Sequence[Point]]:
    """Return *points* in shares: small enough that all lanes end together, large enough to fill."""
    size = max(concurrency, min(_LARGEST, -(-len(points) // (lanes * _PER_SLOT))))
    return [points[start : start + size] for start in range(0, len(points), size)]
