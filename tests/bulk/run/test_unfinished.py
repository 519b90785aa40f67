"""A run that was cut off is finished, never paid twice; a busy platform is obeyed by all."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.client import AsyncClient
from opeai_nb.errors import OutcomeUnknownError
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.fork import run
from tests.pictures import png
from tests.studio.conftest import Watched

TASK: dict[str, Any] = {"model": "gpt-image-2", "size": "1024x1024"}


def test_a_task_that_an_earlier_run_began_is_finished_by_gets_alone(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    first = new_studio()
    transport.answers_polls = False
    run = sweep("a {x}", x=["fox", "owl"], studio=first, **TASK).start()
    for _ in run.follow(tick=0.01):
        for job in first.jobs:
            if job.task_id is not None:
                job.stop()
    transport.answers_polls = True
    sent = transport.posts
    made = sweep("a {x}", x=["fox", "owl", "cat"], studio=new_studio(), **TASK).run()
    assert len(made.generations) == 3
    assert transport.posts == sent + 1 == 3


def test_an_unknown_outcome_is_told_and_not_sent_again_by_itself(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Not even by another session; with `send_unknown` it is."""

    def planned() -> Any:
        return sweep("a {x}", x=["fox", "owl"], model="rehearsal-dropped", studio=new_studio())

    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            planned().run()
        assert transport.posts == 2
    with pytest.raises(OutcomeUnknownError):
        planned().run(send_unknown=True)
    assert transport.posts == 4


DIES = """
import os, sys
from pathlib import Path
from opeai_nb.library import Library, Slot
from opeai_nb.client import ImageRequest
library = Library(Path(sys.argv[1]))
for name, noted in (("fox", False), ("owl", True)):
    entry = library.begin(ImageRequest(f"a {name}", size="512x512"), key=name,
                          base_url="http://engine.invalid", origin=sys.argv[2],
                          slot=Slot("sweep", 1))
    if noted:
        entry.sending()
os._exit(9)
"""
PLATFORM = {"base_url": "https://platform.test/v1", "api_key": "a-key-for-tests"}


def dying(studio: Studio, origin: str) -> None:
    """Let a process die that has begun to send the second of two requests."""
    command = [sys.executable, "-c", DIES, str(studio.library.folder), origin]
    assert run(command).returncode == 9


def test_what_a_dead_process_had_not_sent_is_sent_and_what_it_had_is_not(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio = new_studio(**PLATFORM)
    dying(studio, "platform")
    assert len(studio.library.pending()) == 2
    made = sweep("a {x}", x=["fox", "owl", "cat"], size="512x512", studio=studio).run()
    assert transport.posts == 2
    assert set(made.failed) == {("owl",)}
    assert isinstance(made.failed["owl",], OutcomeUnknownError)


def test_what_the_engine_left_is_no_part_of_a_sweep_of_the_platform(
    new_studio: Callable[..., Studio], tmp_path: Path, transport: Watched
) -> None:
    """Who tried without a key, and was cut off, has the platform paint the pictures now."""
    dying(new_studio(), "engine")
    platform = new_studio(**PLATFORM)
    made = sweep("a {x}", x=["fox", "owl"], size="512x512", studio=platform).run()
    assert (transport.posts, len(made.generations)) == (2, 2)


def test_a_point_that_another_process_works_on_is_waited_for(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """Two kernels run one sweep at once: nothing is sent twice."""
    transport.answers_polls = False
    first, second = new_studio(), new_studio()
    slow = sweep("a {x}", x=range(6), studio=first, **TASK).start(concurrency=6)
    while len(first.library.pending()) < 6:
        assert not slow.wait(0.01)
    made = sweep("a {x}", x=range(6), studio=second, **TASK)
    run = made.start(concurrency=6)
    while [job.status for job in second.jobs] != ["waiting"] * 6:
        assert not run.wait(0.01)
    transport.answers_polls = True
    assert slow.wait(60)
    assert run.wait(60)
    assert transport.posts == 6
    assert len(made.generations) == 6, made.failed


class Busy(httpx.AsyncBaseTransport):
    """A platform that takes two requests at once, and answers 429 with Retry-After to any more."""

    def __init__(self) -> None:
        self.under_way = 0
        self.refused = self.good = 0
        self.body = {
            "created": 1,
            "data": [{"b64_json": b64encode(png((8, 8))).decode()}],
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self.under_way >= 2:
            self.refused += 1
            return httpx.Response(
                429, headers={"Retry-After-Ms": "300"}, json={"error": {"message": "busy"}}
            )
        self.under_way += 1
        for _ in range(20):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.good += 1
        return httpx.Response(200, json=self.body)


class BusyWithTasks(httpx.AsyncBaseTransport):
    """A platform that works on two tasks at once, and answers 429 with Retry-After to any more."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        id_ = request.url.path.rpartition("/")[2]
        if request.method == "GET":
            self.left[id_] -= 1
            done = {"status": "SUCCESS", "data": [{"b64_json": b64encode(png((8, 8))).decode()}]}
            body = {"status": "IN_PROGRESS"} if self.left[id_] > 0 else done
            return httpx.Response(200, json={"task_id": id_, **body})
        if sum(left > 0 for left in self.left.values()) >= 2:
            self.refused += 1
            return httpx.Response(
                429, headers={"Retry-After-Ms": "300"}, json={"error": {"message": "busy"}}
            )
        id_ = f"image_{len(self.left)}"
        self.left[id_] = 6
        return httpx.Response(200, json={"task_id": id_, "status": "QUEUED"})


def busy_studio(tmp_path: Path, platform: httpx.AsyncBaseTransport) -> tuple[AsyncClient, Studio]:
    seconds = [0.0]

    async def sleep(pause: float) -> None:
        seconds[0] += pause
        await asyncio.sleep(0)

    client = AsyncClient(
        base_url="http://busy.test",
        api_key="a-key-for-tests",
        transport=platform,
        sleep=sleep,
        clock=lambda: seconds[0],
    )
    return client, Studio(settings(base_url="http://busy.test", library=tmp_path), client=client)


def test_a_busy_platform_slows_all_requests_down_and_loses_none(tmp_path: Path) -> None:
    platform = Busy()
    client, studio = busy_studio(tmp_path, platform)
    made = sweep("a {x}", x=range(40), studio=studio).run(concurrency=16)
    assert (platform.good, len(made.generations)) == (40, 40)
    assert 0 < platform.refused < 40
    assert client.throttle.limit < 16


def test_a_first_run_begins_no_more_tasks_than_a_busy_platform_takes(tmp_path: Path) -> None:
    """Those that wait are not refused again and again: of a hundred tasks 83 were refused once."""
    platform = BusyWithTasks()
    _, studio = busy_studio(tmp_path, platform)
    made = sweep("a {x}", x=range(100), studio=studio).run(concurrency=16)
    assert (len(platform.left), len(made.generations)) == (100, 100)
    assert platform.refused < 65
