"""Files that arrive in pieces, as one message of a front end carries about 10 MB."""

from __future__ import annotations

import threading
from typing import Final

from opeai_nb.errors import InputError

UPLOAD_LIMIT: Final = 50_000_000
"""Bytes of one upload: what the platform takes of a picture, and some."""
_UNFINISHED: Final = 20


class Uploads:
    """Puts files together. *limit* is how many bytes one may have.

    Pieces may come in any order: a kernel with subshells handles messages side by side.
    """

    def __init__(self, limit: int = UPLOAD_LIMIT) -> None:
        self.limit = limit
        self._files: dict[str, dict[int, bytes]] = {}
        self._lock = threading.Lock()

    def take(self, file: str, size: int, start: int, piece: bytes) -> bytes | None:
        """Take a piece of *file* that begins at byte *start*; return the file when it is whole.

        Raises `InputError` for a file that is too large, or a piece that stands beyond its end.
        """
        if size > self.limit or start + len(piece) > size:
            raise InputError(
                f"The file has {size / 1e6:.1f} MB; an upload may have {self.limit / 1e6:.0f} MB.",
                advice="Give its path instead: that has no limit.",
            )
        with self._lock:
            pieces = self._files.setdefault(file, {})
            pieces[start] = piece
            if sum(map(len, pieces.values())) < size:
                while len(self._files) > _UNFINISHED:  # of pages that are gone
                    self._files.pop(next(iter(self._files)))
                return None
            return b"".join(content for _, content in sorted(self._files.pop(file).items()))
