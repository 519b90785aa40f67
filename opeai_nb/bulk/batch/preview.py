"""A batch as a picture: the first rows' pictures on one sheet, in the order of the table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.manifest_line import ours
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.views.picture_view import Bundle, image_or_plate, sheet_bundle
from opeai_nb.client.values.views.text_alternative import text_alternative
from opeai_nb.client.values.views.text_output import is_text_alone, text_bundle
from opeai_nb.imaging.contact_sheet import contact_sheet, plate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image

MOST: Final = 20
"""Rows on a sheet: four lines of five."""


def rows_bundle(text: str, folder: Path, lines: Sequence[dict[str, Any]]) -> Bundle:
    """Return data and metadata that show the first of a manifest's *lines*, whose files lie there.

    *text* alone where none of them has a picture.
    """
    first = lines[:MOST]
    if is_text_alone():
        files = [folder / file for line in lines for file in ours(line, "files")]
        return text_bundle(text, map(Picture, files)), {}
    if not any(ours(line, "files") for line in first):
        return {"text/plain": text}, {}
    prompts = "; ".join(str(ours(line, "prompt")) for line in first)
    alternative = f"The first {len(first)} of {len(lines)} rows: {prompts}"
    sheet = contact_sheet(first, partial(_image, folder))
    return sheet_bundle(sheet, text, text_alternative(alternative))


def _image(folder: Path, line: dict[str, Any]) -> Image.Image:
    """Return the first picture of a row; where it has none, a plate with what became of it."""
    files = ours(line, "files")
    return image_or_plate(Picture(folder / files[0])) if files else plate(ours(line, "status"))
