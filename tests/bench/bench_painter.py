"""Painting and encoding, beside Pillow's own PNG writer on the same picture.

Run: OPENBLAS_NUM_THREADS=1 taskset -c 0 python tests/bench/bench_painter.py [side ...]
Times are the best of five in one warm process, as CPU time and by the clock; what the first call
pays for imports and caches is printed by itself. The ratio is ours (painting and encoding
together) to Pillow's PNG writer with its default settings, which is what saving a picture usually
costs, both in CPU time. Memory is the peak of a fresh process above what it held before the paint.
A row over the limit of its size (250 ms and 80 MB at 1024 x 1024, 80 ms at 512 x 512, others in
proportion to 1024) ends with "over".
"""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opeai_nb.engine.painter import encode, paint

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

PROMPTS = (
    "mountains at dawn",
    "a fox in a snowy forest at night",
    "the sea at sunset",
    "a neon city at night",
    "a cat reading by the window, watercolour",
    "a castle, oil painting",
    "a lighthouse, pixel art",
    "a bridge, ink drawing",
    "a meadow of flowers",
    "hills, low poly",
    "a portrait, poster",
    "a galaxy in space",
    "a coral reef",
    "a forest, mosaic",
    "zyx",
)


class Spent(NamedTuple):
    """Milliseconds of the processor, and by the clock."""

    cpu: float
    wall: float


def timed(act: Callable[[], Any]) -> tuple[Spent, Any]:
    """Answer what one call cost, and its answer."""
    clock, processor = time.perf_counter(), time.process_time()
    answer = act()
    cpu, wall = time.process_time() - processor, time.perf_counter() - clock
    return Spent(cpu * 1e3, wall * 1e3), answer


def best(act: Callable[[], Any], times: int = 5) -> tuple[Spent, Any]:
    """Answer the least time of each kind, and the answer."""
    runs = [timed(act) for _ in range(times)]
    return Spent(*(min(kind) for kind in zip(*(run[0] for run in runs), strict=True))), runs[0][1]


def pillow(image: Image) -> bytes:
    """Write *image* as Pillow does by default."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def peak(prompt: str, side: int) -> float:
    """Answer how many MB a fresh process needs above what it holds when idle."""
    run = subprocess.run(
        [sys.executable, __file__, "--peak", prompt, str(side)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout)


def print_peak(prompt: str, side: int) -> None:
    """Paint once and print the growth of the process in MB."""
    encode(paint("zyx", (16, 16)))  # numpy and Pillow are loaded: that is idle
    idle = memory("VmRSS")
    encode(paint(prompt, (side, side)))
    print(memory("VmHWM") - idle)


def memory(kind: str) -> float:
    """Answer the process's memory in MB: VmRSS now, VmHWM at its peak (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


def limit(side: int) -> float:
    """Answer the milliseconds that a picture may cost."""
    return 80.0 if side == 512 else 250 * side * side / 2**20


def row(prompt: str, side: int) -> tuple[float, str]:
    """Answer our CPU time and the printed line."""
    painting, image = best(lambda: paint(prompt, (side, side)))
    writing, data = best(lambda: encode(image))
    baseline, plain = best(lambda: pillow(image), 2)
    ours = Spent(painting.cpu + writing.cpu, painting.wall + writing.wall)
    grown = peak(prompt, side)
    figures = (painting.cpu, writing.cpu, ours.cpu, ours.wall, baseline.cpu)
    over = " over" if ours.cpu > limit(side) or grown > 80 * max(1, side * side / 2**20) else ""
    return ours.cpu, (
        f"{prompt[:40]:40} {side:5} "
        + " ".join(f"{one:7.0f}" for one in figures)
        + f" {ours.cpu / baseline.cpu:7.2f} {len(data) / 1024:7.0f}"
        f" {len(plain) / 1024:7.0f} {grown:7.0f}{over}"
    )


def main() -> None:
    """Print a table for each side."""
    if "--peak" in sys.argv:
        print_peak(sys.argv[2], int(sys.argv[3]))
        return
    first, _ = timed(lambda: encode(paint(PROMPTS[0], (512, 512))))
    print(
        f"first call of this process, imports included: {first.cpu:.0f} ms CPU, "
        f"{first.wall:.0f} ms by the clock\n"
    )
    heads = ("paint", "png", "CPU ms", "wall ms", "Pillow", "ratio", "KB", "PillowKB", "peak MB")
    print(f"{'prompt':40} {'side':>5} " + " ".join(f"{head:>7}" for head in heads))
    for side in [int(word) for word in sys.argv[1:]] or [512, 1024]:
        rows = [row(prompt, side) for prompt in PROMPTS]
        print("\n".join(line for _, line in rows))
        times = sorted(ours for ours, _ in rows)
        print(
            f"median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms of CPU, "
            f"limit {limit(side):.0f} ms\n"
        )


if __name__ == "__main__":
    main()
