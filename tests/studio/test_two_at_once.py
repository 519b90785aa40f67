"""Whoever asks for the same at the same moment: one request is sent, and all get its picture."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL, Engine
from opeai_nb.engine.server.uvicorn_server import serving
from opeai_nb.errors import JobStoppedError, OutcomeUnknownError
from opeai_nb.library import Entry, Library
from opeai_nb.library.disk.files import Disk
from opeai_nb.library.replay.slot import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.studio.run_options import RunOptions
from tests.canned import Canned, Held
from tests.fork import start
from tests.studio.conftest import Watched

KERNEL = """
import sys
from opeai_nb.library.replay.slot import Slot
from opeai_nb.studio import Studio
studio = Studio()
print("ready", flush=True)
sys.stdin.readline()
made = studio.start("a red fox", slot=Slot("cell-1", 1), size="1024x1024").result()
print(made.pictures[0].data.hex())
"""


@pytest.mark.parametrize("round_", range(5))
def test_studios_of_their_own_send_one_request(
    new_studio: Callable[..., Studio], transport: Watched, round_: int
) -> None:
    """Each has a library object of its own, as each kernel does; they begin at one moment."""
    together = threading.Barrier(4)

    def asked(studio: Studio) -> bytes | None:
        together.wait(60)
        job = studio.start(f"a fox, {round_}", slot=Slot("cell-1", 1), size="1024x1024")
        return job.result(60).pictures[0].data

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(asked, [new_studio() for _ in range(4)]))
    assert transport.posts == 1
    assert len(set(made)) == 1
    assert made[0]


def test_processes_send_one_request(tmp_path: Path) -> None:
    """Three kernels that are told to begin at the same time, and a server that counts."""
    engine = Engine(painter=Canned(), task_seconds=(0.05, 0.1))
    with serving(engine) as url:
        environment = {
            "OPEAI_BASE_URL": url,
            "OPEAI_API_KEY": "any-key",
            "OPEAI_NB_LIBRARY": str(tmp_path / "imagine"),
            "OPEAI_NB_CACHE": str(tmp_path / "cache"),
            "PYTHONPATH": ":".join(sys.path),
        }
        kernels = [
            start(
                [sys.executable, "-c", KERNEL],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for _ in range(3)
        ]
        for kernel in kernels:
            assert kernel.stdout is not None
            assert kernel.stdout.readline() == "ready\n"
        for kernel in kernels:
            assert kernel.stdin is not None
            kernel.stdin.write("go\n")
            kernel.stdin.flush()
        made = {kernel.communicate(timeout=120)[0].strip() for kernel in kernels}
    posts = [line for line in engine.requests if line.method == "POST"]
    engine.close()
    assert len(posts) == 1
    assert len(made) == 1
    assert all(made)


BEGINS = """
import os, signal, sys
from opeai_nb.client import ImageRequest
from opeai_nb.library import Entry, Library
asked = ImageRequest("a red fox", size="1024x1024")
entry = Library(sys.argv[1]).begin(asked, key="k", base_url=sys.argv[2], origin=sys.argv[3])
print("begun", flush=True)
if sys.stdin.readline():
    entry.sending()
