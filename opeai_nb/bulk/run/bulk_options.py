"""How many points are run: what whoever starts a sweep or a batch may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import InputError
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.bulk.batch.mirror import Mirror
    from opeai_nb.client.values.generation import Generation


@dataclass(frozen=True, kw_only=True)
class BulkOptions(RunOptions):
    """How points are made: at most *concurrency* at once.

    *then* is called with each generation, in a thread, and its answer kept. *mirror* gets a copy
    of what is kept. Raises `InputError` for what would fail once requests are paid for.
    """

    concurrency: int = 16
    then: Callable[[Generation], Any] | None = None
    mirror: Mirror | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise InputError(
                f"concurrency is {self.concurrency!r}.", advice="Give 1 or more. Nothing was sent."
            )
