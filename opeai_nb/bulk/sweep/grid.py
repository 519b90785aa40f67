"""A sweep as a picture: rows and columns labelled by the swept values."""

from __future__ import annotations

import hashlib
import itertools
import math
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.sweep.grid_table import table_of
from opeai_nb.bulk.sweep.plan import counted
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.imaging.grid_layout import Box, Layout, layout_of, shape_of, tiles_of
from opeai_nb.imaging.labels import write
from opeai_nb.library import with_provenance
from opeai_nb.library.records.request_json import canonical, write_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from PIL import Image
    from PIL.ImageDraw import ImageDraw

    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.bulk.sweep.sweep import Sweep
    from opeai_nb.client.values.picture import Picture

SHEET_WIDTH: Final = 960
SHEET_BYTES: Final = 150_000
_SMALLEST: Final = 72
_LARGEST: Final = 512
MOST_PIXELS: Final = 100_000_000
"""A page that would be larger is scaled down to this: 100 megapixels are 300 MB in memory."""
_PAPER: Final = (255, 255, 255)
_EMPTY: Final = (240, 241, 244)
_REFUSED: Final = (253, 236, 234)
_REFUSED_INK: Final = (150, 30, 24)
_GREY_INK: Final = (110, 116, 128)
_GAP: Final = 16
_QUALITIES: Final = (85, 75, 60, 45)


