"""One call: four pictures of 1.45 MB in b64_json, and a tiny answer, beside the peers.

    python tests/bench/bench_client.py [rounds]

Targets: sync at most 0.35 x openai-python's sync (reach for 0.22), async at most 0.55 x its async,
a tiny answer at most 1.1 x plain httpx.
"""

import asyncio
import base64
import re
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import loopback
import openai
import pybase64

from opeai_nb.client import AsyncClient, Client

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
            "openai-python, async": openai_async(url, runner),
            "opeai_nb, async": lambda: bytes_of(runner.run(ours_async.generate(PROMPT))),
        }
        for name, call in calls.items():
            if call() != pictures:
                raise SystemExit(f"{name} returned other pictures")
        taken = loopback.milliseconds(calls, rounds)
        runner.run(ours_async.aclose())
    floor_name = next(iter(calls))
    loopback.print_ratios("n = 4 in b64_json", "ms", taken, "openai-python", floor_name[:5])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
