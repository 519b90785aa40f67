"""Requests in, jobs out: nothing is shown before it is kept, nothing is sent before it is noted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.formatters import DisplayFormatter

from opeai_nb.errors import (
    InputError,
    JobStoppedError,
    ModerationError,
    OptionError,
    OutcomeUnknownError,
    TaskFailedError,
)
from opeai_nb.library import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Job, Studio
from tests.studio.conftest import left

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}
TASK: dict[str, Any] = {"model": "gpt-image-2", "size": "1024x1024"}


def test_a_job_gives_pictures_that_lie_in_the_library(studio: Studio) -> None:
    generation = studio.start("a fox", n=2, **SMALL).result(60)
    assert [image.size for image in generation] == [(512, 512)] * 2
    for picture in generation.pictures:
        assert picture.path is not None
        assert picture.path.parent == studio.library.folder
    assert studio.library.pending() == []


@pytest.mark.parametrize("kind", [str, Path])
def test_a_library_may_be_named_by_its_folder(kind: type, tmp_path: Path) -> None:
    studio = Studio(library=kind(tmp_path / "pictures"))
    assert studio.library.folder == tmp_path / "pictures"
    assert studio.library.metadata == studio.settings.metadata


def test_a_job_shows_its_pictures_where_they_are_there_else_its_state(studio: Studio) -> None:
    job = studio.start("a fox", **SMALL)
    generation = job.result(60)
    assert DisplayFormatter().format(job) == generation._repr_mimebundle_()
    failed = studio.start("a fox", model="rehearsal-moderation", **SMALL)
    with pytest.raises(ModerationError):
        failed.result(60)
    text = "<Job: failed · rehearsal-moderation>"
    assert DisplayFormatter().format(failed) == ({"text/plain": text}, {})


def test_the_intent_is_on_the_disk_before_anything_is_sent(
    studio: Studio, transport: Watched
) -> None:
    """When the POST leaves, another process can read that it is about to leave, with its key."""
    seen: list[tuple[str, str]] = []

    def look(request: httpx.Request) -> None:
        if request.method == "POST":
            entry = studio.library.pending()[0]
            seen.append((entry.state, entry.key))
            assert request.headers["Idempotency-Key"] == entry.key

    transport.before = look
    studio.generate("a fox", **SMALL)
    assert [state for state, _ in seen] == ["sending"]


def test_the_task_id_is_on_the_disk_before_it_is_asked_about(
    studio: Studio, transport: Watched
) -> None:
    seen: list[tuple[str, bool]] = []

    def look(request: httpx.Request) -> None:
        if request.method == "GET" and "/v1/images/generations/" in request.url.path:
            entry = studio.library.pending()[0]
            seen.append((entry.state, request.url.path.endswith(str(entry.task_id))))

    transport.before = look
    studio.generate("a fox", **TASK)
    assert set(seen) == {("pending", True)}


def test_the_states_come_in_order(studio: Studio, transport: Watched) -> None:
    """As each request leaves, and as somebody sees them who may miss some."""
    states: list[str] = []
    transport.before = lambda _: states.extend(job.status for job in studio.jobs)
    job = studio.start("a fox", **TASK)
    seen = [update.state for update in job.follow(tick=0.01)]
    steps = ("sending", "queued", "painting", "fetching", "done")
    assert {"sending", "queued", "fetching"} <= set(states)  # it may be painted when first asked
    for order in (states, seen):
        ranks = [steps.index(state) for state in order]
        assert ranks == sorted(ranks)
    assert seen[-1] == "done"
    assert job.task_id == job.result().task_id


def test_a_job_can_be_awaited_on_any_loop(studio: Studio) -> None:
    async def waited() -> int:
        return len(await studio.start("a fox", **SMALL))

    assert asyncio.run(waited()) == 1


def test_who_awaits_may_be_cancelled_and_the_job_goes_on(studio: Studio) -> None:
    job = studio.start("a fox", **TASK)

    async def cancelled() -> None:
        waiting = asyncio.ensure_future(_awaited(job))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancelled())
    assert len(job.result(60)) == 1


async def _awaited(job: Any) -> Any:
    return await job


def test_a_stopped_job_leaves_its_task_to_be_resumed(
    studio: Studio, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Stop is a word for us alone: the platform goes on, and a resume sends nothing anew."""
    job = left(studio, transport, "a fox", **TASK)
    with pytest.raises(JobStoppedError) as raised:
        job.result(60)
    assert job.status == "stopped"
    assert raised.value.task_id == job.task_id
    posts = transport.posts
    later = new_studio()
    entry = later.library.pending()[0]
    assert entry.task_id == job.task_id
    assert len(later.resume(entry).result(60)) == 1
    assert transport.posts == posts == 1
    assert later.library.pending() == []


