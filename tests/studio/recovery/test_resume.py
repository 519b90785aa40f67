"""What was begun and not finished: finished by GETs alone, or knowingly sent once more."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from opeai_nb.client import AsyncClient, ImageRequest
from opeai_nb.engine import ENGINE_URL, Engine
from opeai_nb.errors import (
    DownloadError,
    InputError,
    LibraryError,
    NotFoundError,
    OptionError,
    OutcomeUnknownError,
    TaskExpiredError,
)
from opeai_nb.library import Library, Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Script, error_answer, png, task_answer
from tests.canned import Canned
from tests.studio.conftest import Watched, left

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.library import Entry

SMALL: dict[str, Any] = {"size": "512x512"}
TASK: dict[str, Any] = {"model": "gpt-image-2", "size": "1024x1024"}


def orphaned(library: Library) -> list[Entry]:
    """Return what is pending, as another kernel sees it when the one that began it has died."""
    for journal in library.folder.glob(".pending/*/journal.jsonl"):
        first, _, rest = journal.read_text().partition("\n")
        facts = json.loads(first)
        facts["owner"]["token"] = "0" * 16
        journal.write_text(f"{json.dumps(facts)}\n{rest}")
    return library.pending()


@pytest.fixture
def cut(studio: Studio) -> Entry:
    """A request whose answer was cut: of two pictures the first one came whole."""
    with pytest.raises(OutcomeUnknownError):
        studio.start("a fox", model="rehearsal-dropped", n=2).result(60)
    (entry,) = studio.library.pending()
    return entry


@pytest.fixture
def left_task(studio: Studio, transport: Watched) -> Entry:
    """A task that is not waited for any more, its process dead."""
    left(studio, transport, "a fox", slot=Slot("cell-1"), **TASK)
    (entry,) = orphaned(studio.library)
    return entry


def test_what_reached_us_of_a_cut_answer_is_kept_and_the_rest_is_told(
    cut: Entry, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    orphaned(new_studio().library)
    later = new_studio()
    (job,) = later.resume_all()
    generation = job.result(60)
    assert (len(generation), len(generation.failed)) == (1, 1)
    assert isinstance(generation.failed[0].error, OutcomeUnknownError)
    assert later.library.pending() == []
    assert transport.posts == 1


def test_an_unknown_outcome_is_sent_again_only_knowingly_and_with_its_key(
    studio: Studio, transport: Watched
) -> None:
    """The server then knows it for the same request; here it answers whole this time."""
    with pytest.raises(OutcomeUnknownError):
        studio.start("a fox", model="rehearsal-dropped").result(60)
    (entry,) = studio.library.pending()
    with pytest.raises(InputError, match="neither a task"):
        studio.resume(entry).result(60)
    assert transport.posts == 1
    assert len(studio.resume(entry.id[:4], send=True).result(60)) == 1
    assert transport.posts == 2
    assert transport.keys[0] == transport.keys[1] == entry.key
    assert studio.library.pending() == []


def test_what_is_sent_again_and_refused_stays_unknown(studio: Studio, transport: Watched) -> None:
    """A refusal now says nothing about what became of the first sending."""
    with pytest.raises(OutcomeUnknownError):
        studio.start("a fox", model="rehearsal-dropped").result(60)
    (entry,) = studio.library.pending()
    transport.engine.accepting = False
    job = studio.resume(entry, send=True)
    assert job.exception() is not None or job._future.exception(60) is not None
    assert [e.truth for e in studio.library.pending()] == ["outcome unknown"]


def test_run_all_in_a_new_kernel_finishes_the_task_that_the_old_one_left(
    left_task: Entry, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """The first run of the same request in the same cell is paid for already."""
    later = new_studio()
    job = later.start("a fox", slot=Slot("cell-1"), **TASK)
    assert len(job.result(60)) == 1
    assert (job.id, transport.posts) == (left_task.id, 1)
    assert later.library.pending() == []
    again = later.start("a fox", slot=Slot("cell-1"), **TASK)
    again.result(60)
    assert transport.posts == 2, "any further run sends"


@pytest.mark.parametrize(
    "other",
    [
        {"slot": Slot("cell-1"), "n": 2},
        {"slot": Slot("cell-1"), "fresh": True},
        {"slot": Slot("cell-1"), "quality": "high"},
    ],
)
def test_a_fresh_run_and_another_request_leave_it_alone(
    left_task: Entry, new_studio: Callable[..., Studio], transport: Watched, other: dict[str, Any]
) -> None:
    later = new_studio()
    later.start("a fox", **{**TASK, **other}).result(60)
    assert transport.posts == 2
    assert [entry.id for entry in later.library.pending()] == [left_task.id]


def test_another_cell_that_asks_the_same_finishes_it_too(
    left_task: Entry, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Ids of cells may be new at each opening: what was begun for this request is finished."""
    job = new_studio().start("a fox", slot=Slot("cell-2"), **TASK)
    assert len(job.result(60)) == 1
    assert (job.id, transport.posts) == (left_task.id, 1)


