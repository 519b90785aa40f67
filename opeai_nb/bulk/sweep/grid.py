"""A sweep as a picture: rows and columns labelled by the swept values."""

from __future__ import annotations

import hashlib
import itertools
import math
from base64 import b64encode
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.run.outcome import stopped
from opeai_nb.bulk.sweep.grid_table import LIST, table_of
from opeai_nb.client.values.name_template import at_home
from opeai_nb.client.values.views.text_alternative import text_alternative
from opeai_nb.client.values.views.text_output import is_text_alone, text_bundle
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.imaging.encode import jpeg, saved
from opeai_nb.imaging.grid_layout import shape_of
from opeai_nb.imaging.labelled_grid import Cell, Page, labelled_grid, stacked
from opeai_nb.imaging.scale import fitted
from opeai_nb.library import with_provenance
from opeai_nb.library.disk.files import write_whole
from opeai_nb.library.records.request_json import canonical, write_request
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from PIL import Image

    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Plan, Point
    from opeai_nb.client.values.picture import Picture

SHEET_WIDTH: Final = 960
SHEET_BYTES: Final = 150_000
_SMALLEST: Final = 72
_LARGEST: Final = 512
_MOST_PAGES: Final = 6
MOST_PIXELS: Final = 100_000_000
"""A page that would be larger is scaled down to this: 100 megapixels are 300 MB in memory."""


