"""What requests cost by the user's prices, before and after; and the presets beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opeai_nb.prices.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.presets.preset import Preset
    from opeai_nb.prices.price_list import PriceList
    from opeai_nb.settings import Settings


def prices_of(settings: Settings) -> PriceList | None:
    """Return the user's price list, or None. Raises `OptionError` for one that is wrong."""
    prices = settings.prices
    if prices is None:
        return None
    if isinstance(prices, Mapping):
        from opeai_nb.prices.price_list import price_list

        return price_list(prices)
    from opeai_nb.prices.price_file import prices_at

    return prices_at(prices)


def presets_of(settings: Settings) -> Mapping[str, Preset]:
    """Return the user's presets by name. Raises `OptionError` for one that is wrong."""
    prices = settings.prices
    if prices is None:
        return {}
    from opeai_nb.presets.read_presets import presets_at, presets_in

    return presets_in(prices) if isinstance(prices, Mapping) else presets_at(prices)


def cost_of(prices: PriceList | None, requests: Iterable[ImageRequest]) -> Cost | None:
    """Return what *requests* are expected to cost; None where there are no prices."""
    if prices is None:
        return None
    costs = (prices.before(r.model, r.size, r.quality, r.count) for r in requests)
    return sum(costs, Cost(currency=prices.currency))


def paid_for(prices: PriceList | None, generation: Generation | None) -> Cost | None:
    """Return what *generation* cost by its usage; None where there is none, or no prices."""
    if prices is None or generation is None:
        return None
    asked = generation.request
    return prices.after(asked.model, asked.size, asked.quality, len(generation), generation.usage)


def told_cost(cost: Cost | None, origin: str) -> str:
    """Return a cost as a sentence goes on: `, 0.08 EUR`; empty where there are no prices.

    The embedded engine charges nothing: there it is what the platform would.
    """
    if cost is None:
        return ""
    return f", {cost}{' on the platform' if origin == 'engine' and cost.amount else ''}"
