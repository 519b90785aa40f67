"""How many points are run: what whoever starts a sweep or a batch may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import InputError
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.bulk.batch.copies import Copies
    from opeai_nb.bulk.batch.mirror import Mirror


@dataclass(frozen=True, kw_only=True)
class BulkOptions(RunOptions):
    """How points are made: at most *concurrency* at once.

    *then* is called with each generation, and with the point's row where it takes one, in a thread
    of its own; its answer is kept. It is called once for each record: *then_values* are earlier
    answers by the id of the record, and *then_again* passes them over. *mirror* gets a copy of what
    is kept, *copies* are those under a row's own names. *max_wait* is how many seconds the run
    waits where the platform asks for a pause, or until it works again; then it stops. Raises
    `InputError` for what would fail once requests are paid for.
    """

    concurrency: int = 16
    then: Callable[..., Any] | None = None
    then_again: bool = False
    then_values: Mapping[str | None, Any] = field(default_factory=dict)
    mirror: Mirror | None = None
    copies: Copies | None = None
    max_wait: float = 900.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise InputError(
                f"concurrency is {self.concurrency!r}.", advice="Give 1 or more. Nothing was sent."
            )
        if not isinstance(self.max_wait, int | float) or not self.max_wait >= 0:
            raise InputError(
                f"max_wait is {self.max_wait!r}, not a number of seconds.",
                advice="Give 0 or more. Nothing was sent.",
            )
