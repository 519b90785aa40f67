"""Which pictures stand side by side, and what the choices between them come to. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.library.picks import Picked

_BETWEEN: Final = "\0"


@dataclass(frozen=True)
class Entrant:
    """A picture that can be chosen: its *id*, and the label of its point on each axis."""

    id: str
    labels: tuple[str, ...]
    picture: Picture = field(compare=False, repr=False)


class Pair(NamedTuple):
    """Two pictures of different points, side by side."""

    left: Entrant
    right: Entrant

    @property
    def key(self) -> frozenset[str]:
        """What names the pair, whichever stands left."""
        return frozenset((self.left.id, self.right.id))


class Standing(NamedTuple):
    """What became of a value of an axis in the pairs whose pictures differed in that axis."""

    axis: str
    value: str
    wins: int
    losses: int
    equal: int


def pairs_of(entrants: Iterable[Entrant], seed: int) -> Iterator[Pair]:
    """Yield each pair of pictures of different points once, in an order that *seed* draws.

    As in a tournament, each picture has one pair before any has its next: whoever stops early has
    looked at all of them about as often.
    """
    circle: list[Entrant | None] = [*sorted(entrants, key=lambda one: _rank(seed, one.id))]
    if len(circle) % 2:
        circle.append(None)  # whoever meets it has no pair in that round
    for _ in range(len(circle) - 1):
        for one, other in zip(circle[: len(circle) // 2], reversed(circle), strict=False):
            if one is not None and other is not None and one.labels != other.labels:
                is_left = _rank(seed, one.id, other.id) < _rank(seed, other.id, one.id)
                yield Pair(one, other) if is_left else Pair(other, one)
        circle = [circle[0], circle[-1], *circle[1:-1]]


def count_of(entrants: Sequence[Entrant]) -> int:
    """Return how many pairs there are."""
    same = Counter(entrant.labels for entrant in entrants)
    return _two_of(len(entrants)) - sum(map(_two_of, same.values()))


def standings(
    axes: Mapping[str, Sequence[str]], entrants: Iterable[Entrant], picks: Iterable[Picked]
) -> list[Standing]:
    """Return what the choices come to for each value of the *axes*, name by name, label by label.

    A choice counts for the axes in which its two pictures differ; a pair that was skipped counts
    for none.
    """
    known = {entrant.id: entrant.labels for entrant in entrants}
    wins: Counter[tuple[int, str]] = Counter()
    losses: Counter[tuple[int, str]] = Counter()
    equal: Counter[tuple[int, str]] = Counter()
    for pick in picks:
        if pick.choice == "skip" or not {pick.left, pick.right} <= known.keys():
            continue
        first, second = (wins, losses) if pick.choice == "left" else (losses, wins)
        if pick.choice == "equal":
            first = second = equal
        for place, (left, right) in enumerate(
            zip(known[pick.left], known[pick.right], strict=True)
        ):
            if left != right:
                first[place, left] += 1
                second[place, right] += 1
    return [
        Standing(name, label, *(count[place, label] for count in (wins, losses, equal)))
        for place, (name, labels) in enumerate(axes.items())
        if len(labels) > 1
        for label in labels
    ]


def _two_of(count: int) -> int:
    return count * (count - 1) // 2


def _rank(seed: int, *ids: str) -> bytes:
    text = _BETWEEN.join((str(seed), *ids))
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
