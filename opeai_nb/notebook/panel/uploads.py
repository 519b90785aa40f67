"""Files that arrive in pieces, as one message of a front end carries about 10 MB."""

from __future__ import annotations

from typing import Final

from opeai_nb.errors import InputError

UPLOAD_LIMIT: Final = 50_000_000
"""Bytes of one upload: what the platform takes of a picture, and some."""
_UNFINISHED: Final = 20


class Uploads:
    """Puts files together. *limit* is how many bytes one may have."""

    def __init__(self, limit: int = UPLOAD_LIMIT) -> None:
        self.limit = limit
        self._files: dict[str, bytearray] = {}

    def take(self, file: str, size: int, start: int, piece: bytes) -> bytes | None:
        """Take a piece of *file* that begins at byte *start*; return the file when it is whole.

        Raises `InputError` for a file that is too large, or whose pieces are not in order: its page
        was closed and another has begun.
        """
        if size > self.limit or start + len(piece) > size:
            self._files.pop(file, None)
            raise InputError(
                f"The file has {size / 1e6:.1f} MB; an upload may have {self.limit / 1e6:.0f} MB.",
                advice="Give its path instead: that has no limit.",
            )
        content = self._files.setdefault(file, bytearray())
        if start != len(content):
            self._files.pop(file)
            raise InputError("The upload was interrupted.", advice="Choose the file again.")
        content += piece
        if len(content) < size:
            while len(self._files) > _UNFINISHED:  # of pages that are gone
                self._files.pop(next(iter(self._files)))
            return None
        return bytes(self._files.pop(file))
