"""Finding things, and counting them."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, Picture, Task
from opeai_nb.errors import LibraryError, OptionError
from opeai_nb.library import Entry, Library, UsageRow
from opeai_nb.prices.price_list import price_list
from tests.library.conftest import Clock

DAY = 86_400


@pytest.fixture
def found(library: Library) -> Callable[..., Any]:
    """Return the prompts that a search finds."""
    return lambda *args, **bounds: [record.prompt for record in library.search(*args, **bounds)]


@pytest.fixture
def three(keep: Callable[..., Generation], clock: Clock) -> None:
    keep("A watercolour CAT", model="qwen-image-2.0")
    clock.pass_(DAY)
    keep("a dog by the straße", model="gpt-image-2", origin="engine")
    clock.pass_(DAY)
    keep("水彩 cat", model="gpt-image-2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["水彩 cat", "a dog by the straße", "A watercolour CAT"]),
        ("cat", ["水彩 cat", "A watercolour CAT"]),
        ("CAT water", ["A watercolour CAT"]),
        ("STRASSE", ["a dog by the straße"]),
        ("水彩", ["水彩 cat"]),
        ("gpt-image", ["水彩 cat", "a dog by the straße"]),
        ("horse", []),
        ("100%_'\"", []),
    ],
)
def test_every_word_is_looked_for(
    three: None, found: Callable[..., Any], text: str, expected: list[Any]
) -> None:
    assert found(text) == expected


def test_bounds(three: None, found: Callable[..., Any], clock: Clock) -> None:
    assert found(model="gpt-image-2") == ["水彩 cat", "a dog by the straße"]
    assert found(model="qwen*") == ["A watercolour CAT"]
    assert found(model="gpt") == []
    assert found(origin="engine") == ["a dog by the straße"]
    assert found("cat", limit=1) == ["水彩 cat"]
    assert found(limit=0) == []
    assert found(since=clock.now - DAY) == ["水彩 cat", "a dog by the straße"]
    assert found(until=clock.now - DAY) == ["A watercolour CAT"]


def test_days_are_meant_whole(three: None, found: Callable[..., Any], clock: Clock) -> None:
    middle = dt.datetime.fromtimestamp(clock.now - DAY).astimezone()
    expected = ["a dog by the straße"]
    assert found(since=middle.date(), until=middle.date()) == expected
    assert found(since=str(middle.date()), until=str(middle.date())) == expected
    assert found(since=middle, until=middle + dt.timedelta(hours=1)) == expected
    assert found(since=middle.isoformat(), until=middle.replace(tzinfo=None)) == []


def test_a_date_that_is_none_is_an_error(found: Callable[..., Any]) -> None:
    with pytest.raises(OptionError, match="Write it as 2026-11-22"):
        found(since="yesterday")


def test_what_the_model_made_of_the_prompt_is_found(
    begin: Callable[..., Entry],
    library: Library,
    found: Callable[..., Any],
    picture: Callable[..., bytes],
) -> None:
    entry = begin("a cat")
    revised = Picture(picture(), revised_prompt="a Siberian feline")
    library.keep(entry, Generation((revised,), entry.request))
    assert found("siberian") == ["a cat"]


def test_the_last_twenty_durations_of_a_model_newest_last(
    begin: Callable[..., Entry], library: Library, clock: Clock, picture: Callable[..., bytes]
) -> None:
    for n in range(25):
        entry = begin("x", model="gpt-image-2")
        entry.sending()
        if n % 12 != 3:  # n = 3 and 15 are answered at once: no tasks
            entry.submitted(Task("t"))
        clock.pass_(float(n))
        generation = Generation((Picture(picture()),), entry.request)
        entry.answered(generation)
        library.keep(entry, generation)
    expected = tuple(float(n) for n in range(25) if n % 12 != 3)[-20:]
    assert library.durations("gpt-image-2", "platform") == pytest.approx(expected, abs=1e-3)
    assert library.durations("gpt-image-2", "platform", tasks=False) == pytest.approx((3, 15))
    assert library.durations("gpt-image-2", "engine") == ()
    assert library.durations("another", "platform") == ()


def test_a_task_that_another_process_finished_has_no_duration(
    begin: Callable[..., Entry], library: Library, clock: Clock, picture: Callable[..., bytes]
) -> None:
    entry = begin("x")
    entry.sending()
    entry.submitted(Task("t"))
    found = library.entry(entry.id)
    clock.pass_(3600)
    generation = Generation((Picture(picture()),), entry.request, task_id="t")
    found.answered(generation)
    library.keep(found, generation)
    assert library.durations("qwen-image-2.0", "platform") == ()


def test_usage_by_day_and_model(
    keep: Callable[..., Generation], library: Library, clock: Clock, picture: Callable[..., bytes]
) -> None:
    keep("x", pictures=[picture(), picture("JPEG")], usage={"total_tokens": 10})
    keep("y", usage={"input_tokens": 3, "output_tokens": 4, "total_tokens": 0})
    keep("z", model="gpt-image-2", origin="engine", usage={"generated_images": 1})
    clock.pass_(DAY)
    keep("x", usage={"total_tokens": "many"})
    usage = library.usage()
    assert usage == [
        UsageRow("2026-11-23", "qwen-image-2.0", "platform", 1, 1, 0),
        UsageRow("2026-11-22", "gpt-image-2", "engine", 1, 1, 0),
        UsageRow("2026-11-22", "qwen-image-2.0", "platform", 2, 3, 17),
    ]
    assert (usage.total.requests, usage.total.pictures, usage.total.tokens) == (4, 5, 17)
    assert [row.day for row in library.usage(since=clock.now - 1)] == ["2026-11-23"]


PRICES = price_list(
    {
        "currency": "EUR",
        "price": [
            {"model": "qwen-*", "picture": "0.04"},
            {"model": "qwen-*", "size": "2048x2048", "picture": "0.1"},
            {"model": "gpt-*", "input_tokens": 5, "output_tokens": 40},
        ],
    }
)


def test_usage_tells_what_the_platform_was_paid(
    keep: Callable[..., Generation], library: Library, picture: Callable[..., bytes]
) -> None:
    keep("x", pictures=[picture(), picture()])
    keep("y", size="2048x2048")
    keep("z", origin="engine")
    keep("told", model="gpt-image-2", usage={"input_tokens": 100, "output_tokens": 1000})
    keep("not told", model="gpt-image-2", usage={"input_tokens": "many"})
    keep("no price", model="dall-e-3")
    told = {(row.model, row.origin): str(row.cost) for row in library.usage(prices=PRICES)}
    assert told == {
        ("qwen-image-2.0", "platform"): "0.18 EUR",
        ("qwen-image-2.0", "engine"): "None",
        ("gpt-image-2", "platform"): "0.0405 EUR and 1 request without a price",
        ("dall-e-3", "platform"): "1 request without a price",
    }
    total = library.usage(prices=PRICES).total
    assert str(total.cost) == "0.2205 EUR and 2 requests without a price"
    assert (total.requests, total.pictures) == (6, 7)
    assert [replace(row, cost=None) for row in library.usage(prices=PRICES)] == library.usage()


def test_usage_is_written_as_a_table_for_spreadsheets(
    keep: Callable[..., Generation], library: Library, tmp_path: Path
) -> None:
    keep("x", model="=cmd|' /C calc'!A0")
    keep("y")
    path = library.usage(prices=PRICES).save(tmp_path / "use.csv")
    with path.open(encoding="utf-8", newline="") as file:
        formula, row = sorted(csv.DictReader(file), key=lambda row: row["model"])
    assert formula["model"].startswith("'=")
    assert (row["model"], row["pictures"], row["cost"], row["currency"]) == (
        *("qwen-image-2.0", "1", "0.04", "EUR"),
    )


def test_the_records_of_each_tag(keep: Callable[..., Generation], library: Library) -> None:
    for prompt in ("x", "y"):
        keep(prompt)
    x, y = (record.id for record in library.records(newest_first=False))
    library.mark(x, tag=["Zoo", "art"])
    library.mark(y, tag=["art"])
    assert {tag: sorted(ids) for tag, ids in library.tagged().items()} == {
        "art": sorted([x, y]),
        "Zoo": [x],
    }


@pytest.mark.skipif(importlib.util.find_spec("pandas") is not None, reason="pandas is there")
def test_without_pandas_the_export_says_what_to_install(library: Any) -> None:
    for export in (library.to_dataframe, library.usage().to_dataframe):
        with pytest.raises(LibraryError, match="pip install pandas"):
            export()


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not there")
def test_with_pandas_records_and_usage_are_tables(three: None, library: Library) -> None:
    table = library.to_dataframe()
    assert list(table["prompt"]) == ["A watercolour CAT", "a dog by the straße", "水彩 cat"]
    assert library.usage().to_dataframe()["pictures"].sum() == 3
