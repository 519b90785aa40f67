"""The engine under load: polls with and without painting, and a thousand tasks.

Run it: ``python tests/bench/bench_engine.py [--rounds 9] [--only beside]``. The server is a process
of its own; the client speaks HTTP by hand over kept-alive connections, so that what is measured is
the server. The baseline is a bare Starlette route under the same uvicorn that returns a constant
poll answer.

The rows "beside" are the target: one process answers the bare route and the engine's polls during
the same painting, 2,000 polls of each, 200 at once, in turns whose order changes, so that whatever
else the machine does meets both. Every round is a server of its own. The figure is the median of
the rounds' p99 ratios, at most 1.3; the bare route is asked twice, and its ratio to itself, 1.0 but
for the noise, tells how much the figure is worth. A p99 of 2,000 is made by the slowest of ten
blocks of 200, so that on a busy machine it is a matter of luck; the ratio of each block's own p99
to that of the bare block beside it, the median over all blocks, is far less so.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

CONNECTIONS = 200
PACED_POLLERS = 20
PACED_EVERY = 0.1
PACED_SECONDS = 6.0
TASKS = 1000
BESIDE = {"bare": "/bare", "engine": "", "bare again": "/bare"}
HEAD = "Host: 127.0.0.1\r\nAuthorization: Bearer bench\r\n"


def serve(kind: str) -> None:
    """Serve in this process: ``baseline``, or the engine with a ``canned`` or ``real`` painter."""
    from opeai_nb.engine.server.app import Engine
    from opeai_nb.engine.server.uvicorn_server import serve as serve_engine

    if kind == "baseline":
        app = baseline()
    elif kind == "both":
        app = beside(Engine(), baseline())
    elif kind == "canned":
        app = Engine(painter=Canned())
    else:
        app = Engine()
    serve_engine(app, on_listening=lambda url: print(url, flush=True))


def baseline() -> Any:
    from starlette.responses import JSONResponse
    from starlette.routing import Route, Router

    body = {"id": "image_0", "object": "image.generation.task", "status": "QUEUED", "progress": 0}

    async def poll(_request: Any) -> Any:
        return JSONResponse(body)

    return Router([Route("/v1/images/generations/{task_id}", poll)])


def beside(engine: Any, bare: Any) -> Any:
    """Return *engine*, with *bare* below ``/bare``."""

    async def both(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix("/bare")
        app = engine if path == scope["path"] else bare
        await app({**scope, "path": path}, receive, send)

    return both


class Canned:
    """A painter whose every picture is the same small PNG."""

    def __init__(self) -> None:
        from PIL import Image

        file = io.BytesIO()
        Image.new("RGB", (8, 8), "teal").save(file, "PNG")
        self.image, self.file = Image.new("RGB", (8, 8)), file.getvalue()

    def paint(self, prompt: Any, size: Any, /, **manner: Any) -> Any:
        return self.image

    def edit(self, images: Any, prompt: Any, size: Any, /, **manner: Any) -> Any:
        return self.image

    def encode(
        self, image: Any, /, output_format: Any = "png", output_compression: Any = 100
    ) -> Any:
        return self.file


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{HEAD}Content-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer[:60])
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return json.loads(await self.reader.readexactly(length))


async def submit(connection: Connection, **fields: object) -> str:
    body = {"model": "gpt-image-2", "prompt": "a lighthouse at sunset", **fields}
    return (await connection.ask("POST", "/v1/images/generations", body))["task_id"]


async def burst(port: int, task: str) -> list[float]:
    """Return the seconds of each of 200 polls asked at once, five times over."""
    connections = await asyncio.gather(*(Connection(port).open() for _ in range(CONNECTIONS)))

    async def poll(connection: Connection) -> float:
        start = time.perf_counter()
        await connection.ask("GET", f"/v1/images/generations/{task}")
        return time.perf_counter() - start

    seconds = []
    for _ in range(5):
        seconds += await asyncio.gather(*(poll(connection) for connection in connections))
    for connection in connections:
        connection.writer.close()
    return seconds


async def in_turns(port: int, task: str) -> dict[str, list[list[float]]]:
    """Return ten blocks of the seconds of 200 polls at once for each of `BESIDE`, in turns."""
    connections = await asyncio.gather(*(Connection(port).open() for _ in range(CONNECTIONS)))

    async def poll(connection: Connection, path: str) -> float:
        start = time.perf_counter()
        await connection.ask("GET", f"{path}/v1/images/generations/{task}")
        return time.perf_counter() - start

    blocks: dict[str, list[list[float]]] = {name: [] for name in BESIDE}
    names = list(BESIDE)
    for _ in range(10):
        names.append(names.pop(0))
        for name in names:
            polls = (poll(one, BESIDE[name]) for one in connections)
            blocks[name].append(await asyncio.gather(*polls))
    for connection in connections:
        connection.writer.close()
    return blocks


async def paced(port: int, task: str) -> list[float]:
    """Return the seconds of polls by 20 pollers, each every 0.1 s, for 6 s."""

    async def poller(number: int) -> list[float]:
        connection = await Connection(port).open()
        await asyncio.sleep(PACED_EVERY * number / PACED_POLLERS)
        seconds = []
        for _ in range(int(PACED_SECONDS / PACED_EVERY)):
            start = time.perf_counter()
            await connection.ask("GET", f"/v1/images/generations/{task}")
            seconds.append(time.perf_counter() - start)
            await asyncio.sleep(PACED_EVERY)
        connection.writer.close()
        return seconds

    found = await asyncio.gather(*(poller(number) for number in range(PACED_POLLERS)))
    return [second for seconds in found for second in seconds]


async def while_painting(port: int, measure: Callable[[int, str], Awaitable[Any]]) -> Any:
    """Return what *measure* returns while 80 pictures of 1024x1024 are queued and painted."""
    connection = await Connection(port).open()
    tasks = [await submit(connection, n=10) for _ in range(8)]
    seconds = await measure(port, tasks[-1])
    last = await connection.ask("GET", f"/v1/images/generations/{tasks[-1]}")
    connection.writer.close()
    return seconds, last["status"] != "SUCCESS"


async def thousand(port: int) -> tuple[float, int]:
    """Return the seconds from the first POST to the last SUCCESS, and how many tasks were lost."""
    start = time.perf_counter()
    connections = await asyncio.gather(*(Connection(port).open() for _ in range(50)))

    async def run(connection: Connection) -> int:
        tasks = [await submit(connection, prompt=f"{n}") for n in range(TASKS // 50)]
        done = 0
        for task in tasks:
            while True:
                body = await connection.ask("GET", f"/v1/images/generations/{task}")
                if body["status"] == "SUCCESS":
                    done += len(body["data"]) == 1
                    break
                await asyncio.sleep(0.2)
        connection.writer.close()
        return done

    done = sum(await asyncio.gather(*(run(connection) for connection in connections)))
    return time.perf_counter() - start, TASKS - done


class Server:
    """This file's ``serve`` in a process, for a ``with`` block."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, __file__, "--serve", kind]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def __enter__(self) -> int:
        return self.port

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1000


