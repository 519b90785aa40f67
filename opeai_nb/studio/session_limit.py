"""What a session has asked for and got: the count that a limit looks at, and what was used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from opeai_nb.errors import SessionLimitError

if TYPE_CHECKING:
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.studio.job import JobProgress


class Ledger:
    """Counts the pictures that a session asks for. Any thread may use it.

    *asked* are those asked for, without what was refused or never arrived; *records* are the ids of
    what the session made and the library keeps.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.records: set[str] = set()
        self._reserved: WeakKeyDictionary[JobProgress, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def reserve(self, job: JobProgress, most: int) -> None:
        """Count the pictures that *job* is about to ask for.

        Raises `SessionLimitError`, and counts nothing, where that makes more than *most*; 0 is no
        limit.
        """
        count = job.request.n or 1
        with self._lock:
            if most and self.asked + count > most:
                pictures = f"{count} picture{'s' * (count != 1)}"
                raise SessionLimitError(
                    f"{pictures} more would exceed this session's limit of {most}. "
                    "Nothing was sent."
                )
            self.asked += count
            self._reserved[job] = count

    def count(self, request: ImageRequest) -> None:
        """Count what was asked for elsewhere on behalf of this session, limit or not."""
        with self._lock:
            self.asked += request.n or 1

    def release(self, job: JobProgress) -> None:
        """Take back what *job* reserved, if it did: it was refused, and nothing was painted."""
        with self._lock:
            self.asked -= self._reserved.pop(job, 0)

    def made(self, record: str) -> None:
        """Note what the library keeps of this session."""
        with self._lock:
            self.records.add(record)
