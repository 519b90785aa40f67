"""What is done about a request: show what is there, finish it, wait for it, or send.

The rule itself is `library.replay`, pure; here it is asked, with the disk's answers, in one call:

    decide    --> _shown_at_once    before the claim: what is kept and shown, whatever others do
              --> _decided          under the claim, until what was chosen could be done:
                    _chosen           what is there, and what the rule says of it
                    _carry_out      shown, adopted, or begun in the journal; or a refusal

What keeps a run from paying is told in `refusals`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.client.values.words import Words
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.library.library_warning import warn
from opeai_nb.library.records.request_json import earlier_identity
from opeai_nb.library.replay.replay import decide
from opeai_nb.studio import refusals
from opeai_nb.studio.pricing import cost_of
from opeai_nb.studio.session_limit import Limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client import Generation
    from opeai_nb.library import Entry, Library, Record, Session
    from opeai_nb.library.library import Look
    from opeai_nb.library.replay.replay import Choice
    from opeai_nb.prices.price_list import PriceList
    from opeai_nb.settings import Settings
    from opeai_nb.studio.job import JobProgress
    from opeai_nb.studio.request_run import Ask
    from opeai_nb.studio.session_limit import Ledger

_INDEX: Final = "the library's index: a record in it may be of this request"


class _GoneOnError(Exception):
    """What was looked at has been sent, or settled, since; then its owner died."""


class Show(NamedTuple):
    """The library has it."""

    generation: Generation


class Resume(NamedTuple):
    """It was begun, and can be finished without a POST."""

    entry: Entry


class Wait(NamedTuple):
    """Somebody makes it now, under this id."""

    id: str


class Send(NamedTuple):
    """The intent is on the disk: the POST may leave."""

    entry: Entry


Decision = Show | Resume | Wait | Send


@dataclass(frozen=True)
class Decider:
    """Decides for one studio; *server* is the base URL that it asks. For threads: it asks the disk.

    Looking and beginning happen under the claim of the request, so that of two who ask for the
    same at once one begins, and the other sees it.
    """

    library: Library
    session: Session
    settings: Settings
    ledger: Ledger
    server: str
    prices: PriceList | None = None

    def decide(self, ask: Ask, job: JobProgress, after: str | None = None) -> Decision:
        """Return what this run does, noted in the session.

        *after* is the take that it waited for: it is shown or finished now, if it can be, else the
        run decides again. Raises `SessionLimitError`, `OptionError` where the engine would paint
        beside pictures of the platform, and `OutcomeUnknownError` where an earlier run may have
        been paid for.
        """
        with self.library.turn(ask.identity) as claimed:
            if after is None and (shown := self._shown_of_earlier(ask, job)) is not None:
                return shown
            looks_first = after is None and not ask.is_new
            if looks_first and (shown := self._shown_at_once(ask, job)) is not None:
                return shown
            while True:
                with claimed() as claim:
                    decision = self._decided(ask, job, after)
                    if not isinstance(decision, Send) or claim.let_go():
                        return decision
                    # This process was frozen, and another has begun meanwhile.
                    self._undo(ask, job, decision.entry)

    def _shown_at_once(self, ask: Ask, job: JobProgress) -> Decision | None:
        """Return what is kept and shown whatever others do; None where that needs the claim.

        Of a request that no record has, as those of most points, nothing more is looked at.
        """
        if not self.library.holds([ask.identity], prompt=ask.request.prompt):
            return None
        ask = self._in_slot(ask)
        look, choice = self._chosen(ask, job)
        return self._carry_out(ask, job, look, choice) if choice.does == "show" else None

    def _shown_of_earlier(self, ask: Ask, job: JobProgress) -> Decision | None:
        """Return what an earlier version kept of this request, until one of today's is kept."""
        if (earlier := earlier_identity(ask.request)) is None:
            return None
        if self.library.holds([ask.identity], prompt=ask.request.prompt):
            return None
        return self._shown_at_once(replace(ask, identity=earlier), job)

    def _in_slot(self, ask: Ask) -> Ask:
        if not ask.is_without_cell:
            return ask
        return replace(ask, slot=self.session.slot_without_cell(ask.row))

    def _decided(self, ask: Ask, job: JobProgress, after: str | None) -> Decision:
        if after is not None and (decision := self._after_waiting(ask, after)) is not None:
            return decision
        while True:
            now = self._in_slot(ask)
            look, choice = self._chosen(now, job)
            decision = self._carry_out(now, job, look, choice)
            if decision is not None:
                return decision

    def _undo(self, ask: Ask, job: JobProgress, entry: Entry) -> None:
        entry.forget()
        self.ledger.release(job)
        self.session.gone(ask.row, entry.id)

    def brought_nothing(self, ask: Ask, entry: Entry) -> bool:
        """Tell whether a request that failed is over, unpaid.

        What is over, or of unknown outcome, was no run of its slot.
        """
        left = self._look(ask).entries.get(entry.id)
        if left is None or left.take_state in (None, "unknown"):
            self.session.gone(ask.row, entry.id)
        return left is None

    def worker_on(self, ask: Ask, take: str) -> str | None:
        """Return who works on a take, for people; None where nobody does."""
        entry = self._look(ask).entries.get(take)
        return entry.worker if entry is not None and entry.is_alive else None

    def shown(self, asks: Iterable[Ask]) -> list[bool]:
        """Tell of each of these runs whether it would show what is kept; nothing is noted."""
        if not self.settings.replay:
            return [False for _ in asks]
        looks: dict[str, Look] = {}
        return [self._would_show(ask, looks) for ask in asks]

    def _would_show(self, ask: Ask, looks: dict[str, Look]) -> bool:
        look = looks[ask.row] if ask.row in looks else self._look(ask)
        choice = decide(look.scene, ask.slot, caller=ask.caller, fresh=False)
        if choice.take is not None and ask.slot is not None:
            look = look.having(ask.slot, choice.take)
        looks[ask.row] = look
        return choice.does == "show"

    def _look(self, ask: Ask) -> Look:
        origins = {"platform", self.settings.asks}
        return self.library.look(
            ask.identity,
            self.session,
            origins=origins,
            server=self.server,
            row=ask.row,
            prompt=ask.request.prompt,
        )

    def _chosen(self, ask: Ask, job: JobProgress) -> tuple[Look, Choice]:
        """Return what there is, and what a run does.

        Before a first run pays it waits for all that a very large library has: one of its records
        may say this since it was edited by hand, and its name something else.
        """
        while True:
            look, choice = self._choice(ask)
            is_first = ask.slot is not None and ask.slot not in look.scene.had.takes
            may_hide = choice.does == "send" and is_first and not self._is_fresh(ask)
            if not (may_hide and look.is_in_part):
                return look, choice
            self.library.wait_for_index(partial(job.waits, _INDEX))

    def _is_fresh(self, ask: Ask) -> bool:
        return ask.options.fresh or not self.settings.replay

    def _choice(self, ask: Ask) -> tuple[Look, Choice]:
        look = self._look(ask)
        scene = look.scene
        if ask.options.send_unknown:
            known = (take for take in scene.takes if take.state != "unknown")
            scene = scene._replace(takes=tuple(known))
        return look, decide(scene, ask.slot, caller=ask.caller, fresh=self._is_fresh(ask))

    def _after_waiting(self, ask: Ask, take: str) -> Decision | None:
        """Return what can be done now with a take that was waited for; None where it is no more."""
        look = self._look(ask)
        if (file := look.files.get(take)) and (record := self.library.kept(file)):
            return self._shown(record, ask)
        entry = look.entries.get(take)
        state = None if entry is None else entry.take_state
        if entry is not None and state == "pending":
            entry.adopt()
            return Resume(entry)
        if state == "under way":
            return Wait(take)
        self.session.gone(ask.row, take)
        return None

    def _carry_out(self, ask: Ask, job: JobProgress, look: Look, choice: Choice) -> Decision | None:
        """Carry out a choice; None where what it chose has been spoiled since."""
        if choice.does == "send":
            self._ask_before_paying(ask, look)
            try:
                return Send(self._begun(ask, job, look, choice.place))
            except _GoneOnError:
                return None
        take = str(choice.take)
        if choice.does == "refuse":
            raise self._refusal(ask, look, take)
        decision: Decision
        if choice.does == "show":
            record = self.library.kept(look.files[take])
            if record is None:
                return None
            decision = self._shown(record, ask)
        elif choice.does == "wait":
            decision = Wait(take)
        else:
            look.entries[take].adopt()
            decision = Resume(look.entries[take])
        self._note(ask, look, take, is_reserved=choice.is_reserved)
        return decision

    def _shown(self, record: Record, ask: Ask) -> Show:
        """Return what a record shows, said what this run says of it."""
        generation = self.library.generation(record, ask.request)
        words = generation.words.with_changes(ask.options.words)
        if words == generation.words:
            return Show(generation)
        try:
            self.library.mark(record.id, **ask.options.words)
        except LibraryError as error:
            warn(error.message)  # it is shown with them all the same
        return Show(replace(generation, words=words))

    def _note(self, ask: Ask, look: Look, take: str, *, is_reserved: bool = False) -> None:
        """Note that the run's slot has a take, in this session and for later ones."""
        if ask.slot is None:
            return
        self.session.has(ask.row, ask.slot, take, is_reserved=is_reserved)
        # A point that has a take of its own needs no note: the take says so itself, and a batch of
        # ten thousand rows would add as many lines each time that it is run.
        own = next((t.slot for t in look.scene.takes if t.id == take), ask.slot)
        if ask.caller != "point" or own != ask.slot:
            self.library.note(ask.row, self.session, ask.slot, take)

    def _refusal(self, ask: Ask, look: Look, take: str) -> OpeaiError:
        if (entry := look.entries.get(take)) is not None:
            return refusals.unknown(ask, entry)
        if ask.slot is not None:
            self.session.told(ask.row, ask.slot)
        return refusals.in_trash()

    def _begun(self, ask: Ask, job: JobProgress, look: Look, place: str | None) -> Entry:
        if (refusal := refusals.painted_over(self.library, self.settings)) is not None:
            raise refusal
        options, settings = ask.options, self.settings
        cost = cost_of(self.prices, [ask.request])
        options.refuse_above(cost)
        self.ledger.reserve(job, Limit() if options.beyond_limit else Limit.of(settings), cost)
        try:
            for entry in look.entries.values():
                self._clear(ask, entry)
            entry = self.library.begin(
                ask.request,
                key=str(uuid.uuid4()),
                base_url=self.server,
                origin=settings.origin,
                slot=ask.slot,
                place=place,
                metadata=settings.metadata if options.metadata is None else options.metadata,
                subfolders=settings.subfolders,
                words=Words().with_changes(options.words),
                free_id=look.free_id,
                identity=ask.identity,
            )
        except (OpeaiError, _GoneOnError):
            self.ledger.release(job)
            raise
        self.session.made[entry.id] = ask.row
        self._note(ask, look, entry.id)
        return entry

    def _clear(self, ask: Ask, entry: Entry) -> None:
        """Drop an entry that stands in the way: one that was never sent is sent by nobody then."""
        if entry.is_alive:
            return
        if entry.truth in ("not sent", "refused"):
            if entry.void():
                entry.forget()
            elif not entry.is_as_read():
                raise _GoneOnError
            elif not (ask.options.fresh or ask.options.send_unknown):
                raise refusals.unknown(ask, entry)
        elif ask.options.send_unknown and entry.take_state == "unknown" and not entry.received():
            entry.forget()

    def _ask_before_paying(self, ask: Ask, look: Look) -> None:
        """Raise, once in a session, before a first run pays for what may be paid for already.

        Files of what it would show are no more, another server was sent the same, or the library
        of a folder below has it.
        """
        slot = ask.slot
        if ask.is_new or slot is None or not look.scene.had.is_untold(slot):
            return
        if self._is_fresh(ask) or ask.options.send_unknown:
            return
        refusal = refusals.lost(ask, self.library, self.settings)
        if refusal is None and ask.caller != "point":
            if look.is_elsewhere and self.settings.asks == "platform":
                refusal = refusals.elsewhere()
            else:
                refusal = refusals.below(ask, self.library, self.session)
        if refusal is not None:
            self.session.told(ask.row, slot)
            raise refusal
