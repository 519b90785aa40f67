"""How long is waited for a task and for its pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opeai_nb.errors import InputError
from opeai_nb.fields import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_FOR_DOWNLOADS: Final = 1.0


@dataclass(frozen=True)
class Patience:
    """How long to wait: *timeout* in seconds; *durations* of earlier tasks, for the schedule."""

    timeout: float = DEFAULT_TIMEOUT
    durations: Sequence[float] = field(default=())

    def __post_init__(self) -> None:
        if (
            isinstance(self.timeout, bool)
            or not isinstance(self.timeout, (int, float))
            or math.isnan(self.timeout)
            or self.timeout < 0
        ):
            raise InputError(
                f"timeout is {self.timeout!r}, not a number of seconds.",
                advice="Give 0 or more. Nothing was sent.",
            )

    def for_downloads(self, waited: float) -> float:
        """Return the seconds for the pictures of a task that was *waited* for.

        What is left, and never less than a tenth of the whole or a second: a picture that was
        painted at the last moment can still be fetched.
        """
        return max(self.timeout - waited, 0.1 * self.timeout, _LEAST_FOR_DOWNLOADS)
