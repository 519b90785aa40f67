"""Clients over forks, event loops and servers that close: no answer is mixed up, nothing leaks."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import threading
import warnings
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import AsyncClient, Client
from opeai_nb.testing import png

KEY = "sk-0123456789abcdef"
# Connections of a parent, or of a loop that is closed, are nobody's to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class _Echo(BaseHTTPRequestHandler):
    """Answers with the prompt; keeps connections, and closes them when its server says so."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # of silence: what never hangs up is a failure, and hangs up nobody

    def do_POST(self) -> None:
        server: Any = self.server
        prompt = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        with server.guard:
            server.posts += 1
            server.prompts[prompt] += 1
        item = {"b64_json": b64encode(png()).decode(), "revised_prompt": prompt}
        body = json.dumps({"data": [item]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if server.closes():
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, *_: Any) -> None: ...


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # of the usual five, a client that asks 80 times at once waits seconds
    daemon_threads = True


@pytest.fixture
def server() -> Iterator[Any]:
    made: Any = _Server(("127.0.0.1", 0), _Echo)
    made.posts, made.guard, made.closes = 0, threading.Lock(), lambda: False
    made.prompts = Counter()
    made.url = f"http://127.0.0.1:{made.server_port}"
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def ask(client: Client, number: int) -> str | None:
    return client.generate(f"child {number}").revised_prompt


def ask_anew(url: str, number: int) -> str | None:
    with Client(base_url=url, api_key=KEY) as client:
        return ask(client, number)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@forks
def test_client_that_was_used_before_a_fork_mixes_nothing_up(server: Any) -> None:
    client = Client(base_url=server.url, api_key=KEY)
    assert ask(client, 0) == "child 0"
    context = multiprocessing.get_context("fork")
    told: Any = context.SimpleQueue()

    def child(number: int) -> None:
        told.put((number, [ask(client, number * 100 + turn) for turn in range(5)]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of forks beside threads
        children = [context.Process(target=child, args=(number,)) for number in range(1, 4)]
        for each in children:
            each.start()
    assert [ask(client, turn) for turn in range(5)] == [f"child {turn}" for turn in range(5)]
    answers = dict(told.get() for _ in children)
    for each in children:
        each.join(20)
    assert [each.exitcode for each in children] == [0, 0, 0]
    assert answers == {n: [f"child {n * 100 + turn}" for turn in range(5)] for n in range(1, 4)}
    assert server.posts == 1 + 5 + 15


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool_of_processes_works(server: Any, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    assert ask_anew(server.url, 0) == "child 0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            told = list(pool.map(ask_anew, [server.url] * 4, range(4)))
    assert told == [f"child {number}" for number in range(4)]


@pytest.mark.long
def test_workers_of_dask_each_have_their_own(server: Any) -> None:
    from dask.distributed import Client as Dask
    from dask.distributed import LocalCluster

    assert ask_anew(server.url, 0) == "child 0"
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster,
        Dask(cluster) as dask,
    ):
        told = dask.gather(dask.map(ask_anew, [server.url] * 12, range(12), pure=False))
    assert told == [f"child {number}" for number in range(12)]
    assert server.posts == 13


@forks
def test_studio_that_was_used_before_a_fork_works_in_parent_and_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opeai_nb.studio import Studio
    from opeai_nb.testing.environment import engine_variables

    for name, value in engine_variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    studio = Studio()
    assert len(studio.generate("in the parent", size="512x512")) == 1
    context = multiprocessing.get_context("fork")

    def child() -> None:
        assert len(studio.generate("in the child", size="512x512")) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process = context.Process(target=child)
        process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
    assert process.exitcode == 0
    assert len(studio.generate("in the parent again", size="512x512")) == 1


BUSY = """
import itertools, multiprocessing, threading
from opeai_nb.studio import Studio

studio, over, context = Studio(), threading.Event(), multiprocessing.get_context("fork")
studio.generate("in the parent")

def work(thread):
    for turn in itertools.count():
        studio.generate(f"busy {thread} {turn}")
        if over.is_set():
            return

def ends(target, number):
    process = context.Process(target=target, args=(number,))
    process.start()
    process.join(60)
    code = process.exitcode
    process.kill()
    return code

def child(number):
    studio.generate(f"child {number}")
    assert ends(grandchild, number) == 0

def grandchild(number):
    studio.generate(f"grandchild {number}")

threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for each in threads:
    each.start()
print([ends(child, number) for number in range(8)])
over.set()
"""


@forks
@pytest.mark.long
def test_studio_whose_threads_are_busy_works_in_every_child(server: Any, tmp_path: Path) -> None:
    """Threads of the parent hold locks all the time, and no child waits for one of them."""
    from opeai_nb.testing.environment import engine_variables

    chosen = {"OPEAI_BASE_URL": server.url, "OPEAI_API_KEY": KEY}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUSY],
        env={**os.environ, **engine_variables(tmp_path), **chosen},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.stdout.strip() == str([0] * 8), ended.stderr
    assert max(server.prompts.values()) == 1, "each was paid for once"


def test_async_client_works_in_one_loop_after_the_other(server: Any) -> None:
    client = AsyncClient(base_url=server.url, api_key=KEY)

    async def several(turn: int) -> list[str | None]:
        jobs = [client.generate(f"fox {turn} {number}") for number in range(80)]
        return [generation.revised_prompt for generation in await asyncio.gather(*jobs)]

    for turn in range(3):
        assert asyncio.run(several(turn)) == [f"fox {turn} {number}" for number in range(80)]


def test_async_client_works_in_several_loops_at_once(server: Any) -> None:
    client = AsyncClient(base_url=server.url, api_key=KEY)
    told: dict[int, list[str | None]] = {}

    def run(thread: int) -> None:
        async def several() -> list[str | None]:
            return [(await client.generate(f"{thread} {n}")).revised_prompt for n in range(20)]

        told[thread] = asyncio.run(several())

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert told == {thread: [f"{thread} {n}" for n in range(20)] for thread in range(3)}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_server_that_closes_at_random_never_makes_an_unknown_outcome(
    server: Any, kind: str
) -> None:
    chance = random.Random(7)
    server.closes = lambda: chance.random() < 0.5
    if kind == "sync":
        with Client(base_url=server.url, api_key=KEY) as client:
            told = [ask(client, number) for number in range(300)]
    else:

        async def all_of_them() -> list[str | None]:
            async with AsyncClient(base_url=server.url, api_key=KEY) as client:
                return [
                    (await client.generate(f"child {number}")).revised_prompt
                    for number in range(300)
                ]

        told = asyncio.run(all_of_them())
    assert told == [f"child {number}" for number in range(300)]
    assert server.posts == 300


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_nothing_leaks_over_a_thousand_clients(server: Any) -> None:
    def open_files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    server.daemon_threads = False  # those it waits for when it closes
    before = open_files()
    for number in range(1000):
        with Client(base_url=server.url, api_key=KEY) as client:
            if number % 10 == 0:
                ask(client, number)
    server.shutdown()
    server.server_close()
    assert open_files() <= before
