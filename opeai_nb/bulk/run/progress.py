"""How far a run has come, as numbers and as one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opeai_nb.bulk.run.counts import Counts

_BAR: Final = 16
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True)
class Progress:
    """How many requests there are in *total*, and how many of them are in which state.

    *done* were sent and succeeded, *replayed* came from the library, *unknown* are sent ones whose
    outcome nobody knows. *elapsed* is in seconds, *left* about how many more it takes, or None.
    *note* says what is waited for, where nothing new is begun.
    """

    total: int
    done: int = 0
    replayed: int = 0
    failed: int = 0
    unknown: int = 0
    running: int = 0
    elapsed: float = 0.0
    left: float | None = None
    note: str = ""

    @property
    def settled(self) -> int:
        """How many need no more waiting."""
        return self.done + self.replayed + self.failed + self.unknown

    @property
    def is_over(self) -> bool:
        """True when all are settled."""
        return self.settled >= self.total

    def bar(self) -> str:
        """Return `▰▰▰▱▱▱`: the settled part of all."""
        full = _BAR * self.settled // self.total if self.total else _BAR
        return "▰" * full + "▱" * (_BAR - full)

    def line(self) -> str:
        """Return `▰▰▱▱ 12 of 40 · 4 running · 1 failed · 3 from the library · about 20 s left`."""
        counts = Counts(self.running, 0, self.failed, self.unknown, self.replayed)
        told = [counts.line(f"{self.bar()} {self.settled} of {self.total}")]
        if self.left is not None and not self.is_over:
            told.append(f"about {duration(self.left)} left")
        return " · ".join([*told, *filter(None, [self.note])])


def duration(seconds: float) -> str:
    """Return `40 s`, `3 min` or `1 h 20 min`."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min"
