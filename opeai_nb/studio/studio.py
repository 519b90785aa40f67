"""The studio: requests in, jobs out. What the magic, the panel, sweeps and scripts call.

What asks, waits and keeps is imported with the first request: a panel shows the library before.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from opeai_nb import connect
from opeai_nb.client.values.request import build_request
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.errors import InputError, OpeaiError, OutcomeUnknownError
from opeai_nb.fields import DEFAULT_TIMEOUT
from opeai_nb.presets.preset import PRESET, with_preset
from opeai_nb.settings import settings as settings_from
from opeai_nb.studio.clients import Clients
from opeai_nb.studio.job import Job, JobProgress
from opeai_nb.studio.loop import begin, loop, schedule
from opeai_nb.studio.pricing import cost_of, paid_for, presets_of, prices_of, told_cost
from opeai_nb.studio.recovery import way_on
from opeai_nb.studio.session_limit import Ledger
from opeai_nb.warning import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from pathlib import Path

    from opeai_nb.client import AsyncClient, Generation, Model
    from opeai_nb.client.http.limiter import Throttle
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library import Entry, Library, Slot, Usage
    from opeai_nb.library.replay.replay import Caller
    from opeai_nb.presets.preset import Preset
    from opeai_nb.prices.cost import Cost
    from opeai_nb.prices.price_list import PriceList
    from opeai_nb.settings import Settings
    from opeai_nb.studio.decision import Decider
    from opeai_nb.studio.job import State
    from opeai_nb.studio.pipeline.pipeline import Pipeline
    from opeai_nb.studio.request_run import Ask
    from opeai_nb.studio.run_options import RunOptions

_THREADS, _THREADS_OF_SLOW = 4, 8
"""For the disk, and for a slow one: they take the interpreter from each other.