def test_a_cut_answer_is_an_unknown_outcome_and_stays_in_the_journal(studio: Studio) -> None:
    job = studio.start("a fox", model="rehearsal-dropped")
    with pytest.raises(OutcomeUnknownError, match="not sent again"):
        job.result(60)
    assert job.status == "unknown"
    entry = studio.library.pending()[0]
    assert entry.truth == "outcome unknown"
    with pytest.raises(InputError, match="neither a task"):
        studio.resume(entry).result(60)


@pytest.mark.parametrize(
    ("model", "error"),
    [("rehearsal-failed", TaskFailedError), ("rehearsal-moderation", ModerationError)],
)
def test_what_was_refused_leaves_nothing_pending(
    studio: Studio, model: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        studio.generate("a fox", model=model)
    assert studio.library.pending() == []


def test_a_partial_batch_keeps_what_came_and_says_what_failed(studio: Studio) -> None:
    generation = studio.generate("a fox", model="rehearsal-partial", n=3)
    assert 0 < len(generation) < 3
    assert all(picture.error is not None for picture in generation.failed)
    assert "failed" in repr(generation)


def test_a_new_session_shows_what_is_kept_and_sends_nothing(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Restart & Run All: the newest picture of the cell, zero POSTs; then a further run sends."""
    slot = Slot("cell-1", 1)
    first = new_studio()
    for _ in range(3):
        newest = first.start("a fox", slot=slot, **SMALL).result(60)
    assert transport.posts == 3
    again = new_studio()
    shown = again.start("a fox", slot=slot, **SMALL).result(60)
    assert transport.posts == 3
    assert shown.replayed_from is not None
    assert shown.pictures[0].path == newest.pictures[0].path
    again.start("a fox", slot=slot, **SMALL).result(60)
    assert transport.posts == 4


def test_fresh_and_a_switched_off_replay_send(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    new_studio().generate("a fox", **SMALL)
    new_studio().generate("a fox", fresh=True, **SMALL)
    new_studio(replay=False).generate("a fox", **SMALL)
    assert transport.posts == 3


def test_without_a_key_nothing_is_painted_over_pictures_of_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    """A notebook that came with its library shows its pictures, or says what is missing."""
    studio.generate("a fox", **SMALL)
    (record,) = studio.library.folder.glob("*.json")
    written = json.loads(record.read_text())
    written["origin"] = "platform"
    record.write_text(json.dumps(written))
    for name in ("OPEAI_API_KEY", "OPEAI_BASE_URL", "OPEAI_NB_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    keyless = Studio(settings(library=studio.library.folder))
    assert keyless.generate("a fox", **SMALL).replayed_from is not None
    with pytest.raises(OptionError, match="pictures of the platform"):
        keyless.generate("a badger", **SMALL)


def test_bad_input_is_refused_before_a_job_begins(studio: Studio, transport: Watched) -> None:
    with pytest.raises(InputError):
        studio.start("", **SMALL)
    with pytest.raises(InputError):
        studio.start("a fox", size="big")
    assert transport.requests == []
    assert not studio.library.folder.exists()


def test_many_jobs_at_once_each_get_their_own(studio: Studio) -> None:
    jobs = [studio.start(f"fox number {n}", **SMALL) for n in range(6)]
    prompts = [job.result(120).request.prompt for job in jobs]
    assert prompts == [f"fox number {n}" for n in range(6)]


def test_equal_jobs_begun_at_once_show_their_own_pictures_again(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """In a script no cell tells them apart: `[studio.start("a fox") for _ in range(24)]`."""

    def begun() -> list[Job]:
        studio = new_studio()
        return [studio.start("a fox", **SMALL) for _ in range(24)]

    first = begun()
    for job in first:
        job.result(120)
    for _ in range(3):
        shown = [job.result(120).replayed_from for job in begun()]
        assert shown == [job.id for job in first]
    assert transport.posts == 24


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5", None])
def test_a_timeout_that_is_none_is_told_before_anything_is_sent(
    studio: Studio, timeout: Any
) -> None:
    with pytest.raises(InputError, match="not a number of seconds"):
        studio.start("a fox", timeout=timeout)
    assert studio.library.pending() == []
