"""Where what is begun lies: in the library's folder, or in a sub-folder by date."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final, Literal

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import names_in, own_folder
from opeai_nb.library.disk.subfolder import day_in, part_of, time_in
from opeai_nb.library.records.record import ENDING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.library.disk.files import Disk

SubfolderChoice = Literal["auto", "always", "never"]

MANY: Final = 10_000
"""Records of a library, or rows of a batch: beyond them `auto` makes sub-folders."""
FULL: Final = 1_000
"""Records in one of them, more or less: several processes fill it at once."""
_RECOUNT: Final = 64
"""What others have put there is counted after so many of one's own."""


class Subfolders:
    """Says where in *folder* what is begun now is to lie. Any thread may ask.

    *is_large* tells whether the library has many records, or sub-folders; it is asked now and then.
    """

    def __init__(self, folder: Path, is_large: Callable[[], bool]) -> None:
        self._folder = folder
        self._is_large = is_large
        self._is_spread = False
        self._begun = 0
        self._lock = Guard()
        self._day, self._part, self._room = "", 1, 0

    def of(self, name: str, choice: SubfolderChoice) -> str | None:
        """Return the sub-folder for the record *name*; None where it lies in the folder itself."""
        day = day_in(name)
        if choice == "never" or (choice == "auto" and not self._spreads(day)):
            return None
        with self._lock:
            if day != self._day or self._room == 0:
                self._count(day)
            self._room -= 1
            return part_of(day, self._part)

    def _spreads(self, day: str) -> bool:
        if not self._is_spread:
            self._is_spread = time_in(self._folder, day) is not None or (
                self._begun % FULL == 0 and self._is_large()
            )
            self._begun += 1
        return self._is_spread

    def _count(self, day: str) -> None:
        first = self._part if day == self._day else 1
        parts = (n for n in count(first) if time_in(self._folder, part_of(day, n + 1)) is None)
        number = next(parts)
        names = names_in(self._folder / part_of(day, number))
        left = FULL - sum(name.endswith(ENDING) for name in names)
        self._day, self._part = day, number if left > 0 else number + 1
        self._room = min(_RECOUNT, left if left > 0 else FULL)

    def spread(self, day: str, disk: Disk) -> None:
        """Let what is begun from now on lie in sub-folders, whichever process begins it.

        A folder that cannot be written shows that with the first picture.
        """
        self._is_spread = True
        with suppress(OSError):
            disk.mkdir(self._folder)
            own_folder(self._folder / day, disk=disk)
