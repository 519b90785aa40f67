"""Parts of a space that is too large to be paid for whole: points sampled, values drawn.

Both go by a hash of the seed and the labels, not by a generator of random numbers: the choice is
the same on every machine and in every Python, and a value that is added later leaves most of what
was chosen, and paid for, as it was.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opeai_nb.bulk.sweep.axis import Axis

_BETWEEN: Final = "\x1f"  # stands in no label: they are one line of words each
Combination = tuple[int, ...]
"""A place on each axis."""


@dataclass(frozen=True)
class Draw:
    """Values of which each point gets one, instead of one point for each; made by `draw`."""

    values: Any


def draw(values: Any) -> Draw:
    """Let a sweep draw one of *values* for each point, instead of making a point for each.

    *values* is whatever makes an axis: a list, a mapping with labels, a text file. Which point gets
    which value depends on the sweep's `seed` and on the point's other values alone, so that running
    it again is free.

        sweep("a {animal} in {light}", animal=["fox", "owl"], light=draw(["dusk", "fog", "noon"]))
    """
    return Draw(values)


@dataclass(frozen=True)
class Sample:
    """How points are chosen: *count* of them (None: all), the axes *drawn* by name, the *seed*."""

    count: int | None = None
    drawn: frozenset[str] = frozenset()
    seed: int = 0

    def combinations(self, axes: Sequence[Axis]) -> Iterator[Combination]:
        """Yield the combinations of *axes* that are points, in the order of the plan.

        Raises `InputError` for a count below one, or above what there is.
        """
        crossed = [(0,) if axis.name in self.drawn else tuple(range(len(axis))) for axis in axes]
        every: Iterator[Combination] = itertools.product(*crossed)
        if self.count is not None:
            self._check(self.count, space_of(axes, self.drawn))
            every = iter(
                sorted(heapq.nsmallest(self.count, every, lambda it: self._rank(axes, it)))
            )
        return (self._with_draws(axes, chosen) for chosen in every)

    def words(self, points: int, space: int) -> str:
        """Return what part of its *space* of combinations a plan of so many *points* is."""
        return f"{points} of {space} combinations, sampled (seed {self.seed})"

    def _with_draws(self, axes: Sequence[Axis], chosen: Combination) -> Combination:
        if not self.drawn:
            return chosen
        return tuple(
            self._rank(axes, chosen, axis.name) % len(axis) if axis.name in self.drawn else place
            for axis, place in zip(axes, chosen, strict=True)
        )

    def _rank(self, axes: Sequence[Axis], chosen: Combination, drawn: str = "") -> int:
        """Return a number for a combination, by the labels of what is crossed in it."""
        labels = (
            f"{axis.name}={axis.labels[place]}"
            for axis, place in zip(axes, chosen, strict=True)
            if axis.name not in self.drawn
        )
        text = _BETWEEN.join((str(self.seed), drawn, *labels))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8])

    @staticmethod
    def _check(count: int, space: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InputError(
                f"sample is {count!r}, not a number of points.",
                advice="Give a whole number from 1. Nothing was sent.",
            )
        if count > space:
            raise InputError(
                f"sample is {count}, and this sweep has {space} points.",
                advice="Leave sample out to take them all. Nothing was sent.",
            )


def space_of(axes: Sequence[Axis], drawn: frozenset[str] = frozenset()) -> int:
    """Return how many combinations there are; a drawn axis makes none of its own."""
    size = 1
    for axis in axes:
        size *= 1 if axis.name in drawn else len(axis)
    return size
