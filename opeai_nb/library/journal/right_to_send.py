"""The right to send an entry: a file that can be made once for each sending."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from opeai_nb.library.disk.files import names_in
from opeai_nb.library.journal.journal_file import JOURNAL
from opeai_nb.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = ".sent-"
_SENT, _VOID = b"sent\n", b"void\n"
"""What stands in the file: by whom it was made. In a second name of the journal stands neither."""


class RightToSend:
    """The right to the sending that follows *past* others of the entry in *folder*.

    A process that was frozen and wakes up finds it gone.
    """

    def __init__(self, folder: Path, past: int) -> None:
        self._path = f"{folder}{os.sep}{_NAME}{past + 1}"
        self._journal = f"{folder}{os.sep}{JOURNAL}"

    def take(self) -> bool:
        """Take it, to send; False where it is gone. Raises `OSError`."""
        try:
            # A second name of the journal's file is as good a mark, and costs no new file.
            os.link(self._journal, self._path)
        except FileExistsError:
            return False
        except OSError:  # no second names on this file system, or for another user's file
            return self._made(_SENT)
        return True

    def void(self) -> bool:
        """Make sure that nobody sends any more; False where it may just have left."""
        try:
            return self._made(_VOID) or read_plain(self._path) == _VOID
        except OSError:
            return True  # another user's, in a folder where nothing of ours can be begun either

    def _made(self, by: bytes) -> bool:
        try:
            handle = open_plain(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except (FileExistsError, FileNotFoundError):
            return False
        try:
            os.write(handle, by)
        finally:
            os.close(handle)
        return True


def sendings_in(folder: Path) -> int:
    """Return how many times the right was taken."""
    return sum(name.startswith(_NAME) for name in names_in(folder))