A batch takes more of the processor with eight of them than with four where the disk is quick, and
with sixteen than with eight where each wait takes 5 ms.
"""
_FEW = 32
"""Jobs that are listed before anybody looks which of them are settled."""


class Studio:
    """Makes pictures on one loop thread and keeps each in the library before anyone sees it.

    *settings* say where requests go and where pictures are kept (default: the environment);
    *client* and *library*, or its folder, replace what they would give (tests pass a client over a
    script).
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        client: AsyncClient | None = None,
        library: Library | str | Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from opeai_nb.library import Library

        self.settings = settings or settings_from()
        if not isinstance(library, Library):
            library = Library(
                library or self.settings.library,
                metadata=self.settings.metadata,
                subfolders=self.settings.subfolders,
            )
        self.library = library
        self.session = self.library.new_session()
        self.jobs: list[Job] = []
        self._most = _FEW
        self.ledger = Ledger()
        self.watcher: Callable[[Any], object] | None = None
        """What shows a run of many requests that somebody waits for; a notebook sets it."""
        self._clients = Clients(self.settings, client)
        self._clock = clock
        self._pools: dict[tuple[int, int], ThreadPoolExecutor] = {}

    @property
    def _threads(self) -> ThreadPoolExecutor:
        """The threads for the disk; a fork gets its own, for threads do not survive one."""
        count = _THREADS_OF_SLOW if self.library.homes.disk.is_slow else _THREADS
        if (place := (os.getpid(), count)) not in self._pools:
            self._pools[place] = ThreadPoolExecutor(count, thread_name_prefix="opeai_nb-disk")
        return self._pools[place]

    def __repr__(self) -> str:
        return f"<Studio: {self.settings.asks}, {len(self.under_way)} jobs>"

    def adjusted(self, settings: Settings) -> Studio:
        """Return a studio with other settings in the same session: its jobs and counts go on.

        Another library's folder begins another session: nothing of it has been shown yet.
        """
        same_folder = settings.library == self.settings.library
        other = Studio(
            settings,
            library=self.library if same_folder else None,
            client=self._clients.given_for(settings),
            clock=self._clock,
        )
        other.jobs, other.ledger, other._pools = self.jobs, self.ledger, self._pools
        other.watcher = self.watcher
        if same_folder:
            other.session = self.session
        return other

    def start(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        slot: Slot | None = None,
        caller: Caller = "cell",
        options: RunOptions | None = None,
        only: object = None,
        **fields: Any,
    ) -> Job:
        """Begin a request and return its job at once.

        *fields* are those of `ImageRequest`, a `preset`, and those of `RunOptions` unless *options*
        holds them.
        *slot* is the notebook cell that asks, None where none is known; *caller* tells whether a
        cell asks, a `point` of a sweep, or a click in the `panel`, which always sends. A refusal
        (`SessionLimitError`, `OutcomeUnknownError`) is the job's error. *only* is where an edit may
        change its picture: x, y, width and height in the input picture's pixels, a mask (white
        where the edit goes), or `alpha`. It is not sent: the answer is laid over the original
        inside, and `generation.received` has it as it came. Raises `InputError` for a request that
        cannot be right, before anything is sent.
        """
        from opeai_nb.studio.request_run import Ask
        from opeai_nb.studio.run_options import RunOptions, region_of

        if options is None:
            options, fields = RunOptions.split(fields)
        request = self.request(prompt, **fields)
        region = region_of(request, only)
        return self.start_asked(Ask(request, slot, caller, options, only=region))

    def request(self, prompt: str | ImageRequest | None = None, **fields: Any) -> ImageRequest:
        """Return the request that a prompt and fields stand for, a `preset` among them expanded.

        Raises `InputError` for one that cannot be right.
        """
        if fields.get(PRESET) is None:
            fields.pop(PRESET, None)
            return build_request(prompt, fields)
        if not isinstance(prompt, str):
            raise InputError(
                "A preset goes with a prompt, not with a whole request.",
                advice="Give the prompt as text. Nothing was sent.",
            )
        return build_request(*with_preset(prompt, fields, lambda: self.presets))

    def start_asked(self, ask: Ask) -> Job:
        """Begin what somebody asks and return its job at once."""
        pipeline, decider = self._pipeline(ask.request, ask.options), self.decider
        return self._run(pipeline, pipeline.made(ask, decider), decider.prices)

    def generate(self, prompt: str | ImageRequest | None = None, **fields: Any) -> Generation:
        """Begin a request and wait for its pictures."""
        return self.start(prompt, **fields).result()

    def resume(
        self,
        entry: Entry | str,
        *,
        send: bool = False,
        fetch: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Job:
        """Finish what was begun, here or before a restart, by GETs alone.

        *entry* may be the beginning of its id. With *send*, an entry whose outcome is unknown, or
        that was never sent, is sent with its own Idempotency-Key. What has a task or pictures is
        finished without. Without *send* the job of such an entry fails with `InputError`. What
        somebody else's folder says where pictures lie is followed to new hosts with *fetch* alone,
        and its job fails with `RefusedDownloadError` without. Raises `LibraryError` where there is
        no such entry, `OptionError` where another server has it.
        """
        from opeai_nb.studio.run_options import RunOptions

        left = self.library.entry(entry) if isinstance(entry, str) else entry
        if (running := self._job_of(left.id)) is not None:
            return running
        options = RunOptions(timeout=timeout)
        pipeline = self._pipeline(left.request, options, left, fetches_anywhere=fetch)
        pipeline.context.progress.id = left.id
        again = send and (way_on(left) != "resume" or left.truth == "answer not read")
        return self._run(pipeline, pipeline.resumed(left, send=again))

    def resume_all(self, *, timeout: float = DEFAULT_TIMEOUT) -> list[Job]:
        """Finish everything that GETs alone can finish; what another process works on is left.

        What cannot be begun (it was sent to another server) is left, too; where that is all there
        is, its error is raised.
        """
        jobs, errors = [], []
        for entry in self.library.pending():
            if way_on(entry) == "resume":
                try:
                    jobs.append(self.resume(entry, timeout=timeout))
                except OpeaiError as error:
                    errors.append(error)
        if errors and not jobs:
            raise errors[0]
        return jobs

    @property
    def usage(self) -> Usage:
        """What this session made, as `library.usage()` tells it of all sessions."""
        return self.library.usage(ids=self.ledger.records, prices=self.prices)

    @property
    def prices(self) -> PriceList | None:
        """The user's price list; None where there is none. Raises `OptionError` for a bad one."""
        return prices_of(self.settings)

    @property
    def presets(self) -> Mapping[str, Preset]:
        """The user's presets by name. Raises `OptionError` for a bad one."""
        return presets_of(self.settings)

    def cost(self, requests: Iterable[ImageRequest]) -> Cost | None:
        """Return what *requests* are expected to cost; None where there are no prices."""
        return cost_of(self.prices, requests)

    def told_cost(self, requests: Iterable[ImageRequest]) -> str:
        """Return that as a sentence goes on: `, 0.08 EUR`; empty where there are no prices."""
        cost = self.cost(requests)
        return "" if cost is None else told_cost(cost, self.settings.origin)

    def models(self) -> list[Model]:
        """Return the models that the platform, or the engine, lists."""
        client = self._clients.here()
        return schedule(client.models()).result()

    def preview(self, request: ImageRequest) -> tuple[str, dict[str, Any]]:
        """Return the URL and the JSON that a request would be sent as; nothing is sent."""
        dialect = DIALECTS[request.dialect]
        return connect.address(self.settings) + dialect.submit_path, dialect.body(request)

    @property
    def throttle(self) -> Throttle:
        """How many paid requests may be in flight, as the platform's answers taught it."""
        return self._clients.here().throttle

    # -- jobs on the loop

    @property
    def decider(self) -> Decider:
        """What decides whether a request is shown, finished, waited for or sent."""
        from opeai_nb.studio.decision import Decider

        return Decider(
            self.library,
            self.session,
            self.settings,
            self.ledger,
            self._clients.here().endpoint.base_url,
            self.prices,
        )

    @property
    def under_way(self) -> list[Job]:
        """The jobs that are not settled yet."""
        return [job for job in self.jobs if not job.is_settled]

    def _list(self, job: Job) -> None:
        """Put a job on the list, and take settled ones off it when it has grown twice as long."""
        self.jobs.append(job)
        if len(self.jobs) > self._most:
            self.jobs[:] = self.under_way
            self._most = max(_FEW, 2 * len(self.jobs))

    def _job_of(self, entry_id: str) -> Job | None:
        return next((job for job in self.under_way if job.id == entry_id), None)

    def _pipeline(
        self,
        request: ImageRequest,
        options: RunOptions,
        entry: Entry | None = None,
        *,
        fetches_anywhere: bool = False,
    ) -> Pipeline:
        """Return what makes a new job; *entry* is what it goes on with."""
        from opeai_nb.studio.pipeline.job_context import JobContext
        from opeai_nb.studio.pipeline.pipeline import Pipeline

        if entry is None:
            client, origin = self._clients.here(), self.settings.asks
        else:
            client = self._clients.at(entry.base_url, entry.origin)
            origin = "engine" if entry.origin == "engine" else "platform"
        context = JobContext(
            client,
            self.library,
            JobProgress(request, origin, self._clock),
            self._threads,
            self.ledger,
            options.timeout,
            fetches_anywhere,
        )
        return Pipeline(context, self._job_of)

    def _run(
        self,
        pipeline: Pipeline,
        work: Coroutine[Any, Any, Generation],
        prices: PriceList | None = None,
    ) -> Job:
        progress = pipeline.context.progress
        job = Job(progress)
        self._list(job)

        async def run() -> None:
            silence()  # in this job's context: the library tells it, once
            task = asyncio.current_task()
            if task is not None:
                progress.may_be_stopped_by(lambda: loop().call_soon_threadsafe(task.cancel))
            try:
                generation = await work
                if cost := paid_for(prices, generation):
                    self.ledger.paid(progress, cost)
                progress.succeeded(generation)
            except asyncio.CancelledError:
                progress.stopped()
            except OpeaiError as error:
                progress.failed(error, _state_of(error))
            except Exception as error:  # noqa: BLE001  whoever waits gets it, whatever it is
                progress.failed(error)

        begin(run())
        return job


def _state_of(error: OpeaiError) -> State:
    return "unknown" if isinstance(error, OutcomeUnknownError) else "failed"
