"""How many requests are in which state, as a line."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

_WORDS: Final = {
    "unknown": "outcome unknown",
    "replayed": "from the library",
    "unsent": "not sent",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests are in which state, in the order in which they are told."""

    running: int = 0
    done: int = 0
    failed: int = 0
    unknown: int = 0
    replayed: int = 0
    unsent: int = 0

    def line(self, first: str) -> str:
        """Return *first* and what is not zero: `100 rows · 98 done · 1 failed · 1 not sent`."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        told = [f"{count} {_WORDS.get(name, name)}" for name, count in counts.items() if count]
        return " · ".join([first, *told])
