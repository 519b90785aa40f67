"""A blind choice: pairs of a sweep's pictures with hidden labels, and wins for each value."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final, get_args

from opeai_nb.bulk.sweep.pairing import Entrant, Pair, Standing, count_of, pairs_of, standings
from opeai_nb.errors import InputError
from opeai_nb.library.picks import Choice
from opeai_nb.printable import printable, printable_line
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Plan
    from opeai_nb.library.picks import Picks

_HEAD: Final = ("axis", "value", "wins", "losses", "equal")
# Literal values only: a notebook reopened without trust drops style sheets.
_TABLE: Final = "border-collapse:collapse;font:13px/1.45 system-ui,-apple-system,sans-serif"
_TH: Final = "padding:3px 14px 3px 0;text-align:{};border-bottom:1px solid #8a8f98"
_TD: Final = "padding:3px 14px 3px 0;text-align:{}"


class Pick:
    """Pairs of pictures of a sweep to choose from, and what the choices come to.

    In a notebook with `%load_ext opeai_nb` it shows the pairs and takes the choices by keys or
    buttons; anywhere, `pair` is what stands side by side now, and `choose("left")` goes on. Choices
    are kept in the library at once. What is counted is counted: there is no rating behind it.
    """

    def __init__(
        self, axes: Mapping[str, Sequence[str]], entrants: Sequence[Entrant], kept: Picks, seed: int
    ) -> None:
        self._axes, self._entrants, self._kept = axes, entrants, kept
        self._picks = kept.all()
        self._coming = pairs_of(entrants, seed)
        self._past: list[Pair] = []
        self.pair: Pair | None = self._next()
        """The two pictures that stand side by side now; None when each pair has its choice."""

    @property
    def total(self) -> int:
        """How many pairs there are in all."""
        return count_of(self._entrants)

    @property
    def chosen(self) -> int:
        """How many pairs have their choice, those that were skipped too, from whatever session."""
        ids = {entrant.id for entrant in self._entrants}
        return sum(key <= ids for key in self._picks)

    @property
    def standings(self) -> list[Standing]:
        """Wins, losses and draws of each value, over the pairs that differed in its axis."""
        return standings(self._axes, self._entrants, self._picks.values())

    @property
    def summary(self) -> str:
        """Return `12 of 66 pairs chosen`."""
        return f"{self.chosen} of {counted(self.total, 'pair')} chosen"

    def choose(self, choice: Choice) -> Pair | None:
        """Take a choice for the pair that stands there, and return the next one.

        `left`, `right`, `equal`, or `skip`, which counts for nothing. Raises `InputError` for
        another word and when no pair is left, `LibraryError` where it cannot be kept.
        """
        if choice not in get_args(Choice):
            raise InputError(
                f"{choice!r} is no choice.", advice=f"Choose one of {', '.join(get_args(Choice))}."
            )
        if self.pair is None:
            raise InputError("Every pair has its choice.", advice="back() takes the last one back.")
        left, right = self.pair.left.id, self.pair.right.id
        self._kept.add(left, right, choice)
        self._picks = self._kept.all()
        self._past.append(self.pair)
        self.pair = self._next()
        return self.pair

    def back(self) -> Pair | None:
        """Take back the last choice of this session, and return its pair; none: nothing happens.

        Raises `LibraryError` where that cannot be kept.
        """
        if self._past:
            pair = self._past[-1]
            self._kept.add(pair.left.id, pair.right.id, None)
            self._picks = self._kept.all()
            self._coming = _before(self.pair, self._coming)
            self.pair = self._past.pop()
        return self.pair

    def _next(self) -> Pair | None:
        return next((pair for pair in self._coming if pair.key not in self._picks), None)

    # -- how it looks

    def __repr__(self) -> str:
        return f"<Pick: {self.summary}>"

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the table as text and as HTML."""
        return {"text/plain": self.table, "text/html": self.html}, {}

    @property
    def table(self) -> str:
        """What the choices come to, as text."""
        rows = [
            _HEAD,
            *([*map(printable_line, row[:2]), *map(str, row[2:])] for row in self.standings),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)  # noqa: PLR2004  counts stand right
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.summary, *lines])

    @property
    def html(self) -> str:
        """What the choices come to, as a table that needs no style sheet and no kernel."""
        head = "".join(
            f'<th scope="col" style="{_TH.format(_side(place))}">{name}</th>'
            for place, name in enumerate(_HEAD)
        )
        rows = "".join(f"<tr>{_cells(row)}</tr>" for row in self.standings)
        return (
            f'<table style="{_TABLE}"><caption style="text-align:left;padding:6px 0">'
            f"{escape(self.summary)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def pick_of(plan: Plan, outcomes: Mapping[int, Outcome], kept: Picks, seed: int) -> Pick:
    """Return the pairs of what came of a plan.

    Raises `InputError` where no two pictures differ in an axis.
    """
    entrants = list(_entrants(plan, outcomes))
    if not count_of(entrants):
        there = counted(len(entrants), "picture") if entrants else "no picture yet"
        raise InputError(
            f"There is nothing to choose from: this sweep has {there}.",
            advice="It takes pictures of two points: .run() first, or vary more.",
        )
    axes = {axis.name: axis.labels for axis in plan.axes}
    return Pick(axes, entrants, kept, seed)


def _entrants(plan: Plan, outcomes: Mapping[int, Outcome]) -> Iterator[Entrant]:
    for point in plan:
        outcome = outcomes.get(point.number)
        if outcome is None or outcome.generation is None:
            continue
        for number, picture in enumerate(outcome.generation.pictures, 1):
            if picture.error is None:
                own = outcome.id or f"{point.identity[:8]}.{point.call}"
                yield Entrant(f"{own}-{number}", point.labels, picture)


def _before(pair: Pair | None, coming: Iterator[Pair]) -> Iterator[Pair]:
    if pair is not None:
        yield pair
    yield from coming


def _side(place: int) -> str:
    return "left" if place < 2 else "right"  # noqa: PLR2004  as above


def _cells(row: Standing) -> str:
    return "".join(
        f'<td style="{_TD.format(_side(place))}">{escape(printable(str(cell)))}</td>'
        for place, cell in enumerate(row)
    )
