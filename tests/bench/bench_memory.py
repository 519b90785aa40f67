"""Ten pictures of 2048 x 2048 in b64_json: growth of the peak RSS, each client by itself.

    python tests/bench/bench_memory.py

Targets: at most 1.15 x the bytes of the PNGs in memory, at most 8 MB with `into=DIR`. Linux only
(reads VmHWM, the high-water mark of the resident set).
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import loopback

COUNT = 10
SIDE = 2048


def peak_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def ours(url: str, folder: str) -> Callable[[], list[bytes | Path | None]]:
    from opeai_nb.client import Client

    client = Client(base_url=url)
    into = folder or None
    return lambda: [p.source for p in client.generate("a fox", n=COUNT, into=into).pictures]


def openai_python(url: str, _: str) -> Callable[[], list[bytes | Path | None]]:
    import openai

    peer = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-benchmark")

    def call() -> list[bytes | Path | None]:
        answer = peer.images.generate(prompt="a fox", model="m", n=COUNT)
        return [base64.b64decode(item.b64_json or "") for item in answer.data or ()]

    return call


def plain_httpx(url: str, _: str) -> Callable[[], list[bytes | Path | None]]:
    import httpx

    client = httpx.Client(timeout=60)

    def call() -> list[bytes | Path | None]:
        items = client.post(url + loopback.GENERATIONS, json={}).json()["data"]
        return [base64.b64decode(item["b64_json"]) for item in items]

    return call


def measure(name: str, url: str, tiny: str, folder: str) -> None:
    """Print the growth in KB, and what the pictures are; runs in a process of its own."""
    make = {"ours": ours, "openai": openai_python, "httpx": plain_httpx}[name]
    make(tiny, folder)()  # so that imports and connections are not counted
    call = make(url, folder)
    before = peak_kb()
    pictures = call()
    grown = peak_kb() - before
    data = [p.read_bytes() if isinstance(p, Path) else p or b"" for p in pictures]
    print(grown, hashlib.sha256(b"".join(data)).hexdigest())


def main() -> None:
    pictures = [loopback.noisy_png(SIDE, number) for number in range(COUNT)]
    size = sum(map(len, pictures))
    expected = hashlib.sha256(b"".join(pictures)).hexdigest()
    big = loopback.http_answer(loopback.b64_body(pictures))
    small = loopback.http_answer(loopback.b64_body([loopback.noisy_png(64)]))
    print(
        f"{COUNT} PNGs of {SIDE} x {SIDE}: {size / 1e6:.1f} MB in a body of {len(big) / 1e6:.1f} MB"
    )
    grown: dict[str, float] = {"the PNG bytes": size / 1e6}
    with (
        loopback.prepared_server(
            {loopback.GENERATIONS: big, "/v1" + loopback.GENERATIONS: big}
        ) as url,
        loopback.prepared_server({loopback.GENERATIONS: small}) as tiny,
        tempfile.TemporaryDirectory() as folder,
    ):
        for label, name, into in (
            ("openai-python", "openai", ""),
            ("httpx, json, base64", "httpx", ""),
            ("opeai_nb", "ours", ""),
            ("opeai_nb, into=DIR", "ours", folder),
        ):
            command = [sys.executable, __file__, name, url, tiny, into]
            told = subprocess.run(
                command, check=True, capture_output=True, text=True
            ).stdout.split()
            if told[1] != expected:
                raise SystemExit(f"{label} returned other pictures")
            grown[label] = int(told[0]) * 1024 / 1e6
    loopback.print_ratios("growth of the peak RSS", "MB", grown, "the PNG bytes")
    loopback.verdict("in memory / PNG bytes", grown["opeai_nb"] / grown["the PNG bytes"], 1.15)
    loopback.verdict("into=DIR, MB", grown["opeai_nb, into=DIR"], 8.0)


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(*sys.argv[1:])
    else:
        main()
