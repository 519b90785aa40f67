"""A contact sheet: small pictures side by side, each with what names it and its prompt."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PIL.PngImagePlugin import PngInfo

from opeai_nb.errors import LibraryError
from opeai_nb.imaging.labelled_grid import Cell, Page, labelled_grid
from opeai_nb.imaging.open_picture import UndecodableError, decoded_picture
from opeai_nb.library.export.card import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from PIL import Image

    from opeai_nb.library.export.piece import Piece

SIDE: Final = 320
"""The side of a cell in pixels, where nobody says otherwise."""
MOST: Final = 120
"""Pictures on one sheet; a PDF has as many sheets as it takes."""
_ON_A_PAGE: Final = (4, 5)  # columns and rows of a page of a PDF, which stands upright
_QUALITY: Final = 90


def write_sheet(path: Path, pieces: Sequence[Piece], ending: str, title: str, side: int) -> None:
    """Write one sheet with all pictures as PNG or JPEG. Raises `OSError`."""
    columns = math.ceil(math.sqrt(len(pieces)))
    image = _sheet(pieces, columns, title, side)
    if ending == ".png":
        about = PngInfo()
        about.add_text("Comment", MARK)
        image.save(path, "PNG", pnginfo=about)
    else:
        image.save(path, "JPEG", quality=_QUALITY, comment=MARK)


def write_pdf(path: Path, pieces: Iterable[Piece], title: str, side: int) -> None:
    """Write sheets as the pages of a PDF, one in memory at a time. Raises `OSError`."""
    columns, rows = _ON_A_PAGE
    for number, page in enumerate(_batches(pieces, columns * rows)):
        image = _sheet(page, columns, "" if number else title, side)
        about: dict[str, Any] = {"title": title, "subject": MARK}
        image.save(path, "PDF", append=bool(number), quality=_QUALITY, resolution=150, **about)


def _batches(pieces: Iterable[Piece], size: int) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _sheet(pieces: Sequence[Piece], columns: int, title: str, side: int) -> Image.Image:
    cells = {
        divmod(number, columns): Cell([partial(_image, piece)], caption=_caption(piece))
        for number, piece in enumerate(pieces)
    }
    rows = math.ceil(len(pieces) / columns)
    return labelled_grid(Page((rows, columns), cells, title=title), (side, round(side * 1.2)))


def _caption(piece: Piece) -> str:
    axes = " · ".join(piece.axes.values())
    return f"{piece.id} · {axes or ' '.join(piece.record.prompt.split())}"


def _image(piece: Piece) -> Image.Image | str:
    try:
        return decoded_picture(piece.read())
    except (UndecodableError, LibraryError) as error:
        return str(error)
