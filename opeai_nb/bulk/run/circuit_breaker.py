"""When to begin nothing more: a few rows in a row met the same trouble. No clock, no I/O."""

from __future__ import annotations

from typing import Final

from opeai_nb.errors import (
    AnswerError,
    LibraryError,
    ModerationError,
    OpeaiError,
    OutcomeUnknownError,
    RateLimitError,
    UnreachableError,
)

_IN_A_ROW: Final = 3
"""Two may be a coincidence. Without one an outage of two seconds left 260 rows unknown."""
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 300.0
_MOST_PROBES: Final = 3  # who refuses three tries more has not refused by chance


class CircuitBreaker:
    """Hears how every row ended.

    After three in a row that met the same trouble, one row at a time is tried, after pauses of 2,
    4, 8 … 300 seconds; the first good one lets go. Trouble are unknown outcomes, a platform that
    is not reached, a library that cannot be written, and refusals that are alike; not what lies in
    one row alone, as a prompt that is not allowed.
    """

    def __init__(self) -> None:
        self.trouble: OpeaiError | None = None
        self._count = 0
        self._probes = 0
        self._paused = 0.0

    @property
    def is_open(self) -> bool:
        """True while only one row at a time may be begun."""
        return self._count >= _IN_A_ROW

    def hears(self, error: OpeaiError | None) -> None:
        """Take how a row ended; None for one that has its pictures."""
        if error is None:
            self.trouble, self._count, self._probes, self._paused = None, 0, 0, 0.0
        elif (kind := kind_of(error)) is not None:
            is_same = self.trouble is not None and kind == kind_of(self.trouble)
            self._count = self._count + 1 if is_same else 1
            self._probes = self._probes if is_same else 0
            self.trouble = error

    def pause(self, max_wait: float) -> float | None:
        """Return the seconds before the next try; None when there is to be none.

        That is after three tries that were refused, and else when all pauses together would be
        longer than *max_wait* seconds.
        """
        seconds = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._probes)
        is_refused = isinstance(self.trouble, AnswerError | LibraryError)
        if self._paused + seconds > max_wait or (is_refused and self._probes >= _MOST_PROBES):
            return None
        self._probes += 1
        self._paused += seconds
        return seconds


def kind_of(error: OpeaiError) -> tuple[object, ...] | None:
    """Return what makes two troubles the same; None for what is no trouble of the run."""
    if isinstance(error, OutcomeUnknownError) and error.is_of_earlier_run:
        return None
    if isinstance(error, OutcomeUnknownError | UnreachableError):
        return (type(error),)
    if isinstance(error, ModerationError | RateLimitError):
        return None
    if isinstance(error, AnswerError | LibraryError):
        return type(error), error.status_code, error.code, error.message
    return None
