"""What planning a batch costs, in calls, which no load of the machine changes.

A hundred thousand rows are planned in seconds (`tests/bench/bench_planning.py`) as long as a row
costs the same among many as among few, and its identity is computed once.
"""

from __future__ import annotations

import csv
import gc
import sys
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.bulk.batch.batch import Reading, batch, reading_text
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.bulk.batch.source_table import told
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.errors import InputError
from opeai_nb.library import identity
from tests.profiled import profiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opeai_nb.studio import Studio

FEW, MANY = 100, 600


def write_table(folder: Path, count: int) -> Path:
    path = folder / f"{count}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["i", "city", "size"])
        writer.writerows([i, f"city {i % 7}", "1024x1024"] for i in range(count))
    return path


def calls_of(work: Callable[[], object]) -> Counter[str]:
    """Return how often each function of Python was called by *work*."""
    calls: Counter[str] = Counter()

    def count(frame: Any, event: str, _: object) -> None:
        if event == "call":
            calls[frame.f_code.co_qualname] += 1

    gc.collect()
    gc.disable()  # what others have garbage for, and Hypothesis' clock of it, is called in any work
    try:
        with profiled(count):
            work()
    finally:
        gc.enable()
    return calls


def test_a_row_costs_the_same_among_many_and_its_identity_is_computed_once(
    studio: Studio, tmp_path: Path
) -> None:
    def planned(count: int) -> Counter[str]:
        path = write_table(tmp_path, count)
        return calls_of(
            lambda: batch(path, prompt="{city}, number {i}", studio=studio, quiet=True).table
        )

    planned(FEW)  # what is made with the first
    few, many = planned(FEW), planned(MANY)
    assert many["identity_of"] == MANY
    assert (many.total() - few.total()) / (MANY - FEW) <= 50


def test_rows_with_the_same_cells_ask_what_each_would_ask_alone() -> None:
    rows = [
        {"prompt": " a fox ", "n": 1, "size": "16:9", "watermark": False},
        {"prompt": "an owl", "n": 1, "size": "16:9", "watermark": False},
        {"prompt": "a hare", "n": 1.0, "size": "16:9", "watermark": 0},
        {"prompt": "a hare", "n": 2, "quality": "low", "extra": {"a": 1}},
    ]
    with pytest.raises(InputError, match="Row 3: watermark is 0"):
        rows_of(rows, None, {})
    rows[2]["watermark"] = True
    points = rows_of(rows, None, {"user": "ann"}).plan
    for row, point in zip(rows, points, strict=True):
        alone = build_request(None, {**row, "n": int(str(row["n"])[0]), "user": "ann"})
        assert point.request == alone
        assert repr(point.request) == repr(alone)
        assert point.identity == identity(alone)


def test_a_request_for_another_prompt_is_checked_as_any() -> None:
    made = ImageRequest("a fox", n=2).for_prompts()
    assert made("an owl") == ImageRequest("an owl", n=2)
    for bad in ("", "  ", "\ud800"):
        with pytest.raises(InputError):
            made(bad)


def test_a_bad_row_among_many_is_told_with_its_number(tmp_path: Path) -> None:
    path = write_table(tmp_path, MANY)
    text = path.read_text().replace("499,city 2,1024x1024", "499,city 2,12")
    path.write_text(text)
    with pytest.raises(InputError, match="Row 501: '12' is not a size"):
        rows_of(path, "{city} {i}", {})


def test_who_plans_many_rows_is_told_from_the_first_thousands_on(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch(write_table(tmp_path, 11_000), prompt="{city} {i}", studio=studio)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "10,000 rows read"
    assert told[-1] == "11,000 of 11,000 rows planned"
    assert len(told) <= 3
    batch(write_table(tmp_path, MANY), prompt="{city} {i}", studio=studio)
    assert capsys.readouterr().err == ""


class KernelStream(StringIO):
    """Standard error of a notebook."""

    __module__ = "ipykernel.iostream"


@pytest.mark.parametrize(
    ("stream", "counts"), [(StringIO, (8, 24, 56, 120, 248, 400)), (KernelStream, ())]
)
def test_who_plans_few_rows_that_take_long_is_told_from_the_first_second_on(
    monkeypatch: pytest.MonkeyPatch, stream: type[StringIO], counts: tuple[int, ...]
) -> None:
    """An edit's picture is read with its row: five thousand of them take a minute.

    A notebook would keep other lines in each run.
    """
    now = 0.0

    def slow() -> Iterator[int]:
        nonlocal now
        for number in range(400):
            now += 0.125
            yield number

    console = stream()
    monkeypatch.setattr(sys, "stderr", console)
    reading = Reading(lambda: now)
    for _ in told(slow(), lambda count: reading(count, 400), lambda: now):
        pass
    assert console.getvalue().splitlines() == [f"{n} of 400 rows planned" for n in counts]


def test_a_terminal_sees_each_step_and_a_log_each_doubling_and_the_end() -> None:
    steps = range(1_000, 100_001, 1_000)
    shown = [reading_text(count, 100_000, is_terminal=True) for count in steps]
    assert shown[0] == "\r1,000 of 100,000 rows planned"
    assert shown[-1] == "\r100,000 of 100,000 rows planned\n"
    logged = "".join(reading_text(count, 100_000, is_terminal=False) for count in steps)
    assert [line.split(" ", 1)[0] for line in logged.splitlines()] == [
        *("10,000", "20,000", "40,000", "80,000", "100,000")
    ]
