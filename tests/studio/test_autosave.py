"""Every picture is on the disk before it is shown; where no disk takes it, it is shown anyway."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
import weakref
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.library import LibraryWarning, info, received_bytes
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.bench.loopback import b64_body, noisy_png
from tests.library.refusing_disk import RefusingDisk
from tests.studio.conftest import Watched, left

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.studio.conftest import Watched


SMALL: dict[str, Any] = {"size": "512x512"}


@pytest.fixture
def disk(transport: Watched) -> RefusingDisk:
    """A disk that is full from the moment at which a request has left."""
    disk = RefusingDisk()

    def fill(request: httpx.Request) -> None:
        disk.room = 0 if request.method == "POST" else disk.room

    transport.before = fill
    return disk


@pytest.fixture
def blocked(new_studio: Callable[..., Studio], disk: RefusingDisk) -> Studio:
    return new_studio(disk)


def test_where_no_disk_takes_a_picture_it_is_returned_with_one_warning(blocked: Studio) -> None:
    with pytest.warns(LibraryWarning, match="could not be kept in the library") as told:
        generation = blocked.generate("a fox", n=2, **SMALL)
    assert len(told) == 1
    assert [image.size for image in generation] == [(512, 512)] * 2


def test_where_the_disk_fills_in_the_middle_of_an_answer_it_is_told_once(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limit of file sizes")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    picture = noisy_png(512)
    body = b64_body([picture] * 2)

    def answer(_: httpx.Request) -> httpx.Response:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(picture) // 2, hard))
        return httpx.Response(200, content=body, headers={"Content-Type": "application/json"})

    transport = httpx.MockTransport(answer)
    studio = Studio(
        settings(base_url="https://x.example", api_key="k", library=tmp_path / "imagine"),
        client=AsyncClient(base_url="https://x.example", api_key="k", transport=transport),
    )
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            generation = studio.generate("a fox", n=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [known.data == picture for known in generation.pictures] == [True, True]
    assert [warning.category for warning in told] == [LibraryWarning]


def test_a_filter_that_makes_errors_of_warnings_costs_no_picture(blocked: Studio) -> None:
    """The job has the generation; only who asks for the result meets the error, and once."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        job = blocked.start("a fox", **SMALL)
        with pytest.raises(LibraryWarning):
            job.result(60)
        assert len(job.result(60)) == 1


def test_the_warning_is_told_for_each_request(blocked: Studio, disk: RefusingDisk) -> None:
    """Python shows a warning once for each place; a lost picture is worth a word each time."""
    for _ in range(2):
        disk.room = None
        job = blocked.start("a fox", fresh=True, **SMALL)
        job._future.result(60)
        assert len(job.take_notes()) == 1
        assert job.take_notes() == []


def test_without_metadata_the_file_is_what_was_received(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    told = studio.start("a fox", **SMALL).result(60).pictures[0].path
    (picture,) = studio.start("a fox", metadata=False, fresh=True, **SMALL).result(60).pictures
    plain = picture.path
    switched_off = new_studio(metadata=False).generate("a badger", **SMALL).pictures[0].path
    assert told
    assert plain
    assert switched_off
    assert info(told)["request"]["prompt"] == "a fox"
    for path in (plain, switched_off):
        assert b"fox" not in path.read_bytes()
        assert b"badger" not in path.read_bytes()
    assert received_bytes(plain.read_bytes()) == plain.read_bytes()
    assert sha256(plain.read_bytes()).hexdigest() == picture.received_sha256


def test_no_metadata_holds_for_a_resume_too(
    studio: Studio, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """What was asked for before a crash is still asked for after it."""
    task = {"model": "gpt-image-2", "size": "1024x1024"}
    left(studio, transport, "a secret fox", metadata=False, **task)
    later = new_studio()
    path = later.resume(later.library.pending()[0]).result(60).pictures[0].path
    assert path
    assert b"secret" not in path.read_bytes()


def test_a_session_holds_no_picture_in_memory(tmp_path: Path) -> None:
    """Ten generations with forty pictures later, not even one of them is held."""
    picture = noisy_png(512)
    body = b64_body([picture] * 4)
    studio = Studio(
        settings(base_url="https://x.example", api_key="k", library=tmp_path / "imagine"),
        client=AsyncClient(
            base_url="https://x.example",
            api_key="k",
            transport=same(body),
        ),
    )
    shown: list[Any] = [studio.generate("a fox", fresh=True) for _ in range(3)]
    gc.collect()
    tracemalloc.start()
    shown += [studio.generate("a fox", fresh=True) for _ in range(10)]
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < len(picture)
    assert sum(len(generation) for generation in shown) == 52


def test_a_decoded_picture_is_held_by_who_looks_at_it_alone(studio: Studio) -> None:
    generation = studio.generate("a fox", **SMALL)
    image = generation[0]
    assert generation[0] is image, "decoded once while it is held"
    gone = weakref.ref(image)
    del image
    gc.collect()
    assert gone() is None


def same(body: bytes) -> Any:

    return httpx.MockTransport(
        lambda _: httpx.Response(200, content=body, headers={"Content-Type": "application/json"})
    )
