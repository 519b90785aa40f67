"""The timestamps of a library: each later than those before it, whatever the clock says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_AHEAD: Final = 1e8
"""Seconds, three years: what a folder says to be further ahead is nonsense, and not followed."""


class Timestamps:
    """Tells times, in seconds since 1970 by *clock*. Any thread may ask."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Guard()
        self._latest = 0.0
        self._latest_seen = 0.0

    def now(self) -> float:
        """Return the time, later than any before it: what was asked later is newer."""
        with self._lock:
            self._latest = round(max(self._clock(), self._latest + 1e-5), 6)
            return self._latest

    def following(self) -> float:
        """Return a time later than any that was seen, also where the clock was set back."""
        now = self.now()
        with self._lock:
            self._latest_seen = max(now, round(self._latest_seen + 1e-5, 6))
            return self._latest_seen

    def saw(self, times: Iterable[float]) -> None:
        """Take it that what is there was made at these *times*."""
        furthest = self._clock() + MOST_AHEAD
        with self._lock:
            known = (time for time in times if time < furthest)
            self._latest_seen = max(self._latest_seen, *known, 0.0)
