"""A blind choice: which pairs there are, what the choices come to, and that they last."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.bulk import Pick, Sweep
from opeai_nb.bulk.sweep.pairing import Entrant, count_of, pairs_of, standings
from opeai_nb.client import Picture
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.library.picks import CHOICES, Picked
from opeai_nb.studio import Studio
from tests.bulk.sweep.test_sweep import foxes
from tests.library.refusing_disk import RefusingDisk

NOTHING = Picture(b"")
AXES = {"animal": ("fox", "owl", "hare"), "style": ("ink", "oil")}


def entrants(*labels: tuple[str, ...]) -> list[Entrant]:
    return [Entrant(f"{number:08x}-1", each, NOTHING) for number, each in enumerate(labels)]


ALL = entrants(*((animal, style) for animal in AXES["animal"] for style in AXES["style"]))


@given(st.lists(st.sampled_from(["ink", "oil", "wax"]), max_size=9), st.integers())
def test_each_pair_of_different_points_stands_there_once(labels: list[str], seed: int) -> None:
    some = entrants(*((label,) for label in labels))
    pairs = list(pairs_of(some, seed))
    expected = {frozenset((a.id, b.id)) for a, b in combinations(some, 2) if a.labels != b.labels}
    assert {pair.key for pair in pairs} == expected
    assert len(pairs) == len(expected) == count_of(some)


@given(st.permutations(ALL), st.integers())
def test_the_order_is_the_seeds_alone(shuffled: list[Entrant], seed: int) -> None:
    assert list(pairs_of(shuffled, seed)) == list(pairs_of(ALL, seed))


def test_another_seed_is_another_order_and_no_side_is_preferred() -> None:
    pairs = [pair for seed in range(40) for pair in pairs_of(ALL, seed)]
    assert list(pairs_of(ALL, 1)) != list(pairs_of(ALL, 2))
    left = [pair.left.id for pair in pairs]
    for entrant in ALL:
        assert 60 < left.count(entrant.id) < 140, "of 200"


def test_each_picture_has_a_pair_before_any_has_its_next() -> None:
    pairs = list(pairs_of(ALL, 0))
    assert len({id_ for pair in pairs[:3] for id_ in pair.key}) == 6


def test_a_choice_counts_for_the_axes_that_differ() -> None:
    fox_ink, fox_oil, owl_ink, owl_oil, *_ = (entrant.id for entrant in ALL)
    picks = [
        Picked(fox_ink, fox_oil, "left"),
        Picked(owl_oil, fox_ink, "right"),
        Picked(owl_ink, fox_ink, "equal"),
        Picked(owl_ink, owl_oil, "skip"),
        Picked(owl_ink, "of another sweep", "left"),
    ]
    assert standings(AXES, ALL, picks) == [
        ("animal", "fox", 1, 0, 1),
        ("animal", "owl", 0, 1, 1),
        ("animal", "hare", 0, 0, 0),
        ("style", "ink", 2, 0, 0),
        ("style", "oil", 0, 2, 0),
    ]
    assert standings({"model": ("one",)}, entrants(("one",)), []) == [], "no axis with one value"


@given(st.lists(st.tuples(st.sampled_from(list(combinations(ALL, 2))), st.sampled_from(CHOICES))))
def test_wins_and_losses_of_an_axis_add_up(choices: list[Any]) -> None:
    picks = [Picked(a.id, b.id, choice) for (a, b), choice in choices]
    for axis in AXES:
        rows = [row for row in standings(AXES, ALL, picks) if row.axis == axis]
        assert sum(row.wins for row in rows) == sum(row.losses for row in rows)
        assert sum(row.equal for row in rows) % 2 == 0


# -- of a sweep


def few(studio: Studio) -> Sweep:
    """Return a sweep of two by two points."""
    return foxes(studio, style=["ink", "oil"])


def test_choices_last_and_running_again_goes_on(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    pick = few(studio).run().pick()
    assert pick.summary == "0 of 6 pairs chosen"
    first = pick.pair
    assert first is not None
    second = pick.choose("left")
    pick.choose("equal")
    again = few(new_studio()).run().pick()
    assert again.chosen == 2
    assert again.pair == pick.pair
    assert [row[2:] for row in again.standings] == [row[2:] for row in pick.standings]
    assert pick.back() == second
    assert pick.back() == first == pick.back()
    assert pick.chosen == 0
    assert pick.choose("right") == second, "as if it were the first time"


def test_to_the_end_and_back(studio: Studio) -> None:
    pick = few(studio).run().pick(seed=3)
    for _ in range(6):
        pick.choose("left")
    assert (pick.pair, pick.summary) == (None, "6 of 6 pairs chosen")
    with pytest.raises(InputError, match="Every pair has its choice"):
        pick.choose("left")
    assert pick.back() is not None
    assert pick.choose("skip") is None
    assert few(studio).run().pick(seed=4).pair is None, "whatever the order"


def test_the_table_is_text_and_html_and_says_nothing_of_the_pair(studio: Studio) -> None:
    pick = few(studio).run().pick()
    pick.choose("left")
    assert repr(pick) == "<Pick: 1 of 6 pairs chosen>"
    assert pick.table.splitlines()[1].split() == ["axis", "value", "wins", "losses", "equal"]
    data, _ = pick._repr_mimebundle_()
    assert "<script" not in data["text/html"]
    assert data["text/html"].count("<tr>") == 5
    assert "var(" not in data["text/html"]


def test_words_of_an_axis_are_escaped(studio: Studio) -> None:
    pick = Pick({"<b>": ("<i>\x1b", "&")}, entrants(("<i>\x1b",), ("&",)), studio.library.picks, 0)
    assert "<b>" not in pick.html
    assert "<i>" not in pick.html
    assert "\x1b" not in pick.table + pick.html


def test_where_there_is_nothing_to_choose_from(studio: Studio) -> None:
    with pytest.raises(InputError, match="no picture yet"):
        few(studio).pick()
    with pytest.raises(InputError, match="1 picture"):
        foxes(studio, animal="fox", style="ink").run().pick()
    pick = few(studio).run().pick()
    with pytest.raises(InputError, match="'best' is no choice"):
        pick.choose("best")  # type: ignore[arg-type]  # as a person may write


def test_lines_that_are_none_are_passed_over(studio: Studio) -> None:
    pick = few(studio).run().pick()
    pick.choose("left")
    (file,) = (studio.library.folder / "picks").iterdir()
    with file.open("a") as lines:
        lines.write('\n{"left": 3, "right": "x", "choice": "left"}\n[]\n{"left": "a", "righ')
    assert few(studio).run().pick().chosen == 1
    assert json.loads(file.read_text().splitlines()[1])["choice"] == "left"


def test_a_choice_that_no_disk_keeps_is_said_and_the_pair_stays(
    tmp_path: Path, new_studio: Callable[..., Studio]
) -> None:
    disk = RefusingDisk()
    studio = new_studio(disk=disk)
    pick = few(studio).run().pick()
    pair = pick.pair
    disk.read_only = studio.library.homes.all
    with pytest.raises(LibraryError, match="choice cannot be kept"):
        pick.choose("left")
    assert (pick.pair, pick.chosen) == (pair, 0)


def test_an_export_of_a_sweep_tells_the_values_of_its_axes(studio: Studio, tmp_path: Path) -> None:
    made = few(studio).run().export(tmp_path / "set", split=0.5)
    assert made.pictures == 4
    rows = [
        json.loads(line)
        for table in (tmp_path / "set").rglob("metadata.jsonl")
        for line in table.read_text().splitlines()
    ]
    assert {tuple(row["axes"]) for row in rows} == {("animal", "style")}
    assert all(row["axes"]["animal"] in row["prompt"] for row in rows)
    assert "| `axes` |" in (tmp_path / "set" / "README.md").read_text()
    with pytest.raises(LibraryError, match="nothing to export"):
        few(studio).export(tmp_path / "none")