class Grid:
    """The pictures of a sweep in a table; any axes beyond two make *pages*.

    Cells are all of one size, whatever the pictures' own; a failed cell tells its reason. A sample
    would leave most of a table empty: its pictures stand side by side, each with its values below,
    unless *rows* or *columns* are named.
    """

    def __init__(
        self,
        plan: Plan,
        outcomes: Mapping[int, Outcome],
        rows: str | None = None,
        columns: str | None = None,
    ) -> None:
        for name in filter(None, (rows, columns)):
            plan.axis(name)
        self._plan, self._outcomes = plan, outcomes
        self._is_list = plan.sample is not None and rows is None and columns is None
        self._table = LIST if self._is_list else table_of(plan.axes, rows, columns)
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
        if self._is_list:
            across = math.ceil(math.sqrt(len(self._plan)))
            return math.ceil(len(self._plan) / max(1, across)), across
        rows, columns = self._table.rows, self._table.columns
        return (len(rows) if rows else 1), (len(columns) if columns else 1)

    def title(self, page: int) -> str:
        """Return what the pictures of a page have in common: `model: a · size: 512x512`."""
        pairs = zip(self._table.pages, self._pages[page], strict=True)
        return " · ".join(f"{axis.name}: {label}" for axis, label in pairs)

    def image(self, page: int = 0) -> Image.Image:
        """Return a page at full size, at most 100 megapixels."""
        cells = self._cells(page)
        cell = shape_of(_sizes(self._outcomes.values()))
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
        return self._drawn(page, cells, fitted(full, (width, width)))

    def save(self, target: str | Path) -> list[Path]:
        """Write every page at full size as PNG, with what was asked inside, and return the paths.

        *target* is a file's name; several pages get a number. Raises `LibraryError`.
        """
        path = at_home(Path(target))
        path = path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
        paths = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for page in range(len(self)):
                one = path if len(self) == 1 else path.with_stem(f"{path.stem}-{page + 1}")
                write_whole(one, self._png(page))
                paths.append(one)
        except OSError as error:
            raise LibraryError(f"The grid could not be saved: {error.strerror}.") from error
        return paths

    @property
    def alt(self) -> str:
        """What the grid shows, in words."""
        axes = "; ".join(repr(axis) for axis in self._plan.axes)
        return f"A grid of pictures. {axes}"

    def jpeg(self, most: int = 1) -> tuple[bytes, tuple[int, int]]:
        """Return the sheets of the first pages below each other: a JPEG, and its size.

        At most 150 KB. Below them stands how many pages more there are than *most*.
        """
        sheets = [self.sheet(page) for page in range(min(len(self), most))]
        more = len(self) - len(sheets)
        note = f"{counted(more, 'page')} more: .grid().image({most}), .grid().save(…)"
        image = stacked(sheets, note if more else "")
        return jpeg(image, SHEET_BYTES, optimize=True), image.size

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata: the pages below each other, as one thumbnail."""
        if is_text_alone():
            return text_bundle(repr(self), self._pictures()), {}
        sheet, (width, height) = self.jpeg(_MOST_PAGES)
        data = {"text/plain": repr(self), "image/jpeg": b64encode(sheet).decode()}
        about = {"width": width, "height": height, "alt": text_alternative(self.alt)}
        return data, {"image/jpeg": about}

    # -- what stands where

    def _pictures(self) -> Iterator[Picture]:
        """Yield the pictures in the order of the plan."""
        for point in self._plan:
            if (generation := self._outcome(point).generation) is not None:
                yield from generation.good

    def _cells(self, page: int) -> dict[tuple[int, int], Outcome]:
        if self._is_list:
            return {place: self._outcome(point) for place, point in self._listed()}
        found = {}
        for point in self._plan:
            if self._page_of(point) == self._pages[page]:
                found[self._place_of(point)] = self._outcome(point)
        return found

    def _outcome(self, point: Point) -> Outcome:
        return self._outcomes.get(point.number, stopped())

    def _listed(self) -> Iterator[tuple[tuple[int, int], Point]]:
        _, across = self.shape
        return ((divmod(number, across), point) for number, point in enumerate(self._plan))

    def _page_of(self, point: Point) -> tuple[str, ...]:
        axes = self._plan.axes
        return tuple(point.labels[axes.index(axis)] for axis in self._table.pages)

    def _place_of(self, point: Point) -> tuple[int, int]:
        axes = self._plan.axes
        row, column = (
            0 if axis is None else axis.labels.index(point.labels[axes.index(axis)])
            for axis in (self._table.rows, self._table.columns)
        )
        return row, column

    def _drawn(
        self, page: int, cells: dict[tuple[int, int], Outcome], cell: tuple[int, int]
    ) -> Image.Image:
        rows, columns = self._table.rows, self._table.columns
        told = {place: " · ".join(point.labels) for place, point in self._listed()}
        captions = told if self._is_list else {}
        content = {
            place: _cell(outcome, captions.get(place, "")) for place, outcome in cells.items()
        }
        labels = rows.labels if rows else (), columns.labels if columns else ()
        return labelled_grid(Page(self.shape, content, *labels, self.title(page)), cell)

    # -- provenance

    def _png(self, page: int) -> bytes:
        data = saved(self.image(page), "PNG", compress_level=6)
        return with_provenance(data, self._facts(page))

    def _facts(self, page: int) -> dict[str, Any]:
        """Return what the file tells: the axes, and for each cell the request and its pictures."""
        from opeai_nb._version import __version__

        points = [p for p in self._plan if self._page_of(p) == self._pages[page]]
        cells = [_told(point, self._outcomes.get(point.number, stopped())) for point in points]
        return {
            "opeai_nb": 1,
            "id": hashlib.sha256(canonical(cells).encode()).hexdigest()[:8],
            "kind": "grid",
            "title": self.title(page),
            "axes": {axis.name: list(axis.labels) for axis in self._plan.axes},
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


def _told(point: Point, outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"labels": list(point.labels), "request": write_request(point.request)}
    if outcome.generation is not None:
        told["files"] = outcome.files
    else:
        told["error"] = outcome.reason
    return told


def _cell(outcome: Outcome, caption: str) -> Cell:
    if outcome.generation is None:
        is_refused = outcome.state in {"failed", "unknown"}
        return Cell((), outcome.reason or "not sent", is_refused, caption)
    pictures = [partial(_image_or_reason, picture) for picture in outcome.generation.good]
    return Cell(pictures, caption=caption)


def _image_or_reason(picture: Picture) -> Image.Image | str:
    try:
        return picture.image
    except OpeaiError as error:
        return error.message
