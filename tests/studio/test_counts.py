"""What one request of many costs, in counts that no load of the machine changes.

Each wait for the disk, each turn of a thread and each look at a folder is paid ten thousand times
by a batch of ten thousand rows (`tests/bench/bench_many.py`). Who adds one says here what for.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.client import AsyncClient, ImageRequest
from opeai_nb.engine import ENGINE_URL
from opeai_nb.library import Slot
from opeai_nb.library.disk.files import Disk
from opeai_nb.studio.job import JobProgress
from opeai_nb.studio.pipeline.job_context import JobContext
from opeai_nb.studio.pipeline.pipeline import Pipeline
from opeai_nb.studio.request_run import Ask
from opeai_nb.studio.session_limit import Ledger
from tests.profiled import profiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from opeai_nb.studio import Studio
    from tests.studio.conftest import Watched

LOOKS = {"stat", "lstat", "listdir", "scandir"}
WRITES = {"open", "mkdir", "rename", "replace", "unlink", "rmdir", "link"}
PATHS = {"__truediv__", "joinpath", "with_name"}
SYSTEM = sys.modules[os.name]  # `posix`, or `nt`


class WatchedDisk(Disk):
    """Notes which files it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: list[str] = []
        self._names: dict[int, str] = {}

    def open(self, path: Path | str, flags: int) -> int:
        handle = super().open(path, flags)
        self._names[handle] = Path(path).name
        return handle

    def fsync(self, handle: int) -> None:
        self.synced.append(self._names[handle])


class SlowDisk(Disk):
    """Takes 10 ms of its own clock for each wait; at the next one *together* meet."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: self.now)
        self.now = 0.0
        self.together: threading.Barrier | None = None

    def fsync(self, handle: int) -> None:
        self.now += 0.01
        if self.together is not None:
            self.together.wait()
            self.together = None


class Here(Executor):
    """Does everything at once in the thread that asks for it, and counts how often and what."""

    def __init__(self) -> None:
        self.turns = 0
        self.calls: Counter[str] = Counter()

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        self.turns += 1
        done: Future[Any] = Future()
        with profiled(self._count):
            done.set_result(work(*given, **named))
        return done

    def _count(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call" and frame.f_code.co_name in PATHS:
            self.calls["path"] += 1
        if event != "c_call":
            return
        if called.__name__ in LOOKS | WRITES and called.__self__ is SYSTEM:
            self.calls[called.__name__] += 1
        # SQLite locks its file and looks beside it for each transaction, whatever is asked in it.
        if called.__name__ == "execute" and not called.__self__.in_transaction:
            self.calls["transaction"] += 1


def made(studio: Studio, transport: Watched, number: int) -> Here:
    """Make one point of a sweep with the studio's door, and return what was counted."""
    here = Here()
    request = ImageRequest(f"fox {number}")
    context = JobContext(
        AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport),
        studio.library,
        JobProgress(request, "engine", lambda: 0.0),
        here,
        Ledger(),
        60.0,
    )
    pipeline = Pipeline(context, lambda _: None)
    # As the workers ask: of two hundred points at once the library was asked whether it holds them.
    ask = Ask(request, Slot("p"), "point", is_new=True)
    generation = asyncio.run(pipeline.made(ask, studio.decider))
    assert len(generation.pictures) == 1
    return here


def test_a_point_takes_three_turns_of_a_thread_and_few_looks_at_the_disk(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """The turns: decide and begin, note that it leaves, note the answer and keep it."""
    studio = new_studio()
    made(studio, transport, 0)  # what is made with the first of a session
    here = made(studio, transport, 1)
    assert here.turns == 3
    assert sum(here.calls[name] for name in LOOKS) <= 32
    assert sum(here.calls[name] for name in WRITES) <= 26
    assert here.calls["transaction"] <= 2
    assert here.calls["path"] <= 6  # a `Path` that is made costs as much as a small write


def test_while_others_are_under_way_a_point_makes_no_folder_and_removes_none(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Both wait for the disk's own journal, and a batch has others under way until its end."""
    studio = new_studio()
    studio.library.begin(ImageRequest("an owl"), key="k", base_url="http://x", origin="platform")
    made(studio, transport, 0)
    here = made(studio, transport, 1)
    assert here.calls["mkdir"] + here.calls["rmdir"] == 0


def test_while_others_are_under_way_a_point_makes_two_files(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """What comes and what is kept of it. Claim, journal and record are written into files that are
    there: to make one costs the disk more than to write to it."""
    studio = new_studio()
    studio.library.begin(ImageRequest("an owl"), key="k", base_url="http://x", origin="platform")
    for number in range(2):
        made(studio, transport, number)
    before = files_in(studio.library.folder)
    made(studio, transport, 2)
    new = files_in(studio.library.folder) - before
    assert len(new) == 2


def files_in(folder: Path) -> set[int]:
    """Return what the disk knows each file by, whatever its names are."""
    return {path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_a_point_waits_three_times_for_the_disk_and_once_before_its_post(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """The file of the journal with both its lines, the picture, the record."""
    disk = WatchedDisk()
    studio = new_studio(disk=disk)
    made(studio, transport, 0)
    disk.synced.clear()
    at_post: list[list[str]] = []
    transport.before = lambda _: at_post.append(list(disk.synced))
    made(studio, transport, 1)
    assert at_post == [["journal.jsonl"]]
    assert len(disk.synced) == 3


def test_rows_wait_for_a_slow_disk_side_by_side(new_studio: Callable[..., Studio]) -> None:
    disk = SlowDisk()
    studio = new_studio(disk=disk)
    for number in range(14):  # three waits each
        studio.generate(f"fox {number}")
    disk.together = threading.Barrier(8, timeout=30)
    jobs = [studio.start(f"owl {number}") for number in range(8)]
    assert all(job.result() for job in jobs)


def test_an_intent_that_a_power_cut_took_is_none_and_no_problem(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    """Its folder has its name, and the file lost its line: nothing had been sent."""
    entry = studio.library.begin(
        ImageRequest("a fox"), key="k", base_url="http://x", origin="platform"
    )
    (entry.folder / "journal.jsonl").write_bytes(b"\0" * 300)
    again = new_studio().library
    assert again.pending() == []
    assert again.problems() == []
