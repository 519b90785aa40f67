"""Files that claims are made of: kept from one to the next while a batch goes on.

A new file costs ten times as much as a second name of one that is there, and each row of a batch
claims its request for some milliseconds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import DISK, discard, passing_path

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY: Final = (FileExistsError, PermissionError) if os.name == "nt" else (FileExistsError,)
"""What says that somebody has the claim."""


class ClaimFile:
    """A file in *folder* with a name of its own, at *path*, that is open to be written to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.path = path = passing_path(folder)
        self._handle = DISK.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self._length = 0

    def says(self, text: bytes) -> None:
        """Let it say *text* and no more. Raises `OSError`."""
        os.pwrite(self._handle, text, 0)
        if len(text) < self._length:
            os.ftruncate(self._handle, len(text))
        self._length = len(text)

    def drop(self) -> None:
        """Let go of it, and remove its own name."""
        with suppress(OSError):
            os.close(self._handle)
        discard(self.path)


class ClaimFiles:
    """The files of one process that no claim has now. *is_busy* tells whether it works on anything.

    Any thread may use it. Where a disk knows no second names there are none.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._lock = Guard()
        self._pid = os.getpid()
        self._free: dict[str, list[ClaimFile]] = {}
        self._has_links = hasattr(os, "link") and hasattr(os, "pwrite")

    def place(self, folder: str, path: str, text: bytes) -> ClaimFile | None:
        """Give a file that says *text* the name *path* in *folder*; None where that cannot be.

        Raises one of `BUSY` where something has that name.
        """
        if not self._has_links or (file := self._taken(folder)) is None:
            return None
        try:
            file.says(text)
            os.link(file.path, path)
        except BUSY:
            self.give_back(file)
            raise
        except FileNotFoundError:  # another process swept it away
            file.drop()
            return None
        except OSError:
            self._has_links = False
            file.drop()
            return None
        return file

    def give_back(self, file: ClaimFile) -> None:
        """Take a file that no claim has any more."""
        with self._lock:
            self._free_here().setdefault(file.folder, []).append(file)
        self.tidy()

    def tidy(self) -> None:
        """Remove what is there where this process works on nothing."""
        if not self._free or self._is_busy():
            return
        with self._lock:
            free = [file for files in self._free_here().values() for file in files]
            self._free = {}
        for file in free:
            file.drop()

    def _taken(self, folder: str) -> ClaimFile | None:
        with self._lock:
            free = self._free_here().get(folder)
            if free:
                return free.pop()
        if not self._is_busy():
            return None  # a single request: a file of its own is less
        try:
            return ClaimFile(folder)
        except OSError:
            return None

    def _free_here(self) -> dict[str, list[ClaimFile]]:
        """Return the free files; a fork has none: those are its parent's."""
        if self._pid != os.getpid():
            self._pid, self._free = os.getpid(), {}
        return self._free
