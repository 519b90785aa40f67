"""Where the engine keeps its tasks in process: a folder in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from opeai_nb.homeless import homeless_folder

CACHE_VARIABLE: Final = "OPEAI_NB_CACHE"


def cache_folder() -> Path:
    """Return `opeai_nb/engine` below `OPEAI_NB_CACHE`, else below the system's cache folder."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser() / "opeai_nb" / "engine"
    try:
        return user_cache_path("opeai_nb", appauthor=False, opinion=False) / "engine"
    except RuntimeError:
        return homeless_folder() / "engine"