@pytest.mark.parametrize("cell", ["cell-1", None])
def test_who_tries_again_in_a_loop_finishes_what_was_paid_for(
    new_studio: Callable[..., Studio], transport: Watched, cell: str | None
) -> None:
    """`try: generate(…) except OpeaiError: continue`: each try is another call of its cell."""
    studio = new_studio()
    slots = [Slot(cell, call) if cell else None for call in (1, 2, 3)]
    left(studio, transport, "a fox", slot=slots[0], **TASK)
    assert len(studio.start("a fox", slot=slots[1], **TASK).result(60)) == 1
    assert transport.posts == 1
    assert not studio.start("a fox", slot=slots[2], **TASK).result(60).replayed_from
    assert transport.posts == 2, "who asks for several gets several"


def test_equal_points_of_a_sweep_each_have_a_task_of_their_own(
    studio: Studio, transport: Watched
) -> None:
    left(studio, transport, "a fox", slot=Slot("sweep"), caller="point", **TASK)
    job = studio.start("a fox", slot=Slot("sweep", 2), caller="point", **TASK)
    assert job.result(60).request.prompt == "a fox"
    assert transport.posts == 2
    assert len(studio.library.pending()) == 1


@pytest.mark.parametrize("caller", ["cell", "point"])
def test_pictures_that_lie_complete_in_the_journal_are_shown_with_no_post(
    studio: Studio, new_studio: Callable[..., Studio], transport: Watched, caller: Any
) -> None:
    """Its kernel died between the last byte and the journal's line about the answer."""
    entry = studio.library.begin(
        ImageRequest("a fox", n=2, **SMALL),
        key="k",
        base_url=studio.decider.server,
        origin="engine",
    )
    entry.sending()
    for number in range(2):
        (entry.folder / f"{number}.png").write_bytes(png(8, 8 + number))
    entry.release()
    shown = new_studio().start("a fox", n=2, caller=caller, **SMALL).result(60)
    assert [image.size for image in shown] == [(8, 8), (8, 9)]
    assert (transport.posts, studio.library.pending()) == (0, [])


@pytest.mark.parametrize("caller", ["cell", "point", "panel"])
def test_after_a_cut_nothing_is_sent_but_knowingly(
    cut: Entry, new_studio: Callable[..., Studio], transport: Watched, caller: Any
) -> None:
    """Nobody knows whether it was painted: whoever would pay again is told so, with the ways on."""
    later = new_studio()
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match="2 pictures may have been painted") as raised:
            later.start("a fox", model="rehearsal-dropped", n=2, caller=caller).result(60)
        assert raised.value.idempotency_key == cut.key
    assert transport.posts == 1
    later.start("a fox", model="rehearsal-dropped", n=2, fresh=True)._future.exception(60)
    assert transport.posts == 2


