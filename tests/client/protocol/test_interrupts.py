"""An interrupt, or a failure of somebody else's code, never loses the task that was waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import AsyncClient, Client
from opeai_nb.client.async_client import MOST_QUERIES
from opeai_nb.testing import Answer, Script, pictures_answer, png, task_answer
from tests.client.shells import URL


def interrupting(_: object) -> None:
    raise KeyboardInterrupt


class TestSync:
    def test_interrupt_while_waiting_carries_the_task(self) -> None:
        client = Client(transport=Script(task_answer()), base_url=URL, sleep=interrupting)
        with pytest.raises(KeyboardInterrupt) as caught:
            client.generate("a fox")
        assert vars(caught.value)["task"].id == "image_1"
        assert "client.wait('image_1')" in caught.value.__notes__[0]

    def test_interrupt_while_asking_carries_the_task(self) -> None:
        script = Script(task_answer(), KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt) as caught:
            Client(transport=script, base_url=URL, sleep=lambda _: None).generate("a fox")
        assert vars(caught.value)["task"].id == "image_1"

    def test_client_works_after_an_interrupt(self) -> None:
        script = Script(KeyboardInterrupt(), pictures_answer(png()))
        client = Client(transport=script, base_url=URL)
        with pytest.raises(KeyboardInterrupt):
            client.generate("a fox")
        assert len(client.generate("a fox")) == 1

    def test_interrupt_leaves_no_half_file(self, tmp_path: Path) -> None:
        def serve(_: None) -> Answer:
            return pictures_answer("https://x.test/1", "https://x.test/2")

        script = Script(serve(None), KeyboardInterrupt(), KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            Client(transport=script, base_url=URL).generate("a fox", into=tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestAsync:
    def test_cancellation_carries_the_task_and_leaves_no_slot_taken(self) -> None:
        async def run() -> None:
            waiting = asyncio.Event()

            async def sleep(_: float) -> None:
                waiting.set()
                await asyncio.Event().wait()

            async with AsyncClient(transport=Script(task_answer()), base_url=URL, sleep=sleep) as c:
                job = asyncio.create_task(c.generate("a fox"))
                await waiting.wait()
                job.cancel()
                with pytest.raises(asyncio.CancelledError) as caught:
                    await job
                assert vars(caught.value)["task"].id == "image_1"
                assert (c._queries.here()._value, c.throttle.busy) == (MOST_QUERIES, 0)

        asyncio.run(run())

    def test_cancelled_download_leaves_no_half_file(self, tmp_path: Path) -> None:
        import httpx

        started = asyncio.Event()

        class Endless(httpx.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[Any]:
                yield png()
                started.set()
                await asyncio.Event().wait()

        def serve(request: httpx.Request) -> Answer | httpx.Response:
            answer = pictures_answer("https://x.test/1")
            return answer if request.method == "POST" else httpx.Response(200, stream=Endless())

        async def run() -> None:
            async with AsyncClient(transport=Script(serve), base_url=URL) as client:
                job = asyncio.create_task(client.generate("a fox", into=tmp_path))
                begun = asyncio.create_task(started.wait())
                await asyncio.wait([job, begun], return_when=asyncio.FIRST_COMPLETED)
                assert [path.suffix for path in tmp_path.iterdir()] == [".part"]  # noqa: ASYNC240  a look at one small folder
                job.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await job

        asyncio.run(run())
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError("theirs"), StopIteration()])
def test_failing_callback_is_not_swallowed_and_carries_the_task(
    error: StopIteration | ValueError,
) -> None:
    def update(_: object) -> None:
        raise error

    client = Client(transport=Script(task_answer()), base_url=URL)
    with pytest.raises(type(error)) as caught:
        client.generate("a fox", on_update=update)
    assert vars(caught.value)["task"].id == "image_1"
