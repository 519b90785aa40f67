"""What one last saw: random notebooks, edited between openings, and an oracle of their own.

The oracle knows notebooks and what stood below their cells; it knows nothing of slots, notes,
places, or of how a decision is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.library import Slot
from opeai_nb.library.replay import replay
from tests.library.replay import replay_model as model
from tests.library.replay.test_replay_model import Life

PROMPTS = ("a cat", "a cat", "a dog", "an owl", "a fox")


@dataclass
class Cell:
    """A cell: its *id*, what it asks for in order, and the pictures that stood below it last.

    *was* is what id and prompts were then.
    """

    id: str | None
    prompts: tuple[str, ...]
    seen: tuple[str | None, ...] = ()
    was: tuple[str | None, tuple[str, ...]] = (None, ())

    @property
    def is_the_same(self) -> bool:
        """True where id and prompts are those of the last opening; a bare number names no cell."""
        has_id = self.id is not None and not self.id.isdecimal()
        return has_id and self.was == (self.id, self.prompts)

    def last(self) -> list[tuple[str, str | None]]:
        """Return each prompt with what one last saw of it; None where it is new."""
        return list(zip(self.prompts, [*self.seen, *[None] * len(self.prompts)], strict=False))


@dataclass
class Notebook:
    """Cells in order."""

    cells: list[Cell] = field(default_factory=list)


class Folder(Life):
    """Two notebooks beside one library; each opening is a kernel of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.notebooks = (Notebook(), Notebook())
        self.names = map("id-{}".format, range(10**9))
        self.shown: tuple[str, str] = ("", "")

    # -- what the rule does

    def sent(self, run: model.Run, slot: Slot | None, choice: replay.Choice, outcome: str) -> None:
        super().sent(run, slot, choice, outcome)
        self.shown = "send", self.name(self.library.takes[-1].id)

    def has(self, request: str, slot: Slot, take: str, *, is_reserved: bool = False) -> None:
        super().has(request, slot, take, is_reserved=is_reserved)
        self.shown = "show", take

    def run_all(self, cells: list[Cell]) -> list[str]:
        """Run cells as a front end does; return the prompts that were sent."""
        posts: list[str] = []
        for cell in cells:
            seen: list[str | None] = []
            for prompt in cell.prompts:
                self.run(prompt, cell.id, "cell", fresh=False, outcome="kept")
                does, take = self.shown
                posts += [prompt] * (does == "send")
                seen.append(take)
            self.end(cell.id, well=True)
            cell.seen, cell.was = tuple(seen), (cell.id, cell.prompts)
        return posts

    # -- events

    def insert(self, book: int, place: int, prompts: list[str]) -> None:
        cells = self.notebooks[book].cells
        cells.insert(place % (len(cells) + 1), Cell(next(self.names), tuple(prompts)))

    def move(self, book: int, place: int, to: int) -> None:
        cells = self.notebooks[book].cells
        if cells:
            cells.insert(to % len(cells), cells.pop(place % len(cells)))

    def delete(self, book: int, place: int) -> None:
        cells = self.notebooks[book].cells
        if cells:
            cells.pop(place % len(cells))

    def split(self, book: int, place: int) -> None:
        cells = self.notebooks[book].cells
        if cells and len((cell := cells[place % len(cells)]).prompts) > 1:
            second = Cell(next(self.names), cell.prompts[1:], cell.seen[1:])
            cells.insert(cells.index(cell) + 1, second)
            cell.prompts, cell.seen = cell.prompts[:1], cell.seen[:1]

    def renew_ids(self, book: int) -> None:
        """Save as format 4.4: the next opening makes ids anew."""
        self._ids(book, [next(self.names) for _ in self.notebooks[book].cells])

    def renumber(self, book: int) -> None:
        """Save through nbstripout: ids are 0, 1, 2 …"""
        self._ids(book, [str(number) for number, _ in enumerate(self.notebooks[book].cells)])

    def lose_ids(self, book: int) -> None:
        """Open in a front end that tells no ids."""
        self._ids(book, [None for _ in self.notebooks[book].cells])

    def _ids(self, book: int, ids: list[str | None]) -> None:
        for cell, name in zip(self.notebooks[book].cells, ids, strict=True):
            cell.id = name

    def run_again(self, book: int, place: int) -> None:
        """Run a cell again in the session that is open: a new picture takes the old one's place."""
        cells = self.notebooks[book].cells
        if self.now_open == book and cells:
            cell = cells[place % len(cells)]
            if cell.is_the_same:
                before = set(cell.seen)
                assert self.run_all([cell]) == list(cell.prompts)
                assert not before & set(cell.seen)

    now_open = -1

    def open(self, book: int) -> None:
        """Restart & Run All, and compare with what one last saw."""
        notebook, other = self.notebooks[book], self.notebooks[1 - book]
        last = [pair for cell in notebook.cells for pair in cell.last()]
        before = [(cell, cell.last()) for cell in notebook.cells]
        edited = {p for cell in notebook.cells if not cell.is_the_same for p in cell.prompts}
        orphans = self.orphans
        self.restart()
        posts = self.run_all(notebook.cells)
        self.now_open = book
        new = [prompt for prompt, seen in last if seen is None]
        elsewhere = {prompt for cell in other.cells for prompt in cell.prompts}
        # Where cells of two notebooks show one picture and then lose their ids, the rule no longer
        # tells how many they were: there only what has an id is free for sure.
        for prompt in {*posts} - (elsewhere & edited):
            assert posts.count(prompt) <= new.count(prompt), "what stood there is not sent again"
        prompts = [prompt for prompt, _ in last]
        for cell, pairs in before:
            for (prompt, seen), take in zip(pairs, cell.seen, strict=True):
                if seen is None:
                    continue
                if prompts.count(prompt) == 1 and prompt not in elsewhere | orphans:
                    assert take == seen, "one prompt, one picture: it is the same one"
                if prompt not in edited:
                    assert take == seen, "identical cells keep their own while ids last"

    @property
    def orphans(self) -> set[str]:
        """The prompts that have pictures which stand nowhere any more."""
        seen = [t for book in self.notebooks for cell in book.cells for t in cell.seen]
        return {take.request for take in self.library.takes if self.name(take.id) not in seen}


books, places = st.integers(0, 1), st.integers(0, 9)
prompts = st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=3)
edits = st.one_of(
    *[st.tuples(st.just("insert"), books, places, prompts)] * 3,
    *[st.tuples(st.just("open"), books)] * 4,
    st.tuples(st.just("move"), books, places, places),
    st.tuples(st.just("delete"), books, places),
    st.tuples(st.just("split"), books, places),
    st.tuples(st.just("renew_ids"), books),
    st.tuples(st.just("renumber"), books),
    st.tuples(st.just("lose_ids"), books),
    st.tuples(st.just("run_again"), books, places),
)


@given(
    first=st.lists(prompts, min_size=1, max_size=4),
    life=st.lists(edits, min_size=3, max_size=16),
)
def test_every_opening_shows_what_one_last_saw(
    first: list[list[str]], life: list[tuple[Any, ...]]
) -> None:
    folder = Folder()
    for number, cell in enumerate(first):
        folder.insert(0, number, cell)
    for event, *arguments in [("open", 0), *life, ("open", 0), ("open", 1)]:
        getattr(folder, event)(*arguments)