class Grid:
    """The pictures of a sweep in a table; any axes beyond two make *pages*.

    Cells are all of one size, whatever the pictures' own; a failed cell tells its reason.
    """

    def __init__(self, sweep: Sweep, rows: str | None = None, columns: str | None = None) -> None:
        for name in filter(None, (rows, columns)):
            sweep.plan.axis(name)
        self._sweep = sweep
        self._table = table_of(sweep.plan.axes, rows, columns)
        self._pages = list(itertools.product(*(axis.labels for axis in self._table.pages)))

    def __repr__(self) -> str:
        rows, columns = self.shape
        pages = f", {len(self)} pages" if len(self) > 1 else ""
        return f"<Grid: {rows} x {columns}{pages}>"

    def __len__(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns a page has."""
        rows, columns = self._table.rows, self._table.columns
        return (len(rows) if rows else 1), (len(columns) if columns else 1)

    def title(self, page: int) -> str:
        """Return what the pictures of a page have in common: `model: a · size: 512x512`."""
        pairs = zip(self._table.pages, self._pages[page], strict=True)
        return " · ".join(f"{axis.name}: {label}" for axis, label in pairs)

    def image(self, page: int = 0) -> Image.Image:
        """Return a page at full size, at most 100 megapixels."""
        cells = self._cells(page)
        cell = shape_of(_sizes(self._sweep.outcomes.values()))
        rows, columns = self.shape
        pixels = rows * columns * cell[0] * cell[1]
        scale = min(1.0, math.sqrt(MOST_PIXELS / pixels))
        return self._drawn(page, cells, (int(cell[0] * scale), int(cell[1] * scale)))

    def sheet(self, page: int = 0) -> Image.Image:
        """Return a page as a small picture for the notebook, about 960 pixels wide."""
        cells = self._cells(page)
        _, columns = self.shape
        full = shape_of(_sizes(cells.values()))
        width = max(_SMALLEST, min(_LARGEST, SHEET_WIDTH // columns - 8))
        scale = min(1.0, width / max(full))
        cell = (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))
        return self._drawn(page, cells, cell)

    def save(self, target: str | Path) -> list[Path]:
        """Write every page at full size as PNG, with what was asked inside, and return the paths.

        *target* is a file's name; several pages get a number. Raises `LibraryError`.
        """
        path = Path(target).expanduser()
        path = path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
        paths = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for page in range(len(self)):
                one = path if len(self) == 1 else path.with_stem(f"{path.stem}-{page + 1}")
                one.write_bytes(self._png(page))
                paths.append(one)
        except OSError as error:
            raise LibraryError(f"The grid could not be saved: {error.strerror}.") from error
        return paths

    @property
    def alt(self) -> str:
        """What the grid shows, in words."""
        axes = "; ".join(repr(axis) for axis in self._sweep.plan.axes)
        return f"A grid of pictures. {axes}"

    def jpeg(self, most: int = 1) -> tuple[bytes, tuple[int, int]]:
        """Return the sheets of the first pages below each other: a JPEG, and its size.

        At most 150 KB. Below them stands how many pages more there are than *most*.
        """
        sheets = [self.sheet(page) for page in range(min(len(self), most))]
        if more := len(self) - len(sheets):
            told = f"{counted(more, 'page')} more: .grid().image({most}), .grid().save(…)"
            sheets.append(_note(told, sheets[0]))
        image = _stacked(sheets)
        buffer = BytesIO()
        for quality in _QUALITIES:
            buffer = BytesIO()
            image.save(buffer, "JPEG", quality=quality, optimize=True)
            if buffer.tell() <= SHEET_BYTES:
                break
        return buffer.getvalue(), image.size

    # -- what stands where

    def _cells(self, page: int) -> dict[tuple[int, int], Outcome]:
        found = {}
        for point in self._sweep.plan:
            if self._page_of(point) == self._pages[page]:
                found[self._place_of(point)] = self._sweep.outcome(point)
        return found

    def _page_of(self, point: Point) -> tuple[str, ...]:
        axes = self._sweep.plan.axes
        return tuple(point.labels[axes.index(axis)] for axis in self._table.pages)

    def _place_of(self, point: Point) -> tuple[int, int]:
        axes = self._sweep.plan.axes
        row, column = (
            0 if axis is None else axis.labels.index(point.labels[axes.index(axis)])
            for axis in (self._table.rows, self._table.columns)
        )
        return row, column

    # -- drawing

    def _drawn(
        self, page: int, cells: dict[tuple[int, int], Outcome], cell: tuple[int, int]
    ) -> Image.Image:
        from PIL import Image, ImageDraw

        layout = self._layout(page, cell)
        image = Image.new("RGB", layout.size, _PAPER)
        draw = ImageDraw.Draw(image)
        self._write_labels(draw, layout, page)
        for (row, column), outcome in cells.items():
            _put(image, draw, layout.place(row, column), outcome, layout.text)
        return image

    def _layout(self, page: int, cell: tuple[int, int]) -> Layout:
        rows = self._table.rows
        longest = max((len(label) for label in rows.labels), default=0) if rows else 0
        return layout_of(
            *self.shape,
            cell,
            longest_label=longest,
            has_rows=rows is not None,
            has_head=self._table.columns is not None,
            has_title=bool(self.title(page)),
        )

    def _write_labels(self, draw: ImageDraw, layout: Layout, page: int) -> None:
        if title := self.title(page):
            write(draw, Box(0, 0, layout.size[0], 2 * layout.text), title, layout.text, most=1)
        for number, label in enumerate(self._table.columns.labels if self._table.columns else ()):
            write(draw, layout.above(number), label, layout.text, most=1)
        for number, label in enumerate(self._table.rows.labels if self._table.rows else ()):
            write(draw, layout.beside(number), label, layout.text, most=3)

    # -- provenance

    def _png(self, page: int) -> bytes:
        buffer = BytesIO()
        self.image(page).save(buffer, "PNG", compress_level=6)
        return with_provenance(buffer.getvalue(), self._facts(page))

    def _facts(self, page: int) -> dict[str, Any]:
        """Return what the file tells: the axes, and for each cell the request and its pictures."""
        from opeai_nb import __version__

        points = [p for p in self._sweep.plan if self._page_of(p) == self._pages[page]]
        cells = [_told(point, self._sweep.outcome(point)) for point in points]
        return {
            "opeai_nb": 1,
            "id": hashlib.sha256(canonical(cells).encode()).hexdigest()[:8],
            "kind": "grid",
            "title": self.title(page),
            "axes": {axis.name: list(axis.labels) for axis in self._sweep.plan.axes},
            "cells": cells,
            # The `parameters` text that other tools read has room for one request: the first.
            "request": write_request(points[0].request) if points else {},
            "toolkit": __version__,
        }


def _sizes(outcomes: Iterable[Outcome]) -> Iterator[tuple[int, int]]:
    """Yield the sizes of the pictures that are there; a file may be gone or spoiled."""
    for outcome in outcomes:
        for picture in outcome.generation.good if outcome.generation else ():
            with suppress(OpeaiError):
                if picture.size:
                    yield picture.size


def _note(text: str, above: Image.Image) -> Image.Image:
    """Return a line of text as wide as what it stands below."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (above.width, 2 * _GAP), _PAPER)
    box = Box(0, 0, image.width, image.height)
    write(ImageDraw.Draw(image), box, text, _GAP, fill=_GREY_INK, most=1)
    return image


def _stacked(sheets: Sequence[Image.Image]) -> Image.Image:
    from PIL import Image

    if len(sheets) == 1:
        return sheets[0]
    size = max(sheet.width for sheet in sheets), sum(sheet.height + _GAP for sheet in sheets) - _GAP
    image = Image.new("RGB", size, _PAPER)
    top = 0
    for sheet in sheets:
        image.paste(sheet, (0, top))
        top += sheet.height + _GAP
    return image


def _told(point: Point, outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"labels": list(point.labels), "request": write_request(point.request)}
    if outcome.generation is not None:
        told["files"] = outcome.files
    else:
        told["error"] = outcome.reason
    return told


def _put(image: Image.Image, draw: ImageDraw, box: Box, outcome: Outcome, text: int) -> None:
    """Draw a cell: its pictures, or the reason why there are none."""
    frame = (box.left, box.top, box.left + box.width - 1, box.top + box.height - 1)
    size = max(10, round(text * 0.8))
    if outcome.generation is None:
        refused = outcome.state in {"failed", "unknown"}
        draw.rectangle(frame, fill=_REFUSED if refused else _EMPTY)
        ink = _REFUSED_INK if refused else _GREY_INK
        write(draw, box, outcome.reason or "not sent", size, fill=ink, most=5)
        return
    pictures = outcome.generation.good
    for tile, picture in zip(_tiles(box, pictures), pictures, strict=True):
        try:
            _paste(image, tile, picture)
        except OpeaiError as error:  # its file is gone or spoiled: the others are there
            write(draw, tile, error.message, size, fill=_REFUSED_INK, most=5)


def _tiles(box: Box, pictures: Sequence[Picture]) -> Iterator[Box]:
    for tile in tiles_of(len(pictures), (box.width, box.height)):
        yield Box(box.left + tile.left, box.top + tile.top, tile.width, tile.height)


def _paste(image: Image.Image, box: Box, picture: Picture) -> None:
    from PIL import Image

    full = picture.image
    scale = min(1.0, box.width / full.width, box.height / full.height)
    size = (max(1, round(full.width * scale)), max(1, round(full.height * scale)))
    small = full.convert("RGBA")
    if size != full.size:
        small = small.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    place = (box.left + (box.width - size[0]) // 2, box.top + (box.height - size[1]) // 2)
    image.paste(small, place, small)
