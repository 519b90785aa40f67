"""Files that a stranger may have put there: regular files alone, and no opening that blocks.

A FIFO blocks whoever opens it, a device may do anything, and a link leads out of a shared folder.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

_NOT_BLOCKING: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_UNFOLLOWED: Final = getattr(os, "O_NOFOLLOW", 0)
_READING: Final = os.O_RDONLY | _NOT_BLOCKING | _UNFOLLOWED
_NEW: Final = os.O_CREAT | os.O_EXCL
_LARGEST: Final = 512 * 1024 * 1024  # bytes: no picture and no text of ours is larger


def open_plain(
    path: Path | str, flags: int = os.O_RDONLY, *, links: bool = False, mode: int = 0o666
) -> int:
    """Return a descriptor of a regular file, opened with *flags*; through a link only with *links*.

    A file that it makes has *mode*, less the umask, and Windows changes no line break in it. Raises
    `OSError`; its `strerror` says so when the file is a link or no file.
    """
    handle = _open(path, flags, links=links, mode=mode)
    if flags & _NEW != _NEW:  # else made by this call: it can be nothing else
        _look(handle)
    return handle


def _open(path: Path | str, flags: int, *, links: bool, mode: int = 0) -> int:
    if not links and not hasattr(os, "O_NOFOLLOW") and stat.S_ISLNK(_mode_of(path)):
        raise OSError(0, "it is a link")
    unfollowed = 0 if links else getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags | _NOT_BLOCKING | unfollowed, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(0, "it is a link") from error
        if error.errno == errno.ENXIO:  # a FIFO that nobody reads
            raise OSError(0, "it is not a file") from error
        raise


def _look(handle: int) -> os.stat_result:
    """Return what the system says of a file; of anything else close it, and raise `OSError`."""
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise OSError(0, "it is not a file")
    return status


def _mode_of(path: Path | str) -> int:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def read_plain(
    path: Path | str, limit: int = _LARGEST, *, head: bool = False, links: bool = False
) -> bytes:
    """Return the content of a regular file of at most *limit* bytes, or its *head* of as many.

    Raises `OSError`; its `strerror` says so when the file is a link, no file, or too large.
    """
    return _read(path, limit, head=head, links=links)[0]


def read_with_stat(path: Path | str, limit: int) -> tuple[bytes, os.stat_result]:
    """Return the content as `read_plain` does, and what the system said of the file before.

    Raises `OSError`, as `read_plain`. A hundred thousand are read so at once: one call for each
    thing that the system is asked, and the long way where that does not do.
    """
    if _UNFOLLOWED:
        try:
            handle = os.open(path, _READING)
        except OSError:
            return _read(path, limit, head=False, links=False)  # it says why
        try:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and 0 < (size := status.st_size) <= limit:
                data = os.read(handle, size + 1)
                if len(data) == size:
                    return data, status
        finally:
            os.close(handle)
    return _read(path, limit, head=False, links=False)


def _read(path: Path | str, limit: int, *, head: bool, links: bool) -> tuple[bytes, os.stat_result]:
    handle = _open(path, os.O_RDONLY, links=links)
    status = _look(handle)
    try:
        return _content(handle, status.st_size, limit, head=head), status
    finally:
        os.close(handle)


def _content(handle: int, size: int, limit: int, *, head: bool) -> bytes:
    if size > limit and not head:
        raise OSError(0, f"it is larger than {limit // 1_000_000} MB")
    content = b""
    while len(content) < limit and (more := os.read(handle, min(limit, size + 1))):
        content += more
        if len(content) == size:  # its end: one more read would only say so
            break
    return content[:limit]


def as_here(path: Path) -> Path:
    """Return *path*, with slashes for the backslashes of Windows where that alone is there.

    So a notebook or a table that was written on Windows finds its files.
    """
    slashed = str(path).replace("\\", "/")
    is_there = os.path.exists  # which says no of names that cannot be, and raises nothing
    if slashed == str(path) or os.name == "nt" or is_there(path) or not is_there(slashed):
        return path
    return Path(slashed)
