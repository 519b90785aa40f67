"""The studio: requests in, jobs out. What the magic, the panel, sweeps and scripts call."""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from opeai_nb import connect
from opeai_nb.client.dialect import DIALECTS
from opeai_nb.client.request import ImageRequest, build_request
from opeai_nb.client.task import Task
from opeai_nb.errors import InputError, OpeaiError, OptionError, OutcomeUnknownError
from opeai_nb.settings import Settings
from opeai_nb.settings import settings as settings_from
from opeai_nb.studio.job import Job
from opeai_nb.studio.loop import loop, schedule
from opeai_nb.studio.making import Making

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from opeai_nb.client import AsyncClient, Generation, Model
    from opeai_nb.library import Entry, Library, Slot
    from opeai_nb.settings import Origin
    from opeai_nb.studio.job import State

TIMEOUT = 900.0
"""Seconds that a task is waited for, unless said otherwise."""
_THREADS = 8


class Studio:
    """Makes pictures on one loop thread and keeps each in the library before anyone sees it.

    *settings* say where requests go and where pictures are kept (default: the environment);
    *client* and *library* replace what they would give (tests pass a client over a script).
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        client: AsyncClient | None = None,
        library: Library | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from opeai_nb.library import Library, Session

        self.settings = settings or settings_from()
        self.library = library or Library(self.settings.library, metadata=self.settings.metadata)
        self.session = Session()
        self.jobs: list[Job] = []
        self._client = client
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="opeai_nb-disk")

    def __repr__(self) -> str:
        return f"<Studio: {self.settings.origin}, {len(self.jobs)} jobs>"

    def start(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        fresh: bool = False,
        slot: Slot | None = None,
        timeout: float = TIMEOUT,
        **fields: Any,
    ) -> Job:
        """Begin a request and return its job at once.

        *fields* are those of `ImageRequest`. *fresh* sends even where the library could show what
        it has; *slot* is the notebook cell that asks. *timeout* is how long a task is waited for,
        in seconds. Raises `InputError` for a request that cannot be right, before anything is sent.
        """
        request = build_request(prompt, fields)
        job = self._job(request)
        making = self._making(job, timeout)
        work = self._new_or_replayed(making, fresh or not self.settings.replay, slot)
        self._run(job, work)
        return job

    def generate(self, prompt: str | ImageRequest | None = None, **fields: Any) -> Generation:
        """Begin a request and wait for its pictures."""
        return self.start(prompt, **fields).result()

    def resume(self, entry: Entry | str, *, timeout: float = TIMEOUT) -> Job:
        """Finish what was begun, here or before a restart, without sending anything anew.

        Raises `InputError` for an entry that has no task and no pictures to fetch: its outcome is
        unknown, or it was never sent.
        """
        from opeai_nb.library import Entry as JournalEntry

        found = entry if isinstance(entry, JournalEntry) else self.library.entry(entry)
        job = self._job(found.request, _origin(found.origin))
        job.id = found.id
        making = self._making(job, timeout, found.base_url)
        self._run(job, _finish(making, found))
        return job

    def models(self) -> list[Model]:
        """Return the models that the platform, or the engine, lists."""
        client = self._client_for(self.settings.origin, None)
        return schedule(client.models()).result()

    def preview(self, request: ImageRequest) -> tuple[str, dict[str, Any]]:
        """Return the URL and the JSON that a request would be sent as; nothing is sent."""
        dialect = DIALECTS[request.dialect]
        return connect.address(self.settings) + dialect.submit_path, dialect.body(request)

    # -- jobs on the loop

    def _job(self, request: ImageRequest, origin: Origin | None = None) -> Job:
        job = Job(request, origin or self.settings.origin, self._clock)
        self.jobs = [*(known for known in self.jobs if not known.is_settled), job]
        return job

    def _making(self, job: Job, timeout: float, base_url: str | None = None) -> Making:
        client = self._client_for(job.origin, base_url)
        return Making(client, self.library, job, self._threads, timeout)

    def _client_for(self, origin: str, base_url: str | None) -> AsyncClient:
        """Return the client; an entry of another server or of the engine gets one of its own."""
        if self._client is None:
            self._client = self._on_loop(connect.async_client, self.settings)
        here = self._client.endpoint.base_url
        if base_url is None or base_url == here:
            return self._client
        if origin == "engine":
            return self._on_loop(connect.async_client, settings_from(base_url="engine:"))
        return self._on_loop(
            connect.async_client, settings_from(base_url=base_url, api_key=self.settings.api_key)
        )

    @staticmethod
    def _on_loop(make: Callable[[Settings], AsyncClient], settings: Settings) -> AsyncClient:
        async def made() -> AsyncClient:
            return make(settings)

        return schedule(made()).result()

    async def _new_or_replayed(self, making: Making, fresh: bool, slot: Slot | None) -> Generation:
        """Show what the library has for this run of the slot, else send."""
        request = making.job.request
        decide = functools.partial(
            self.library.decide,
            request,
            slot=slot,
            session=self.session,
            origins=frozenset({"platform", self.settings.origin}),
            fresh=fresh,
        )
        decision = await making.disk(decide)
        if decision.record is not None:
            return await making.disk(self.library.generation, decision.record, request)
        await making.disk(self._refuse_to_paint_over)
        begin = functools.partial(
            self.library.begin,
            request,
            key=str(uuid.uuid4()),
            base_url=making.client.endpoint.base_url,
            origin=making.job.origin,
            slot=decision.slot,
        )
        return await making.anew(begin)

    def _refuse_to_paint_over(self) -> None:
        """Raise where the engine would paint for want of a key beside pictures of the platform.

        A notebook that came with its library would silently get another picture than it shows.
        """
        settings = self.settings
        by_default = settings.origin == "engine" and not settings.engine_is_chosen
        if by_default and "platform" in self.library.origins():
            raise OptionError(
                "The library holds pictures of the platform, none of them for this request, and "
                "there is no API key.",
                advice="Set OPEAI_API_KEY to ask the platform, or OPEAI_BASE_URL=engine: to let "
                "the embedded engine paint. Nothing was sent.",
            )

    def _run(self, job: Job, work: Coroutine[Any, Any, Generation]) -> None:
        async def run() -> None:
            task = asyncio.current_task()
            if task is not None:
                job.may_be_stopped_by(lambda: loop().call_soon_threadsafe(task.cancel))
            try:
                job.succeeded(await work)
            except asyncio.CancelledError:
                job.stopped()
            except OpeaiError as error:
                job.failed(error, _state_of(error))
            except Exception as error:  # noqa: BLE001  whoever waits gets it, whatever it is
                job.failed(error)

        schedule(run())


async def _finish(making: Making, entry: Entry) -> Generation:
    await making.disk(entry.adopt)
    generation = await making.disk(entry.generation)
    if generation is not None:
        return await making.pictures(entry, generation)
    if entry.task_id is None:
        raise InputError(
            "This request has neither a task that could be asked about nor pictures to fetch.",
            advice="%imagine forget drops it; to ask for it anew, run its cell again.",
        )
    task = Task(entry.task_id, poll_path=entry.poll_path, request=entry.request)
    return await making.task(entry, task)


def _origin(text: str) -> Origin:
    return "engine" if text == "engine" else "platform"


def _state_of(error: OpeaiError) -> State:
    return "unknown" if isinstance(error, OutcomeUnknownError) else "failed"
