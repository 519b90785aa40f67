"""A folder's time: what tells that something in it has changed, and who may change it now."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opeai_nb.library.disk.locks import lock_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SETTLED_NS: Final = 2_000_000_000
"""A folder's time that is older than this cannot be given twice, even on coarse file systems."""
_MOST_BACK_NS: Final = 1_000_000
"""Less than the least step in which Linux tells times: so no change has a time that was set."""
_PATIENCE: Final = 1.0
"""Seconds for another user's process: it gives files their names, which takes milliseconds."""


def time_of(folder: Path) -> int:
    """Return a folder's time as it is now, in ns. Raises `OSError`."""
    with _told_anew(folder) as time_now:
        return time_now()


def stamp_of(folder: Path, *, may_set: bool) -> int | None:
    """Return the folder's time as a mark that any later change differs from; None without one.

    File systems tell times in steps of up to two seconds. Where it *may_set* the time, it is set a
    little back: a change in the same step then shows all the same. By how much is left to chance:
    who read the time and sets it late must not set what another has noted, and hide what has come
    since. Raises `OSError`.
    """
    with _told_anew(folder) as time_now:
        now = time_now()
        if may_set:
            try:
                os.utime(folder, ns=(now, now - 1 - secrets.randbelow(_MOST_BACK_NS)))
                return time_now()
            except OSError:  # somebody else's folder
                pass
    return now if time.time_ns() - now > _SETTLED_NS else None


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock, if it is to be had in time: no other user publishes meanwhile.

    Who has it takes the change of the folder's time for its own: so the others wait.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        yield False
        return
    try:
        yield _is_locked(handle)
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    try:
        return lock_within(handle, _PATIENCE)
    except OSError:  # this file system has no locks
        return False


@contextmanager
def _told_anew(folder: Path) -> Iterator[Callable[[], int]]:
    """Yield what returns a folder's time as it is now.

    A network file system remembers for up to a minute what it was told of a folder; opening it has
    the server asked anew.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:  # Windows opens no folders
        yield lambda: folder.stat().st_mtime_ns
        return
    try:
        yield lambda: os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)
