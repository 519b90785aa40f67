"""What an answer has brought, and where its pictures lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.protocol.read_submission import CUT
from opeai_nb.client.protocol.results import is_to_come
from opeai_nb.client.protocol.steps import Damaged
from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import OutcomeUnknownError
from opeai_nb.library.disk.files import is_inside
from opeai_nb.library.journal.seal import host_of

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.client import Generation
    from opeai_nb.errors import OpeaiError
    from opeai_nb.library import Entry


def names_pictures(error: OpeaiError) -> bool:
    """Tell an answer that was cut behind the URL of a picture, or behind its task's id.

    It is read again to fetch it.
    """
    return any(p.source is None and (p.url or is_to_come(p)) for p in error.pictures)


def is_packed(error: OpeaiError) -> bool:
    """Tell an answer that came to its end in a packing that nothing here undoes, as yet."""
    return isinstance(error.__cause__, Damaged) and not error.pictures


def hosts_of(generation: Generation) -> frozenset[str]:
    """Return the hosts that the pictures of a generation are fetched from."""
    return frozenset(host_of(picture.url) for picture in generation.pictures if picture.url)


def with_missing(generation: Generation, entry: Entry) -> Generation:
    """Return pictures out of an answer that was cut, with an error for each that did not come."""
    missing = 0 if entry.has_answer else generation.request.count - len(generation.pictures)
    lost = tuple(Picture(error=OutcomeUnknownError(CUT)) for _ in range(missing))
    return replace(generation, pictures=(*generation.pictures, *lost))


def out_of_the_journal(generation: Generation, entry: Entry) -> Generation:
    """Return the generation with nothing left in the entry's folder, which will be removed."""

    def is_left(picture: Picture) -> bool:
        return picture.path is not None and is_inside(picture.path, entry.folder)

    if not any(map(is_left, generation.pictures)):
        return generation
    pictures = tuple(
        replace(picture, source=picture.data) if is_left(picture) else picture
        for picture in generation.pictures
    )
    return replace(generation, pictures=pictures)


def in_file(picture: Picture, path: Path) -> Picture:
    """Return a picture that has come whole, into a file."""
    if picture.source == path and picture.error is None:
        return picture
    return replace(picture, source=path, error=None)
