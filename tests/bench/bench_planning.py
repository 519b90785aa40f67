"""Planning a large batch: `batch(...)` and its table, against a loop that does the least of it.

python tests/bench/bench_planning.py [--rows 100000] [--rounds 3]

The baseline reads the same CSV, fills the same template with `str.format`, writes each request as
JSON and takes its sha256. Both run in a process of their own, in turns; memory is what each process
grew to beyond its start.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

TEMPLATE = "a poster of {city} in {style}, number {i}"
LIMITS = {"planning": 4.0, "memory_mb": 120.0}


def write_table(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["i", "city", "style", "size"])
        for number in range(rows):
            writer.writerow([number, f"city {number % 977}", f"style {number % 31}", "1024x1024"])


def bare(path: Path) -> int:
    """Read, format, write as JSON and hash each row."""
    plan = []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            prompt = TEMPLATE.format(**row)
            asked = {"prompt": prompt, "model": "qwen-image-2.0", "size": row["size"]}
            text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            plan.append((asked, hashlib.sha256(text.encode()).hexdigest()))
    return len(plan)


def ours(path: Path) -> int:
    """Plan the batch and write its table."""
    from opeai_nb.bulk.batch.batch import batch
    from opeai_nb.settings import settings
    from opeai_nb.studio import Studio

    studio = Studio(settings(api_key="sk-bench-Xq7Zk2PwMv", library=path.parent / "imagine"))
    made = batch(path, prompt=TEMPLATE, studio=studio)
    assert f"{len(made.plan)} to send" in made.table
    return len(made.plan)


def _measured(work: Callable[[Path], int], path: Path, pipe: Any) -> None:
    if work is ours:
        import opeai_nb.bulk.batch.batch
        import opeai_nb.studio  # noqa: F401  what importing costs is measured elsewhere
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu = time.process_time()
    work(path)
    pipe.send(
        (
            time.process_time() - cpu,
            (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3,
        )
    )


def measured(work: Callable[[Path], int], path: Path) -> tuple[float, float]:
    """Return processor seconds and MB of growth of *work* in a new process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_measured, args=(work, path, there))
    process.start()
    taken: tuple[float, float] = here.recv()
    process.join()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios, growths = [], []
    with tempfile.TemporaryDirectory(prefix="bench-planning-") as folder:
        path = Path(folder) / "rows.csv"
        write_table(path, options.rows)
        for number in range(options.rounds):
            (alone, least), (cpu, growth) = measured(bare, path), measured(ours, path)
            ratios.append(cpu / alone)
            growths.append(growth)
            print(
                f"  round {number + 1}: loop {alone:.2f} s, {least:.0f} MB; "
                f"batch {cpu:.2f} s, {growth:.0f} MB; ratio {ratios[-1]:.2f}",
                flush=True,
            )
    for claim, value, name in (
        ("processor of planning over the loop's, median", statistics.median(ratios), "planning"),
        ("MB of growth, median", statistics.median(growths), "memory_mb"),
    ):
        good = value <= LIMITS[name]
        print(f"  {'ok  ' if good else 'MISS'} {claim}: {value:.2f} (at most {LIMITS[name]:g})")


if __name__ == "__main__":
    main()
