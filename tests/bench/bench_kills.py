"""A table over a Dask cluster of four workers, two of which are killed: POSTs, rows, and the time.

python tests/bench/bench_kills.py [--rows 1000] [--task] [--rounds 1]

The baseline is the same table on the same cluster without a kill. Both are killed when a
third of the rows are settled; the wait for the workers that Dask starts in their place is measured
beside it. With `--task` the model answers with a task, which a later run finishes; a model
that answers at once leaves the rows that were in flight *unknown*.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.loopback import verdict
from tests.canned import Canned

KEY = "sk-bench-Xq7Zk2PwMv"
WORKERS, KILLED, CONCURRENCY = 4, 2, 16
SIZE = "512x512"


def _serve(pipe: Any) -> None:
    """Serve the engine; tell its URL, then the keys of all POSTs whenever somebody asks."""
    from opeai_nb.engine import Engine, serve

    engine = Engine(painter=Canned(), latency=0.1, task_seconds=(0.2, 0.4))

    def tell() -> None:
        while pipe.recv():
            pipe.send([r.idempotency_key for r in engine.requests if r.method == "POST"])

    threading.Thread(target=tell, daemon=True).start()
    serve(engine, on_listening=pipe.send)


@contextmanager
def engine_server() -> Iterator[tuple[str, Any]]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        process.terminate()
        process.join()


def kill_two(run: Any, client: Any, settled: int) -> float:
    """Kill two workers at once when so many rows are settled; return the seconds without them."""
    while run.progress.settled < settled:
        if run.wait(0.02):
            raise SystemExit("The run was over before the kill: take more rows.")
    victims = sorted(client.run(os.getpid).values())[:KILLED]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    # Dask gives a new worker the address of the old one: it is told by its process.
    while not are_others(client.run(os.getpid, on_error="return").values(), victims):
        time.sleep(0.05)
    return time.monotonic() - killed


def are_others(processes: Collection[object], victims: Collection[int]) -> bool:
    are_there = len(processes) == WORKERS and all(isinstance(each, int) for each in processes)
    return are_there and not {*victims} & {*processes}


def states_of(made: Any) -> dict[str, int]:
    return dict(Counter(row["status"] for row in made.manifest))


def timed(client: Any, url: str, rows: int, model: str, *, kills: bool) -> dict[str, Any]:
    from opeai_nb.bulk.batch.batch import batch
    from opeai_nb.settings import settings
    from opeai_nb.studio import Studio

    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(settings(base_url=url, api_key=KEY, library=Path(folder)))
        table = [{"prompt": f"{kills} picture {number}"} for number in range(rows)]
        made = batch(table, studio=studio, model=model, size=SIZE)
        began = time.monotonic()
        run = made.start(on=client, concurrency=CONCURRENCY)
        wait = kill_two(run, client, rows // 3) if kills else 0.0
        made.wait()
        taken = time.monotonic() - began
        states, after = states_of(made), states_of(made.run())
        return {"seconds": taken, "wait": wait, "states": states, "after": after}


def main(rows: int, rounds: int, *, task: bool) -> None:
    from distributed import Client, LocalCluster

    os.environ["OPEAI_API_KEY"] = KEY
    model = "gpt-image-2" if task else "qwen-image-2.0"
    with (
        engine_server() as (url, pipe),
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as local,
        Client(local) as client,
    ):
        timed(client, url, 4 * CONCURRENCY, model, kills=False)  # the workers import what they need
        for _ in range(rounds):
            whole = timed(client, url, rows, model, kills=False)
            pipe.send(True)
            before = len(pipe.recv())
            cut = timed(client, url, rows, model, kills=True)
            pipe.send(True)
            keys = pipe.recv()[before:]
            print(f"without a kill {whole['seconds']:.1f} s: {whole['states']}")
            print(
                f"with two kills {cut['seconds']:.1f} s: {cut['states']}, run again {cut['after']}"
            )
            print(f"  Dask's new workers after {cut['wait']:.1f} s")
            verdict("POSTs / rows", len(keys) / rows, 1)
            verdict("POSTs of one row, at most", max(Counter(keys).values()), 1)
            bound = 1.2 * whole["seconds"] + cut["wait"]
            verdict("seconds / (1.2 x without a kill, and the wait)", cut["seconds"] / bound, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--task", action="store_true")
    main(**vars(parser.parse_args()))
