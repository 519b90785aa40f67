"""A library of 100,000 records: opening it, replaying from it, and making its index anew.

python tests/bench/bench_large_library.py [--records N] [--rounds 3] [--only rebuilt] [--at DIR]

Each figure is a ratio against a baseline of the same round. Rounds alternate, so that a machine
that is busy slows both; of each the median counts. *--at* keeps the libraries there for another
run.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.values.filename import slug
from opeai_nb.library import Library, Session, Slot, identity
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.replay.replay import decide
from tests.bench.bench_library import WORDS

LIMITS: Final = {
    "opened": (1.5, "reopen and search / scandir with one stat for each record"),
    "replayed": (1.0, "first replay / reopen and search"),
    "warm": (5.0, "ms of a warm replay"),
    "rebuilt": (1.3, "index made anew / reading and json.loads of the same files"),
    "growing": (500.0, "ms of a replay while the index is made, and of keeping a new picture"),
    "kept": (1.2, "a new picture among all / among 100"),
    "page": (1.5, "the gallery's first page among all / among 1,000"),
}
PAGE: Final = 24
SERVER: Final = "http://x"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=LIMITS)
    parser.add_argument("--at", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-library-") as passing:
        place = options.at or Path(passing)
        os.environ["OPEAI_NB_CACHE"] = str(place / "cache")
        shelves = Shelves(place, options.records)
        for name in options.only or LIMITS:
            tell(name, [getattr(shelves, name)() for _ in range(options.rounds)])


def tell(name: str, rounds: list[tuple[float, float]]) -> None:
    """Print one figure: the median of the rounds' ratios, each of seconds by seconds."""
    most, what = LIMITS[name]
    value = statistics.median(ours / base for ours, base in rounds)
    told = "  ".join(f"{ours * 1e3:.1f}:{base * 1e3:.1f}" for ours, base in rounds)
    good = "ok  " if value <= most else "MISS"
    print(f"  {good} {what}: {value:.2f} (at most {most:g})   [ms {told}]", flush=True)


class Shelves:
    """Libraries of several sizes below *place*; each method is one round of a figure.

    A round returns its seconds and those of its baseline.
    """

    def __init__(self, place: Path, records: int) -> None:
        self.large, self.medium, self.small = (
            fill(place / f"{size}" / "imagine", size) for size in (records, 1_000, 100)
        )
        for folder in (self.large, self.medium, self.small):
            library = Library(folder)
            library.origins()
            library.close()
        self._round = 0

    def opened(self) -> tuple[float, float]:
        base = timed(lambda: scan(self.large))
        return timed(lambda: reopen(self.large)), base

    def replayed(self) -> tuple[float, float]:
        base = timed(lambda: reopen(self.large))
        return timed(lambda: replay(self._library(self.large), self._next())), base

    def warm(self) -> tuple[float, float]:
        library = self._library(self.large)
        replay(library, self._next())
        return statistics.median(
            timed(lambda: replay(library, self._next())) for _ in range(9)
        ), 1e-3

    def rebuilt(self) -> tuple[float, float]:
        base = timed(lambda: read(self.large))
        file = index_file(self.large)
        file.unlink()
        library = self._library(self.large)
        took = timed(library.origins)
        library.close()
        return took, base

    def growing(self) -> tuple[float, float]:
        index_file(self.large).unlink()
        library = self._library(self.large)
        times = [timed(lambda: replay(library, self._next()))]
        times.append(timed(lambda: keep(library, self._next())))
        assert library.growth() is not None
        times.append(timed(lambda: replay(library, self._next())))
        times.append(timed(lambda: keep(library, self._next())))
        assert library.growth() is not None
        library.origins()  # until it is made
        library.close()
        return max(times), 1e-3

    def kept(self) -> tuple[float, float]:
        large, small = (self._library(folder) for folder in (self.large, self.small))
        for library in (large, small):
            keep(library, self._next())
        times = [
            (timed(lambda: keep(large, self._next())), timed(lambda: keep(small, self._next())))
            for _ in range(21)
        ]
        ours, base = zip(*times, strict=True)
        return statistics.median(ours), statistics.median(base)

    def page(self) -> tuple[float, float]:
        large, medium = (self._library(folder) for folder in (self.large, self.medium))
        for library in (large, medium):
            library.origins()
        times = [(timed(lambda: page(large)), timed(lambda: page(medium))) for _ in range(9)]
        ours, base = zip(*times, strict=True)
        return statistics.median(ours), statistics.median(base)

    @staticmethod
    def _library(folder: Path) -> Library:
        return Library(folder, metadata=False)

    def _next(self) -> int:
        self._round += 1
        return self._round


