"""Money: what would cost more than somebody said is not sent, and what was paid is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb import batch, sweep
from opeai_nb.errors import OptionError, SessionLimitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.studio import Studio
    from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}
PRICES = {
    "currency": "EUR",
    "price": [
        {"model": "qwen-image-2.0", "picture": "0.04"},
        {"model": "rehearsal-moderation", "picture": "0.04"},
        {"model": "gpt-image-1", "tokens": 10, "tokens_per_picture": 1000},
    ],
}


@pytest.fixture
def priced(new_studio: Callable[..., Studio]) -> Callable[..., Studio]:
    return lambda **given: new_studio(prices=PRICES, **given)


@pytest.mark.parametrize("most", ["0.07", 0.07, "0"])
def test_what_costs_more_than_max_cost_is_not_sent(
    priced: Callable[..., Studio], transport: Watched, most: Any
) -> None:
    studio = priced()
    with pytest.raises(OptionError, match=r"cost 0\.08 EUR, more than max_cost"):
        studio.generate("a fox", n=2, max_cost=most, **SMALL)
    assert transport.posts == 0
    assert studio.library.pending() == []
    studio.generate("a fox", n=2, max_cost="0.08", **SMALL)
    assert transport.posts == 1


def test_what_the_library_has_costs_nothing(
    priced: Callable[..., Studio], transport: Watched
) -> None:
    priced().generate("a fox", **SMALL)
    assert priced().generate("a fox", max_cost=0, **SMALL).replayed_from
    assert transport.posts == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "dall-e-2"}, "1 request without a price"),
        ({"max_cost": "much"}, "max_cost is 'much'"),
        ({"max_cost": float("nan")}, "max_cost is nan"),
    ],
)
def test_a_max_cost_without_a_price_holds_everything_back(
    priced: Callable[..., Studio], transport: Watched, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        priced().generate("a fox", **{"max_cost": 1, **SMALL, **given})
    assert transport.posts == 0


def test_a_max_cost_without_prices_is_an_error(studio: Studio, transport: Watched) -> None:
    with pytest.raises(OptionError, match="there are no prices"):
        studio.generate("a fox", max_cost=1, **SMALL)
    assert transport.posts == 0


def test_a_session_s_amount_is_not_passed_unless_somebody_agreed(
    priced: Callable[..., Studio], transport: Watched
) -> None:
    studio = priced(max_cost_per_session="0.10")
    studio.generate("a fox", n=2, **SMALL)
    with pytest.raises(SessionLimitError, match=r"0\.04 EUR more would exceed .* 0\.10 EUR"):
        studio.generate("a badger", **SMALL)
    with pytest.raises(SessionLimitError, match="without a price"):
        studio.generate("a badger", model="dall-e-2", **SMALL)
    assert transport.posts == 1
    studio.generate("a badger", beyond_limit=True, **SMALL)
    assert str(studio.ledger.cost) == "0.12 EUR"


def test_requests_at_once_cannot_pass_the_amount_together(
    priced: Callable[..., Studio], transport: Watched
) -> None:
    studio = priced(max_cost_per_session="0.12")
    jobs = [studio.start(f"fox {n}", **SMALL) for n in range(6)]
    assert sum(isinstance(job._future.exception(60), SessionLimitError) for job in jobs) == 3
    assert transport.posts == 3


def test_what_was_refused_costs_nothing(priced: Callable[..., Studio]) -> None:
    studio = priced()
    with pytest.raises(Exception, match="safety"):
        studio.generate("a fox", model="rehearsal-moderation")
    assert studio.ledger.cost.amount == 0


def test_what_was_paid_takes_the_place_of_the_estimate(priced: Callable[..., Studio]) -> None:
    studio = priced()
    made = studio.generate("a fox", model="gpt-image-1", size="1024x1024")
    tokens = dict(made.usage or {})["total_tokens"]
    assert studio.ledger.cost.amount * 100_000 == tokens


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prices": {"currency": "EUR", "price": [{"model": "a"}]}}, "price 1: picture is missing"),
        ({"max_cost_per_session": "5"}, "there are no prices"),
        ({"prices": PRICES, "max_cost_per_session": "five"}, "max_cost_per_session is 'five'"),
    ],
)
def test_a_wrong_setting_of_money_sends_nothing(
    new_studio: Callable[..., Studio], transport: Watched, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        new_studio(**given).generate("a fox", **SMALL)
    assert transport.posts == 0


def test_a_sweep_is_held_back_as_a_whole(priced: Callable[..., Studio], transport: Watched) -> None:
    studio = priced()
    foxes = sweep("a {colour} fox", colour=["red", "blue", "grey"], studio=studio, **SMALL)
    assert "3 to send (3 pictures, 0.12 EUR on the platform)" in foxes.table
    with pytest.raises(OptionError, match=r"0\.12 EUR, more than max_cost \(0\.10 EUR\)"):
        foxes.run(max_cost="0.10")
    assert transport.posts == 0
    foxes.run(max_cost="0.12")
    assert transport.posts == 3
    assert "0 to send (0 pictures, 0.00 EUR)" in foxes.table
    foxes.run(max_cost="0")


def test_what_the_library_has_of_a_sweep_costs_nothing_where_there_are_no_prices(
    priced: Callable[..., Studio], new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """As on the machine of a colleague, who got the notebook and its library alone."""
    colours = ["red", "blue"]
    sweep("a {colour} fox", colour=colours, studio=priced(), **SMALL).run(max_cost=1)
    again = sweep("a {colour} fox", colour=colours, studio=new_studio(), **SMALL).run(max_cost=1)
    assert [bool(generation.replayed_from) for generation in again] == [True, True]
    more = sweep("a {colour} fox", colour=[*colours, "grey"], studio=new_studio(), **SMALL)
    with pytest.raises(OptionError, match="there are no prices"):
        more.run(max_cost=1)
    assert transport.posts == 2


def test_the_manifest_tells_what_each_row_cost(
    priced: Callable[..., Studio], transport: Watched, tmp_path: Path
) -> None:
    rows = [{"prompt": "a fox", "n": 2}, {"prompt": "an owl", "model": "dall-e-2"}]
    made = batch(rows, studio=priced(), out=tmp_path / "out", **SMALL)
    with pytest.raises(OptionError, match="without a price"):
        made.run(max_cost=5)
    assert transport.posts == 0
    fox, owl = made.run().manifest
    assert (fox["cost"], fox["currency"]) == ("0.08", "EUR")
    assert "cost" not in owl
    (again, _) = batch(rows, studio=priced(), out=tmp_path / "out", **SMALL).run().manifest
    assert again["cost"] == "0.08", "the same for what the folder had"
