"""How one picture looks in a notebook, and what stands in the place of one that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opeai_nb.errors import NoPictureError
from opeai_nb.imaging.contact_sheet import contact_sheet, plate

if TYPE_CHECKING:
    from PIL import Image

    from opeai_nb.imaging.encode import Encoded

Bundle = tuple[dict[str, Any], dict[str, Any]]


class Decodable(Protocol):
    """What a view has to know of a picture, which itself leads here."""

    @property
    def image(self) -> Image.Image:
        """The decoded picture. Raises `NoPictureError`."""


def picture_bundle(picture: Decodable, text: str, alternative: str) -> Bundle:
    """Return data and metadata that show one picture as a thumbnail."""
    return sheet_bundle(contact_sheet([picture], image_or_plate), text, alternative)


def sheet_bundle(sheet: Encoded, text: str, alternative: str) -> Bundle:
    """Return data and metadata that show *sheet*; *text* and *alternative* stand for it."""
    import pybase64

    width, height = sheet.size
    data = {"text/plain": text, sheet.mime: pybase64.b64encode_as_string(sheet.data)}
    return data, {sheet.mime: {"width": width, "height": height, "alt": alternative}}


def image_or_plate(picture: Decodable) -> Image.Image:
    """Return the picture; for bytes that are none, a plate that says so."""
    try:
        return picture.image
    except NoPictureError:
        return plate("no picture")
