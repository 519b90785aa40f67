"""How points are made: what whoever starts a run may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opeai_nb.client.protocol.poll import Patience
from opeai_nb.errors import InputError
from opeai_nb.fields import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.bulk.batch.mirror import Mirror
    from opeai_nb.client.values.generation import Generation


@dataclass(frozen=True)
class Orders:
    """How points are made: at most *concurrency* at once; *fresh* sends what the library has too.

    *timeout* is how long a task is waited for, in seconds. *then* is called with each generation,
    in a thread, and its answer kept. With *send_unknown*, a request whose outcome is unknown since
    an earlier run is sent anew. *mirror* gets a copy of what is kept.
    *beyond_limit* says that somebody agreed to more than `max_images_per_session`;
    *metadata* overrides the setting.
    """

    concurrency: int = 16
    fresh: bool = False
    timeout: float = DEFAULT_TIMEOUT
    then: Callable[[Generation], Any] | None = None
    send_unknown: bool = False
    mirror: Mirror | None = None
    beyond_limit: bool = False
    metadata: bool | None = None


def checked(orders: Orders) -> Orders:
    """Return *orders*; raise `InputError` for what would fail once requests are paid for."""
    if not isinstance(orders.concurrency, int) or orders.concurrency < 1:
        raise InputError(
            f"concurrency is {orders.concurrency!r}.", advice="Give 1 or more. Nothing was sent."
        )
    Patience(orders.timeout)  # it raises for a timeout that is none
    return orders