os.kill(os.getpid(), signal.SIGKILL)
"""


class Slow(Library):
    """Looks so slowly that something happens *meanwhile*: behind its reading, before it judges."""

    meanwhile: Callable[[], object] | None = None

    def _answers(self, *asked: Any) -> Any:
        found = super()._answers(*asked)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return found


@pytest.mark.parametrize("has_sent", [True, False])
def test_what_another_sent_and_died_of_while_it_is_looked_up_is_not_paid_for_again(
    new_studio: Callable[..., Studio], transport: Watched, tmp_path: Path, *, has_sent: bool
) -> None:
    """Its notes were read before it sent, and whether it lives is asked when it is dead."""
    studio = new_studio(library_class=Slow)
    library = studio.library
    assert isinstance(library, Slow)
    where = [str(library.folder), ENGINE_URL, "platform"]
    owner = start(
        [sys.executable, "-c", BEGINS, *where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "begun\n"
        library.meanwhile = lambda: owner.communicate("send\n" if has_sent else "", timeout=60)
        job = studio.start("a red fox", slot=Slot("cell-1", 1), size="1024x1024")
        if has_sent:
            with pytest.raises(OutcomeUnknownError):
                job.result(60)
        else:
            assert job.result(60).pictures[0].data
    assert transport.posts == (not has_sent)
    assert len(library.pending()) == has_sent


def test_what_ends_well_while_it_is_looked_up_is_no_unknown_outcome(tmp_path: Path) -> None:
    """Its notes were read while it was under way, and whether it is, is asked when it is kept."""
    painter = Held()
    with closing(Engine(painter=painter)) as engine:
        transport, library = Watched(engine), Slow(tmp_path / "imagine")
        server: dict[str, Any] = {
            "base_url": "https://api.example.com",
            "api_key": "any-key-at-all",
        }
        client = AsyncClient(**server, transport=transport)
        studio = Studio(settings(**server, library=library.folder), client=client, library=library)
        first = studio.start("a red fox", slot=Slot("cell-1", 1), size="1024x1024")
        assert painter.begun.acquire(timeout=60)

        def end() -> None:
            painter.may_paint.set()
            first.result(60)

        library.meanwhile = end
        second = studio.start("a red fox", slot=Slot("cell-2", 1), size="1024x1024")
        assert second.result(60).replayed_from is None, "two cells have pictures of their own"
    assert transport.posts == 2
    assert library.pending() == []


class Frozen(Library):
    """Is frozen when it has decided to send: *before* it begins, or *after*, others go on."""

    before: Callable[[], object] | None = None
    after: Callable[[Entry], object] | None = None

    def begin(self, *asked: Any, **given: Any) -> Entry:
        before, self.before = self.before, None
        if before is not None:
            (claim,) = (self.folder / ".pending").glob(".claim-*")
            claim.unlink()
            before()
        entry = super().begin(*asked, **given)
        after, self.after = self.after, None
        if after is not None:
            after(entry)
        return entry


def in_frozen_library(new_studio: Callable[..., Studio]) -> tuple[Studio, Frozen]:
    studio = new_studio(library_class=Frozen)
    assert isinstance(studio.library, Frozen)
    return studio, studio.library


ASKED: Any = {"prompt": "a red fox", "slot": Slot("cell-1", 1), "size": "1024x1024"}


def test_who_was_frozen_before_it_began_shows_what_another_made_meanwhile(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio, frozen = in_frozen_library(new_studio)
    frozen.before = lambda: new_studio().start(**ASKED).result(60)
    assert studio.start(**ASKED).result(60).replayed_from is not None
    assert (transport.posts, studio.ledger.asked) == (1, 0)
    assert frozen.pending() == []


def test_who_was_frozen_after_it_began_decides_again_where_another_took_its_right_to_send(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio, frozen = in_frozen_library(new_studio)

    def take(entry: Entry) -> None:
        another = Library(frozen.folder).entry(entry.id)
        assert another.void()
        another.forget()

    frozen.after = take
    assert studio.start(**ASKED).result(60).replayed_from is None
    assert (transport.posts, studio.ledger.asked) == (1, 1)
    assert frozen.pending() == []


def test_what_is_stopped_while_it_begins_is_neither_sent_nor_left(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio, frozen = in_frozen_library(new_studio)
    both = threading.Barrier(2)
    frozen.after = lambda _: (both.wait(60), both.wait(60))
    job = studio.start(**ASKED)
    both.wait(60)
    job.stop()
    both.wait(60)
    with pytest.raises(JobStoppedError):
        job.result(60)
    assert (transport.posts, studio.ledger.asked) == (0, 0)
    assert frozen.pending() == []
    assert studio.start(**ASKED).result(60).replayed_from is None


class Noting(Disk):
    """Meets a test twice at *both* while the first line is added to a journal: it leaves now."""

    def __init__(self, both: threading.Barrier) -> None:
        super().__init__()
        self.both: threading.Barrier | None = both

    def open(self, path: Path | str, flags: int) -> int:
        both, is_noted = self.both, Path(path).name == "journal.jsonl" and flags & os.O_APPEND
        if both is not None and is_noted:
            self.both = None
            both.wait(60)
            both.wait(60)
        return super().open(path, flags)


def test_what_is_stopped_while_it_is_noted_that_it_leaves_stays_unsent(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    both = threading.Barrier(2)
    studio = new_studio(disk=Noting(both))
    job = studio.start(**ASKED)
    both.wait(60)
    job.stop()
    both.wait(60)
    with pytest.raises(JobStoppedError):
        job.result(60)
    assert (transport.posts, studio.ledger.asked) == (0, 0)
    assert [entry.truth for entry in studio.library.pending()] in ([], ["not sent"])
    assert studio.start(**ASKED).result(60).replayed_from is None
    assert (transport.posts, studio.library.pending()) == (1, [])


def test_with_fresh_each_sends(new_studio: Callable[..., Studio], transport: Watched) -> None:
    """`--fresh` means another picture, also beside one that is on its way."""
    jobs = [
        new_studio().start("a fox", options=RunOptions(fresh=True), size="1024x1024")
        for _ in range(2)
    ]
    assert all(job.result(60) for job in jobs)
    assert transport.posts == 2
