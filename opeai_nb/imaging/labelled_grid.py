"""Pictures in a table: cells of one size, labels beside and above them, a note where one failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opeai_nb.imaging.grid_layout import Box, Layout, layout_of, text_of, tiles_of
from opeai_nb.imaging.labels import wrapped, write
from opeai_nb.imaging.scale import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL import Image

    from opeai_nb.imaging.scale import Size

_PAPER: Final = (255, 255, 255)
_EMPTY: Final = (240, 241, 244)
_REFUSED: Final = (253, 236, 234)
_REFUSED_INK: Final = (150, 30, 24)
_GREY_INK: Final = (110, 116, 128)
_GAP: Final = 16
_MOST_LINES: Final = 3


@dataclass(frozen=True)
class Cell:
    """One cell: its pictures, or a *note* why there are none; *is_refused* paints the note red.

    A *caption* stands below them, within the cell.

    A picture is a function, so that only one is in memory at a time; it returns the image, or the
    reason why there is none.
    """

    pictures: Sequence[Callable[[], Image.Image | str]] = ()
    note: str = ""
    is_refused: bool = False
    caption: str = ""


@dataclass(frozen=True)
class Page:
    """A table of cells by (row, column); *rows* and *columns* are labels, or empty."""

    shape: tuple[int, int]
    cells: Mapping[tuple[int, int], Cell]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    title: str = ""


def labelled_grid(page: Page, cell: Size) -> Image.Image:
    """Return *page* drawn with cells of *cell* pixels; pictures are scaled to fit, never up."""
    from PIL import Image

    layout = layout_of(
        *page.shape,
        cell,
        longest_label=max(map(len, page.rows), default=0),
        has_rows=bool(page.rows),
        head_lines=_head_lines(page, cell),
        has_title=bool(page.title),
    )
    image = Image.new("RGB", layout.size, _PAPER)
    _write_labels(image, layout, page)
    for (row, column), content in page.cells.items():
        _put(image, layout.place(row, column), content, max(10, round(layout.text * 0.8)))
    return image


def stacked(sheets: Sequence[Image.Image], note: str = "") -> Image.Image:
    """Return *sheets* below each other, and below them a line that says *note*."""
    from PIL import Image

    sheets = [*sheets, _line(note, sheets[0].width)] if note else sheets
    if len(sheets) == 1:
        return sheets[0]
    size = max(sheet.width for sheet in sheets), sum(sheet.height + _GAP for sheet in sheets) - _GAP
    image = Image.new("RGB", size, _PAPER)
    top = 0
    for sheet in sheets:
        image.paste(sheet, (0, top))
        top += sheet.height + _GAP
    return image


def _line(text: str, width: int) -> Image.Image:
    from PIL import Image

    image = Image.new("RGB", (width, 2 * _GAP), _PAPER)
    box = Box(0, 0, image.width, image.height)
    write(image, box, text, _GAP, fill=_GREY_INK, most=1)
    return image


def _head_lines(page: Page, cell: Size) -> int:
    """Return how many lines the longest label above a column takes."""
    text = text_of(cell)
    width = cell[0] - text // 2
    return max((len(wrapped(it, text, width, _MOST_LINES)) for it in page.columns), default=0)


def _write_labels(image: Image.Image, layout: Layout, page: Page) -> None:
    if page.title:
        write(image, Box(0, 0, layout.size[0], 2 * layout.text), page.title, layout.text, most=1)
    for number, label in enumerate(page.columns):
        write(image, layout.above(number), label, layout.text, most=_MOST_LINES)
    for number, label in enumerate(page.rows):
        write(image, layout.beside(number), label, layout.text, most=_MOST_LINES)


def _put(image: Image.Image, box: Box, cell: Cell, text: int) -> None:
    """Draw a cell: its pictures, or its note; *text* is the size of the letters."""
    if cell.caption:
        lines = min(_MOST_LINES, len(wrapped(cell.caption, text, box.width, _MOST_LINES)))
        height = min(round(text * (0.5 + 1.25 * lines)), box.height // 2)
        below = Box(box.left, box.top + box.height - height, box.width, height)
        write(image, below, cell.caption, text, most=_MOST_LINES)
        box = box._replace(height=box.height - height)
    from PIL import ImageDraw

    if cell.note:
        frame = (box.left, box.top, box.left + box.width - 1, box.top + box.height - 1)
        ImageDraw.Draw(image).rectangle(frame, fill=_REFUSED if cell.is_refused else _EMPTY)
        ink = _REFUSED_INK if cell.is_refused else _GREY_INK
        write(image, box, cell.note, text, fill=ink, most=5)
        return
    tiles = tiles_of(len(cell.pictures), (box.width, box.height))
    for tile, picture in zip(tiles, cell.pictures, strict=True):
        place = Box(box.left + tile.left, box.top + tile.top, tile.width, tile.height)
        content = picture()
        if isinstance(content, str):  # its file is gone or spoiled: the others are there
            write(image, place, content, text, fill=_REFUSED_INK, most=5)
        else:
            _paste(image, place, content)


def _paste(image: Image.Image, box: Box, full: Image.Image) -> None:
    from PIL.Image import Resampling

    size = fitted(full.size, (box.width, box.height))
    small = full.convert("RGBA")
    if size != full.size:
        small = small.resize(size, Resampling.BICUBIC, reducing_gap=2.0)
    place = (box.left + (box.width - size[0]) // 2, box.top + (box.height - size[1]) // 2)
    image.paste(small, place, small)
