"""The environment in which tests and notebooks run: no key, the engine, a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VARIABLE = "OPEAI_API_KEY"


def engine_variables(folder: str | Path) -> dict[str, str]:
    """Return the variables that point at the embedded engine, with all files below *folder*."""
    return {
        "OPEAI_BASE_URL": "engine:",
        "OPEAI_NB_ENGINE": "",
        "OPEAI_NB_LIBRARY": str(Path(folder) / "library"),
        "OPEAI_NB_CACHE": str(Path(folder) / "cache"),
    }


def engine_environment(folder: str | Path, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a whole environment for a subprocess: nbconvert, papermill, a kernel, a script.

    *base* (default: this process's) without the API key, pointed at the embedded engine, so that
    nothing is paid for and nothing is written outside *folder*.
    """
    kept = os.environ if base is None else base
    return {**{k: v for k, v in kept.items() if k != KEY_VARIABLE}, **engine_variables(folder)}
