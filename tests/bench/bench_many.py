"""Many pictures through one process, and through a Dask cluster, against named baselines.

python tests/bench/bench_many.py [--requests 10000] [--only throughput|growth|cluster] [--fsync 5]

The server is another process: the engine with a canned painter (`--server engine`), or answers
prepared beforehand (`--server prepared`), which take less of the two processors. The baseline is a
bare asyncio + httpx loop with the same concurrency, which writes and fsyncs the same files: a
journal with its two notes, the picture and the record. With `--fsync` each wait for the disk takes
so many milliseconds, for both, instead of what this machine's disk takes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.loopback import GENERATIONS, b64_body, http_answer, noisy_png, prepared_server

KEY = "sk-bench-Xq7Zk2PwMv"
SIDE = 128
CONCURRENCY = 16
LIMITS = {"throughput": 1.0, "growth_mb": 30.0, "cost": 1.1, "cluster": 1.5}


class Canned:
    """A painter that has one picture ready."""

    def __init__(self, side: int) -> None:
        self._data = noisy_png(side)
        self._image = Image.new("RGB", (1, 1))

    def paint(self, *_: Any, **__: Any) -> Image.Image:
        """Paint nothing: the engine looks only at what is noted on it."""
        return self._image

    edit = paint

    def encode(self, *_: Any, **__: Any) -> bytes:
        return self._data


def _serve_engine(pipe: Any, side: int) -> None:
    from opeai_nb.engine import Engine, serve

    serve(Engine(painter=Canned(side)), on_listening=pipe.send)


@contextmanager
def engine_server(side: int = SIDE) -> Iterator[str]:
    """Serve the engine with a canned painter from another process; yields the base URL."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve_engine, args=(theirs, side), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


@contextmanager
def server(kind: str) -> Iterator[str]:
    if kind == "engine":
        with engine_server() as url:
            yield url
    else:
        with prepared_server({GENERATIONS: http_answer(b64_body([noisy_png(SIDE)]))}) as url:
            yield url


# -- the baseline


def bare(url: str, folder: Path, count: int) -> None:
    """Send *count* requests with httpx, and write and fsync journal, picture and record of each."""
    import httpx

    threads = ThreadPoolExecutor(CONCURRENCY)

    async def one(http: httpx.AsyncClient, number: int) -> None:
        loop = asyncio.get_running_loop()
        asked = {"model": "qwen-image-2.0", "prompt": f"picture {number}", "size": "512x512"}
        journal = folder / f"{number}.journal"
        await loop.run_in_executor(threads, intend, journal, asked)
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": str(number)}
        answer = await http.post(f"{url}{GENERATIONS}", json=asked, headers=headers)
        answer.raise_for_status()
        await loop.run_in_executor(threads, keep, folder, journal, number, asked, answer.json())

    async def main() -> None:
        numbers = iter(range(count))

        async def hand(http: httpx.AsyncClient) -> None:
            for number in numbers:
                await one(http, number)

        async with httpx.AsyncClient(timeout=300) as http:
            await asyncio.gather(*(hand(http) for _ in range(CONCURRENCY)))

    asyncio.run(main())


def intend(journal: Path, asked: dict[str, Any]) -> None:
    """Note what is sent now."""
    durable(journal, json.dumps({"request": asked, "state": "sending"}).encode() + b"\n")


def keep(folder: Path, journal: Path, number: int, asked: Any, answer: dict[str, Any]) -> None:
    """Note the answer, write picture and record, and remove the journal."""
    durable(journal, json.dumps({"state": "fetching", "usage": answer["usage"]}).encode(), "ab")
    picture = base64.b64decode(answer["data"][0]["b64_json"])
    durable(folder / f"{number}.png.part", picture)
    record = {"request": asked, "usage": answer["usage"], "files": [f"{number}.png"]}
    durable(folder / f"{number}.json.part", json.dumps(record, indent=2).encode())
    (folder / f"{number}.png.part").rename(folder / f"{number}.png")
    (folder / f"{number}.json.part").rename(folder / f"{number}.json")
    journal.unlink()


def durable(path: Path, data: bytes, mode: str = "xb") -> None:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# -- ours


