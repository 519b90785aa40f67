"""Amounts of money, added up exactly; what has no price stays in sight."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from opeai_nb.wording import counted

_FINEST: Final = Decimal("0.000001")
_CENT: Final = Decimal("0.01")
_MOST: Final = Decimal(10) ** 12


@dataclass(frozen=True)
class Cost:
    """What some requests cost.

    - *amount* of *currency*, without the *unpriced* requests, of which no price is known.
    - *is_about*: it is an estimate, since the model is paid by the token.
    """

    amount: Decimal = Decimal(0)
    currency: str = ""
    unpriced: int = 0
    is_about: bool = False

    def __add__(self, other: Cost) -> Cost:
        if self.amount and other.amount and self.currency != other.currency:
            # The list was changed in between: what was reckoned in other money has no price now.
            return Cost(
                other.amount, other.currency, self.unpriced + other.unpriced + 1, other.is_about
            )
        return Cost(
            self.amount + other.amount,
            self.currency or other.currency,
            self.unpriced + other.unpriced,
            self.is_about or other.is_about,
        )

    @property
    def is_known(self) -> bool:
        """True where every request has a price."""
        return not self.unpriced

    def __str__(self) -> str:
        requests = f"{counted(self.unpriced, 'request')} without a price"
        if self.unpriced and not self.amount:
            return requests
        amount = f"{'about ' * self.is_about}{money(self.amount, self.currency)}"
        return f"{amount} and {requests}" if self.unpriced else amount


def money(amount: Decimal, currency: str) -> str:
    """Return `0.40 EUR`: two decimals, and as many as six where the amount has more.

    What is less than that is told by its first digit: 0.00 would be a gift.
    """
    rounded = amount.quantize(min(_FINEST, _first_digit(amount)), ROUND_HALF_UP).normalize()
    exponent = rounded.as_tuple().exponent
    fine = rounded if isinstance(exponent, int) and exponent < -2 else rounded.quantize(_CENT)  # noqa: PLR2004  cents
    return f"{fine:f} {currency}".rstrip()


def _first_digit(amount: Decimal) -> Decimal:
    return Decimal(1).scaleb(amount.adjusted()) if amount else _FINEST


def amount_of(value: object) -> Decimal | None:
    """Return an amount as somebody wrote it, exactly; None for what is none, or below 0.

    A float is taken as it is written: 0.1 is a tenth.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(value if isinstance(value, Decimal) else str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _MOST else None
