"""A disk that refuses what a real one may refuse."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from opeai_nb.library.disk.files import Disk


class RefusingDisk(Disk):
    """Has room for files of *room* bytes, none below *read_only*, and no fsync and links if told.

    *appends* tells whether files may grow. *sync* and *links* are the number of the error that
    they raise; None where the disk has them.
    """

    def __init__(self, *, sync: int | None = None, links: int | None = None) -> None:
        super().__init__()
        self.sync_error, self.link_error = sync, links
        self.room: int | None = None
        self.appends = True
        self.read_only: tuple[Path, ...] = ()

    def open(self, path: Path | str, flags: int) -> int:
        self._refuse(path)
        if flags & os.O_APPEND and not self.appends:
            raise _error(errno.ENOSPC)
        return super().open(path, flags)

    def mkdir(self, path: Path) -> None:
        self._refuse(path)
        if self.room == 0:
            raise _error(errno.ENOSPC)
        super().mkdir(path)

    def rename(self, old: Path | str, new: Path | str) -> None:
        self._refuse(new)
        super().rename(old, new)

    def link(self, old: Path | str, new: Path | str) -> None:
        self._refuse(new)
        if self.link_error is not None:
            raise _error(self.link_error)
        super().link(old, new)

    def write(self, handle: int, data: bytes | memoryview) -> int:
        if self.room is not None and len(data) > self.room:
            raise _error(errno.ENOSPC)
        return super().write(handle, data)

    def fsync(self, handle: int) -> None:
        if self.sync_error is not None:
            raise _error(self.sync_error)

    def _refuse(self, path: Path | str) -> None:
        if any(Path(path).is_relative_to(folder) for folder in self.read_only):
            raise _error(errno.EROFS)


class BusyDisk(Disk):
    """A disk of Windows: others look into what is new, and for a moment it cannot be renamed."""

    busy = (PermissionError,)

    def __init__(self, moments: int) -> None:
        super().__init__(sleep=lambda _: None)
        self._moments = moments
        self._looks: dict[Path | str, int] = {}

    def replace(self, old: Path | str, new: Path | str) -> None:
        self._looks[old] = self._looks.get(old, 0) + 1
        if self._looks[old] <= self._moments:
            raise _error(errno.EACCES)
        super().replace(old, new)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
