"""A thousand tasks at once, live on loopback: lag, requests, CPU and connections.

    python tests/bench/bench_load.py [tasks]

Targets: no error, mean lag at most 0.65 s plus a round trip (also with round trips of 100 ms at 256
tasks), at most 6 requests a task, at most 2.5 x the CPU of aiohttp that asks on the same schedule,
at most 100 connections; CPU for each poll with 64 in flight at most 1.3 x that with one. The last
table says which share of a poll is not ours.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar

import aiohttp
import httpcore
import httpx
import loopback

from opeai_nb.client import AsyncClient
from opeai_nb.client.async_client import MOST_QUERIES
from opeai_nb.client.protocol.schedule import next_poll

SHORTEST, LONGEST = 1.0, 10.0
POLLS = 1000
LAYER_ROUNDS = 60


class TaskServer(asyncio.Protocol):
    """As little HTTP as tasks need; what it knows is shared by all its connections."""

    tasks: ClassVar[dict[str, float]] = {}
    rng = random.Random(loopback.NOISE_SEED)
    round_trip = 0.0
    polls = connections = most_connections = 0

    def connection_made(self, transport: Any) -> None:
        shared = TaskServer
        self.transport = transport
        self.buffer = b""
        shared.connections += 1
        shared.most_connections = max(shared.most_connections, shared.connections)

    def connection_lost(self, _: Exception | None) -> None:
        TaskServer.connections -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if not end or len(body) < length:
            return
        self.buffer = body[length:]
        method, path, _ = head.split(b" ", 2)
        answer = loopback.http_answer(json.dumps(self.answer(method, path.decode())).encode())
        asyncio.get_running_loop().call_later(self.round_trip, self.transport.write, answer)

    def answer(self, method: bytes, path: str) -> dict[str, Any]:
        shared, now = TaskServer, time.monotonic()
        if method == b"POST":
            name = f"image_{len(shared.tasks):024x}"
            shared.tasks[name] = now + shared.rng.uniform(SHORTEST, LONGEST)
            return {"id": name, "object": "image.generation.task", "status": "QUEUED"}
        name = path.rsplit("/", 1)[1]
        if name == "stats":
            return {"polls": shared.polls, "connections": shared.most_connections}
        shared.polls += 1
        ends = shared.tasks.get(name, float("inf"))
        if now < ends:
            return {"id": name, "status": "IN_PROGRESS", "progress": 50}
        item = {"url": "https://pictures.test/1.png", "b64_json": ""}
        return {"id": name, "status": "SUCCESS", "data": [item], "usage": {"ended": ends}}


def serve(pipe: Any, round_trip: float) -> None:
    async def run() -> None:
        TaskServer.round_trip = round_trip
        loop = asyncio.get_running_loop()
        server = await loop.create_server(TaskServer, "127.0.0.1", 0, backlog=1000)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def task_server(round_trip: float = 0.0) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs, round_trip), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


@dataclass
class Load:
    """What a run of many tasks cost."""

    lag: float
    requests: float
    cpu: float
    connections: int


async def ours(url: str, tasks: int) -> list[float]:
    """Submit all tasks at once and follow each; return the lags."""

    async def one(client: AsyncClient) -> float:
        task: Any = await client.submit("a fox", model="gpt-image-2")
        last: Any = await client.watch(task, timeout=120)
        return time.monotonic() - last.usage["ended"]

    async with AsyncClient(base_url=url) as client:
        return list(await asyncio.gather(*(one(client) for _ in range(tasks))))


async def each_second(url: str, tasks: int) -> list[float]:
    """Plain httpx behind a semaphore of 8, asking each second: the best of the simple ways."""
    slots = asyncio.Semaphore(8)

    async def ask(client: httpx.AsyncClient, method: str, path: str) -> dict[str, Any]:
        async with slots:
            return (await client.request(method, url + path, timeout=60)).json()

    async def one(client: httpx.AsyncClient) -> float:
        path = f"{loopback.GENERATIONS}/{(await ask(client, 'POST', loopback.GENERATIONS))['id']}"
        while True:
            await asyncio.sleep(1)
            answer = await ask(client, "GET", path)
            if answer["status"] == "SUCCESS":
                return time.monotonic() - answer["usage"]["ended"]

    async with httpx.AsyncClient() as client:
        return list(await asyncio.gather(*(one(client) for _ in range(tasks))))


async def by_aiohttp(url: str, tasks: int) -> list[float]:
    """aiohttp on the schedule of ours, with as many in flight: what polling costs at least."""
    slots = asyncio.Semaphore(MOST_QUERIES)

    async def ask(session: aiohttp.ClientSession, method: str, path: str) -> dict[str, Any]:
        async with slots, session.request(method, url + path) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def one(session: aiohttp.ClientSession) -> float:
        path = f"{loopback.GENERATIONS}/{(await ask(session, 'POST', loopback.GENERATIONS))['id']}"
        began = time.monotonic()
        while True:
            await asyncio.sleep(next_poll(time.monotonic() - began))
            answer = await ask(session, "GET", path)
            if answer["status"] == "SUCCESS":
                return time.monotonic() - answer["usage"]["ended"]

    async with aiohttp.ClientSession() as session:
        return list(await asyncio.gather(*(one(session) for _ in range(tasks))))


def measure(way: Any, tasks: int, round_trip: float = 0.0) -> Load:
    with task_server(round_trip) as url:
        before = time.process_time()
        lags = asyncio.run(way(url, tasks))
        cpu = time.process_time() - before
        stats = httpx.get(f"{url}/stats").json()
    return Load(fmean(lags), stats["polls"] / tasks, cpu, stats["connections"] - 1)


def cpu_per_poll() -> tuple[float, float]:
    """Return the CPU seconds of a poll with one in flight, and with 64."""

    async def poll(url: str, in_flight: int) -> float:
        async with AsyncClient(base_url=url) as client:
            task: Any = await client.submit("a fox", model="gpt-image-2")
            before = time.process_time()

            async def some() -> None:
                for _ in range(POLLS // in_flight):
                    await client.task(task.id)

            await asyncio.gather(*(some() for _ in range(in_flight)))
            return (time.process_time() - before) / (POLLS // in_flight * in_flight)

    with task_server() as url:
        asyncio.run(poll(url, 1))
        return asyncio.run(poll(url, 1)), asyncio.run(poll(url, 64))


def layers() -> dict[str, float]:
    """Return the CPU microseconds of one poll on a kept connection, by who asks.

    In turns of a few requests, of which the quietest counts: so a busy machine hits all alike.
    """
    with task_server() as url, asyncio.Runner() as runner:
        path = f"{url}{loopback.GENERATIONS}/image_1"
        port = int(url.rpartition(":")[2])
        bare = httpcore.AsyncHTTPConnection(httpcore.Origin(b"http", b"127.0.0.1", port))
        session = runner.run(_session())
        by_httpx, ours = httpx.AsyncClient(), AsyncClient(base_url=url)

        async def ask_httpcore() -> None:
            answer = await bare.handle_async_request(
                httpcore.Request("GET", path, headers={"Host": "x"})
            )
            await answer.aread()
            await answer.aclose()

        async def ask_aiohttp() -> None:
            async with session.get(path) as answer:
                await answer.json()

        async def ask_httpx() -> None:
            (await by_httpx.get(path)).json()

        async def ask_ours() -> None:
            await ours.task("image_1")

        ways = {
            "aiohttp": ask_aiohttp,
            "httpcore's connection alone": ask_httpcore,
            "httpx": ask_httpx,
            "opeai_nb": ask_ours,
        }
        costs = {name: list[float]() for name in ways}
        for _ in range(LAYER_ROUNDS):
            for name, ask in ways.items():
                costs[name].append(runner.run(_cpu_of(ask)))
        for close in (bare.aclose, session.close, by_httpx.aclose, ours.aclose):
            runner.run(close())
    return {name: min(taken) for name, taken in costs.items()}


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def _cpu_of(ask: Callable[[], Awaitable[None]]) -> float:
    """Return the CPU microseconds of one question, of ten."""
    before = time.process_time()
    for _ in range(10):
        await ask()
    return (time.process_time() - before) * 1e5


def main(tasks: int = 1000) -> None:
    runs = {
        f"opeai_nb, {tasks} tasks": measure(ours, tasks),
        f"aiohttp, on the same schedule, {tasks} tasks": measure(by_aiohttp, tasks),
        f"httpx, 8 slots, each second, {tasks} tasks": measure(each_second, tasks),
        "opeai_nb, 256 tasks, 100 ms away": measure(ours, 256, 0.1),
    }
    print(f"{'':<46}{'lag s':>8}{'requests':>10}{'CPU s':>8}{'connections':>13}")
    for name, run in runs.items():
        print(f"{name:<46}{run.lag:>8.2f}{run.requests:>10.2f}{run.cpu:>8.1f}{run.connections:>13}")
    near, floor, _, far = runs.values()
    loopback.verdict("mean lag, s", near.lag, 0.65)
    loopback.verdict("requests a task", near.requests, 6.0)
    loopback.verdict("CPU / aiohttp's", near.cpu / floor.cpu, 2.5)
    loopback.verdict("connections", max(near.connections, far.connections), 100)
    loopback.verdict("mean lag 100 ms away, s", far.lag, 0.75)
    one, many = cpu_per_poll()
    print(f"  a poll takes {one * 1e3:.2f} ms of CPU with one in flight, {many * 1e3:.2f} with 64")
    loopback.verdict("64 in flight / one", many / one, 1.3)
    costs = layers()
    loopback.print_ratios("one poll on a kept connection", "us CPU", costs, "aiohttp", "opeai_nb")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
