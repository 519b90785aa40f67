"""The rule of replay on the disk: records, journal and notes give the decisions of the model."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import Generation, ImageRequest, Picture, Task
from opeai_nb.library import Entry, Library, Slot, identity
from opeai_nb.library.records.spreading import SubfolderChoice
from opeai_nb.library.replay import replay
from tests.library.replay import replay_model as model
from tests.library.replay.test_replay_model import Life, events
from tests.library.replaying import SERVER
from tests.pictures import png

PICTURE = png((8, 8))


class LifeOnDisk(Life):
    """Each kernel has a library of its own on one folder, every other one with sub-folders."""

    choices: tuple[SubfolderChoice, ...] = ("never", "always")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids: dict[int, str] = {}
        self.entries: dict[str, Entry] = {}
        self.libraries: list[Library] = []
        self._clock = map(float, itertools.count(1_795_348_800))
        super().__init__()

    def start(self) -> None:
        super().start()
        choice = self.choices[len(self.libraries) % len(self.choices)]
        clock = lambda: next(self._clock)  # noqa: E731  it is the library's own
        self.libraries.append(Library(self.folder, clock=clock, subfolders=choice))

    @property
    def disk(self) -> Library:
        return self.libraries[self.now]

    def name(self, take: int) -> str:
        return self.ids[take]

    def scene(self, request: str) -> replay.Scene:
        return self.disk.look(
            identity(ImageRequest(request)), self.own, origins={"platform"}, server=SERVER
        ).scene

    def sent(self, run: model.Run, slot: Slot | None, choice: replay.Choice, outcome: str) -> None:
        self.library, self.session, take = model.began(self.library, self.session, run)
        entry = self.disk.begin(
            ImageRequest(run.request),
            key=f"key-{take}",
            base_url=SERVER,
            origin="platform",
            slot=slot,
            place=choice.place,
        )
        self.ids[take] = entry.id
        self.entries[entry.id] = entry
        self.own.made[entry.id] = entry.identity
        if slot is not None:
            self.has(run.request, slot, entry.id)
        self.end_of(entry, outcome)
        if outcome != "unpaid":
            self.library = model.changed(self.library, take, state=outcome)
        if outcome in ("unpaid", "unknown"):
            self.library, self.session = model.gone(self.library, self.session, take)
            self.own.gone(self.asked(run.request), entry.id)

    def end_of(self, entry: Entry, outcome: str) -> None:
        made = Generation((Picture(PICTURE),), entry.request)
        if outcome == "unpaid":
            entry.failed("refused")
        else:
            entry.sending()
        if outcome == "kept":
            self.disk.keep(entry, made)
        elif outcome == "pending":
            entry.submitted(Task("task-1"))
        elif outcome == "complete":
            entry.answered(made)
        elif outcome == "unknown":
            entry.unknown("cut")
        if outcome not in ("kept", "unpaid", "under way"):
            entry.release()

    def asked(self, request: str) -> str:
        return identity(ImageRequest(request))

    def has(self, request: str, slot: Slot, take: str, *, is_reserved: bool = False) -> None:
        self.own.has(self.asked(request), slot, take, is_reserved=is_reserved)
        self.disk.note(self.asked(request), self.own, slot, take)

    def resumed(self, take: str) -> None:
        entry = self.entries[take]
        self.disk.keep(entry, Generation((Picture(PICTURE),), entry.request))

    def forget(self, number: int) -> None:
        take = self.take(number)
        if take is not None and take.state != "kept":
            self.entries[self.ids[take.id]].forget()
            state = "kept" if take.state == "unknown" else take.state
            self.library = model.changed(self.library, take.id, state=state)
            self.library, self.session = model.gone(self.library, self.session, take.id)
            self.own.gone(self.asked(take.request), self.ids[take.id])

    def insert_code(self, number: int) -> None:
        if take := self.take(number):
            self.session = model.reserved(self.session, take.request, take.id)
            self.own.reserve(self.asked(take.request), self.ids[take.id])

    def trash(self, number: int) -> None:
        take = self.take(number)
        if take is not None and take.state == "kept":
            self.disk.mark(self.ids[take.id], trash=not take.trashed)
            self.library = model.changed(self.library, take.id, trashed=not take.trashed)

    def told(self, request: str, slot: Slot) -> None:
        self.own.told(self.asked(request), slot)

    def open_notebook(self, notebook: str) -> None:
        super().open_notebook(notebook)
        if notebook:
            self.own.notebook = self.folder.parent / notebook
            self.own.notebook.parent.mkdir(exist_ok=True)
            self.own.notebook.touch()

    def remove_notebook(self, notebook: str) -> None:
        super().remove_notebook(notebook)
        (self.folder.parent / notebook).unlink(missing_ok=True)

    def becomes(self, number: int, state: str) -> None:
        """Nothing becomes of a take on the disk but by those who work on it."""

    def lose_notes(self) -> None:
        super().lose_notes()
        shutil.rmtree(self.folder / ".sessions", ignore_errors=True)
        self.libraries = [
            Library(self.folder, clock=lambda: next(self._clock)) for _ in self.libraries
        ]


@given(st.lists(events, min_size=2, max_size=12))
def test_the_disk_and_the_model_decide_the_same_on_every_random_life(
    life: list[tuple[Any, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        both = LifeOnDisk(Path(folder) / "imagine")
        for event, *arguments in life:
            getattr(both, event.replace(" ", "_"))(*arguments)
