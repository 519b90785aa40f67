"""Who decides about a request now: looking and beginning are one step, for one at a time.

Two kernels that ask for the same at the same moment: one looks, begins, and lets go; the other then
sees that it is under way, and waits for its picture.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opeai_nb.errors import LibraryError
from opeai_nb.library.files import own_folder
from opeai_nb.library.locks import try_lock
from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER: Final = ".claims"
_FILES: Final = 256
"""Lock files of a library. Two requests that share one wait for each other for milliseconds."""
_AGAIN: Final = 0.002
"""Seconds between two tries: what is waited for takes a few milliseconds."""
_PATIENCE: Final = 30.0
"""Seconds after which whoever holds the lock is taken for frozen."""


class Claims:
    """One holder for each identity at a time, among all threads and processes.

    *journal* is the library's folder of what is under way. Where it cannot be written, or its disk
    has no locks, the turns are those of this object's threads alone.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, request: str) -> Iterator[None]:
        """Wait for one's turn with a request, by its identity, and hold it.

        Raises `LibraryError` where another process holds it for half a minute.
        """
        with self._turn(request):
            handle = self._opened(request)
            try:
                if handle is not None:
                    _wait_for(handle)
                yield
            finally:
                if handle is not None:
                    os.close(handle)

    @contextmanager
    def _turn(self, request: str) -> Iterator[None]:
        with self._guard:
            lock, users = self._locks.get(request, (threading.Lock(), 0))
            self._locks[request] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks.pop(request)
                if users > 1:
                    self._locks[request] = lock, users - 1

    def _opened(self, request: str) -> int | None:
        name = f"{int(request[:8], 16) % _FILES:08x}"
        try:
            folder = own_folder(own_folder(self._journal, unlisted=True) / _FOLDER)
            # Read-only: another user of a shared folder may not write to the first one's files.
            return open_plain(folder / name, os.O_RDONLY | os.O_CREAT)
        except OSError:
            return None


def _wait_for(handle: int) -> None:
    patience = time.monotonic() + _PATIENCE
    try:
        while not try_lock(handle):
            if time.monotonic() > patience:
                raise LibraryError(
                    "Another process holds this library's lock and does not let go.",
                    advice="End it, or restart its kernel, and run this again. Nothing was sent.",
                )
            time.sleep(_AGAIN)
    except OSError:
        return  # this disk has no locks
