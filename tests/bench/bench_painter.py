"""Painting and encoding, beside Pillow's own PNG writer on the same picture.

Run: python tests/bench/bench_painter.py [side ...]
Times are of one process, the best of three; the ratio is ours (painting and encoding together)
to Pillow's PNG writer with its default settings, which is what saving a picture usually costs.
"""

from __future__ import annotations

import io
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from opeai_nb.engine.painter import encode, paint

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

PROMPTS = (
    "mountains at dawn", "a fox in a snowy forest at night", "the sea at sunset",
    "a neon city at night", "a cat reading by the window, watercolour", "a castle, oil painting",
    "a lighthouse, pixel art", "a bridge, ink drawing", "a meadow of flowers", "hills, low poly",
    "a portrait, poster", "a galaxy in space", "a coral reef", "a forest, mosaic", "zyx",
)


def best(act: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Answer the shortest time in ms, and the answer."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        answer = act()
        spent.append((time.perf_counter() - started) * 1e3)
    return min(spent), answer


def pillow(image: Image) -> bytes:
    """Write *image* as Pillow does by default."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def row(prompt: str, side: int) -> tuple[float, str]:
    """Answer our time and the printed line."""
    painting, image = best(lambda: paint(prompt, (side, side)))
    writing, data = best(lambda: encode(image))
    baseline, plain = best(lambda: pillow(image), 1)
    ours = painting + writing
    tracemalloc.start()
    encode(paint(prompt, (side, side)))
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return ours, (f"{prompt[:40]:40} {side:5} {painting:7.0f} {writing:7.0f} {ours:7.0f} "
                  f"{baseline:7.0f} {ours / baseline:7.2f} {len(data) / 1024:7.0f} "
                  f"{len(plain) / 1024:7.0f} {peak:7.0f}")


def main() -> None:
    """Print a table for each side."""
    heads = ("paint", "png", "ours", "Pillow", "ratio", "KB", "PillowKB", "numpyMB")
    print(f"{'prompt':40} {'side':>5} " + " ".join(f"{head:>7}" for head in heads))
    for side in [int(word) for word in sys.argv[1:]] or [512, 1024]:
        rows = [row(prompt, side) for prompt in PROMPTS]
        print("\n".join(line for _, line in rows))
        times = sorted(ours for ours, _ in rows)
        print(f"median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms\n")


if __name__ == "__main__":
    main()
