"""The rule of replay agrees with its model on random lives of notebooks and kernels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opeai_nb.library import Session, Slot
from opeai_nb.library.replay import replay
from opeai_nb.library.replay.session_takes import POINT
from tests.library.replay import replay_model as model

REQUESTS = ("a cat", "a cat", "a cat", "a dog")
CELLS = ("one", "two", "three", "7", None)
STATES: dict[str, replay.TakeState] = {
    "kept": "kept",
    "pending": "pending",
    "complete": "pending",
    "under way": "under way",
    "unknown": "unknown",
}
NOTEBOOKS = ("", "one.ipynb", "more/two.ipynb")
OUTCOMES = ("kept", "kept", "kept", "pending", "complete", "unknown", "unpaid", "under way")

calls = st.tuples(
    st.sampled_from(REQUESTS),
    st.sampled_from(["cell", "cell", "cell", "point", "panel"]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(OUTCOMES),
)
runs = st.tuples(
    st.just("run cell"),
    st.sampled_from(CELLS),
    st.lists(calls, min_size=1, max_size=3),
    st.sampled_from(["well", "well", "unwell", "goes on"]),
)
events = st.one_of(
    *[runs] * 6,
    *[st.tuples(st.just("restart"))] * 2,
    st.tuples(st.just("open notebook"), st.sampled_from(NOTEBOOKS)),
    st.tuples(st.just("remove notebook"), st.sampled_from(NOTEBOOKS[1:])),
    st.tuples(st.just("other kernel")),
    st.tuples(st.just("insert code"), st.integers(0, 9)),
    st.tuples(st.just("trash"), st.integers(0, 9)),
    st.tuples(st.just("becomes"), st.integers(0, 9), st.sampled_from(sorted(STATES))),
    st.tuples(st.just("forget"), st.integers(0, 9)),
    st.tuples(st.just("lose notes")),
)


class Life:
    """The model and the code side by side: each event happens to both."""

    def __init__(self) -> None:
        self.library = model.Library()
        self.kernels: list[tuple[model.Session, Session]] = []
        self.started = 0
        self.now = 0
        self.calls: Counter[tuple[str, str | None]] = Counter()
        self.start()

    def start(self) -> None:
        self.started += 1
        pair = (model.Session(self.started), Session(lambda: float(self.started)))
        self.kernels.append(pair)
        self.now = len(self.kernels) - 1

    @property
    def session(self) -> model.Session:
        return self.kernels[self.now][0]

    @session.setter
    def session(self, session: model.Session) -> None:
        self.kernels[self.now] = session, self.kernels[self.now][1]

    @property
    def own(self) -> Session:
        return self.kernels[self.now][1]

    # -- the same values in the words of the code

    def name(self, take: int) -> str:
        return f"{take:08x}"

    def scene(self, request: str) -> replay.Scene:
        names = {theirs.id: own.name for theirs, own in self.kernels}
        takes = [
            replay.Take(
                self.name(take.id),
                moment(take.id),
                slot_of(take.slot),
                replay.place_key(moment(take.place), self.name(take.place)),
                STATES[take.state],
                is_mine=take.session == self.session.id,
                is_trashed=take.trashed,
            )
            for take in self.library.takes
            if take.request == request
        ]
        notes = [
            replay.Note(
                moment(note.at),
                names[note.session],
                slot,
                self.name(note.take),
                note.notebook if note.notebook in self.library.notebooks else "",
            )
            for note in self.library.notes
            if note.slot.request == request and (slot := slot_of(note.slot)) is not None
        ]
        had, notebook = self.own.had(request), self.session.notebook
        return replay.Scene(tuple(takes), tuple(notes), had, self.own.name, notebook)

    # -- events

    def run_cell(self, cell: str | None, calls: list[tuple[Any, ...]], then: str) -> None:
        for call in calls:
            self.run(call[0], cell, *call[1:])
        if then != "goes on":
            self.end(cell, well=then == "well")

    def run(self, request: str, cell: str | None, caller: Any, fresh: bool, outcome: str) -> None:
        call = 1
        if caller == "cell" and cell is not None:
            self.calls[request, cell] += 1
            call = self.calls[request, cell]
        run = model.Run(request, cell, call, fresh=fresh, caller=caller)
        decision = model.decide(self.library, self.session, run)
        slot = slot_of(model.slot_of(self.session, run))
        choice = replay.decide(self.scene(request), slot, caller=caller, fresh=fresh)
        taken = None if decision.take is None else self.name(decision.take)
        assert (choice.does, choice.take, choice.is_reserved) == (
            decision.does,
            taken,
            decision.reserved,
        )
        if decision.does == "send":
            self.sent(run, slot, choice, outcome)
        elif decision.does == "refuse":
            take = next(take for take in self.library.takes if take.id == decision.take)
            if slot is not None and take.trashed:
                self.session = model.refused(self.session, run)
                self.told(request, slot)
        else:
            assert slot is not None
            self.library, self.session = model.shown(self.library, self.session, run, decision)
            self.has(request, slot, str(taken), is_reserved=decision.reserved)
            if decision.does == "resume":
                self.resumed(str(taken))
                self.library = model.changed(self.library, decision.take or 0, state="kept")

    def sent(self, run: model.Run, slot: Slot | None, choice: replay.Choice, outcome: str) -> None:
        self.library, self.session, take = model.began(self.library, self.session, run)
        made = self.library.takes[-1]
        place = choice.place or replay.place_key(moment(take), self.name(take))
        assert place == replay.place_key(moment(made.place), self.name(made.place))
        if slot is not None:
            self.own.has(run.request, slot, self.name(take))
        if outcome != "unpaid":
            self.library = model.changed(self.library, take, state=outcome)
        if outcome in ("unpaid", "unknown"):
            self.library, self.session = model.gone(self.library, self.session, take)
            self.own.gone(run.request, self.name(take))

    def has(self, request: str, slot: Slot, take: str, *, is_reserved: bool = False) -> None:
        self.own.has(request, slot, take, is_reserved=is_reserved)

    def told(self, request: str, slot: Slot) -> None:
        self.own.told(request, slot)

    def resumed(self, take: str) -> None:
        """On the disk it is kept now."""

    def end(self, cell: str | None, *, well: bool) -> None:
        self.calls = Counter({key: n for key, n in self.calls.items() if key[1] != cell})
        self.session = model.cell_ended(self.session, cell, well=well)
        self.own.cell_ended(cell, well=well)

    def becomes(self, number: int, state: str) -> None:
        if take := self.take(number):
            self.library = model.changed(self.library, take.id, state=state)

    def trash(self, number: int) -> None:
        if take := self.take(number):
            self.library = model.changed(self.library, take.id, trashed=not take.trashed)

    def forget(self, number: int) -> None:
        if take := self.take(number):
            self.library, self.session = model.gone(self.library, self.session, take.id)
            self.own.gone(take.request, self.name(take.id))

    def insert_code(self, number: int) -> None:
        if take := self.take(number):
            self.session = model.reserved(self.session, take.request, take.id)
            self.own.reserve(take.request, self.name(take.id))

    def lose_notes(self) -> None:
        self.library = replace(self.library, notes=())

    def restart(self) -> None:
        self.calls.clear()
        self.start()

    def open_notebook(self, notebook: str) -> None:
        """Start a kernel for a notebook, new or one of those that are there; "": nobody knows."""
        self.restart()
        self.session = replace(self.session, notebook=notebook)
        if notebook:
            there = self.library.notebooks | {notebook}
            self.library = replace(self.library, notebooks=there)

    def remove_notebook(self, notebook: str) -> None:
        self.library = replace(self.library, notebooks=self.library.notebooks - {notebook})

    def other_kernel(self) -> None:
        self.calls.clear()
        self.now = (self.now + 1) % len(self.kernels)

    def take(self, number: int) -> model.Take | None:
        takes = self.library.takes
        return takes[number % len(takes)] if takes else None


def moment(at: int) -> float:
    return 1_795_348_800.0 + at


def slot_of(slot: model.Slot | None) -> Slot | None:
    if slot is None:
        return None
    return Slot(POINT if slot.cell == "point" else slot.cell, slot.call)


@given(st.lists(events, min_size=3, max_size=25))
@settings(max_examples=500, deadline=None)
def test_code_and_model_decide_the_same_on_every_random_life(life: list[tuple[Any, ...]]) -> None:
    both = Life()
    for event, *arguments in life:
        getattr(both, event.replace(" ", "_"))(*arguments)
