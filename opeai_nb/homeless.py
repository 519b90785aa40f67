"""Where files of a user lie who has no home, as containers and batch systems make them."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from pathlib import Path


@cache
def homeless_folder() -> Path:
    """Return a folder among the temporary files, and tell of it: once in this process.

    Whoever makes something below it makes it private. It is told by no warning: where warnings are
    errors, one would come between a request and its client.
    """
    owner = f"-{os.getuid()}" if hasattr(os, "getuid") else ""  # on Windows each has a folder
    folder = Path(tempfile.gettempdir()) / f"opeai_nb{owner}"
    if sys.stderr is not None:
        sys.stderr.write(
            f"Note: this user has no home. Caches, and what a library that cannot be written would "
            f"hold, are in {folder}, which the system may clear. Set HOME, or OPEAI_NB_CACHE and "
            "OPEAI_NB_DATA.\n"
        )
    return folder
