"""While the index of a very large library is made nothing is paid for that is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.replay.slot import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Job, Studio
from opeai_nb.studio.run_options import RunOptions
from tests.library.index.test_growing import EndsBehindALook, Growing, Slow
from tests.studio.conftest import Watched

COUNT = 12


@pytest.fixture
def slow() -> Iterator[Slow]:
    read = Slow(free=1)
    yield read
    read.goes_on.set()


@pytest.fixture
def growing(
    new_studio: Callable[..., Studio], transport: Watched, tmp_path: Path, slow: Slow
) -> Studio:
    """A studio on a library whose index is being made: of it a record was edited by hand."""
    folder = tmp_path / "imagine"
    studio = new_studio()
    for number in range(COUNT):
        studio.generate(f"fox {number:02}", size="1024x1024")
    studio.library.close()
    (file,) = folder.glob("*-fox-00-*.json")
    stands = json.loads(file.read_text())
    stands["request"]["prompt"] = "a hare"
    file.write_text(json.dumps(stands))
    index_file(folder).unlink()
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport)
    chosen = settings(base_url="engine:", library=folder)
    return Studio(chosen, client=client, library=Growing(folder, slow))


def waiting(job: Job) -> str:
    """Return whom a job waits for, once it does."""
    for _ in job.follow(tick=0.01):
        if job.status == "waiting":
            return job.whom
    return ""


def test_a_first_run_waits_for_the_index_before_it_pays_and_shows_what_was_edited_by_hand(
    growing: Studio, transport: Watched, slow: Slow
) -> None:
    job = growing.start("a hare", slot=Slot("cell-1", 1), size="1024x1024")
    assert waiting(job) == "the library's index: a record in it may be of this request"
    slow.goes_on.set()
    assert job.result(60).replayed_from
    assert transport.posts == COUNT


def test_a_first_run_looks_again_where_the_rest_is_read_in_the_moment_after_its_look(
    growing: Studio, transport: Watched, slow: Slow
) -> None:
    growing.library = Growing(growing.library.folder, slow, EndsBehindALook)
    job = growing.start("a hare", slot=Slot("cell-1", 1), size="1024x1024")
    assert job.result(60).replayed_from
    assert transport.posts == COUNT


def test_a_first_run_of_what_is_not_there_is_sent_once_all_is_read(
    growing: Studio, transport: Watched, slow: Slow
) -> None:
    job = growing.start("an owl", slot=Slot("cell-1", 1), size="1024x1024")
    assert waiting(job)
    assert transport.posts == COUNT
    slow.goes_on.set()
    assert job.result(60).replayed_from is None
    assert transport.posts == COUNT + 1


def test_what_is_sent_whatever_is_there_does_not_wait(
    growing: Studio, transport: Watched, slow: Slow
) -> None:
    fresh = growing.start(
        "a hare", slot=Slot("cell-1", 1), options=RunOptions(fresh=True), size="1024x1024"
    )
    assert fresh.result(60).replayed_from is None
    again = growing.start("a hare", slot=Slot("cell-1", 1), size="1024x1024")
    assert again.result(60).replayed_from is None
    shown = growing.start("fox 03", slot=Slot("cell-2", 1), size="1024x1024")
    assert shown.result(60).replayed_from
    assert not slow.goes_on.is_set()
    assert transport.posts == COUNT + 2
