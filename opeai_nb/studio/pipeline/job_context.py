"""What the making of one job needs, and what its steps do alike: disk work, and how it ends."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.studio.pipeline.key_mask import KeyMask
from opeai_nb.warning import told_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from opeai_nb.client import AsyncClient
    from opeai_nb.library import Entry, Library
    from opeai_nb.studio.job import JobProgress
    from opeai_nb.studio.session_limit import Ledger

Result = TypeVar("Result")

STOPPED: Final = "it was stopped while it was being sent"


@dataclass(frozen=True)
class JobContext:
    """One job's client, library and progress. Disk work runs in *threads*, never on the loop.

    *timeout* is how long a task is waited for, in seconds. *fetches_anywhere*: somebody knows where
    a journal of another user's leads, and says so.
    """

    client: AsyncClient
    library: Library
    progress: JobProgress
    threads: Executor
    ledger: Ledger
    timeout: float
    fetches_anywhere: bool = False

    @property
    def mask(self) -> KeyMask:
        """What keeps the key off the disk."""
        return KeyMask(self.client.key)

    async def disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run disk work on a thread; a stop does not cut it in the middle."""
        return await asyncio.shield(self.on_disk(work, *arguments))

    def on_disk(self, work: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Begin disk work on a thread, and return what tells of its end."""

        def told() -> Result:
            with told_to(self.progress.note):
                return work(*arguments)

        return asyncio.get_running_loop().run_in_executor(self.threads, told)

    async def settle(self, entry: Entry, error: BaseException) -> None:
        """Close what the platform refused or gave up: nothing was painted, nothing will come."""
        await self.disk(entry.failed, reason(error))
        self.ledger.release(self.progress)

    def look_up_durations(self) -> None:
        """Tell the progress how long it may take."""
        with suppress(LibraryError):  # an index that cannot be read holds up no request
            self.progress.durations = self.durations(tasks=False)

    def durations(self, *, tasks: bool) -> tuple[float, ...]:
        """Return how long earlier jobs of this model took, in seconds; with *tasks*, its tasks."""
        return self.library.durations(
            self.progress.request.model, self.progress.origin, tasks=tasks
        )


def reason(error: BaseException) -> str:
    """Return why something ended, for the journal."""
    if isinstance(error, asyncio.CancelledError):
        return STOPPED
    return error.message if isinstance(error, OpeaiError) else type(error).__name__


def made_folder(folder: Path) -> Path | None:
    """Return *folder*, made; None where the disk refuses it: then pictures stay in memory."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
