"""One call: four pictures of 1.45 MB in b64_json, and a tiny answer, beside the peers.

    python tests/bench/bench_client.py [rounds]

Targets: sync at most 0.35 x openai-python's sync (reach for 0.22), async at most 0.55 x its async,
a tiny answer at most 1.1 x plain httpx. Beside it stands what the fresh connection of a paid
request costs httpx itself.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import sys
import time
from collections.abc import Callable

import httpx
import loopback
import openai
import pybase64

from opeai_nb.client import AsyncClient, Client, Generation

KEY = "sk-benchmark"
STRING = re.compile(rb'"b64_json": "([^"]+)"')
PROMPT = "a fox"


def main(rounds: int = 25) -> None:
    pictures = [loopback.noisy_png(1024, number) for number in range(4)]
    big = loopback.http_answer(loopback.b64_body(pictures))
    tiny = loopback.http_answer(
        b'{"created": 1, "data": [{"url": "http://127.0.0.1/1.png", "b64_json": ""}], "usage": {}}'
    )
    print(f"four PNGs of {len(pictures[0]) / 1e6:.2f} MB, a body of {len(big) / 1e6:.1f} MB")
    with loopback.prepared_server({loopback.GENERATIONS: big}) as url:
        measure_big(url, pictures, rounds)
    with loopback.prepared_server({loopback.GENERATIONS: tiny}) as url:
        measure_tiny(url, 20 * rounds)


def measure_big(url: str, pictures: list[bytes], rounds: int) -> None:
    with asyncio.Runner() as runner, Client(base_url=url, api_key=KEY) as ours:
        ours_async = AsyncClient(base_url=url, api_key=KEY)
        calls: dict[str, Callable[[], list[bytes]]] = {
            "floor: raw socket, find, pybase64": floor(url),
            "openai-python": openai_sync(url),
            "httpx, json, base64": httpx_sync(url),
            "opeai_nb": lambda: bytes_of(ours.generate(PROMPT)),
            "async openai-python": openai_async(url, runner),
            "async opeai_nb": lambda: bytes_of(runner.run(ours_async.generate(PROMPT))),
        }
        for name, call in calls.items():
            if call() != pictures:
                raise SystemExit(f"{name} returned other pictures")
        taken = loopback.milliseconds(calls, rounds)
        runner.run(ours_async.aclose())
    names = list(calls)
    loopback.print_ratios("n = 4 in b64_json", "ms", taken, "openai-python", names[0])
    sync = taken["opeai_nb"] / taken["openai-python"]
    loopback.verdict("sync / openai-python", sync, 0.35)
    loopback.verdict("sync / openai-python, reached for", sync, 0.22)
    ratio = taken["async opeai_nb"] / taken["async openai-python"]
    loopback.verdict("async / async openai-python", ratio, 0.55)


def measure_tiny(url: str, rounds: int) -> None:
    # A paid POST of ours goes on a connection of its own: the price of that stands beside it.
    unkept = httpx.Limits(max_keepalive_connections=0)
    with (
        asyncio.Runner() as runner,
        httpx.Client() as plain,
        httpx.Client(limits=unkept) as fresh,
        Client(base_url=url) as ours,
    ):
        plain_async, ours_async = httpx.AsyncClient(), AsyncClient(base_url=url)
        fresh_async = httpx.AsyncClient(limits=unkept)
        peer = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY)
        post = {"url": url + loopback.GENERATIONS, "json": {"model": "m", "prompt": PROMPT}}

        async def once(client: httpx.AsyncClient) -> object:
            return (await client.post(**post)).json()

        calls: dict[str, Callable[[], object]] = {
            "httpx": lambda: plain.post(**post).json(),
            "httpx, a fresh connection each": lambda: fresh.post(**post).json(),
            "openai-python": lambda: peer.images.generate(prompt=PROMPT, model="m"),
            "opeai_nb": lambda: ours.submit(PROMPT),
            "async httpx": lambda: runner.run(once(plain_async)),
            "async httpx, a fresh connection each": lambda: runner.run(once(fresh_async)),
            "async opeai_nb": lambda: runner.run(ours_async.submit(PROMPT)),
        }
        taken = loopback.milliseconds(calls, rounds)
        processor = loopback.milliseconds(calls, rounds, time.process_time)
        runner.run(plain_async.aclose())
        runner.run(fresh_async.aclose())
        runner.run(ours_async.aclose())
    title = "a tiny answer, by processor time"
    loopback.print_ratios(title, "ms CPU", processor, "httpx", "async httpx")
    loopback.print_ratios("a tiny answer", "ms", taken, "httpx", "async httpx")
    ratio = taken["opeai_nb"] / taken["httpx"]
    loopback.verdict("opeai_nb / httpx", ratio, 1.1)
    ratio = taken["async opeai_nb"] / taken["async httpx"]
    loopback.verdict("async opeai_nb / async httpx", ratio, 1.1)
    for kind in ("", "async "):
        ours_taken, kept = processor[f"{kind}opeai_nb"], processor[f"{kind}httpx"]
        unkept_taken = processor[f"{kind}httpx, a fresh connection each"]
        print(f"  {kind}httpx: {unkept_taken - kept:.2f} ms CPU for a fresh connection alone")
        loopback.verdict(f"{kind}opeai_nb / {kind}httpx, CPU", ours_taken / kept, 1.1)
        loopback.verdict(f"{kind}opeai_nb / the same fresh, CPU", ours_taken / unkept_taken, 1.1)


def bytes_of(generation: Generation) -> list[bytes]:
    return [picture.data or b"" for picture in generation.pictures]


def floor(url: str) -> Callable[[], list[bytes]]:
    """The least that any client does: read the body, find the strings, decode them."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    request = f"POST {loopback.GENERATIONS} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode()

    def call() -> list[bytes]:
        connection.sendall(request)
        head, _, first = connection.recv(65_536).partition(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        parts, received = [first], len(first)
        while received < length:
            parts.append(connection.recv(1 << 20))
            received += len(parts[-1])
        body = b"".join(parts)
        return [pybase64.b64decode(text, validate=True) for text in STRING.findall(body)]

    return call


def openai_sync(url: str) -> Callable[[], list[bytes]]:
    peer = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY)
    return lambda: decoded(peer.images.generate(prompt=PROMPT, model="m"))


def openai_async(url: str, runner: asyncio.Runner) -> Callable[[], list[bytes]]:
    peer = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)
    return lambda: decoded(runner.run(peer.images.generate(prompt=PROMPT, model="m")))


def decoded(answer: openai.types.ImagesResponse) -> list[bytes]:
    return [base64.b64decode(item.b64_json or "") for item in answer.data or ()]


def httpx_sync(url: str) -> Callable[[], list[bytes]]:
    plain = httpx.Client()

    def call() -> list[bytes]:
        answer = plain.post(url + loopback.GENERATIONS, json={}).json()
        return [base64.b64decode(item["b64_json"]) for item in answer["data"]]

    return call


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
