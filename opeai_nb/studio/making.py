"""How a picture is made: journal, POST, task, download, keep. Data only moves forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.client.fetching import finished
from opeai_nb.client.task import Task
from opeai_nb.errors import (
    AuthenticationError,
    ConnectionLostError,
    DownloadError,
    JobStoppedError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from opeai_nb.client import AsyncClient, Generation
    from opeai_nb.client.picture import Picture
    from opeai_nb.library import Entry, Library
    from opeai_nb.studio.job import Job

Result = TypeVar("Result")

# The task goes on and can be asked about again: these leave it in the list of what is pending.
_PASSING: Final = (
    AuthenticationError,
    ConnectionLostError,
    DownloadError,
    JobStoppedError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
)


@dataclass(frozen=True)
class Making:
    """What the making of one job needs. Disk work runs in *threads*, never on the loop."""

    client: AsyncClient
    library: Library
    job: Job
    threads: Executor
    timeout: float

    async def anew(self, begin: Callable[[], Entry]) -> Generation:
        """Send the request, wait for it, and return the generation as the library keeps it."""
        entry = await self.disk(begin)
        self.job.id = entry.id
        try:
            await self.disk(entry.sending)
            self.job.says("sending")
            answer = await self.client.submit(
                self.job.request, idempotency_key=entry.key, into=entry.folder
            )
        except asyncio.CancelledError:
            await self.disk(entry.unknown, "it was stopped while it was being sent")
            raise
        except OutcomeUnknownError as error:
            # The pictures that were complete lie in the entry's folder already.
            await self.disk(entry.unknown, error.message)
            raise
        except OpeaiError as error:
            await self.disk(entry.failed, str(error))
            raise
        if isinstance(answer, Task):
            await self.disk(entry.submitted, answer)
            return await self.task(entry, answer)
        return await self.pictures(entry, answer)

    async def task(self, entry: Entry, task: Task) -> Generation:
        """Follow a task that is in the journal, and return its generation as it is kept."""
        durations = await self.disk(self.library.durations, self.job.request.model, self.job.origin)
        self.job.learns(durations)
        try:
            last = await self.client.watch(
                task, self.job.saw, timeout=self.timeout, durations=durations, into=entry.folder
            )
            generation = finished(last)
        except OpeaiError as error:
            if not isinstance(error, _PASSING):
                await self.disk(entry.failed, str(error))
            raise
        return await self.pictures(entry, generation)

    async def pictures(self, entry: Entry, generation: Generation) -> Generation:
        """Download what is not here yet, keep everything, and return it as it is kept."""
        self.job.says("fetching")
        await self.disk(entry.answered, generation)
        known = await self.disk(entry.received)
        fetched = await asyncio.gather(
            *(
                self._picture(entry, generation, number, known.get(number))
                for number in range(len(generation.pictures))
            )
        )
        whole = replace(generation, pictures=tuple(fetched), origin=self.job.origin)
        if not whole.good:
            error = whole.failed[0].error
            raise error if error is not None else AssertionError("a failed picture has an error")
        return await self.disk(self.library.keep, entry, whole)

    async def _picture(
        self, entry: Entry, generation: Generation, number: int, known: Any
    ) -> Picture:
        picture = generation.pictures[number]
        if known is not None:
            return replace(picture, source=known)
        if picture.source is not None or picture.error is not None:
            return picture
        alone = replace(generation, pictures=(picture,))
        try:
            folder = None if entry.folder is None else entry.folder / str(number)
            fetched = await self.client.fetch(alone, into=folder)
        except DownloadError as error:
            return replace(picture, error=error)
        return fetched.pictures[0]

    async def disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run disk work on a thread; a stop does not cut it in the middle."""
        running = asyncio.get_running_loop().run_in_executor(self.threads, work, *arguments)
        return await asyncio.shield(running)