def test_what_another_living_kernel_works_on_is_left_to_it(
    left_task: Entry, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    new_studio().library.take_over(left_task)
    other = new_studio()
    assert other.resume_all() == []
    for send in (False, True):
        with pytest.raises(LibraryError, match=r"Another kernel works on .* Nothing was sent"):
            other.resume(left_task, send=send).result(60)
    with pytest.raises(LibraryError, match="Another kernel works on"):
        other.library.forget(left_task)
    assert transport.posts == 1
    assert [entry.id for entry in other.library.pending()] == [left_task.id]


def test_a_refusal_of_ones_own_key_settles_nothing_of_anothers(
    studio: Studio, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """It never left in the kernel that began it; here the platform says 404 of the model."""
    entry = studio.library.begin(
        ImageRequest("a fox", model="rehearsal-not-there"),
        key="k",
        base_url=studio.decider.server,
        origin="engine",
    )
    entry.release()
    job = new_studio().resume(entry, send=True)
    with pytest.raises(NotFoundError):
        job.result(60)
    (left,) = new_studio().library.pending()
    assert (left.id, left.truth) == (entry.id, "refused")


def test_a_task_that_is_not_found_stays_for_a_day(tmp_path: Path) -> None:
    """With another key it may be there: it is dropped when its 24 hours are over."""
    now = [1000.0]

    async def pause(seconds: float) -> None:
        now[0] += seconds

    gone = error_answer("image not found", status=404, code="ResourceNotFound")
    script = Script(lambda sent: task_answer(id="t1") if sent.method == "POST" else gone)
    client = AsyncClient(
        base_url="http://p.test", transport=script, sleep=pause, clock=lambda: now[0]
    )
    chosen = settings(base_url="http://p.test", library=tmp_path / "imagine")
    studio = Studio(chosen, client=client)
    job = studio.start("a fox")
    assert isinstance(job._future.exception(60), TaskExpiredError)
    (entry,) = studio.library.pending()
    assert (entry.truth, entry.task_id) == ("pending", job.task_id)
    tomorrow = Library(studio.library.folder, clock=lambda: entry.created + 90_000)
    assert tomorrow.entry(entry.id).truth == "expired"


def tomorrows(studio: Studio, transport: Watched) -> Studio:
    """Return a kernel whose clock is more than a day ahead."""
    library = Library(studio.library.folder, clock=lambda: time.time() + 90_000)
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key", transport=transport)
    return Studio(studio.settings, client=client, library=library)


def test_a_clock_that_is_a_day_ahead_costs_nothing(
    left_task: Entry, studio: Studio, transport: Watched
) -> None:
    """Set wrong, or set right: the platform still has the task, and is asked."""
    later = tomorrows(studio, transport)
    assert later.library.entry(left_task.id).truth == "expired"
    assert len(later.start("a fox", slot=Slot("cell-1"), **TASK).result(60)) == 1
    assert (transport.posts, later.library.pending()) == (1, [])


class Hurried:
    """A clock that a sleep moves on, and nothing else: half a minute passes at once."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_a_task_that_the_platform_has_dropped_is_asked_for_anew(studio: Studio) -> None:
    """A task that is said to be gone is asked for half a minute: five answers must agree."""
    engine = Engine(painter=Canned(), time_scale=0.0)
    transport = Watched(engine)
    for days in (0, 1):
        library = Library(studio.library.folder, clock=lambda: time.time() + days * 90_000)  # noqa: B023  used within the round
        hurried = Hurried()
        client = AsyncClient(
            base_url=ENGINE_URL,
            api_key="any-key",
            transport=transport,
            sleep=hurried.sleep,
            clock=hurried.clock,
        )
        kernel = Studio(studio.settings, client=client, library=library)
        with pytest.raises(TaskExpiredError):
            kernel.start(
                "a fox", model="rehearsal-expired", slot=Slot("cell-1"), timeout=10**6
            ).result(60)
        assert hurried.seconds >= 30
    engine.close()
    assert transport.posts == 2
    assert len(studio.library.pending()) == 1


def test_the_key_goes_to_no_server_that_a_folder_names(
    left_task: Entry, tmp_path: Path, new_studio: Callable[..., Studio]
) -> None:
    """A library may come from anybody: its journal cannot send the key elsewhere."""
    library = new_studio().library
    (journal,) = library.folder.glob(".pending/*/journal.jsonl")
    text = journal.read_text().replace("http://engine.invalid", "https://evil.example")
    journal.write_text(text.replace('"origin": "engine"', '"origin": "platform"'))
    mine = Studio(settings(base_url="https://mine.example", api_key="k", library=library.folder))
    with pytest.raises(OptionError, match="another server"):
        mine.resume(left_task.id)
    with pytest.raises(OptionError, match="another server"):
        mine.resume_all()


def test_one_that_cannot_be_resumed_does_not_stop_the_others(
    studio: Studio, new_studio: Callable[..., Studio], transport: Watched
) -> None:
    for number in range(3):
        left(studio, transport, f"fox {number}", **TASK)
    orphaned(studio.library)
    done = [job.result(60) for job in new_studio().resume_all()]
    assert sorted(one.request.prompt for one in done) == ["fox 0", "fox 1", "fox 2"]


async def at_once(_: float) -> None:
    """Pass no time between two tries."""


def test_a_picture_that_could_not_be_downloaded_yet_is_fetched_later(
    tmp_path: Path, transport: Watched
) -> None:
    """What came is shown and is on the disk; a resume fetches what is missing, and that alone."""
    chosen = settings(base_url="engine:", library=tmp_path / "imagine")
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key", transport=transport, sleep=at_once)
    studio = Studio(chosen, client=client)
    refused: set[str] = set()

    def fail_the_first(request: httpx.Request) -> None:
        if request.method == "GET" and not refused - {request.url.path}:
            refused.add(request.url.path)
            raise httpx.ConnectError("unplugged", request=request)

    transport.before = fail_the_first
    job = studio.start("a fox", n=2, response_format="url", **SMALL)
    generation = job._future.result(60)
    assert (len(generation), len(generation.failed)) == (1, 1)
    assert "1 of 2 pictures could not be downloaded yet" in job.take_notes()[0]
    assert [entry.truth for entry in studio.library.pending()] == ["fetching"]
    assert list(studio.library.records()) == []
    transport.before = lambda _: None
    before = list(transport.requests)
    (whole,) = [job.result(60) for job in studio.resume_all()]
    assert len(whole) == 2
    assert transport.requests[len(before) :] == [("GET", path) for path in refused]
    assert generation[0].size == (512, 512), "what was returned before is still there"
    assert studio.library.pending() == []


def test_durations_make_an_honest_guess_of_the_time_left(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    """Of tasks for a task, of answers at once for an answer; nothing is guessed from nothing."""
    jobs = [studio.start(f"fox {n}", **fields) for fields in (SMALL, TASK) for n in range(3)]
    assert jobs[0].update.left is None
    for job in jobs:
        job.result(60)
    later = new_studio()
    durations = {}
    for name, fields in (("at once", SMALL), ("task", TASK)):
        job = later.start("another fox", **fields)
        job.result(60)
        durations[name] = job.durations
    assert [len(known) for known in durations.values()] == [3, 3]
    assert not set(durations["at once"]) & set(durations["task"])
    job._progress.says("painting")
    job._progress.durations = (5.0, 6.0, 7.0)
    assert job.update.left == pytest.approx(6.0 - job.update.elapsed)


def test_a_picture_that_was_not_fetched_in_time_names_the_way_to_another(
    tmp_path: Path, transport: Watched
) -> None:
    """Whoever runs the cell on Monday is told how it goes on, and nothing is paid for by itself."""
    chosen = settings(base_url="engine:", library=tmp_path / "imagine")
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key", transport=transport, sleep=at_once)

    def unplug(request: httpx.Request) -> None:
        if request.method == "GET":
            raise httpx.ConnectError("unplugged", request=request)

    transport.before = unplug
    asked: dict[str, Any] = {"slot": Slot("cell-1"), "response_format": "url", **SMALL}
    with pytest.raises(DownloadError, match="before its URL expires"):
        Studio(chosen, client=client).start("a fox", **asked).result(60)
    library = Library(chosen.library, clock=lambda: time.time() + 90_000)
    monday = Studio(chosen, client=client, library=library)
    for _ in range(2):
        with pytest.raises(DownloadError, match="%imagine forget"):
            monday.start("a fox", **asked).result(60)
    assert transport.posts == 1
    library.forget(*library.pending())
    transport.before = lambda _: None
    assert monday.start("a fox", **asked).result(60)
    assert transport.posts == 2
