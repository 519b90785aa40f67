"""A picture on the terminal itself, where it can show one: kitty's protocol, or sixel."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = 48


def show_picture(path: Path) -> None:
    """Show the picture at *path* where somebody looks and the terminal can; else do nothing.

    It is textual-image (extra `terminal`) that asks the terminal what it understands.
    """
    if not sys.stdout.isatty() or find_spec("textual_image") is None:
        return
    from rich.console import Console
    from textual_image import renderable

    if renderable.Image in {renderable.TGPImage, renderable.SixelImage}:
        Console().print(renderable.Image(path, width=_COLUMNS))
