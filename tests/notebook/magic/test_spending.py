"""What a notebook says of money: before it sends, at its limits, and afterwards."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.errors import OptionError, SessionLimitError
from tests.notebook.shell import Cells

PRICES = {"currency": "EUR", "price": [{"model": "qwen-image-2.0", "picture": "0.04"}]}


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    shared.begin(tmp_path, prices=PRICES)
    shared.session.folder = tmp_path
    return shared


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-n 3 a fox", "1 request, 3 pictures, 0.12 EUR. Nothing was sent."),
        ("-m dall-e-3 a fox", "1 request, 1 picture, 1 request without a price. Nothing was sent."),
        ("a {red|blue} fox", "2 to send (2 pictures, 0.08 EUR)"),
    ],
)
def test_a_dry_run_says_what_it_would_cost(cells: Cells, line: str, told: str) -> None:
    assert told in repr(cells.run(f"%imagine --dry-run {line}"))
    assert cells.sent == []


def test_max_cost_holds_a_cell_back(cells: Cells) -> None:
    with pytest.raises(OptionError, match=r"cost 0\.08 EUR, more than max_cost \(0\.05 EUR\)"):
        cells.run("%imagine --max-cost 0.05 -n 2 a fox")
    with pytest.raises(OptionError, match=r"cost 0\.08 EUR, more than max_cost \(0\.05 EUR\)"):
        cells.run("%imagine --max-cost 0.05 a {red|blue} fox")
    with pytest.raises(OptionError, match="--max-cost is 'much', not an amount"):
        cells.run("%imagine --max-cost much a fox")
    assert cells.sent == []
    cells.run("%imagine --max-cost 0.08 a {red|blue} fox")
    assert sorted(cells.sent) == ["a blue fox", "a red fox"]


def test_an_amount_of_the_session_ends_the_sending(shared: Cells, tmp_path: Path) -> None:
    shared.begin(tmp_path, prices=PRICES, max_cost_per_session="0.05")
    shared.run("%imagine a fox")
    with pytest.raises(SessionLimitError, match=r"0\.04 EUR more would exceed .* of 0\.05 EUR"):
        shared.run("%imagine a badger")
    with pytest.raises(OptionError, match=r"in 2 requests, 0\.08 EUR, .*max_cost_per_session"):
        shared.run("%imagine an {owl|ant}")
    assert shared.sent == ["a fox"]
    shared.run("%imagine --yes a badger")
    assert "0.08 EUR of 0.05 spent in this session." in repr(shared.run("%imagine usage"))


@pytest.mark.parametrize("by", ["day", "model", "tag"])
def test_usage_tells_the_cost_and_writes_it(cells: Cells, tmp_path: Path, by: str) -> None:
    cells.run("%imagine a fox")
    cells.run("%imagine an owl")
    (owl,) = cells.studio.library.search("owl")
    cells.run(f"%imagine tag {owl.id} birds")
    text = repr(cells.run(f"%imagine usage --by {by} --csv use.csv"))
    assert text.splitlines()[-2].endswith("0.08 EUR")
    assert "Written: use.csv." in text
    with (tmp_path / "use.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["cost"] == ("0.04" if by == "tag" else "0.08")
    assert row["day"] == {"model": "all days", "tag": "birds"}.get(by, row["day"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--bye day", "Did you mean '--by'"),
        ("--by colour", "--by is 'colour', not one of day, model, tag"),
        ("--csv", "--csv needs a value"),
        ("--csv use.txt", "'use.txt' is no name of a CSV file"),
        ("of colour in art", "of is no option of usage"),
    ],
)
def test_words_that_usage_does_not_know_are_no_prompt(cells: Cells, words: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        cells.run(f"%imagine usage {words}")
    assert cells.sent == []


def test_the_panel_s_button_tells_the_cost(cells: Cells) -> None:
    panel: Any = cells.run("%imagine panel")
    panel.set_controls(prompt="a fox", n=2)
    assert panel._advice["cost"] == "0.08 EUR"
    panel.model = "gpt-image-2"
    assert panel._advice["cost"] == "", "no price is known"