def row(name: str, seconds: list[float], base: list[float] | None = None) -> None:
    ratio = f"{p99(seconds) / p99(base):6.2f} x" if base else "   1.00 x"
    p50 = statistics.median(seconds) * 1000
    print(f"{name:46} {len(seconds):6} {p50:8.1f} {p99(seconds):8.1f} {ratio:>9}")


def all_beside(rounds: int) -> None:
    """Print a row for each of *rounds* and the medians of their ratios."""
    title = "beside a bare route: p99 ms while painting"
    print(f"{title:46} {'bare':>8} {'engine':>8} {'again':>8}")
    whole: dict[str, list[float]] = {name: [] for name in list(BESIDE)[1:]}
    parts: dict[str, list[float]] = {name: [] for name in whole}
    for number in range(rounds):
        with Server("both") as port:
            blocks, busy = asyncio.run(while_painting(port, in_turns))
        figures = [p99([second for block in blocks[name] for second in block]) for name in BESIDE]
        title = f"round {number + 1} (painting to the end: {busy})"
        print(f"{title:46} " + " ".join(f"{figure:8.1f}" for figure in figures), flush=True)
        for name, figure in zip(whole, figures[1:], strict=True):
            whole[name].append(figure / figures[0])
            pairs = zip(blocks[name], blocks["bare"], strict=True)
            parts[name] += [p99(block) / p99(bare) for block, bare in pairs]
    for name, ratios in whole.items():
        of_rounds, of_blocks = statistics.median(ratios), statistics.median(parts[name])
        spread = f"from {min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{name}: {of_rounds:.2f} x ({spread}); by blocks {of_blocks:.2f} x")


def main(rounds: int) -> None:
    print(f"{'polls':46} {'count':>6} {'p50 ms':>8} {'p99 ms':>8} {'of base':>9}")
    with Server("baseline") as port:
        base_burst = asyncio.run(burst(port, "x"))
        base_paced = asyncio.run(paced(port, "x"))
    row("baseline, bare Starlette: 200 at once", base_burst)
    row("baseline, bare Starlette: 20 pollers", base_paced)
    with Server("canned") as port:

        async def idle(measure: Any) -> Any:
            task = await submit(await Connection(port).open())
            return await measure(port, task)

        row("engine, idle: 200 at once", asyncio.run(idle(burst)), base_burst)
        row("engine, idle: 20 pollers", asyncio.run(idle(paced)), base_paced)
    with Server("real") as port:
        seconds, busy = asyncio.run(while_painting(port, burst))
        row(f"engine, painting (to the end: {busy}): 200 at once", seconds, base_burst)
    with Server("real") as port:
        seconds, busy = asyncio.run(while_painting(port, paced))
        row(f"engine, painting (to the end: {busy}): 20 pollers", seconds, base_paced)
    all_beside(rounds)
    with Server("canned") as port:
        seconds, lost = asyncio.run(thousand(port))
    print(f"\n{TASKS} tasks: {seconds:.1f} s from the first POST to the last SUCCESS, {lost} lost")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", choices=("baseline", "both", "canned", "real"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("beside",))
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
    elif chosen.only:
        all_beside(chosen.rounds)
    else:
        main(chosen.rounds)
