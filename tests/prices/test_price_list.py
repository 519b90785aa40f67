"""The user's price list: read exactly, refused with its line, asked by requests."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.errors import OptionError
from opeai_nb.prices.cost import Cost, amount_of, money
from opeai_nb.prices.price_file import prices_at
from opeai_nb.prices.price_list import PriceList, price_list, read_prices

LIST = """\
currency = "EUR"

[[price]]
model = "qwen-image-2.0"
picture = 0.1

[[price]]
model = "gpt-image-*"
picture = "0.04"

[[price]]
model = "gpt-image-1"
size = "1024×1024"
quality = "high"
picture = 0.17

[[price]]
model = "gpt-image-2"
input_tokens = 5
output_tokens = 40
tokens_per_picture = 4160
"""


@pytest.fixture
def prices() -> PriceList:
    return read_prices(LIST, "prices.toml")


def test_a_tenth_is_a_tenth(prices: PriceList) -> None:
    """Ten pictures at 0.1 are 1, in every digit."""
    assert prices.before("qwen-image-2.0", None, None, 3).amount == Decimal("0.3")
    assert str(prices.before("qwen-image-2.0", None, None, 10)) == "1.00 EUR"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (("gpt-image-1", None, None, 1), "0.04 EUR"),
        (("GPT-Image-1", "1024x1024", "high", 2), "0.34 EUR"),
        (("gpt-image-1", "1024x1024", "low", 2), "0.08 EUR"),
        (("gpt-image-2", None, None, 2), "about 0.3328 EUR"),
        (("dall-e-3", None, None, 2), "1 request without a price"),
    ],
)
def test_the_price_that_says_most_exactly_holds(
    prices: PriceList, request_: tuple[str, str | None, str | None, int], told: str
) -> None:
    assert str(prices.before(*request_)) == told


def test_what_was_paid_comes_from_the_usage(prices: PriceList) -> None:
    usage = {"input_tokens": 20, "output_tokens": 4000}
    paid = prices.after("gpt-image-2", None, None, 1, usage)
    assert (paid.amount, paid.is_about) == (Decimal("0.1601"), False)
    assert prices.after("qwen-image-2.0", None, None, 2, None).amount == Decimal("0.2")


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 5}, {"output_tokens": "4", "x": 1}])
def test_what_is_paid_by_the_token_is_unknown_without_a_count(
    prices: PriceList, usage: dict[str, Any] | None
) -> None:
    assert prices.after("gpt-image-2", None, None, 1, usage) == Cost(currency="EUR", unpriced=1)


def test_the_example_of_the_documentation_is_a_price_list() -> None:
    page = Path(__file__).parents[2] / "notebooks" / "how-to" / "money.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    prices = read_prices(example, "money.md")
    assert str(prices.before("gpt-image-1.5", "1024x1024", "high", 1)) == "0.17 EUR"


WRONG = [
    ("currency = EUR", "prices.toml is not TOML: Invalid value .at line 1"),
    ("[[price]]\nmodel = 'a'\npicture = 1", "prices.toml: currency is missing"),
    ("currency = 5", "line 1: currency is 5"),
    ("currency = 'EUR'\nprices = 1", "line 2: prices is not known here. Did you mean 'price'"),
    ("currency = 'EUR'\nprice = 5", "line 2: price is no list of tables"),
    ("currency = 'EUR'\n\n[[price]]\npicture = 1", "line 3: model is missing"),
    ("currency = 'EUR'\n[[price]]\nmodel = 'a'", "line 2: picture is missing"),
    (
        "currency = 'E'\n[[price]]\nmodel = 'a'\npicture = -1",
        "line 4: picture is -1, not an",
    ),
    ("currency = 'E'\n[[price]]\nmodel = 'a'\npicture = nan", "line 4: picture is NaN"),
    ("currency = 'E'\n[[price]]\nmodel = 'a'\npicture = true", "line 4: picture is True"),
    ("currency = 'E'\n[[price]]\nmodel = 'a'\npicture = '1,5'", "line 4: picture is '1,5'"),
    ("currency = 'E'\n[[price]]\nmodel = 7\npicture = 1", "line 3: model is 7, not a text"),
    ("currency = 'E'\n[[price]]\nmodel = 'a'\npictrue = 1", "line 4: pictrue is not known"),
    (
        "currency = 'E'\n[[price]]\nmodel = 'a'\npicture = 1\n[[price]]\nmodel = 'A'\npicture = 2",
        "line 6: model has a price already: number 1",
    ),
    (
        "currency = 'E'\n[[price]]\nmodel = 'a'\ntokens = 1\ninput_tokens = 1",
        "line 4: tokens counts input_tokens",
    ),
    (
        "currency = 'E'\n[[price]]\nmodel = 'a'\ntokens = 1\ntokens_per_picture = 0",
        "line 5: tokens_per_picture is 0",
    ),
    ("currency = 'E'\nprice = [{model = 'a', picture = -1}]", "prices.toml: price 1: picture is"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as error:
        read_prices(text, "prices.toml")
    assert "Nothing was sent." in str(error.value.advice)


def test_a_mapping_says_the_same_as_a_file(prices: PriceList) -> None:
    same = {"currency": "EUR", "price": [{"model": "qwen-image-2.0", "picture": 0.1}]}
    assert price_list(same).prices == prices.prices[:1]
    with pytest.raises(OptionError, match=r"Imagine\.prices: price 1: picture is 'much'"):
        price_list({"currency": "EUR", "price": [{"model": "a", "picture": "much"}]})


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("\ufeff" + LIST, encoding="utf-8")
    assert prices_at(file).currency == "EUR"
    file.write_text(LIST.replace("EUR", "CNY!"), encoding="utf-8")
    assert prices_at(file).currency == "CNY!"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_a_file_that_is_none_is_told_at_once(tmp_path: Path, kind: str) -> None:
    """A `.env` that came with a folder may name it."""
    path = tmp_path / "prices.toml"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()
    with pytest.raises(OptionError, match="cannot be read"):
        prices_at(path)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b"\xff\xfe\x00", "no UTF-8")]
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "prices.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OptionError, match=words):
        prices_at(file)


AMOUNTS = st.decimals(0, 10**6, places=4)


@given(st.lists(AMOUNTS, max_size=20))
def test_costs_add_up_exactly(amounts: list[Decimal]) -> None:
    whole = sum((Cost(amount, "EUR") for amount in amounts), Cost())
    assert whole.amount == sum(amounts, Decimal(0))
    assert whole.is_known


@given(AMOUNTS)
def test_an_amount_is_read_as_it_was_written(amount: Decimal) -> None:
    told = money(amount, "EUR").removesuffix(" EUR")
    assert amount_of(told) == amount
    assert len(told.partition(".")[2]) >= 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_a_setting_holds_it_is_a_price_list_or_an_error_of_ours(value: object) -> None:
    for data in (
        {"currency": "EUR", "price": value},
        {"currency": value},
        {"currency": "EUR", "price": [{"model": "a", "picture": value}]},
    ):
        try:
            made = price_list(data)
        except OptionError:
            continue
        assert made.before("a", None, None, 2).amount >= 0


@given(st.text(alphabet="curency=\"'EU[]price\n modl*0.1 "))
def test_whatever_a_file_says_it_is_a_price_list_or_an_error_of_ours(text: str) -> None:
    try:
        read_prices(text, "prices.toml")
    except OptionError as error:
        assert "prices.toml" in error.message  # noqa: PT017  both ways are right


@pytest.mark.parametrize("currency", ["E\\nR", "\\u001b[31m", "<b>", "a b", "x" * 13])
def test_a_currency_is_a_word_that_can_be_shown_anywhere(currency: str) -> None:
    with pytest.raises(OptionError, match=r"p\.toml, line 1: currency is "):
        read_prices(f'currency = "{currency}"\n', "p.toml")


@pytest.mark.parametrize("currency", ["EUR", "€", "US$", "kr.", "credits"])
def test_a_currency_may_be_a_sign(currency: str) -> None:
    assert read_prices(f'currency = "{currency}"\n', "p.toml").currency == currency


def test_sizes_are_told_as_people_write_them_and_no_others() -> None:
    for size in ("1024 x 1024", "1024X1024", "1024*1024"):
        found = price_list(_of({"model": "m", "size": size, "picture": 1}))
        assert found.before("m", "1024x1024", None, 1).is_known
    with pytest.raises(OptionError, match="size is 'big', not one such as 1024x1024"):
        price_list(_of({"model": "m", "size": "big", "picture": 1}))


def test_a_model_s_name_is_taken_as_it_stands() -> None:
    """Only `*` stands for anything."""
    found = price_list(_of({"model": "qwen[1m]?", "picture": 1}))
    assert found.before("qwen[1m]?", None, None, 1).is_known
    assert not found.before("qwen1x", None, None, 1).is_known


def test_two_prices_that_could_both_hold_are_refused() -> None:
    size = {"model": "m", "size": "1024x1024", "picture": 1}
    quality = {"model": "M", "quality": "high", "picture": 5}
    with pytest.raises(OptionError, match="give one for both together"):
        price_list(_of(size, quality))
    with pytest.raises(OptionError, match="give one for both together"):
        price_list(_of(quality, size))
    found = price_list(_of(size, quality, {**size, "quality": "high", "picture": 7}))
    assert str(found.before("m", "1024x1024", "high", 1)) == "7.00 EUR"
    assert price_list(_of(size, {**quality, "model": "other"}))


def test_what_is_paid_is_never_shown_as_nothing() -> None:
    assert money(Decimal("0.00000042"), "EUR") == "0.0000004 EUR"
    assert money(Decimal(0), "EUR") == "0.00 EUR"


def test_amounts_of_two_currencies_are_not_added_up() -> None:
    euros, dollars = Cost(Decimal(5), "EUR"), Cost(Decimal(2), "USD")
    assert str(euros + dollars) == "2.00 USD and 1 request without a price"
    assert str(Cost() + dollars) == str(dollars + Cost()) == "2.00 USD"


def test_a_hint_ends_a_sentence_once() -> None:
    with pytest.raises(OptionError, match=r"Did you mean 'picture'\? Correct"):
        price_list(_of({"model": "m", "pictuer": 1}))


def _of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"currency": "EUR", "price": list(entries)}
