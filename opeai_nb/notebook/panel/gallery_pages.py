"""What the gallery shows: the pictures of the library, newest first, read as far as is looked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from opeai_nb.library import Record


@dataclass(frozen=True)
class Find:
    """One picture of a record; *number* counts from 1."""

    record: Record
    number: int
    path: Path
    size: tuple[int, int] | None

    @property
    def title(self) -> str:
        """One line that tells what it is: for a tooltip and for a screen reader."""
        prompt = " ".join(self.record.prompt.split())
        short = prompt if len(prompt) <= 90 else f"{prompt[:89]}…"  # noqa: PLR2004  a line of text
        return f"{short} · {self.record.model}"

    @property
    def key(self) -> tuple[str, int]:
        """What tells one find from another."""
        return self.record.id, self.number


def finds_of(record: Record) -> list[Find]:
    """Return the pictures of a record, in order."""
    kept = [item for item in record.pictures if item.file]
    return [
        Find(record, number, record.folder / str(item.file), _sound(item.size))
        for number, item in enumerate(kept, 1)
    ]


def _sound(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return a size that a picture may have; records are plain files, and may have been edited."""
    return size if size and min(size) > 0 else None


class Pages:
    """The finds in pages of *length*; no record is read before its page is looked at."""

    def __init__(self, records: Callable[[], Iterable[Record]], length: int) -> None:
        self._records = records
        self.length = length
        self.number = 0
        self._read: list[Find] = []
        self._more: Iterator[Find] = iter(())
        self.reload()

    def reload(self) -> None:
        """Begin anew with what the library holds now, on the first page."""
        self.number = 0
        self._read = []
        self._more = self._finds()

    @property
    def page(self) -> list[Find]:
        """The finds of the page that is looked at."""
        start = self.number * self.length
        self._reach(start + self.length + 1)
        return self._read[start : start + self.length]

    @property
    def has_older(self) -> bool:
        """Tell whether a page follows."""
        self._reach((self.number + 1) * self.length + 1)
        return len(self._read) > (self.number + 1) * self.length

    @property
    def has_newer(self) -> bool:
        """Tell whether a page stands before."""
        return self.number > 0

    def older(self) -> None:
        """Go to the next page, where there is one."""
        if self.has_older:
            self.number += 1

    def newer(self) -> None:
        """Go back a page, where there is one."""
        self.number = max(0, self.number - 1)

    def _finds(self) -> Iterator[Find]:
        """Ask for the records with the first look: opening the library is not for the cell."""
        for record in self._records():
            yield from finds_of(record)

    def _reach(self, count: int) -> None:
        self._read += islice(self._more, max(0, count - len(self._read)))
