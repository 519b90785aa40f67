"""What whoever starts a request may say about the run, besides what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from opeai_nb.client.protocol.patience import Patience
from opeai_nb.client.values.words import WORDS, words_said
from opeai_nb.errors import InputError, OptionError
from opeai_nb.fields import DEFAULT_TIMEOUT
from opeai_nb.prices.cost import amount_of, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from opeai_nb.client.values.only import Only
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.prices.cost import Cost

_NO_PRICES: Final = "Set Imagine.prices to a list that has the price. Nothing was sent."


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a request is run. Raises `InputError` for a *timeout* that is none.

    *fresh* sends even where something could be shown. *timeout* is how long a task is waited for,
    in seconds. *metadata* overrides the setting for these pictures. *beyond_limit* says that
    somebody agreed to more than the session's limits. *max_cost* is what it may be expected to
    cost by the user's prices, in their currency; more is refused. With *send_unknown*, a request
    whose outcome is unknown since an earlier run is sent anew. *alt*, *caption* and *keywords* are
    said of the pictures, also of kept ones: what is empty is taken away, None leaves what there is.
    """

    fresh: bool = False
    timeout: float = DEFAULT_TIMEOUT
    metadata: bool | None = None
    beyond_limit: bool = False
    send_unknown: bool = False
    max_cost: str | float | Decimal | None = None
    alt: str | None = None
    caption: str | None = None
    keywords: str | Iterable[str] | None = None

    def __post_init__(self) -> None:
        Patience(self.timeout)
        for name, value in words_said(vars(self)).items():
            object.__setattr__(self, name, value)
        if self.max_cost is not None and amount_of(self.max_cost) is None:
            raise InputError(
                f"max_cost is {self.max_cost!r}, not an amount of 0 or more.",
                advice="Correct it, or take it out. Nothing was sent.",
            )

    @property
    def words(self) -> dict[str, Any]:
        """What is to be said of the pictures, by name."""
        return {name: value for name in WORDS if (value := getattr(self, name)) is not None}

    def refuse_above(self, cost: Cost | None) -> None:
        """Raise `OptionError` where *cost* is more than *max_cost*, or not known: None."""
        most = None if self.max_cost is None else amount_of(self.max_cost)
        if most is None:
            return
        if cost is None:
            raise OptionError("There is a max_cost, and there are no prices.", advice=_NO_PRICES)
        if not cost.is_known:
            raise OptionError(f"{cost}, and there is a max_cost.", advice=_NO_PRICES)
        if cost.amount > most:
            raise OptionError(
                f"This would cost {cost}, more than max_cost ({money(most, cost.currency)}).",
                advice="Ask for less, or allow more. Nothing was sent.",
            )

    @classmethod
    def split(cls, given: Mapping[str, Any]) -> tuple[Self, dict[str, Any]]:
        """Return the options among *given*, and all the rest."""
        names = {item.name for item in fields(cls)}
        options = {name: value for name, value in given.items() if name in names}
        return cls(**options), {name: value for name, value in given.items() if name not in names}


def region_of(request: ImageRequest, only: object) -> Only | None:
    """Return the region that *only* says of the picture of *request*. Raises `InputError`."""
    if only is None:
        return None
    from opeai_nb.client.values.only import only_in  # most requests have none

    return only_in(request, only)
