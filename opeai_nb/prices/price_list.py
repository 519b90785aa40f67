"""The user's price list: read from TOML or a mapping, checked whole, asked by requests."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from opeai_nb.errors import OptionError, did_you_mean
from opeai_nb.prices.cost import Cost, amount_of
from opeai_nb.prices.toml_line import line_of

_WORDS: Final = ("model", "size", "quality")
_AMOUNTS: Final = ("picture", "input_tokens", "output_tokens", "tokens")
_FIELDS: Final = (*_WORDS, *_AMOUNTS, "tokens_per_picture")
_TOP: Final = ("currency", "price", "preset")
_HEAD: Final = re.compile(r"\s*\[\[\s*price\s*\]\]")
_CURRENCY: Final = re.compile(r"[^\s<>&\"']{1,12}")
_SIZE: Final = re.compile(r"\d+x\d+|\d+:\d+|\d+k|auto")
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """What pictures of a *model* cost; in its name `*` stands for anything.

    - *size*, *quality*: of these requests alone; None: of all.
    - *picture*: for each picture. *input_tokens*, *output_tokens*, *tokens* (all of them): for a
      million each, as the answer's usage counts them.
    - *tokens_per_picture*: how many (output) tokens a picture is expected to take, so that there is
      an estimate before it is made.
    """

    model: str
    size: str | None = None
    quality: str | None = None
    picture: Decimal | None = None
    input_tokens: Decimal | None = None
    output_tokens: Decimal | None = None
    tokens: Decimal | None = None
    tokens_per_picture: int | None = None

    def fits(self, model: str, size: str | None, quality: str | None) -> bool:
        """Tell whether the price is one for such a request."""
        return (
            re.fullmatch(self._pattern, model.lower()) is not None
            and self.size in {None, (size or "").lower()}
            and self.quality in {None, quality}
        )

    @property
    def _pattern(self) -> str:
        return ".*".join(re.escape(part) for part in self.model.lower().split("*"))

    @property
    def closeness(self) -> tuple[bool, int, int]:
        """How exactly the price says what it is for; of several that fit, the closest holds."""
        letters = len(self.model) - self.model.count("*")
        words = (self.size is not None) + (self.quality is not None)
        return "*" not in self.model, letters, words

    @property
    def by_token(self) -> tuple[tuple[str, Decimal], ...]:
        """The counts of a usage that are paid for, and the amount for a million of each."""
        counts = (
            ("input_tokens", self.input_tokens),
            ("output_tokens", self.output_tokens),
            ("total_tokens", self.tokens),
        )
        return tuple((name, amount) for name, amount in counts if amount is not None)


@dataclass(frozen=True)
class PriceList:
    """Prices in one *currency*."""

    currency: str
    prices: tuple[Price, ...]

    def price(self, model: str, size: str | None, quality: str | None) -> Price | None:
        """Return the price that says most exactly what such a request costs."""
        fitting = [price for price in self.prices if price.fits(model, size, quality)]
        return max(fitting, key=lambda price: price.closeness, default=None)

    def before(self, model: str, size: str | None, quality: str | None, n: int) -> Cost:
        """Return what a request of *n* pictures is expected to cost."""
        price = self.price(model, size, quality)
        if price is None:
            return self._unpriced
        amount = (price.picture or Decimal(0)) * n
        if price.by_token:
            if price.tokens_per_picture is None:
                return self._unpriced
            per_million = price.tokens if price.output_tokens is None else price.output_tokens
            amount += (per_million or Decimal(0)) * price.tokens_per_picture * n / _MILLION
        return Cost(amount, self.currency, is_about=bool(price.by_token))

    def after(
        self,
        model: str,
        size: str | None,
        quality: str | None,
        pictures: int,
        usage: Mapping[str, Any] | None,
    ) -> Cost:
        """Return what a request cost that brought *pictures*, by its answer's *usage*."""
        price = self.price(model, size, quality)
        if price is None:
            return self._unpriced
        amount = (price.picture or Decimal(0)) * pictures
        for name, per_million in price.by_token:
            count = (usage or {}).get(name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                return self._unpriced  # what was used is not told
            amount += per_million * count / _MILLION
        return Cost(amount, self.currency)

    @property
    def _unpriced(self) -> Cost:
        return Cost(currency=self.currency, unpriced=1)


def read_prices(text: str, name: str) -> PriceList | None:
    """Return the price list that a TOML file says; None where it holds presets alone.

    Raises `OptionError` with its *name* and line.

    currency = "EUR"

    [[price]]
    model = "qwen-image-2.0"
    picture = 0.04
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{name} is not TOML: {error}.", advice=_ADVICE) from error
    return price_list(data, name, text)


def price_list(
    data: Mapping[str, Any], name: str = "Imagine.prices", text: str = ""
) -> PriceList | None:
    """Return the price list that a mapping says; *text* is the TOML that it was written in, if any.

    None where it says presets alone. Raises `OptionError` for what is missing, unknown, doubled or
    no amount, with the place.
    """
    check = _Check(name, text.splitlines())
    check.names(data, _TOP, None)
    if data.keys() == {"preset"}:
        return None
    currency = data.get("currency")
    is_word = isinstance(currency, str) and currency.isprintable()
    if not isinstance(currency, str) or not (is_word and _CURRENCY.fullmatch(currency.strip())):
        raise check.error("currency", f'is {_told(currency)}, not a word such as "EUR"', None)
    entries = data.get("price", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise check.error("price", "is no list of tables: write [[price]] above each", None)
    prices = tuple(check.price(entry, number) for number, entry in enumerate(entries))
    check.twins(prices)
    return PriceList(currency.strip(), prices)


_ADVICE: Final = "Correct it, or take the setting prices away. Nothing was sent."


class _Check:
    """Looks at each value of a price list, and says where one is that cannot be."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self._name = name
        self._lines = lines
        self._heads = [number for number, line in enumerate(lines) if _HEAD.match(line)]

    def error(self, field: str, what: str, entry: int | None) -> OptionError:
        """Return the error for *field* of an entry, from 0; None: at the top of the file."""
        line = self._line(field, entry)
        place = f", line {line}" if line else ""
        end = "" if what.endswith("?") else "."
        price = f"price {entry + 1}: " if entry is not None and not line else ""
        return OptionError(f"{self._name}{place}: {price}{field} {what}{end}", advice=_ADVICE)

    def _line(self, field: str, entry: int | None) -> int | None:
        if entry is not None and entry >= len(self._heads):
            return None  # written as a mapping, or all in one line
        return line_of(field, self._lines, None if entry is None else self._heads[entry])

    def names(self, data: Mapping[str, Any], known: tuple[str, ...], entry: int | None) -> None:
        """Refuse a name that means nothing here: a price would silently not hold."""
        for name in data:
            if name not in known:
                hint = did_you_mean(str(name), known)
                raise self.error(str(name), f"is not known here.{hint}".rstrip("."), entry)

    def price(self, entry: Mapping[str, Any], number: int) -> Price:
        """Return the price that an entry says."""
        self.names(entry, _FIELDS, number)
        values: dict[str, Any] = {}
        for name in _WORDS:
            if name in entry:
                values[name] = self._word(name, entry[name], number)
        for name in _AMOUNTS:
            if name in entry:
                values[name] = self._amount(name, entry[name], number)
        if "model" not in values:
            raise self.error("model", "is missing", number)
        if not values.keys() & set(_AMOUNTS):
            raise self.error("picture", f"is missing, and so are {', '.join(_AMOUNTS[1:])}", number)
        if "tokens" in values and values.keys() & {"input_tokens", "output_tokens"}:
            raise self.error("tokens", "counts input_tokens and output_tokens again", number)
        if (count := entry.get("tokens_per_picture")) is not None:
            values["tokens_per_picture"] = self._count("tokens_per_picture", count, number)
        return Price(**values)

    def _word(self, name: str, value: object, number: int) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(name, f"is {_told(value)}, not a text", number)
        if name != "size":
            return value.strip()
        size = re.sub(r"\s|×|\*", lambda sign: "x" * (not sign[0].isspace()), value.lower())
        if not _SIZE.fullmatch(size):
            raise self.error(name, f"is {_told(value)}, not one such as 1024x1024 or 2K", number)
        return size

    def _amount(self, name: str, value: object, number: int) -> Decimal:
        amount = amount_of(value)
        if amount is None:
            raise self.error(name, f"is {_told(value)}, not an amount of 0 or more", number)
        return amount

    def _count(self, name: str, value: object, number: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.error(name, f"is {_told(value)}, not a count of 1 or more", number)
        return value

    def twins(self, prices: tuple[Price, ...]) -> None:
        """Refuse two prices for the same: nobody could tell which one holds."""
        first: dict[tuple[str | None, ...], int] = {}
        for number, price in enumerate(prices):
            key = (price.model.lower(), price.size, price.quality)
            if key in first:
                other = first[key] + 1
                raise self.error("model", f"has a price already: number {other}", number)
            first[key] = number
        for size, quality in itertools.permutations(first, 2):
            both = (size[0], size[1], quality[2])
            is_open = size[0] == quality[0] and size[1:] == (size[1], None) != (None, None)
            if is_open and quality[1] is None and quality[2] and both not in first:
                raise self.error(
                    "model",
                    f"has a price for the size {size[1]}, and one for the quality {quality[2]}: "
                    "give one for both together, too",
                    first[size],
                )


def _told(value: object) -> str:
    return "missing" if value is None else str(value) if isinstance(value, Decimal) else repr(value)
