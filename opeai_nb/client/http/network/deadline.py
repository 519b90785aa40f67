"""Timeouts that end: httpcore gives each read of an exchange the same seconds.

A server that sends a byte now and then is never silent for long, and so never late. What is handed
to httpcore here as a timeout knows when its exchange must be over; `sockets.py` asks it what is
left before each connect, handshake and read, those of a head included.
"""

from __future__ import annotations

import time
from typing import Self


class Until(float):
    """A timeout of at most *silence* seconds that never passes *longest* seconds from now."""

    _end: float

    def __new__(cls, silence: float, longest: float) -> Self:
        """Begin to count."""
        timeout = super().__new__(cls, max(0.0, min(silence, longest)))
        timeout._end = time.monotonic() + longest
        return timeout

    def left(self) -> float:
        """Return the seconds that may still be waited; not above zero when time is up."""
        return min(float(self), self._end - time.monotonic())


def ends_in(silence: float, longest: float | None) -> float:
    """Return a timeout of *silence* seconds, which also ends *longest* seconds from now."""
    return silence if longest is None else Until(silence, longest)


def left_of(timeout: float | None, late: type[Exception]) -> float | None:
    """Return the seconds that a socket may take now; raise *late* where none are left."""
    if not isinstance(timeout, Until):
        return timeout
    if (left := timeout.left()) <= 0:
        raise late("the time allowed is over")
    return left
