"""The frame: pixels outside, units inside; the short side is one unit long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's size. Everything is placed in units, so any resolution shows the same scene."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """Pixels in one unit."""
        return float(min(self.width, self.height))

    @property
    def w(self) -> float:
        """Width in units, at least 1."""
        return self.width / self.unit

    @property
    def h(self) -> float:
        """Height in units, at least 1."""
        return self.height / self.unit

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    def reduced(self, factor: float) -> Frame:
        """Return the same frame with *factor* times fewer pixels a side."""
        return Frame(max(4, round(self.width / factor)), max(4, round(self.height / factor)))
