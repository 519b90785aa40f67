"""How a picture is made: journal, POST, task, download, keep. Data only moves forward.

The states of an entry in the journal, each noted before what follows it begins:

    intended --> sending --> pending --> fetching --> kept: the record is there, the entry is gone
        |         |   |         |            ^
        |         |   +---------|------------+   an answer at once
        v         v             v
      gone      gone          gone               never sent; refused; the task failed
              or unknown                         nobody can tell whether it was carried out

`finished` enters at `pending` or `fetching` with what an earlier process left.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.client.protocol.poll import Patience
from opeai_nb.client.protocol.results import (
    CUT_TASKS,
    DOUBTS,
    NO_GUESS,
    finished,
    is_read,
    is_to_come,
    is_unfinished,
    is_unread,
    nothing_good,
)
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.read_pictures import GUESS
from opeai_nb.client.wire.task.guessed_id import GUESSED_ID
from opeai_nb.errors import (
    AuthenticationError,
    DownloadError,
    InputError,
    LibraryError,
    NoPictureError,
    NotFoundError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RefusedDownloadError,
    TaskExpiredError,
    UnreadableAnswerError,
)
from opeai_nb.library.journal.entry import TakenOverError
from opeai_nb.studio.decision import Resume, Send, Show, Wait
from opeai_nb.studio.pipeline.answered import (
    hosts_of,
    in_file,
    is_packed,
    names_pictures,
    out_of_the_journal,
    with_missing,
)
from opeai_nb.studio.pipeline.key_mask import KeyMask
from opeai_nb.warning import told_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from opeai_nb.client import AsyncClient, Generation
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.library import Entry, Library
    from opeai_nb.studio.decision import Decider, Decision
    from opeai_nb.studio.job import Job, JobProgress
    from opeai_nb.studio.request_run import Ask
    from opeai_nb.studio.session_limit import Ledger

Result = TypeVar("Result")

# Errors that leave open whether the request was carried out.
_UNCERTAIN: Final = (OutcomeUnknownError, UnreadableAnswerError)
# Errors about an answer that is whole, paid for, and holds what we cannot read.
_UNREAD: Final = (UnreadableAnswerError, NoPictureError)
# What another key may do, and this one may not.
_OF_THE_KEY: Final = (AuthenticationError, PermissionDeniedError, NotFoundError)
_LOOK_AGAIN: Final = 0.5
"""Seconds between two looks at what another process makes: somebody waits, and a look is cheap."""
_STOPPED: Final = "it was stopped while it was being sent"
_DROPPED: Final = (
    "The platform keeps pictures for 24 hours, and these are over: `%imagine forget` drops the "
    "request, and its cell can ask for another picture then."
)
_SHOWN: Final = "The answer shows a picture beside the id of a task."
_NOWHERE: Final = "This picture could not be saved, and the process that had it is gone."


@dataclass(frozen=True)
class _Sending:
    """Notes in the journal what the client tells of a paid request."""

    pipeline: Pipeline
    entry: Entry

    async def leaves(self) -> None:
        """Note that it leaves; a stop in that moment keeps it from leaving."""
        self.pipeline.progress.leaves()
        noting = self.pipeline.on_disk(self.entry.sending)
        try:
            await asyncio.shield(noting)
        except asyncio.CancelledError:
            await noting
            await self.returned(_STOPPED)
            raise

    async def returned(self, why: str) -> None:
        """Note that nothing is under way: killed in the pause that follows, it is not unknown."""
        await self.pipeline.disk(self.entry.returned, why)
        self.pipeline.progress.returned(why)


@dataclass(frozen=True)
class Pipeline:
    """What the making of one job needs. Disk work runs in *threads*, never on the loop.

    *job_of* gives the job of this process that works on an entry; *timeout* is how long a task is
    waited for, in seconds. *fetches_anywhere*: somebody knows where a journal of another user's
    leads, and says so.
    """

    client: AsyncClient
    library: Library
    progress: JobProgress
    threads: Executor
    ledger: Ledger
    job_of: Callable[[str], Job | None]
    timeout: float
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    fetches_anywhere: bool = False

    @property
    def mask(self) -> KeyMask:
        """What keeps the key off the disk."""
        return KeyMask(self.client.key)

    async def made(self, ask: Ask, decider: Decider) -> Generation:
        """Do what is decided, and lay that over the original where a region says so."""
        generation = await self._made(ask, decider)
        if ask.only is None:
            return generation
        record, metadata = generation.replayed_from or self.progress.id, ask.options.metadata
        return await self.disk(
            lambda only: self.library.lay_over(generation, only, record, metadata=metadata),
            ask.only,
        )

    async def _made(self, ask: Ask, decider: Decider) -> Generation:
        """Do what is decided, and decide again where that brings nothing."""
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
                    return await (self.sent(entry, room) if is_new else self.finished(entry))
            except TakenOverError:
                self.ledger.release(self.progress)
                after = entry.id
            except BaseException as error:
                is_over = await self.disk(decider.brought_nothing, ask, entry)
                if is_new or not is_over or not isinstance(error, OpeaiError):
                    raise
                after = None

    async def _decided(
        self, decider: Decider, ask: Ask, after: str | None
    ) -> tuple[Decision, Path | None]:
        """Return the decision, and the folder for what comes where it is to be sent."""

        def decide() -> tuple[Decision, Path | None]:
            decision = decider.decide(ask, self.progress, after)
            if not isinstance(decision, Send):
                return decision, None
            if ask.caller != "point":
                self._look_up_durations()
            return decision, decision.entry.folder

        deciding = self.on_disk(decide)
        try:
            decision, room = await asyncio.shield(deciding)
        except asyncio.CancelledError:
            decision, _ = await deciding
            if isinstance(decision, Send):
                await self.disk(decision.entry.forget)
                self.ledger.release(self.progress)
                await self.disk(decider.brought_nothing, ask, decision.entry)
            raise
        if isinstance(decision, Send | Resume):
            self.progress.id = decision.entry.id
        return decision, room

    async def _elsewhere(self, decider: Decider, ask: Ask, take: str) -> None:
        """Wait until nobody works on a take any more, in this process or another."""
        if (other := self.job_of(take)) is not None:
            self.progress.waits("another cell")
            await other.settled()
        while (worker := await self.disk(decider.worker_on, ask, take)) is not None:
            self.progress.waits(worker)
            await self.sleep(_LOOK_AGAIN)

    # -- sending

    async def resumed(self, entry: Entry, *, send: bool) -> Generation:
        """Finish what somebody names; with *send*, send it knowingly, maybe for a second time.

        Raises `LibraryError` where another kernel has taken it over, and what `sent` or
        `finished` raise.
        """
        entry = await self.disk(self.library.take_over, entry)
        try:
            async with self._working_on(entry):
                if not send:
                    return await self.finished(entry)
                return await self.sent(entry, await self.disk(self._ready, entry.folder))
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
                await self.disk(entry.release)

    async def sent(self, entry: Entry, into: Path | None) -> Generation:
        """Send what is in the journal, with its key, and return the generation as it is kept.

        What comes goes straight into the folder *into*; None: into memory.
        """
        was_sent = entry.state != "intended"
        try:
            self.progress.says("sending")
            self.progress.is_unsent = not was_sent
            with told_to(self.progress.note):
                answer = await self.client.submit(
                    self.progress.request,
                    idempotency_key=entry.key,
                    into=into if entry.folder.is_dir() else None,  # else another took it over
                    sending=_Sending(self, entry),
                )
        except TakenOverError:
            raise
        except BaseException as error:
            if isinstance(error, OpeaiError) and error.answer:
                if isinstance(error, _UNREAD) or is_packed(error) or names_pictures(error):
                    await self.disk(entry.unread, _reason(error), error.answer)
                    raise
                await self.disk(entry.keep_answer, error.answer)
            refused = isinstance(error, OpeaiError) and not isinstance(error, _UNCERTAIN)
            # A refusal of the second sending says nothing about what became of the first.
            if entry.is_adopted and isinstance(error, _OF_THE_KEY):
                await self.disk(entry.returned, _reason(error))
            elif not was_sent and (refused or entry.state == "intended"):
                await self._settle(entry, error)
            else:
                await self.disk(entry.unknown, _reason(error))
            raise
        if isinstance(answer, Task):
            self.progress.durations = await self.disk(self._noted_task, entry, answer)
            return await self._task(entry, answer)
        return await self._pictures(entry, answer)

    def _noted_task(self, entry: Entry, task: Task) -> tuple[float, ...]:
        entry.submitted(self.mask.hidden_in_task(task))
        doubts = {GUESSED_ID, CUT_TASKS}.intersection(task.notes)
        if task.answer and (doubts or task.pictures or task.status == "done"):
            entry.unread(next(iter(doubts), _SHOWN), task.answer)
        return self._durations(tasks=True)

    def _ready(self, folder: Path) -> Path | None:
        """Look up how long it may take, and return the folder for what comes."""
        self._look_up_durations()
        return _room(folder)

    def _look_up_durations(self) -> None:
        with suppress(LibraryError):  # an index that cannot be read holds up no request
            self.progress.durations = self._durations(tasks=False)

    # -- finishing

    async def finished(self, entry: Entry) -> Generation:
        """Finish what was begun earlier, by GETs alone.

        Raises `InputError` when there is neither a task nor a picture: its outcome is unknown, or
        it was never sent. Raises `LibraryError` when another kernel's memory holds its pictures.
        """
        if (unkept := self.library.unkept(entry)) is not None:
            return await self.disk(self._kept, entry, unkept)
        if await self.disk(lambda: entry.is_held_elsewhere):
            raise LibraryError(
                "Pictures of this request are in the memory of another kernel: no disk took them.",
                advice="Free some room, and run %imagine resume in that kernel.",
            )
        is_pending = entry.state == "pending"
        generation = None if is_pending else await self.disk(self._left, entry)
        left = () if generation is None else generation.pictures
        if (entry.has_unread or any(map(is_unread, left))) and (
            answer := await self.disk(entry.answer)
        ) is not None:
            is_own = not await self.disk(entry.foreign_hosts)
            known = hosts_of(generation) if is_own and generation is not None else frozenset()
            return await self._reread(entry, answer, known)
        if generation is not None:
            self._check_hosts(entry, generation, await self.disk(entry.foreign_hosts))
            return await self._fetched_or_reread(entry, generation)
        if entry.task_id is None:
            raise InputError(
                "This request has neither a task that could be asked about nor pictures to fetch.",
                advice="%imagine forget drops it, %imagine resume with --send sends it once more.",
            )
        return await self._task(entry, self._task_of(entry), is_new=False)

    async def _fetched_or_reread(self, entry: Entry, generation: Generation) -> Generation:
        """Fetch what the journal names; where that is no picture, look into the answer again."""
        try:
            return await self._pictures(entry, generation)
        except DownloadError:
            if (other := await self.disk(self._other_reading, entry, generation)) is None:
                raise
        known = hosts_of(generation) if not await self.disk(entry.foreign_hosts) else frozenset()
        self._check_hosts(entry, other, hosts_of(other) - known)
        return await self._pictures(entry, other)

    def _other_reading(self, entry: Entry, generation: Generation) -> Generation | None:
        """Return what the answer that was kept says today, where it leads elsewhere than it did."""
        if (answer := entry.answer()) is None:
            return None
        try:
            read = self.client.reread(answer, self.progress.request)
        except OpeaiError:
            return None
        if isinstance(read, Task) or [p.url for p in read.pictures] == [
            p.url for p in generation.pictures
        ]:
            return None
        return read

    async def _reread(self, entry: Entry, answer: bytes, known: frozenset[str]) -> Generation:
        """Read an answer again that an earlier version, or a fault of ours, could not read.

        *known* are hosts that this user's own journal names.
        """
        known_task = self._task_of(entry)
        try:
            read = await self.disk(self.client.reread, answer, self.progress.request)
        except OpeaiError:
            if entry.task_id is not None:
                return await self._task(entry, known_task, is_new=False)
            generation = await self.disk(self._left, entry)
            if generation is None:
                raise
            self._check_hosts(entry, generation, await self.disk(entry.foreign_hosts))
            return await self._pictures(entry, generation)
        if len(known_task.parts) > 1 and getattr(read, "id", None) != known_task.id:
            return await self._task(entry, known_task, is_new=False)  # it is the answer of one
        if isinstance(read, Task):
            self.progress.durations = await self.disk(self._noted_task, entry, read)
            return await self._task(entry, read)
        if entry.task_id is not None and any(map(is_unfinished, read.pictures)):
            return await self._task(entry, known_task, is_new=False)
        if not await self.disk(entry.wrote, answer):
            self._check_hosts(entry, read, hosts_of(read) - known)
        return await self._pictures(entry, read)

    def _check_hosts(self, entry: Entry, generation: Generation, foreign: frozenset[str]) -> None:
        """Ask first where pictures lie at *foreign* hosts, which somebody else's journal names.

        Raises `RefusedDownloadError`, which says how to go on.
        """
        endpoint = self.client.endpoint
        new = foreign - {"", endpoint.host, *endpoint.allow_hosts}
        is_open = any(p.source is None and p.error is None for p in generation.pictures)
        if self.fetches_anywhere or not (new and is_open):
            return
        names = ", ".join(ascii(host)[1:-1] for host in sorted(new))[:300]
        raise RefusedDownloadError(
            f"This request was begun by somebody else, or on another machine, and its pictures are "
            f"to be fetched from {names}. Nothing was fetched.",
            advice=f"If you trust that: %imagine resume {entry.id} --fetch. Else "
            f"%imagine forget {entry.id} drops it.",
        )

    async def _task(self, entry: Entry, task: Task, *, is_new: bool = True) -> Generation:
        started = time.monotonic()
        try:
            if not is_new:  # it may be done for long: ask before waiting for it
                task = await self.client.task(task, timeout=self.timeout)
            last = await self.client.watch(
                task,
                self.progress.saw,
                timeout=max(0.0, started + self.timeout - time.monotonic()),
                durations=self.progress.durations if is_new else (),
                into=await self.disk(_room, entry.folder),
            )
        except TaskExpiredError as error:
            # Within its 24 hours a task that is not found may be another account's.
            if entry.is_over:
                await self._settle(entry, error)
            raise
        try:
            generation = finished(last)
        except NoPictureError as error:
            await self.disk(entry.unread, _reason(error), error.answer or b"")
            raise
        except OpeaiError as error:
            # It failed, and may show some all the same.
            if any(picture.error is None for picture in last.pictures):
                await self.disk(entry.unread, _reason(error), error.answer or b"")
            else:
                if task.notes == (GUESSED_ID,):  # the guess came true: the first answer is read
                    await self.disk(entry.understood)
                await self._settle(entry, error)
            raise
        return await self._pictures(entry, generation, time.monotonic() - started)

    async def _pictures(
        self, entry: Entry, generation: Generation, waited: float = 0.0
    ) -> Generation:
        """Download what is not here yet, keep everything, and return it as it is kept.

        *waited* is how many of the job's seconds went by with its task.
        """
        self.progress.says("fetching")
        known, whole = await self.disk(self._arrived, entry, generation)
        if whole is not None:
            return whole
        seconds = Patience(self.timeout).for_downloads(waited)
        fetched = await asyncio.gather(
            *(
                self._picture(entry, generation, number, known.get(number), seconds)
                for number in range(len(generation.pictures))
            )
        )
        # A task may bring more than the one that was to come: the places of the others stay.
        pictures = (*(first for first, *_ in fetched), *(p for _, *more in fetched for p in more))
        whole = replace(generation, pictures=pictures, origin=self.progress.origin)
        missing = sum(isinstance(picture.error, DownloadError) for picture in whole.failed)
        if missing and len(pictures) > len(generation.pictures):
            await self.disk(entry.answered, self.mask.hidden_in(whole))
        if missing and generation.answer:  # the URLs that were read in it may be the wrong ones
            await self.disk(entry.keep_answer, generation.answer)
        if not whole.good:
            if GUESS in generation.notes:
                await self.disk(entry.unread, NO_GUESS, generation.answer or b"")
                raise nothing_good(replace(whole, answer=generation.answer))
            error = whole.failed[0].error or AssertionError("a failed picture has an error")
            if entry.is_over and type(error) is DownloadError:  # one refused may still be there
                error.advice = _DROPPED
            raise error
        if missing and not entry.is_over:
            self.progress.note(
                f"{missing} of {len(pictures)} pictures could not be downloaded yet; "
                "`%imagine resume` fetches what is missing, for 24 hours."
            )
        else:
            self._tell_only(generation)
            return await self.disk(self._kept, entry, whole)
        return await self.disk(out_of_the_journal, whole, entry)

    def _arrived(
        self, entry: Entry, generation: Generation
    ) -> tuple[Mapping[int, Path], Generation | None]:
        """Note an answer; return the files that came with it, and what is kept if that is all."""
        if generation.answer is not None and not is_read(generation.pictures, generation.notes):
            entry.keep_answer(generation.answer)
        entry.answered(self.mask.hidden_in(generation))
        known = entry.received()
        if not known or len(known) < len(generation.pictures):
            return known, None
        pictures = tuple(
            in_file(picture, known[number]) for number, picture in enumerate(generation.pictures)
        )
        self._tell_only(generation)
        whole = replace(generation, pictures=pictures, origin=self.progress.origin)
        return known, self._kept(entry, whole)

    def _left(self, entry: Entry) -> Generation | None:
        """Return what the journal has of an answer, ready to be fetched."""
        if (generation := entry.generation()) is None:
            return None
        return with_missing(self.mask.restored_in(generation), entry)

    def _task_of(self, entry: Entry) -> Task:
        return Task(
            self.mask.restored(entry.task_id) or "",
            poll_path=self.mask.restored(entry.poll_path),
            request=self.progress.request,
        )

    def _tell_only(self, generation: Generation) -> None:
        """Say what is to be said of the answer; what the journal could not promise is over."""
        self.progress.notes.clear()
        for note in generation.notes:
            self.progress.note(note)

    def _kept(self, entry: Entry, whole: Generation) -> Generation:
        is_sure = DOUBTS.isdisjoint(whole.notes)
        if whole.answer is not None and is_sure and not any(map(is_unread, whole.pictures)):
            whole = replace(whole, answer=None)  # a guess that came true
        kept = self.library.keep(entry, self.mask.hidden_in(whole))
        self.ledger.made(entry.id)
        return out_of_the_journal(kept, entry)

    async def _picture(
        self,
        entry: Entry,
        generation: Generation,
        number: int,
        known: Path | None,
        seconds: float,
    ) -> tuple[Picture, ...]:
        """Return what is at a place of an answer, at least one picture."""
        picture = generation.pictures[number]
        if known is not None:
            return (replace(picture, source=known, error=None),)
        if picture.source is not None or (picture.error is not None and not is_to_come(picture)):
            return (picture,)
        if not picture.url and picture.error is None:
            return (replace(picture, error=NoPictureError(_NOWHERE)),)
        alone = replace(generation, pictures=(picture,), notes=())
        try:
            room = await self.disk(_room, entry.folder / str(number))
            fetched = await self.client.fetch(alone, timeout=seconds, into=room)
        except DownloadError as error:
            first, *more = error.pictures or (picture,)
            return replace(first, error=error), *more
        except OpeaiError as error:  # one that is still to come
            return error.pictures or (picture,)
        return fetched.pictures

    # -- what all of them do

    async def _settle(self, entry: Entry, error: BaseException) -> None:
        """Close what the platform refused or gave up: nothing was painted, nothing will come."""
        await self.disk(entry.failed, _reason(error))
        self.ledger.release(self.progress)

    def _durations(self, *, tasks: bool) -> tuple[float, ...]:
        return self.library.durations(
            self.progress.request.model, self.progress.origin, tasks=tasks
        )

    async def disk(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run disk work on a thread; a stop does not cut it in the middle."""
        return await asyncio.shield(self.on_disk(work, *arguments))

    def on_disk(self, work: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Begin disk work on a thread, and return what tells of its end."""

        def told() -> Result:
            with told_to(self.progress.note):
                return work(*arguments)

        return asyncio.get_running_loop().run_in_executor(self.threads, told)


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return _STOPPED
    return error.message if isinstance(error, OpeaiError) else type(error).__name__


def _room(folder: Path) -> Path | None:
    """Return *folder*, made; None where the disk refuses it: then pictures stay in memory."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
