"""What the benchmarks share: a server in a process of its own, pictures, a table of ratios.

The server answers each path with bytes that were prepared beforehand, so that its own cost lies
far below any client's; it is another process, so that the two share no interpreter lock.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import socket
import statistics
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

GENERATIONS = "/v1/images/generations"
NOISE_SEED = 20261122


def noisy_png(side: int, number: int = 0) -> bytes:
    """Return a PNG of side x side pixels of 1.5 bytes each, as photos have."""
    from PIL import Image

    rng = random.Random(NOISE_SEED + number)
    noise = Image.frombytes("L", (side, side), rng.randbytes(side * side))
    flat = Image.linear_gradient("L").resize((side, side))
    buffer = BytesIO()
    Image.merge("RGB", (noise, flat, flat.rotate(90))).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def b64_body(pictures: list[bytes]) -> bytes:
    """Return the JSON of a synchronous answer (platform.md 1.3) with these pictures inside."""
    items = [
        {"url": "", "b64_json": b64encode(p).decode(), "revised_prompt": "r"} for p in pictures
    ]
    return json.dumps(
        {"created": 1_777_440_000, "data": items, "usage": {"total_tokens": 1}}
    ).encode()


def http_answer(body: bytes, kind: str = "application/json") -> bytes:
    """Return a whole HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def prepared_server(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Serve these whole HTTP answers by path, from another process; yields the base URL."""
    with _process(_serve_prepared, dict(answers)) as url:
        yield url


@contextmanager
def _process(serve: Callable[..., None], *arguments: Any) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve_prepared(pipe: Any, answers: dict[str, bytes]) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    pipe.send(server.getsockname()[1])
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_converse, args=(connection, answers), daemon=True).start()


def _converse(connection: socket.socket, answers: dict[str, bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            length = 0
            while (header := stream.readline()).strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(length)
            connection.sendall(answers[line.split()[1].decode()])


def milliseconds(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median time of each call, taken in turns so that a slow moment hits them all.

    Their order is another one each time: who comes behind a call of the same library finds its code
    in the processor's cache, which is worth a tenth of a small exchange.
    By `time.process_time` as *clock* it is the processor's, which others cannot take away.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    order = random.Random(1)
    for number in range(rounds + 1):
        for name, call in order.sample([*calls.items()], len(calls)):
            started = clock()
            call()
            if number:  # the first round warms up
                times[name].append(clock() - started)
    return {name: statistics.median(taken) * 1e3 for name, taken in times.items()}


def print_ratios(title: str, unit: str, figures: Mapping[str, float], *baselines: str) -> None:
    """Print a table: each figure, and its multiple of each baseline."""
    print(f"\n{title}")
    head = " ".join(f"{'x ' + name:>20}" for name in baselines)
    print(f"  {'':<34}{unit:>10} {head}")
    for name, value in figures.items():
        ratios = " ".join(f"{value / figures[base]:>20.2f}" for base in baselines)
        print(f"  {name:<34}{value:>10.2f} {ratios}")


def verdict(claim: str, value: float, target: float) -> None:
    """Print whether a figure meets its target."""
    met = "ok  " if value <= target else "MISS"
    print(f"  {met} {claim}: {value:.3g} (target: at most {target:g})")
