"""What was used: requests, pictures and tokens, by day and model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pandas import DataFrame  # type: ignore[import-not-found,import-untyped,unused-ignore]  # where it is there


@dataclass(frozen=True)
class UsageRow:
    """What one model was used for on one day (local time, `2026-11-22`), by origin."""

    day: str
    model: str
    origin: str
    requests: int
    pictures: int
    tokens: int


class Usage(list[UsageRow]):
    """The rows, newest day first."""

    @property
    def total(self) -> UsageRow:
        """All rows in one."""
        return UsageRow(
            *("", "", ""),
            requests=sum(row.requests for row in self),
            pictures=sum(row.pictures for row in self),
            tokens=sum(row.tokens for row in self),
        )

    def to_dataframe(self) -> DataFrame:
        """Return the rows as a pandas table. Raises `LibraryError` where pandas is not there."""
        return dataframe(asdict(row) for row in self)


def dataframe(rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """Return rows as a pandas table. Raises `LibraryError` where pandas is not there."""
    try:
        import pandas as pd
    except ImportError as error:
        raise LibraryError(
            "pandas is not installed.", advice="Install it (pip install pandas) and run again."
        ) from error
    return pd.DataFrame.from_records(list(rows))
