"""Where the engine keeps its tasks in process: a folder in the user's cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "OPEAI_NB_CACHE"
_INSIDE: Final = Path("opeai_nb", "engine")


def cache_folder() -> Path:
    """Return `opeai_nb/engine` below `OPEAI_NB_CACHE`, else below the system's cache folder."""
    return _cache() / _INSIDE


def _cache() -> Path:
    """Return XDG_CACHE_HOME or ~/.cache, ~/Library/Caches on macOS, %LOCALAPPDATA% on Windows."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path is invalid by the XDG specification and to be ignored.
    return Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache"
