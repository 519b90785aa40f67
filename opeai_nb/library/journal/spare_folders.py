"""Emptied folders of settled entries, in which the next ones begin while a batch goes on.

To make and to remove a folder waits longest for a disk that others write to as well, and to make a
file costs it more than to write to one: so the journal stays in it, empty, and the file in which a
picture came, for the next record. A spare folder has the name of one that is being removed: any
process may do so, at any time.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import BLANK, blanked, emptied_folder, remove_folder
from opeai_nb.library.journal.journal_file import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.library.disk.files import AnyPath, Disk

_MOST: Final = 32
_YOUNG_SECONDS: Final = 600.0
"""An older one could be taken for the beginning of an entry that nobody went on with."""


class SpareFolders:
    """The spare folders of one journal. *is_busy* tells whether this process works on an entry.

    *on_idle* is called when it does so no more. The last entry that is settled takes all of them
    with it. Any thread may use it.
    """

    def __init__(
        self,
        is_busy: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        on_idle: Callable[[], object] = bool,
    ) -> None:
        self._on_idle = on_idle
        self._is_busy = is_busy
        self._clock = clock
        self._lock = Guard()
        self._pid = os.getpid()
        self._spare: list[tuple[str, float]] = []

    def remove(self, folder: Path) -> None:
        """Remove the folder of an entry with all in it: gone at once under its name."""
        is_last = not self._is_busy()
        if is_last:
            remove_folder(folder)
            return self.tidy()
        if (gone := emptied_folder(folder, _blank)) is not None:
            with self._lock:
                self._spare_here().append((gone, self._clock()))
        if len(self._spare) > _MOST:
            self._drop()
        return None

    def tidy(self) -> None:
        """Remove what is there where this process works on nothing."""
        if not self._is_busy():
            self._drop()
            self._on_idle()

    def _drop(self) -> None:
        with self._lock:
            needless, self._spare = self._spare_here(), []
        for path, _ in needless:
            remove_folder(path)

    def begin(self, new: str, folder: Path, write: Callable[[AnyPath], None], disk: Disk) -> bool:
        """Let *write* fill an empty folder, and give it the name of *folder*.

        Until then it is a spare one, or one whose name begins with *new*; tell whether it was a
        spare one. Raises `OSError`, and leaves nothing.
        """
        while (spare := self._latest()) is not None:
            try:
                write(spare)
                disk.rename(spare, folder)
            except FileNotFoundError:
                continue  # another process swept it away
            except OSError:
                remove_folder(spare)
                raise
            return True
        made = Path(f"{new}{secrets.token_hex(8)}")
        try:
            disk.mkdir(made)
            write(made)
            disk.rename(made, folder)
        except OSError:
            remove_folder(made)
            raise
        return False

    def _latest(self) -> str | None:
        with self._lock:
            spare = self._spare_here()
            if not spare or self._clock() - spare[-1][1] > _YOUNG_SECONDS:
                return None
            return spare.pop()[0]

    def _spare_here(self) -> list[tuple[str, float]]:
        """Return the spare folders; a fork has none: those are its parent's."""
        if self._pid != os.getpid():
            self._pid, self._spare = os.getpid(), []
        return self._spare


def _blank(folder: str, name: str) -> None:
    """Remove a file of a settled entry, or empty it, for the next one: the journal, and a picture.

    Names come in their order: the second ones of the journal, which are hidden, before its own.
    Raises `OSError`.
    """
    path = f"{folder}{os.sep}{name}"
    if name in (JOURNAL, BLANK) and blanked(path):
        return
    if not name.startswith(".") and name != JOURNAL and blanked(path):
        os.replace(path, f"{folder}{os.sep}{BLANK}")  # noqa: PTH105  a Path costs more
        return
    os.unlink(path)  # noqa: PTH108  a Path costs more
