"""Who decides about a request now: looking and beginning are one step, for one at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Claims:
    """One holder for each identity at a time, in this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, request: str) -> Iterator[None]:
        """Wait for one's turn with a request, by its identity, and hold it."""
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
