"""How a picture is made: journal, POST, task, download, keep. Data only moves forward.

The states of an entry in the journal, each noted before what follows it begins:

    intended --> sending --> pending --> fetching --> kept: the record is there, the entry is gone
        |         |   |         |            ^
        |         |   +---------|------------+   an answer at once
        v         v             v
      gone      gone          gone               never sent; refused; the task failed
              or unknown                         nobody can tell whether it was carried out

What is decided is done here, up to the answer; from there `receive_pictures` goes on. What an
earlier process left enters at `pending` or `fetching`: `finish_entry`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.task import Task
from opeai_nb.errors import (
    AuthenticationError,
    LibraryError,
    NoPictureError,
    NotFoundError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    UnreadableAnswerError,
)
from opeai_nb.library.journal.entry import TakenOverError
from opeai_nb.studio.decision import Resume, Send, Show, Wait
from opeai_nb.studio.pipeline.answered import is_packed, names_pictures
from opeai_nb.studio.pipeline.finish_entry import finish
from opeai_nb.studio.pipeline.job_context import STOPPED, made_folder, reason
from opeai_nb.studio.pipeline.receive_pictures import follow_task, noted_task, receive
from opeai_nb.warning import told_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.library import Entry
    from opeai_nb.studio.decision import Decider, Decision
    from opeai_nb.studio.job import Job
    from opeai_nb.studio.pipeline.job_context import JobContext
    from opeai_nb.studio.request_run import Ask

# Errors that leave open whether the request was carried out.
_UNCERTAIN: Final = (OutcomeUnknownError, UnreadableAnswerError)
# Errors about an answer that is whole, paid for, and holds what we cannot read.
_UNREAD: Final = (UnreadableAnswerError, NoPictureError)
# What another key may do, and this one may not.
_OF_THE_KEY: Final = (AuthenticationError, PermissionDeniedError, NotFoundError)
_LOOK_AGAIN: Final = 0.5
"""Seconds between two looks at what another process makes: somebody waits, and a look is cheap."""


@dataclass(frozen=True)
class _Sending:
    """Notes in the journal what the client tells of a paid request."""

    context: JobContext
    entry: Entry

    async def leaves(self) -> None:
        """Note that it leaves; a stop in that moment keeps it from leaving."""
        self.context.progress.leaves()
        noting = self.context.on_disk(self.entry.sending)
        try:
            await asyncio.shield(noting)
        except asyncio.CancelledError:
            await noting
            await self.returned(STOPPED)
            raise

    async def returned(self, why: str) -> None:
        """Note that nothing is under way: killed in the pause that follows, it is not unknown."""
        await self.context.disk(self.entry.returned, why)
        self.context.progress.returned(why)


@dataclass(frozen=True)
class Pipeline:
    """Makes what one job is asked for.

    *job_of* gives the job of this process that works on an entry.
    """

    context: JobContext
    job_of: Callable[[str], Job | None]
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def made(self, ask: Ask, decider: Decider) -> Generation:
        """Do what is decided, and lay that over the original where a region says so."""
        context = self.context
        generation = await self._made(ask, decider)
        if ask.only is None:
            return generation
        record, metadata = generation.replayed_from or context.progress.id, ask.options.metadata
        return await context.disk(
            lambda only: context.library.lay_over(generation, only, record, metadata=metadata),
            ask.only,
        )

    async def _made(self, ask: Ask, decider: Decider) -> Generation:
        """Do what is decided, and decide again where that brings nothing."""
        context = self.context
        after: str | None = None
        while True:
            order = decider.session.order(ask.row) if ask.is_without_cell else nullcontext()
            async with order:
                decision, room = await self._decided(decider, ask, after)
            if isinstance(decision, Show):
                return decision.generation
            if isinstance(decision, Wait):
                after = decision.id
                await self._elsewhere(decider, ask, after)
                continue
            entry = decision.entry
            is_new = isinstance(decision, Send)
            try:
                async with self._working_on(entry):
                    return await (self.sent(entry, room) if is_new else finish(context, entry))
            except TakenOverError:
                context.ledger.release(context.progress)
                after = entry.id
            except BaseException as error:
                is_over = await context.disk(decider.brought_nothing, ask, entry)
                if is_new or not is_over or not isinstance(error, OpeaiError):
                    raise
                after = None

    async def _decided(
        self, decider: Decider, ask: Ask, after: str | None
    ) -> tuple[Decision, Path | None]:
        """Return the decision, and the folder for what comes where it is to be sent."""
        context = self.context

        def decide() -> tuple[Decision, Path | None]:
            decision = decider.decide(ask, context.progress, after)
            if not isinstance(decision, Send):
                return decision, None
            if ask.caller != "point":
                context.look_up_durations()
            return decision, decision.entry.folder

        deciding = context.on_disk(decide)
        try:
            decision, room = await asyncio.shield(deciding)
        except asyncio.CancelledError:
            decision, _ = await deciding
            if isinstance(decision, Send):
                await context.disk(decision.entry.forget)
                context.ledger.release(context.progress)
                await context.disk(decider.brought_nothing, ask, decision.entry)
            raise
        if isinstance(decision, Send | Resume):
            context.progress.id = decision.entry.id
        return decision, room

    async def _elsewhere(self, decider: Decider, ask: Ask, take: str) -> None:
        """Wait until nobody works on a take any more, in this process or another."""
        context = self.context
        if (other := self.job_of(take)) is not None:
            context.progress.waits("another cell")
            await other.settled()
        while (worker := await context.disk(decider.worker_on, ask, take)) is not None:
            context.progress.waits(worker)
            await self.sleep(_LOOK_AGAIN)

    # -- sending

    async def resumed(self, entry: Entry, *, send: bool) -> Generation:
        """Finish what somebody names; with *send*, send it knowingly, maybe for a second time.

        Raises `LibraryError` where another kernel has taken it over, and what `sent` or `finish`
        raise.
        """
        context = self.context
        entry = await context.disk(context.library.take_over, entry)
        try:
            async with self._working_on(entry):
                if not send:
                    return await finish(context, entry)
                return await self.sent(entry, await context.disk(self._ready, entry.folder))
        except TakenOverError:
            raise LibraryError(
                "Another kernel has taken this request over, while this one was frozen.",
                advice="%imagine tasks tells how far it is. Nothing was sent.",
            ) from None

    @asynccontextmanager
    async def _working_on(self, entry: Entry) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if entry.is_mine:  # what is settled is let go of already, and costs no turn of a thread
                await self.context.disk(entry.release)

    async def sent(self, entry: Entry, into: Path | None) -> Generation:
        """Send what is in the journal, with its key, and return the generation as it is kept.

        What comes goes straight into the folder *into*; None: into memory.
        """
        context = self.context
        was_sent = entry.state != "intended"
        try:
            context.progress.says("sending")
            context.progress.is_unsent = not was_sent
            with told_to(context.progress.note):
                answer = await context.client.submit(
                    context.progress.request,
                    idempotency_key=entry.key,
                    into=into if entry.folder.is_dir() else None,  # else another took it over
                    sending=_Sending(context, entry),
                )
        except TakenOverError:
            raise
        except BaseException as error:
            await self._note_failure(entry, error, was_sent=was_sent)
            raise
        if isinstance(answer, Task):
            context.progress.durations = await context.disk(noted_task, context, entry, answer)
            return await follow_task(context, entry, answer)
        return await receive(context, entry, answer)

    async def _note_failure(self, entry: Entry, error: BaseException, *, was_sent: bool) -> None:
        """Note what a POST that failed leaves: an answer, nothing, or an unknown outcome."""
        context = self.context
        if isinstance(error, OpeaiError) and error.answer:
            if isinstance(error, _UNREAD) or is_packed(error) or names_pictures(error):
                await context.disk(entry.unread, reason(error), error.answer)
                return
            await context.disk(entry.keep_answer, error.answer)
        refused = isinstance(error, OpeaiError) and not isinstance(error, _UNCERTAIN)
        # A refusal of the second sending says nothing about what became of the first.
        if entry.is_adopted and isinstance(error, _OF_THE_KEY):
            await context.disk(entry.returned, reason(error))
        elif not was_sent and (refused or entry.state == "intended"):
            await context.settle(entry, error)
        else:
            await context.disk(entry.unknown, reason(error))

    def _ready(self, folder: Path) -> Path | None:
        """Look up how long it may take, and return the folder for what comes."""
        self.context.look_up_durations()
        return made_folder(folder)
