"""Emptied folders of settled entries, in which the next ones begin while a batch goes on.

To make and to remove a folder waits longest for a disk that others write to as well. A spare one
has the name of a folder that is being removed: any process may do so, at any time.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import emptied_folder, remove_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.library.disk.files import AnyPath, Disk

_MOST: Final = 32
_YOUNG_SECONDS: Final = 600.0
"""An older one could be taken for the beginning of an entry that nobody went on with."""


class SpareFolders:
    """The spare folders of one journal. *is_busy* tells whether this process works on an entry.

    The last entry that is settled takes all of them with it. Any thread may use it.
    """

    def __init__(
        self, is_busy: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_busy = is_busy
        self._clock = clock
        self._lock = Guard()
        self._spare: list[tuple[str, float]] = []

    def remove(self, folder: Path) -> None:
        """Remove the folder of an entry with all in it: gone at once under its name."""
        gone = emptied_folder(folder)
        with self._lock:
            needless = []
            if gone is not None:
                self._spare.append((gone, self._clock()))
            if len(self._spare) > _MOST or not self._is_busy():
                needless, self._spare = self._spare, []
        for path, _ in needless:
            with suppress(OSError):  # gone already
                os.rmdir(path)  # noqa: PTH106  a Path costs more

    def begin(self, new: Path, folder: Path, write: Callable[[AnyPath], None], disk: Disk) -> None:
        """Let *write* fill an empty folder, and give it the name of *folder*.

        Until then it is a spare one, or *new*. Raises `OSError`.
        """
        while (spare := self._latest()) is not None:
            try:
                write(spare)
                return disk.rename(spare, folder)
            except FileNotFoundError:
                continue  # another process swept it away
            except OSError:
                remove_folder(spare)
                raise
        disk.mkdir(new)
        write(new)
        return disk.rename(new, folder)

    def _latest(self) -> str | None:
        with self._lock:
            if not self._spare or self._clock() - self._spare[-1][1] > _YOUNG_SECONDS:
                return None
            return self._spare.pop()[0]
