"""Where everything stands in a grid: arithmetic alone, in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Box(NamedTuple):
    """A rectangle: its left upper corner, width and height."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """A page of *rows* x *columns* cells, all of one size, with margins for labels.

    *text* is the size of the letters, *head* the height of the labels above the columns.
    """

    rows: int
    columns: int
    cell: tuple[int, int]
    gap: int
    text: int
    top: int
    left: int
    head: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the page."""
        width, height = self.cell
        return (
            self.left + self.columns * (width + self.gap) - self.gap * bool(self.columns),
            self.top + self.rows * (height + self.gap) - self.gap * bool(self.rows),
        )

    def place(self, row: int, column: int) -> Box:
        """Return where the cell stands."""
        width, height = self.cell
        left = self.left + column * (width + self.gap)
        return Box(left, self.top + row * (height + self.gap), width, height)

    def above(self, column: int) -> Box:
        """Return where a column's label stands."""
        box = self.place(0, column)
        return Box(box.left, self.top - self.head, box.width, self.head)

    def beside(self, row: int) -> Box:
        """Return where a row's label stands."""
        box = self.place(row, 0)
        return Box(0, box.top, self.left, box.height)


def shape_of(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the cell that holds each of these pictures at full size."""
    known = list(sizes)
    if not known:
        return (512, 512)
    return max(width for width, _ in known), max(height for _, height in known)


def tiles_of(count: int, cell: tuple[int, int]) -> list[Box]:
    """Return where *count* pictures of one request stand in their cell: a square of them."""
    across = math.ceil(math.sqrt(max(1, count)))
    down = math.ceil(max(1, count) / across)
    width, height = cell[0] // across, cell[1] // down
    return [
        Box((number % across) * width, (number // across) * height, width, height)
        for number in range(count)
    ]


def layout_of(
    rows: int,
    columns: int,
    cell: tuple[int, int],
    *,
    longest_label: int,
    has_rows: bool,
    head_lines: int,
    has_title: bool,
) -> Layout:
    """Return the layout of a page; letters and gaps grow with the cells.

    *head_lines* is how many lines the labels above the columns need at most.
    """
    side, text = min(cell), text_of(cell)
    margin = min(round(longest_label * text * 0.6) + text, cell[0]) if has_rows else 0
    head = round(text * (0.75 + 1.25 * head_lines)) if head_lines else 0
    top = head + text * 2 * has_title
    return Layout(rows, columns, cell, max(4, side // 64), text, top, margin, head)


def text_of(cell: tuple[int, int]) -> int:
    """Return the size of the letters beside cells of this size."""
    return max(13, min(round(min(cell) / 14), 40))
