"""A plan as a table of text: what is asked, what the library has, what would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.bulk.sweep.plan import Plan, Point
from opeai_nb.bulk.sweep.sample import space_of
from opeai_nb.wording import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from opeai_nb.client.values.request import ImageRequest

    Telling = Callable[[Iterable[ImageRequest]], str]

_MOST_ROWS: Final = 20
_WIDEST: Final = 44


def plan_text(plan: Plan, kept: Collection[int], told_cost: Telling = lambda _: "") -> str:
    """Return the plan: its counts, then a row for each point, the first twenty of them.

    *kept* are the numbers of the points that the library has; *told_cost* tells what requests
    cost, as a sentence goes on.
    """
    send = [point for point in plan if point.number not in kept]
    pictures = sum([point.request.count for point in send])
    cost = told_cost(point.request for point in send)
    counts = f"{counted(len(plan), 'request')}, {counted(plan.pictures, 'picture')}"
    todo = f"{len(kept)} in the library, {len(send)} to send ({counted(pictures, 'picture')}{cost})"
    lines = [f"{counts}: {todo}"]
    if plan.sample is not None:
        lines.append(plan.sample.words(len(plan), space_of(plan.axes)))
    shown = plan[:_MOST_ROWS]
    head, rows = _cells(plan, shown, kept)
    lines += ["", *_aligned([head, *rows])]
    if more := len(plan) - len(shown):
        lines.append(f"… and {more} more")
    return "\n".join(lines)


def _cells(
    plan: Plan, points: Sequence[Point], kept: Collection[int]
) -> tuple[list[str], list[list[str]]]:
    """Return head and rows: the swept values, or prompt and model where nothing is swept."""
    axes = [axis.name for axis in plan.axes]
    rows = [
        [
            *(point.labels if axes else (point.request.prompt, point.request.model)),
            "in the library" if point.number in kept else "to send",
        ]
        for point in points
    ]
    return [*(axes or ["prompt", "model"]), ""], [
        [shortened(cell, _WIDEST) for cell in row] for row in rows
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
