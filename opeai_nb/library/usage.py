"""What was used: requests, pictures, tokens and, by the user's prices, money; by day and model."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError
from opeai_nb.prices.cost import Cost
from opeai_nb.printable import printable_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pandas import DataFrame  # type: ignore[import-not-found,import-untyped,unused-ignore]  # where it is there

    from opeai_nb.prices.price_list import PriceList

_COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens")


@dataclass(frozen=True)
class UsageRow:
    """What one model was used for on one day (local time, `2026-11-22`), by origin.

    *cost* is what the platform was paid for it, by the user's prices; None without prices, and for
    the embedded engine, which charges nothing.
    """

    day: str
    model: str
    origin: str
    requests: int
    pictures: int
    tokens: int
    cost: Cost | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The row for a table: the amount is a decimal; None where part of it is not known."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)[:-1]}
        if self.cost is None:
            return {**plain, "cost": None, "currency": None}
        cost = self.cost
        return {**plain, "cost": cost.amount if cost.is_known else None, "currency": cost.currency}


class Usage(list[UsageRow]):
    """The rows, newest day first."""

    @property
    def total(self) -> UsageRow:
        """All rows in one."""
        return summed(self)

    def to_dataframe(self) -> DataFrame:
        """Return the rows as a pandas table. Raises `LibraryError` where pandas is not there."""
        return dataframe(row.facts for row in self)

    def save(self, path: Path) -> Path:
        """Write the rows as CSV and return *path*. Raises `LibraryError` when the disk refuses."""
        names = [*(item.name for item in fields(UsageRow)), "currency"]
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows({k: _cell(v) for k, v in row.facts.items()} for row in self)
        except OSError as error:
            raise LibraryError(f"{path.name} cannot be written: {error.strerror}.") from error
        return path


def summed(rows: Iterable[UsageRow], day: str = "", model: str = "", origin: str = "") -> UsageRow:
    """Return *rows* in one, under another name."""
    rows = list(rows)
    costs = [row.cost for row in rows if row.cost is not None]
    return UsageRow(
        *(day, model, origin),
        requests=sum(row.requests for row in rows),
        pictures=sum(row.pictures for row in rows),
        tokens=sum(row.tokens for row in rows),
        cost=sum(costs, Cost()) if costs else None,
    )


def priced(parts: Iterable[Sequence[Any]], prices: PriceList) -> Usage:
    """Return usage with its cost, of the counts of all that have one price.

    A part is a row, then size and quality, the tokens in, out and in all, and of each of the three
    whether it is not told.
    """
    rows = (_priced(UsageRow(*part[:6]), part[6:], prices) for part in parts)
    named = groupby(rows, key=lambda row: (row.day, row.model, row.origin))
    return Usage(summed(group, *name) for name, group in named)


def _priced(row: UsageRow, about: Sequence[Any], prices: PriceList) -> UsageRow:
    if row.origin == "engine":
        return row
    size, quality, counts, unknown = about[0], about[1], about[2:5], about[5:8]
    usage = {
        name: None if is_unknown else count
        for name, count, is_unknown in zip(_COUNTS, counts, unknown, strict=True)
    }
    # A price is in proportion to pictures and tokens: the sum costs what its parts cost.
    cost = prices.after(row.model, size, quality, row.pictures, usage)
    return replace(row, cost=cost if cost.is_known else replace(cost, unpriced=row.requests))


def _cell(value: object) -> object:
    return printable_cell(value) if isinstance(value, str) else value


def dataframe(rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """Return rows as a pandas table. Raises `LibraryError` where pandas is not there."""
    try:
        import pandas as pd
    except ImportError as error:
        raise LibraryError(
            "pandas is not installed.", advice="Install it (pip install pandas) and run again."
        ) from error
    return pd.DataFrame.from_records(list(rows))
