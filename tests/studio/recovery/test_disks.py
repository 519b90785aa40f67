"""A studio whose disks refuse: no intent, no POST, and no resume that settles less than came."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.errors import LibraryError
from opeai_nb.library import LibraryWarning, Slot
from tests.library.refusing_disk import RefusingDisk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from opeai_nb.studio import Studio
    from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}


@pytest.fixture
def disk() -> RefusingDisk:
    return RefusingDisk()


def test_where_no_disk_takes_the_intent_nothing_is_sent_and_nothing_counted(
    new_studio: Callable[..., Studio], transport: Watched, disk: RefusingDisk
) -> None:
    studio = new_studio(disk)
    disk.read_only = studio.library.homes.all
    with pytest.raises(LibraryError, match=r"can be written.*Nothing was sent"):
        studio.generate("a fox", **SMALL)
    assert (transport.posts, studio.ledger.asked) == (0, 0)


def test_where_the_sending_cannot_be_noted_nothing_is_sent(
    new_studio: Callable[..., Studio], transport: Watched, disk: RefusingDisk
) -> None:
    """The intent fits into the last room of a disk, the next line does not."""
    studio, disk.appends = new_studio(disk), False
    with pytest.raises(LibraryError, match="Nothing was sent"):
        studio.generate("a fox", **SMALL)
    assert (transport.posts, studio.ledger.asked, studio.library.pending()) == (0, 0, [])


def test_a_student_replays_in_a_read_only_folder_and_finds_again_what_she_makes(
    studio: Studio,
    new_studio: Callable[..., Studio],
    transport: Watched,
    disk: RefusingDisk,
    tmp_path: Path,
) -> None:
    studio.start("a fox", slot=Slot("c1"), **SMALL).result(60)
    disk.read_only = (tmp_path / "imagine",)
    student = new_studio(disk)
    assert student.start("a fox", slot=Slot("c1"), **SMALL).result(60).replayed_from
    job = student.start("a hare", slot=Slot("c2"), **SMALL)
    with pytest.warns(LibraryWarning, match="your own data folder"):
        job.result(60)
    later, posts = new_studio(disk), transport.posts
    for prompt, cell in (("a fox", "c1"), ("a hare", "c2")):
        assert later.start(prompt, slot=Slot(cell), **SMALL).result(60).replayed_from
    assert transport.posts == posts == 2


def test_a_resume_in_the_same_process_keeps_what_only_memory_holds(
    new_studio: Callable[..., Studio], transport: Watched, disk: RefusingDisk
) -> None:
    studio, generation = _unkept(new_studio, transport, disk)
    disk.room = None
    (job,) = studio.resume_all()
    kept = job.result(60)
    assert [picture.data for picture in kept.pictures] != []
    assert len(kept.pictures) == len(generation.pictures) == 2
    assert all(picture.path for picture in kept.pictures)
    assert (transport.posts, studio.library.pending()) == (1, [])


def test_another_kernel_leaves_to_its_owner_what_only_its_memory_holds(
    new_studio: Callable[..., Studio], transport: Watched, disk: RefusingDisk
) -> None:
    studio, _ = _unkept(new_studio, transport, disk)
    (entry,) = studio.library.pending()
    disk.room, other = None, new_studio(disk)
    with pytest.raises(LibraryError, match="memory of another kernel"):
        other.resume(entry.id).result(60)
    assert len(other.library.pending()) == 1
    (job,) = studio.resume_all()
    assert len(job.result(60)) == 2
    assert other.library.pending() == []


def _unkept(
    new_studio: Callable[..., Studio], transport: Watched, disk: RefusingDisk
) -> tuple[Studio, Any]:
    studio = new_studio(disk)

    def fill(request: httpx.Request) -> None:
        # A line of the journal fits, the record with its long prompt does not.
        disk.room = 750 if request.method == "POST" else disk.room

    transport.before = fill
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LibraryWarning)
        return studio, studio.generate("a fox " * 130, n=2, **SMALL)