def ours(url: str, folder: Path, count: int, on_settled: Callable[[int], object] = id) -> None:
    """Send *count* requests as a sweep does: journal, picture, provenance, record, index."""
    from opeai_nb.bulk.sweep.sweep import sweep
    from opeai_nb.settings import settings
    from opeai_nb.studio import Studio

    studio = Studio(settings(base_url=url, api_key=KEY, library=folder))
    made = sweep("picture {i}", i=range(count), size="512x512", studio=studio)
    run = made.start(concurrency=CONCURRENCY)
    for progress in run.follow():
        on_settled(progress.settled)
    assert run.progress.done == count, run.final


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and the processor seconds of *work*."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="bench-many-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def throughput(kind: str, count: int, rounds: int) -> None:
    """Compare in turns of *count* / *rounds* requests, so that a slow moment hits both."""
    each = max(1, count // rounds)
    walls, processors = [], []
    for number in range(rounds):
        taken = {}
        for name, work in (("bare loop", bare), ("sweep", ours)):
            with server(kind) as url, folder() as place:
                taken[name] = timed(lambda: work(url, place, each))  # noqa: B023  called at once
        (bare_wall, bare_cpu), (our_wall, our_cpu) = taken["bare loop"], taken["sweep"]
        walls.append(bare_wall / our_wall)
        processors.append(bare_cpu / our_cpu)
        print(
            f"  round {number + 1}: bare {each / bare_wall:4.0f}/s, {bare_cpu / each * 1e3:5.2f} "
            f"ms of processor; sweep {each / our_wall:4.0f}/s, {our_cpu / each * 1e3:5.2f} ms; "
            f"ratio {walls[-1]:.2f}, by processor {processors[-1]:.2f}",
            flush=True,
        )
    print(f"  by processor, median: {statistics.median(processors):.2f}")
    verdict("throughput over the bare loop's, median", statistics.median(walls), "throughput")


def growth(kind: str, count: int) -> None:
    """Memory and cost between the first tenth and the end."""
    first = count // 10
    seen: list[tuple[int, float, float, float]] = []

    def look(settled: int) -> None:
        seen.append((settled, rss_mb(), time.perf_counter(), time.process_time()))

    with server(kind) as url, folder() as place:
        ours(url, place, count, look)
    early = next(item for item in seen if item[0] >= first)
    half = next(item for item in seen if item[0] >= first // 10)
    late = next(item for item in seen if item[0] >= count - first)
    end = seen[-1]
    at_first = (early[3] - half[3]) / (early[0] - half[0])
    at_end = (end[3] - late[3]) / (end[0] - late[0])
    print(f"  memory: {early[1]:.0f} MB at {early[0]}, {end[1]:.0f} MB at {end[0]}")
    print(f"  processor: {at_first * 1e3:.2f} ms a request early, {at_end * 1e3:.2f} ms at the end")
    verdict("MB of growth", end[1] - early[1], "growth_mb", most=True)
    verdict("cost at the end over the cost early", at_end / at_first, "cost", most=True)


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- the cluster


def slow_disk(milliseconds: float) -> None:
    """Let each fsync of this process take so long, and nothing else."""

    def fsync(fd: object) -> None:
        del fd  # what is waited for is the time alone
        time.sleep(milliseconds / 1e3)

    os.fsync = fsync


def thumbnail(generation: Any) -> int:
    """Decode a picture of 1024 x 1024 and make its thumbnail: work for a processor."""
    image = generation.image.convert("RGB").resize((512, 512), 1)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.tell()


def cluster(count: int, rounds: int) -> None:
    """Decode and thumbnail what is kept, in turns: on one processor, in threads, on two workers.

    Pillow lets go of the lock, so one process with threads has both processors already, and two
    workers cannot beat it on one machine; they are compared with one process on one processor.
    """
    from distributed import Client, LocalCluster

    from opeai_nb.bulk.sweep.sweep import sweep
    from opeai_nb.settings import settings
    from opeai_nb.studio import Studio

    os.environ["OPEAI_API_KEY"] = KEY
    taken: dict[str, list[float]] = {"one processor": [], "two workers": [], "threads": []}
    with (
        engine_server(side=1024) as url,
        folder() as place,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
        Client(local) as client,
    ):
        studio = Studio(settings(base_url=url, api_key=KEY, library=place))
        made = sweep("picture {i}", i=range(count), size="1024x1024", studio=studio)
        made.run()  # the pictures first: the work alone is compared
        for number in range(rounds + 1):
            for name, on, most in (
                ("one processor", None, 1),
                ("two workers", client, 8),
                ("threads", None, 8),
            ):
                made.outcomes.clear()
                wall, _ = timed(lambda: made.run(on=on, concurrency=most, then=thumbnail))  # noqa: B023
                assert len(made.generations) == count
                taken[name] += [wall] * bool(number)  # the first round warms up
    for name, found in taken.items():
        print(f"  {name:<14} {statistics.median(found):.2f} s for {count} pictures")
    pairs = zip(taken["one processor"], taken["two workers"], strict=True)
    ratios = [alone / shared for alone, shared in pairs]
    verdict(
        "one process on one processor over two workers, median",
        statistics.median(ratios),
        "cluster",
    )


def verdict(claim: str, value: float, limit: str, *, most: bool = False) -> None:
    bound = LIMITS[limit]
    good = value <= bound if most else value >= bound
    word = "at most" if most else "at least"
    print(
        f"  {'ok  ' if good else 'MISS'} {claim}: {value:.2f} (target: {word} {bound:g})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--server", choices=("engine", "prepared"), default="engine")
    parser.add_argument("--only", choices=("throughput", "growth", "cluster"))
    parser.add_argument("--fsync", type=float, metavar="MS")
    options = parser.parse_args()
    if options.fsync is not None:
        slow_disk(options.fsync)
    if options.only in (None, "throughput"):
        print(f"\nthroughput, server: {options.server}")
        throughput(options.server, options.requests, options.rounds)
    if options.only in (None, "growth"):
        print(f"\ngrowth over {options.requests} requests, server: {options.server}")
        growth(options.server, options.requests)
    if options.only in (None, "cluster"):
        print("\ncluster on two processors")
        cluster(60, 3)


if __name__ == "__main__":
    main()
