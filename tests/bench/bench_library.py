"""How long the library takes, beside the same work done bare: python tests/bench/bench_library.py.

Keeping is compared with writing and fsyncing the same bytes, and each question to a library of
10,000 records with the budget that it has. Each line is the median of several runs, in ms.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import tempfile
import time
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opeai_nb.client import Generation, ImageRequest, Picture, Task
from opeai_nb.library import Library, Slot, identity, received_bytes
from tests.library.replaying import shown

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = 10_000
PICTURES = 4
PICTURE_BYTES = 1_450_000
RUNS = 15
WORDS = [
    "watercolour",
    "cat",
    "fox",
    "harbour",
    "winter",
    "neon",
    "library",
    "ship",
    "garden",
    "mountain",
]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        keeping(Path(folder))
        asking(Path(folder) / "many")


def keeping(folder: Path) -> None:
    pictures = [noise(n) for n in range(PICTURES)]
    library = Library(folder / "imagine")
    with_journal, ours, bare = [], [], []
    for run in range(RUNS):
        bare.append(timed(partial(write_bare, folder / "bare", pictures, run)))
        ours.append(keep_one(library, pictures, run))
        with_journal.append(timed(partial(whole_request, library, pictures, run)))
    floor = statistics.median(bare)
    print(f"keeping {PICTURES} pictures of {PICTURE_BYTES / 1e6:.2f} MB, median of {RUNS}:")
    print(f"  write and fsync the same bytes        {floor:8.1f} ms  (baseline)")
    tell("keep: provenance, record, index", statistics.median(ours), floor, 25)
    tell("the same with journal, files streamed", statistics.median(with_journal), floor, None)


def tell(name: str, found: float, floor: float, budget: float | None) -> None:
    told = f"; budget {budget} ms beyond" if budget else ""
    print(f"  {name:<38}{found:7.1f} ms  {found / floor:.2f} x, {found - floor:+.1f} ms{told}")


def keep_one(library: Library, pictures: list[bytes], run: int) -> float:
    request = ImageRequest(f"{WORDS[run % 10]} {run}", n=PICTURES)
    entry = library.begin(request, key="k", base_url="http://x", origin="platform")
    for number, data in enumerate(pictures):
        place = entry.folder / str(number)
        place.mkdir()
        (place / "picture.png").write_bytes(data)
    generation = Generation(tuple(Picture(path) for path in entry.received().values()), request)
    took = timed(lambda: library.keep(entry, generation))
    record = library.record(entry.id)
    assert [received_bytes(path.read_bytes()) for path in record.paths] == pictures
    return took


def whole_request(library: Library, pictures: list[bytes], run: int) -> None:
    request = ImageRequest(f"{WORDS[run % 10]} whole {run}", n=PICTURES)
    entry = library.begin(request, key="k", base_url="http://x", origin="platform")
    entry.sending()
    entry.submitted(Task("image_0"))
    for number, data in enumerate(pictures):
        place = entry.folder / str(number)
        place.mkdir()
        (place / "picture.png").write_bytes(data)
    generation = Generation(tuple(Picture(path) for path in entry.received().values()), request)
    entry.answered(generation)
    library.keep(entry, generation)


def write_bare(folder: Path, pictures: list[bytes], run: int) -> None:
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(pictures):
        with (folder / f"{run}-{number}.png").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def asking(folder: Path) -> None:
    fill(folder)
    requests = [ImageRequest(prompt(n)) for n in range(0, RECORDS, RECORDS // RUNS)]
    print(f"a library of {RECORDS} records, {RECORDS} pictures, median of {RUNS}:")
    rebuilt = timed(lambda: Library(folder).origins())
    row("opening without an index", rebuilt, None)

    def opened() -> None:
        library = Library(folder)
        shown(library, requests[0])
        library.close()

    row("opening and first question", median(opened), 300)
    library = Library(folder)
    library.origins()
    todo = iter(requests * 2)
    hit = median(lambda: replayed(library, next(todo)))
    row("replay lookup", hit, 5)
    row("replay lookup after each keep", statistics.median(after_keep(library, requests)), 5)
    row("replay lookup, nothing found", median(lambda: missed(library)), 5)
    row("search, one word", median(lambda: library.search("harbour")), 500)
    row("search, all of them", median(library.search), 500)
    row(
        "search, two words, model, 20 newest",
        median(lambda: library.search("cat 77", model="qwen*", limit=20)),
        500,
    )
    row("usage", median(library.usage), None)
    row("durations", median(lambda: library.durations("qwen-image-2.0", "platform")), None)


def replayed(library: Library, request: ImageRequest) -> None:
    record = shown(library, request)
    assert record is not None
    assert record.prompt == request.prompt


def missed(library: Library) -> None:
    new = ImageRequest("never asked")
    assert shown(library, new, slot=Slot("c")) is None


def after_keep(library: Library, requests: list[ImageRequest]) -> list[float]:
    found = []
    for request in requests:
        entry = library.begin(ImageRequest("new"), key="k", base_url="http://x", origin="platform")
        library.keep(entry, Generation((Picture(noise(1, 2000)),), entry.request))
        found.append(timed(partial(replayed, library, request)))
    return found


def row(name: str, found: float, budget: float | None) -> None:
    told = f"budget {budget} ms, {found / budget:.2f} of it" if budget else ""
    print(f"  {name:<38}{found:8.1f} ms  {told}")


def median(work: Callable[[], object]) -> float:
    return statistics.median(timed(work) for _ in range(RUNS))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def prompt(number: int) -> str:
    words = " ".join(WORDS[number // 10**place % 10] for place in range(4))
    return f"a picture of {words}, number {number}, in soft light with much detail"


def fill(folder: Path) -> None:
    """Write a library as earlier sessions left it: one kept for real, and its like, bare."""
    library = Library(folder)
    entry = library.begin(ImageRequest(prompt(0)), key="k", base_url="http://x", origin="platform")
    library.keep(entry, Generation((Picture(noise(0, 200)),), entry.request, {"total_tokens": 7}))
    (record,) = library.records()
    model = dict(record.stands)
    picture = record.paths[0].read_bytes()
    for path in (*record.paths, folder / record.file):
        path.unlink()
    for number in range(RECORDS):
        stem = f"2026-11-22-a-picture-of-{number}-{number:08x}"
        model["id"], model["request"]["prompt"] = f"{number:08x}", prompt(number)
        model["pictures"][0]["file"] = f"{stem}-1.png"
        (folder / f"{stem}-1.png").write_bytes(picture)
        (folder / f"{stem}.json").write_text(json.dumps(model, indent=1), encoding="utf-8")
    library.close()
    assert identity(ImageRequest(prompt(3))) != identity(ImageRequest(prompt(4)))


def noise(seed: int, size: int = PICTURE_BYTES) -> bytes:
    """Return a PNG file of about *size* bytes that does not compress."""
    side = max(4, int((size / 3) ** 0.5))
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(rows, 0)
    chunks = ((b"IHDR", head), (b"tIME", bytes([7, 232, 1, 1, 0, 0, seed])), (b"IDAT", body))
    made = b"".join(chunk(kind, content) for kind, content in (*chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + made


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


if __name__ == "__main__":
    main()
