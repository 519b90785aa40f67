"""One picture of an export, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opeai_nb.errors import LibraryError
from opeai_nb.library.library_warning import reason
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from opeai_nb.client.values.words import Words
    from opeai_nb.library.marks import Marks
    from opeai_nb.library.records.record import KeptPicture, Record


class Piece(NamedTuple):
    """A kept picture: its record, its *number* in that from 1, and what people say of it.

    *axes* are the labels of the sweep that it belongs to, where it is exported as part of one.
    """

    record: Record
    number: int
    picture: KeptPicture
    marks: Marks
    axes: Mapping[str, str]

    @property
    def id(self) -> str:
        """What names it in `%imagine star` and `tag`: `3f2a9c1d`, or `3f2a9c1d-2` of several."""
        is_one = len(self.record.pictures) == 1
        return self.record.id if is_one else f"{self.record.id}-{self.number}"

    @property
    def file(self) -> str:
        """The name of its file in the library."""
        return str(self.picture.file)

    @property
    def words(self) -> Words:
        """What a person said of it: its alt text and its caption, empty where there is none."""
        return self.marks.words(self.record)

    @property
    def path(self) -> Path:
        """Its file."""
        return self.record.path_of(self.file)

    def read(self) -> bytes:
        """Return the bytes of its file. Raises `LibraryError` when it cannot be read."""
        try:
            return read_plain(self.path)
        except OSError as error:
            raise LibraryError(
                f"The picture {self.file} cannot be read: {reason(error)}.",
                advice="Nothing was exported.",
            ) from error


def pieces_of(
    records: Iterable[Record],
    marks_of: Callable[[Record], Marks],
    *,
    starred: bool = False,
    tag: str | None = None,
    axes: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[Piece]:
    """Yield the pictures of records; with *starred* or *tag* only those that have the mark.

    A mark of a record holds for each of its pictures. *axes* are labels by the record's id.
    """
    for record in records:
        marks = marks_of(record)
        labels = (axes or {}).get(record.id, {})
        for number, picture in enumerate(record.pictures, 1):
            own = marks.at(number)
            is_meant = (own.starred or not starred) and (tag is None or own.has_tag(tag))
            if picture.file is not None and is_meant:
                yield Piece(record, number, picture, own, labels)
