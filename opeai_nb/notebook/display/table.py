"""A table as a command answers it: HTML in a notebook, aligned text in a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unicodedata import east_asian_width

from opeai_nb.printable import printable
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDEST: Final = 64  # a sha256
# Literal values only: a notebook reopened without trust drops style sheets and var(). No grey has
# enough contrast on white and on a dark page: the note has the page's own colour, thinned.
_TABLE: Final = "border-collapse:collapse;font:13px/1.45 system-ui,-apple-system,sans-serif"
_CELL: Final = "padding:3px 14px 3px 0;vertical-align:middle;text-align:{align};max-width:34em"
_HEAD: Final = "border-bottom:1px solid #8a8f98;font-weight:600;white-space:nowrap"
_NOTE: Final = "font:13px/1.45 system-ui,-apple-system,sans-serif;margin-top:6px;opacity:0.8"


class Thumbnail(NamedTuple):
    """A small picture in a cell: a data URL, its text, and its side in CSS pixels."""

    source: str
    alt: str
    side: int = 72


class Text:
    """What a command answers: shown as it is, and the same string for whoever wants it."""

    def __init__(self, text: str) -> None:
        self.text = printable(text)

    def __repr__(self) -> str:
        return self.text


Cell = str | int | Thumbnail
"""Text, a count (aligned to the right), or a picture (shown in HTML alone)."""


class Table(Sequence[Any]):
    """What a command lists, and how it looks.

    It is a sequence of *items*, the things that its rows tell of. *head* names the columns; *note*
    stands below. A column whose cells are all empty is left out.
    """

    def __init__(
        self,
        head: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        items: Sequence[Any] = (),
        note: str = "",
    ) -> None:
        told = [tuple(_seen(cell) for cell in row) for row in rows]
        used = [n for n in range(len(head)) if any(row[n] != "" for row in told)]
        self.head = tuple(head[n] for n in used)
        self.rows = [tuple(row[n] for n in used) for row in told]
        self.note = printable(note)
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __repr__(self) -> str:
        return "\n".join([*self._lines(), *([self.note] if self.note else [])])

    def _lines(self) -> list[str]:
        columns = [n for n in range(len(self.head)) if not self._is_picture(n)]
        if not columns:
            return []
        texts = [[self.head[n] for n in columns]]
        texts += [[shortened(str(row[n]), _WIDEST) for n in columns] for row in self.rows]
        widths = [max(_width(line[n]) for line in texts) for n in range(len(columns))]
        right = [self._is_count(n) for n in columns]
        return [
            "  ".join(map(_padded, line, widths, right)).rstrip() for line in texts if any(line)
        ]

    def _repr_html_(self) -> str:
        parts = []
        if self.rows:
            cells = "".join(self._th(n, text) for n, text in enumerate(self.head))
            lines = [f"<tr>{cells}</tr>"] if any(self.head) else []
            for row in self.rows:
                told = "".join(self._td(n, cell) for n, cell in enumerate(row))
                lines.append(f"<tr>{told}</tr>")
            parts.append(f'<table style="{_TABLE}">{"".join(lines)}</table>')
        if self.note:
            parts.append(f'<div style="{_NOTE}">{escape(self.note)}</div>')
        return "".join(parts)

    def _th(self, column: int, text: str) -> str:
        style = f"{self._style(column)};{_HEAD}"
        if not text:  # a heading that says nothing is none to a screen reader
            return f'<td style="{style}"></td>'
        return f'<th scope="col" style="{style}">{escape(text)}</th>'

    def _td(self, column: int, cell: Cell) -> str:
        return f'<td style="{self._style(column)}">{_html(cell)}</td>'

    def _style(self, column: int) -> str:
        return _CELL.format(align="right" if self._is_count(column) else "left")

    def _is_count(self, column: int) -> bool:
        return all(isinstance(row[column], int) for row in self.rows)

    def _is_picture(self, column: int) -> bool:
        return any(isinstance(row[column], Thumbnail) for row in self.rows)


def _html(cell: Cell) -> str:
    if isinstance(cell, Thumbnail):
        return (
            f'<img src="{escape(cell.source)}" alt="{escape(cell.alt)}" '
            f'width="{cell.side}" height="{cell.side}" style="border-radius:6px">'
        )
    return escape(str(cell))


def _width(text: str) -> int:
    """Return how many columns of a terminal *text* takes: wide letters take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _seen(cell: Cell) -> Cell:
    return printable(cell) if isinstance(cell, str) else cell
