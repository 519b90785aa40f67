"""A circuit breaker: after a few rows that meet the same trouble, one at a time is tried."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.bulk.run.circuit_breaker import CircuitBreaker
from opeai_nb.bulk.run.workers import Workers
from opeai_nb.client import AsyncClient
from opeai_nb.errors import (
    InputError,
    ModerationError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    UnreachableError,
)
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.studio.loop import schedule
from opeai_nb.testing import Answer, Script
from tests.pictures import png
from tests.profiled import profiled

UNKNOWN = OutcomeUnknownError("It was cut.")
PICTURE = Answer({"data": [{"b64_json": b64encode(png()).decode()}]})
REFUSED = PermissionDeniedError("No.", status_code=403)


def paused(breaker: CircuitBreaker, max_wait: float = 900) -> list[float]:
    """Return the pauses of a breaker whose every try meets the same trouble."""
    pauses = []
    while (seconds := breaker.pause(max_wait)) is not None:
        pauses.append(seconds)
        breaker.hears(breaker.trouble)
    return pauses


class TestBrake:
    @pytest.mark.parametrize("error", [UNKNOWN, REFUSED, UnreachableError("Nobody is there.")])
    def test_three_alike_in_a_row_and_it_is_on(self, error: OpeaiError) -> None:
        breaker = CircuitBreaker()
        for _ in range(3):
            assert not breaker.is_open
            breaker.hears(error)
        assert breaker.is_open
        breaker.hears(None)
        assert not breaker.is_open

    @given(st.lists(st.sampled_from([UNKNOWN, UnreachableError("x"), REFUSED, None]), max_size=40))
    def test_it_is_on_after_three_alike_at_the_end(self, ends: list[OpeaiError | None]) -> None:
        breaker = CircuitBreaker()
        for error in ends:
            breaker.hears(error)
        last = ends[-3:]
        assert breaker.is_open == (len(last) == 3 and last[0] is not None and len({*last}) == 1)

    @pytest.mark.parametrize("error", [ModerationError("No."), InputError("Wrong.")])
    def test_what_lies_in_a_row_is_none_of_it(self, error: OpeaiError) -> None:
        breaker = CircuitBreaker()
        for _ in range(9):
            breaker.hears(error)
        assert not breaker.is_open

    def test_pauses_grow_and_end(self) -> None:
        breaker = CircuitBreaker()
        for _ in range(3):
            breaker.hears(UNKNOWN)
        assert paused(breaker) == [2, 4, 8, 16, 32, 64, 128, 256, 300]

    def test_who_refuses_three_tries_is_not_tried_again(self) -> None:
        breaker = CircuitBreaker()
        for _ in range(3):
            breaker.hears(REFUSED)
        assert paused(breaker) == [2, 4, 8]


class Paused:
    """Sleeps not at all, and tells how long it would have."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def __call__(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def new(tmp_path: Path) -> Callable[..., Studio]:
    def made(script: Script, **seams: Any) -> Studio:
        given = settings(
            base_url="http://platform.test", api_key="k-0123456789", library=tmp_path / "library"
        )
        client = AsyncClient(
            base_url="http://platform.test", api_key="k-0123456789", transport=script, **seams
        )
        return Studio(given, client=client)

    return made


def run_of(studio: Studio, rows: int, **options: Any) -> tuple[Workers, list[str], Paused]:
    """Run a workers of one hand to its end; return it, the states, and what it slept."""
    states: list[str] = []
    sleep = Paused()
    plan = batch([f"a fox, no. {n}" for n in range(rows)], studio=studio).plan
    workers = Workers(
        studio,
        plan,
        BulkOptions(concurrency=1, **options),
        lambda _, outcome: states.append(outcome.state),
        sleep=sleep,
    )
    schedule(workers.work()).result()
    return workers, states, sleep


def test_an_outage_costs_a_few_unknown_outcomes_and_the_run_goes_on(
    new: Callable[..., Studio],
) -> None:
    fails = iter([True] * 5 + [False] * 100)
    script = Script(lambda _: Answer(b"bad gateway", 502) if next(fails) else PICTURE)
    _, states, sleep = run_of(new(script), 30)
    assert states == ["unknown"] * 5 + ["done"] * 25
    assert sleep.seconds == 2 + 4 + 8


def test_what_an_earlier_run_left_unknown_holds_up_no_row(new: Callable[..., Studio]) -> None:
    run_of(new(Script(lambda _: Answer(b"bad gateway", 502))), 8)
    script = Script(lambda _: PICTURE)
    _, states, sleep = run_of(new(script), 10)
    assert states == ["unknown"] * 8 + ["done"] * 2
    assert sleep.seconds == 0
    assert len(script.requests) == 2


def test_what_does_not_end_stops_the_run_and_the_rest_is_not_sent(
    new: Callable[..., Studio],
) -> None:
    script = Script(lambda _: Answer(b"bad gateway", 502))
    workers, states, _ = run_of(new(script), 300, max_wait=100)
    assert states == ["unknown"] * (3 + 5)
    assert isinstance(workers.stopped_by, OutcomeUnknownError)
    assert len(script.requests) == 8


def test_a_long_pause_that_is_asked_for_is_waited_for_or_ends_the_run(
    new: Callable[..., Studio],
) -> None:
    waits = {"retry-after": "600"}
    answers = iter([Answer(b"{}", 429, waits), *[PICTURE] * 9])
    _, states, sleep = run_of(new(Script(lambda _: next(answers))), 3)
    assert (states, sleep.seconds) == (["done"] * 3, 600)
    endless = Script(lambda _: Answer(b"{}", 429, {"retry-after": "31536000"}))
    workers, states, sleep = run_of(new(endless), 300, fresh=True)
    assert (states, sleep.seconds) == (["stopped"], 0)
    assert isinstance(workers.stopped_by, RateLimitError)
    assert "24 h" in workers.stopped_by.message


def test_an_interrupt_ends_the_pause_of_a_request_that_was_refused(
    new: Callable[..., Studio],
) -> None:
    """The client itself sleeps over a short Retry-After: nothing is under way meanwhile."""
    pausing = threading.Event()

    async def sleep(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    studio = new(Script(lambda _: Answer(b"{}", 429, {"retry-after": "100"})), sleep=sleep)
    states: list[str] = []
    plan = batch([f"a fox, no. {n}" for n in range(40)], studio=studio).plan
    workers = Workers(
        studio, plan, BulkOptions(concurrency=1), lambda _, outcome: states.append(outcome.state)
    )
    work = schedule(workers.work())
    assert pausing.wait(30)
    assert "no room for it (HTTP 429)" in workers.note
    workers.halt()
    work.result(30)
    assert states == ["stopped"]
    assert studio.library.pending() == []


def test_what_a_run_waits_for_is_asked_of_no_job_that_is_over(new: Callable[..., Studio]) -> None:
    """It is asked ten times a second, and a batch has many rows."""
    studio = new(Script(lambda _: PICTURE))
    workers, states, _ = run_of(studio, 20)
    assert states == ["done"] * 20
    assert len(studio.jobs) == 20, "they are there for who looks for them"
    asked: Counter[str] = Counter()
    with profiled(lambda frame, event, _: asked.update([frame.f_code.co_qualname])):
        assert workers.note == ""
    assert asked["Workers.note"], "the calls are counted"
    assert not asked["Job.is_settled"]
