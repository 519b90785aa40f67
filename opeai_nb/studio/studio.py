"""The studio: requests in, jobs out. What the magic, the panel, sweeps and scripts call."""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from opeai_nb import connect
from opeai_nb.client.protocol.poll import Patience
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.errors import OpeaiError, OptionError, OutcomeUnknownError
from opeai_nb.fields import DEFAULT_TIMEOUT
from opeai_nb.settings import settings as settings_from
from opeai_nb.studio.clients import Clients
from opeai_nb.studio.job import Job
from opeai_nb.studio.loop import begin, loop, schedule
from opeai_nb.studio.pipeline import Making
from opeai_nb.studio.recovery import left_by, way_on
from opeai_nb.studio.session_limit import Ledger
from opeai_nb.warning import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from opeai_nb.client import AsyncClient, Generation, Model
    from opeai_nb.client.http.limiter import Throttle
    from opeai_nb.library import Decision, Entry, Library, Slot, Usage
    from opeai_nb.settings import Settings
    from opeai_nb.studio.job import State

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
        self.ledger = Ledger()
        self.watcher: Callable[[Any], object] | None = None
        """What shows a run of many requests that somebody waits for; a notebook sets it."""
        self._clients = Clients(self.settings, client)
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="opeai_nb-disk")

    def __repr__(self) -> str:
        return f"<Studio: {self.settings.origin}, {len(self.jobs)} jobs>"

    def adjusted(self, settings: Settings) -> Studio:
        """Return a studio with other settings in the same session: its jobs and counts go on.

        Another library's folder begins another session: nothing of it has been shown yet.
        """
        same_folder = settings.library == self.settings.library
        other = Studio(settings, library=self.library if same_folder else None, clock=self._clock)
        other.jobs, other.ledger, other._threads = self.jobs, self.ledger, self._threads
        other.watcher = self.watcher
        if same_folder:
            other.session = self.session
        return other

    def start(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        fresh: bool = False,
        slot: Slot | None = None,
        metadata: bool | None = None,
        beyond_limit: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        **fields: Any,
    ) -> Job:
        """Begin a request and return its job at once.

        *fields* are those of `ImageRequest`. *fresh* sends even where the library could show what
        it has; *slot* is the notebook cell that asks. *metadata* overrides the setting for these
        pictures; *beyond_limit* says that somebody agreed to more than `max_images_per_session`,
        else the job fails with `SessionLimitError`. *timeout* is how long a task is waited for, in
        seconds. Raises `InputError` for a request that cannot be right, before anything is sent.
        """
        request = build_request(prompt, fields)
        making = self._making(request, timeout)
        decide = functools.partial(
            self.library.decide,
            request,
            slot=slot,
            session=self.session,
            origins=frozenset({"platform", self.settings.origin}),
            fresh=fresh or not self.settings.replay,
        )
        intent = self._beginning(making, metadata)
        limit = 0 if beyond_limit else self.settings.max_images_per_session
        return self._run(making.job, self._new_or_kept(making, decide, intent, limit))

    def send(
        self,
        request: ImageRequest,
        *,
        slot: Slot | None,
        metadata: bool | None = None,
        beyond_limit: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Job:
        """Send a request into *slot* without a look at what is kept: for who has looked already.

        The rest is as with `start`, and takes one wait for the disk where that takes five.
        """
        making = self._making(request, timeout)
        intent = self._beginning(making, metadata)
        limit = 0 if beyond_limit else self.settings.max_images_per_session

        def begun() -> Entry:
            self._refuse_to_paint_over()
            self.ledger.reserve(making.job, limit)
            return intent(slot=slot, sending=True)

        return self._run(making.job, making.at_once(begun))

    def generate(self, prompt: str | ImageRequest | None = None, **fields: Any) -> Generation:
        """Begin a request and wait for its pictures."""
        return self.start(prompt, **fields).result()

    def resume(
        self, entry: Entry | str, *, send: bool = False, timeout: float = DEFAULT_TIMEOUT
    ) -> Job:
        """Finish what was begun, here or before a restart, by GETs alone.

        *entry* may be the beginning of its id. With *send*, an entry whose outcome is unknown, or
        that was never sent, is sent with its own Idempotency-Key. What has a task or pictures is
        finished without. Without *send* the job of such an entry fails with `InputError`. Raises
        `LibraryError` where there is no such entry, `OptionError` where another server has it.
        """
        found = self.library.entry(entry) if isinstance(entry, str) else entry
        running = next((job for job in self._under_way() if job.id == found.id), None)
        if running is not None:
            return running
        making = self._making(found.request, timeout, found)
        making.job.id = found.id
        again = send and (way_on(found) != "resume" or found.truth == "answer not read")
        return self._run(making.job, making.once_more(found) if again else making.rest(found))

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
        return self.library.usage(ids=self.ledger.records)

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

    def _under_way(self) -> list[Job]:
        return [job for job in self.jobs if not job.is_settled]

    def _making(self, request: ImageRequest, timeout: float, entry: Entry | None = None) -> Making:
        """Return what makes a new job; *entry* is what it goes on with."""
        Patience(timeout)  # one that cannot be right is told before anything is sent
        if entry is None:
            client, origin = self._clients.here(), self.settings.origin
        else:
            client = self._clients.at(entry.base_url, entry.origin)
            origin = "engine" if entry.origin == "engine" else "platform"
        job = Job(request, origin, self._clock)
        self.jobs[:] = [*self._under_way(), job]
        return Making(client, self.library, job, self._threads, self.ledger, timeout)

    def _beginning(self, making: Making, metadata: bool | None) -> Callable[..., Entry]:
        """Return what puts the intent on the disk; it wants the slot."""
        return functools.partial(
            self.library.begin,
            making.job.request,
            key=str(uuid.uuid4()),
            base_url=making.client.endpoint.base_url,
            origin=making.job.origin,
            metadata=self.settings.metadata if metadata is None else metadata,
        )

    async def _new_or_kept(
        self,
        making: Making,
        decide: Callable[[], Decision],
        intent: Callable[..., Entry],
        limit: int,
    ) -> Generation:
        """Show what the library has for this run, finish what was begun for it, or send."""
        decision = await making.disk(decide)
        if decision.is_first and (entry := await making.disk(self._left_by, making, decision)):
            making.job.id = entry.id
            return await making.rest(entry)
        if decision.record is not None:
            request = making.job.request
            return await making.disk(self.library.generation, decision.record, request)
        await making.disk(self._refuse_to_paint_over)
        self.ledger.reserve(making.job, limit)
        return await making.anew(functools.partial(intent, slot=decision.slot))

    def _left_by(self, making: Making, decision: Decision) -> Entry | None:
        """Return what a session that died left of this very run, where GETs can finish it.

        So a kernel that dies with a task under way, and "Restart & Run All", pay once.
        """
        job, here = making.job, making.client.endpoint.base_url
        left = left_by(self.library.pending(), job.request, decision, job.origin)
        taken = {other.id for other in self._under_way()}
        entry = next((e for e in reversed(left) if e.base_url == here and e.id not in taken), None)
        if entry is None:
            return None
        if entry.truth in {"pending", "fetching"} and way_on(entry) == "resume":
            return entry
        if entry.truth in {"outcome unknown", "answer not read"}:
            job.note(
                "An earlier run of this request was cut off, and may have been painted and paid "
                "for: `%imagine tasks` tells of it."
            )
        return None

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

    def _run(self, job: Job, work: Coroutine[Any, Any, Generation]) -> Job:
        async def run() -> None:
            silence()  # in this job's context: the library tells it, once
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

        begin(run())
        return job


def _state_of(error: OpeaiError) -> State:
    return "unknown" if isinstance(error, OutcomeUnknownError) else "failed"
