"""Where the tutorials are: in the installed package, or beside it in a checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import opeai_nb
from opeai_nb.errors import InputError

QUICKSTART: Final = "01_quickstart.ipynb"
PICTURE: Final = "pictures/panel.jpg"
"""What the tutorial on the panel shows of it: a saved notebook keeps no widget."""


def tutorials() -> list[Path]:
    """Return the tutorial notebooks in their order. Raises `InputError` where there are none."""
    package = Path(opeai_nb.__file__).parent
    for folder in (package / "tutorials", package.parent / "notebooks"):
        if (folder / QUICKSTART).is_file():
            return sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    raise InputError(
        "The tutorials are not part of this installation.",
        advice=f"Install it again: {python()} -m pip install --force-reinstall opeai_nb",
    )


def writable_folder(name: str) -> Path:
    """Return the folder, made when it is missing.

    Raises `InputError` where nothing can be written.
    """
    folder = Path(name).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {name} cannot be made: {error.strerror}.", advice="Give another: --dir DIR"
        ) from error
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"The folder {name} cannot be written to.", advice="Give another: --dir DIR"
        )
    return folder


def python() -> str:
    """Return how this Python is called from here, for what a person may copy."""
    here = os.path.relpath(sys.executable)
    return min((here, sys.executable), key=len)