def reopen(folder: Path) -> None:
    library = Library(folder)
    assert len(library.search("harbour", limit=PAGE)) == PAGE
    library.close()


def replay(library: Library, number: int) -> None:
    request = identity(asked(number))
    look = library.look(
        request, Session(), origins={"platform"}, server=SERVER, prompt=prompt(number)
    )
    choice = decide(look.scene, Slot("c"), fresh=False)
    assert choice.does == "show"
    record = library.kept(look.files[str(choice.take)])
    assert record is not None
    assert record.prompt == prompt(number)


def keep(library: Library, number: int) -> None:
    """Do what a cell does for a picture that is not there: look, begin, keep."""
    request = ImageRequest(f"a new picture, {number} of {time.time_ns()}")
    name, slot = identity(request), Slot("new")
    with library.claim(name):
        look = library.look(
            name, Session(), origins={"platform"}, server=SERVER, prompt=request.prompt
        )
        assert decide(look.scene, slot, fresh=False).does == "send"
        entry = library.begin(request, key="k", base_url=SERVER, origin="platform", slot=slot)
    entry.sending()
    library.keep(entry, Generation((Picture(PNG),), request))


def page(library: Library) -> None:
    assert len([*islice(library.records(), PAGE)]) == PAGE


def scan(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                total += entry.stat(follow_symlinks=False).st_size
    return total


def read(folder: Path) -> int:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.endswith(".json")]
    count = 0
    for name in names:
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123  a Path for each costs more
            count += len(json.loads(file.read())["pictures"])
    return count


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def prompt(number: int) -> str:
    words = " ".join(WORDS[number // 10**place % 10] for place in range(4))
    return f"{words}, a picture, number {number}, in soft light with much detail"


def asked(number: int) -> ImageRequest:
    return ImageRequest(prompt(number), size="1024x1024")


def fill(folder: Path, size: int) -> Path:
    """Write a library as earlier sessions left it: one kept for real, and its like, bare."""
    if folder.is_dir():
        return folder
    library = Library(folder)
    request = asked(0)
    entry = library.begin(request, key="k", base_url=SERVER, origin="platform", slot=Slot("c0"))
    library.keep(entry, Generation((Picture(PNG),), request, {"total_tokens": 7}))
    (record,) = library.records()
    picture = record.paths[0].read_bytes()
    for path in (*record.paths, folder / record.file):
        path.unlink()
    stands: dict[str, Any] = copy.deepcopy(dict(record.stands))
    for number in range(size):
        stem = f"2026-{number % 12 + 1:02}-{number % 27 + 1:02}-{slug(prompt(number))}-{number:08x}"
        stands["id"], stands["request"] = (
            f"{number:08x}",
            {**record.written, "prompt": prompt(number)},
        )
        stands["slot"] = {"cell": f"c{number}", "call": 1}
        stands["pictures"][0]["file"] = f"{stem}-1.png"
        (folder / f"{stem}-1.png").write_bytes(picture)
        (folder / f"{stem}.json").write_bytes(replace(record, stands=dict(stands)).dumps())
    library.close()
    return folder


PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015e4bd5c30000000049454e44ae426082"
)

if __name__ == "__main__":
    main()
