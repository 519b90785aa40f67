"""The engine in process: from any thread and loop, in a stream, failing as a socket does."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.types import ASGIApp, Receive, Scope, Send

from opeai_nb.engine import ENGINE_URL, Engine, EngineTransport
from opeai_nb.engine.server.event_loop import engine_loop
from tests.engine.conftest import Clients, Clock, Swatches

BODY = {"model": "qwen-image-2.0", "prompt": "a cat", "size": "512x512"}


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run *code* in a fresh interpreter that shows every warning."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "", **env},
    )


def test_importing_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys, opeai_nb.engine, opeai_nb.families\n"
        "heavy = {'httpx', 'numpy', 'PIL', 'starlette', 'uvicorn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert run(code).stderr == ""


def test_the_engine_itself_loads_no_painter_before_the_first_paint() -> None:
    code = (
        "import sys, httpx\n"
        "from opeai_nb.engine import Engine, EngineTransport, ENGINE_URL\n"
        "client = httpx.Client(transport=EngineTransport(Engine()), base_url=ENGINE_URL)\n"
        "client.get('/v1/models', headers={'Authorization': 'Bearer x'}).raise_for_status()\n"
        "heavy = {'numpy', 'PIL', 'uvicorn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert run(code).stderr == ""


def test_the_interpreter_ends_in_silence_with_a_task_under_way(tmp_path: Path) -> None:
    code = (
        "import httpx\n"
        "from opeai_nb.engine import EngineTransport, ENGINE_URL\n"
        "client = httpx.Client(transport=EngineTransport(), base_url=ENGINE_URL)\n"
        "client.headers['Authorization'] = 'Bearer x'\n"
        "body = {'model': 'gpt-image-2', 'prompt': 'cat', 'n': 10}\n"
        "client.post('/v1/images/generations', json=body).raise_for_status()\n"
    )
    done = run(code, OPEAI_NB_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_shared_engine_keeps_tasks_from_one_process_to_the_next(tmp_path: Path) -> None:
    start = (
        "import httpx, sys\n"
        "from opeai_nb.engine import EngineTransport, ENGINE_URL\n"
        "client = httpx.Client(transport=EngineTransport(), base_url=ENGINE_URL)\n"
        "client.headers['Authorization'] = 'Bearer x'\n"
    )
    body = "{'model': 'rehearsal-failed', 'prompt': 'cat'}"
    made = run(
        start + f"print(client.post('/v1/images/generations', json={body}).json()['id'])",
        OPEAI_NB_CACHE=str(tmp_path),
    )
    path = f"/v1/images/generations/{made.stdout.strip()}"
    found = run(start + f"print(client.get({path!r}).json()['id'])", OPEAI_NB_CACHE=str(tmp_path))
    assert found.stdout == made.stdout
    assert made.stdout.startswith("image_")
    assert (tmp_path / "opeai_nb" / "engine").is_dir()


def test_a_cache_folder_that_can_not_be_used_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code = (
        "import warnings\n"
        "from opeai_nb.engine import EngineTransport\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    first, second = EngineTransport(), EngineTransport()\n"
        "assert first.engine is second.engine\n"
        "print(len(said), said[0].message)\n"
    )
    done = run(code, OPEAI_NB_CACHE=str(tmp_path / "file"))
    assert done.stdout.startswith("1 The engine keeps its tasks in memory")
    assert done.stderr == ""


def test_transports_without_an_engine_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path))
    assert EngineTransport().engine is EngineTransport().engine


def test_sync_and_async_answers_are_the_same(engine: Engine, client: httpx.Client) -> None:
    async def ask() -> httpx.Response:
        transport = EngineTransport(engine)
        async with httpx.AsyncClient(
            transport=transport, base_url=ENGINE_URL, headers=client.headers
        ) as other:
            return await other.post("/v1/images/generations", json=BODY)

    client.headers["Idempotency-Key"] = "one"  # an equal request makes another picture
    assert asyncio.run(ask()).json() == client.post("/v1/images/generations", json=BODY).json()


def test_a_sync_call_works_inside_a_running_loop(client: httpx.Client) -> None:
    async def cell() -> int:
        return client.get("/v1/models").status_code  # noqa: ASYNC212  it is what is tested

    assert asyncio.run(cell()) == 200


def test_many_threads_and_loops_ask_at_once(engine: Engine, client: httpx.Client) -> None:
    transport = EngineTransport(engine)
    answers: list[int] = []

    def plainly() -> None:
        with httpx.Client(transport=transport, base_url=ENGINE_URL, headers=client.headers) as own:
            answers.extend(own.get("/v1/models").status_code for _ in range(10))

    async def gather() -> None:
        async with httpx.AsyncClient(
            transport=transport, base_url=ENGINE_URL, headers=client.headers
        ) as own:
            found = await asyncio.gather(*(own.get("/v1/models") for _ in range(10)))
            answers.extend(answer.status_code for answer in found)

    threads = [threading.Thread(target=plainly) for _ in range(5)]
    threads += [threading.Thread(target=lambda: asyncio.run(gather())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 100


def app_engine(app: ASGIApp) -> Engine:
    """Return an engine whose answers are those of the ASGI *app*."""
    engine = Engine()
    engine._dispatch = lambda scope, headers, receive, send, answer: app(scope, receive, send)  # type: ignore[assignment,method-assign,return-value]  # a stand-in
    return engine


def test_the_body_arrives_while_it_is_made() -> None:
    go_on = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(go_on.wait)
        await send({"type": "http.response.body", "body": b"second"})

    with (
        httpx.Client(transport=EngineTransport(app_engine(app))) as client,
        client.stream("GET", ENGINE_URL) as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks) == b"first"
        go_on.set()
        assert list(chunks) == [b"second"]


def test_an_answer_that_nobody_reads_waits_and_is_not_piled_up() -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x" * 2**20, "more_body": True})
            sent.append(1)
        await send({"type": "http.response.body", "body": b""})

    with (
        httpx.Client(transport=EngineTransport(app_engine(app))) as client,
        client.stream("GET", ENGINE_URL) as answer,
    ):
        tracemalloc.start()
        size = sum(len(chunk) for chunk in answer.iter_raw())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size == 100 * 2**20
    assert peak < 10 * 2**20
    assert len(sent) == 100


def test_a_request_body_is_read_as_the_engine_asks_for_it(client: httpx.Client) -> None:
    asked = []

    def chunks() -> Iterator[bytes]:
        for part in (b'{"model": "dall-e-3", ', b'"prompt": "a cat"', b"}"):
            asked.append(part)
            yield part

    answer = client.post("/v1/images/generations", content=chunks())
    assert answer.status_code == 200
    assert len(asked) == 3


def test_a_refused_request_leaves_its_body_unread(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise AssertionError("the body was read on")

    answer = client.post("/v1/images/generations", content=chunks(), headers={"Authorization": ""})
    assert answer.status_code == 401


def test_a_failing_request_body_is_the_callers_error(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"{"
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        client.post("/v1/images/generations", content=chunks())
    assert client.get("/v1/models").status_code == 200


def test_an_application_that_answers_nothing_is_a_dropped_connection() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return

    with (
        httpx.Client(transport=EngineTransport(app_engine(app))) as client,
        pytest.raises(httpx.RemoteProtocolError, match="without sending a response"),
    ):
        client.get(ENGINE_URL)


def test_a_hang_up_is_heard_and_the_application_goes_on() -> None:
    heard = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": b"for nobody"})
        heard.set()

    with httpx.Client(transport=EngineTransport(app_engine(app))) as client:
        with client.stream("GET", ENGINE_URL):
            pass
        assert heard.wait(10)


def test_a_post_that_is_given_up_is_obeyed_all_the_same(
    painter: Swatches, client_of: Clients
) -> None:
    go_on, done = threading.Event(), threading.Event()

    class Held(Swatches):
        def paint(self, prompt: str, size: tuple[int, int], /, **manner: Any) -> Image.Image:
            go_on.wait(60)
            image = super().paint(prompt, size, **manner)
            done.set()
            return image

    engine = Engine(painter=Held())
    with client_of(engine) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/images/generations", json=BODY, timeout=0.05)
        go_on.set()
        assert done.wait(60)
    engine.close()


def test_a_head_request_has_no_body(client: httpx.Client) -> None:
    answer = client.head("/v1/models")
    assert answer.status_code == 200
    assert answer.content == b""


def test_a_cancelled_call_hangs_up_and_the_engine_lives_on(
    engine: Engine, client: httpx.Client
) -> None:
    async def ask() -> int:
        async with httpx.AsyncClient(
            transport=EngineTransport(engine), base_url=ENGINE_URL, headers=client.headers
        ) as other:
            body = {**BODY, "model": "rehearsal-stalled"}
            call = asyncio.ensure_future(other.post("/v1/images/generations", json=body))
            while not engine.requests:  # noqa: ASYNC110  the log is what tells, not an event
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return (await other.get("/v1/models")).status_code

    assert asyncio.run(ask()) == 200


def test_a_closed_engine_refuses_the_connection(engine: Engine, client: httpx.Client) -> None:
    engine.close()
    with pytest.raises(httpx.ConnectError):
        client.get("/v1/models")


def test_an_engine_that_is_let_go_is_collected(painter: Swatches, client_of: Clients) -> None:
    engine = Engine(painter=painter)
    with client_of(engine) as client:
        client.post("/v1/images/generations", json=BODY).raise_for_status()
    gone = weakref.ref(engine)
    del engine, client

    async def turn() -> None:
        return

    for _ in range(100):  # the loop's thread lets go of it last
        asyncio.run_coroutine_threadsafe(turn(), engine_loop()).result()
        gc.collect()
        if gone() is None:
            break
    assert gone() is None


def _asked(client: httpx.Client, path: str) -> httpx.Response | None:
    try:
        return client.get(path)
    except httpx.RemoteProtocolError:
        return None


class TestFaults:
    @staticmethod
    def outcomes(seed: int, painter: Swatches, client_of: Clients) -> list[str]:
        engine = Engine(painter=painter, fail_rate=0.5, seed=seed)
        seen = []
        with client_of(engine) as client:
            for _ in range(40):
                try:
                    seen.append(str(client.get("/v1/models").status_code))
                except httpx.RemoteProtocolError:
                    seen.append("cut")
        engine.close()
        return seen

    def test_a_part_of_requests_fails_in_every_way(
        self, painter: Swatches, client_of: Clients
    ) -> None:
        seen = self.outcomes(1, painter, client_of)
        assert set(seen) == {"200", "429", "500", "502", "503", "cut"}
        assert 8 <= seen.count("200") <= 32

    @pytest.mark.parametrize(
        ("path", "names"),
        [
            ("/v1/images/generations/x", {"error"}),
            ("/aliyun/v1/images/generations/x", {"code", "message", "request_id"}),
            ("/aliyun/api/v1/tasks/x", {"code", "message", "request_id"}),
        ],
    )
    def test_an_envelope_has_the_shape_of_its_dialect(
        self, painter: Swatches, client_of: Clients, path: str, names: set[str]
    ) -> None:
        engine = Engine(painter=painter, fail_rate=1.0, seed=1)
        with client_of(engine) as client:
            bodies = [
                answer.json()
                for _ in range(40)
                if (answer := _asked(client, path)) is not None and answer.status_code in {500, 503}
            ]
        assert {frozenset(body) for body in bodies} == {frozenset(names)}

    def test_a_seed_makes_the_sequence_the_same(
        self, painter: Swatches, client_of: Clients
    ) -> None:
        one, same, other = (self.outcomes(seed, painter, client_of) for seed in (1, 1, 2))
        assert one == same
        assert one != other

    @staticmethod
    def waits(client_of: Clients, **options: Any) -> list[float]:
        seen: list[float] = []

        async def sleep(seconds: float) -> None:
            seen.append(seconds)

        engine = Engine(sleep=sleep, **options)
        with client_of(engine) as client:
            for _ in range(40):
                assert client.get("/v1/models").status_code == 200
        engine.close()
        return seen

    def test_each_answer_waits_for_the_latency(self, client_of: Clients) -> None:
        assert self.waits(client_of) == []
        assert self.waits(client_of, latency=0.3, seed=1) == [0.3] * 40

    def test_jitter_is_more_or_less_and_the_same_for_a_seed(self, client_of: Clients) -> None:
        one, same, other = (
            self.waits(client_of, latency=0.3, jitter=0.1, seed=seed) for seed in (1, 1, 2)
        )
        assert (0.2 <= min(one) < 0.25, 0.35 < max(one) <= 0.4) == (True, True)
        assert (one == same, one == other) == (True, False)

    def test_jitter_beyond_the_latency_never_waits_less_than_nothing(
        self, client_of: Clients
    ) -> None:
        waits = self.waits(client_of, jitter=0.1, seed=1)
        assert 5 < len(waits) < 35
        assert min(waits) > 0

    @pytest.mark.parametrize(
        "wrong",
        [
            {"fail_rate": 1.1},
            {"fail_rate": -0.1},
            {"fail_rate": float("nan")},
            {"latency": -1.0},
            {"latency": float("nan")},
            {"jitter": -1.0},
        ],
    )
    def test_a_rate_outside_its_range_is_an_error(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must"):
            Engine(**wrong)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf"])
def test_a_time_scale_that_is_no_number_is_an_error(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("OPEAI_NB_TIME_SCALE", text)
    with pytest.raises(ValueError, match="OPEAI_NB_TIME_SCALE"):
        Engine()


def test_a_time_scale_of_zero_ends_a_task_at_once(
    clock: Clock,
    painter: Swatches,
    client_of: Clients,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPEAI_NB_TIME_SCALE", "0")
    engine = Engine(clock=clock, painter=painter, workers=0)
    with client_of(engine) as client:
        body = {"model": "rehearsal-slow", "prompt": "a cat"}
        task = client.post("/v1/images/generations", json=body).json()["id"]
        assert client.get(f"/v1/images/generations/{task}").json()["status"] == "SUCCESS"
    engine.close()
