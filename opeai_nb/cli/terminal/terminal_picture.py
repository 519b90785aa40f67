"""A picture on the terminal itself, where it can show one: by kitty's protocol, or as sixels."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from opeai_nb.errors import NoPictureError

if TYPE_CHECKING:
    from opeai_nb.client import Picture

_COLUMNS: Final = 48
_TEXT_ROWS: Final = 4


def show_picture(picture: Picture) -> None:
    """Show *picture* where somebody looks and the terminal can; else do nothing.

    It is textual-image (extra `terminal`) that asks the terminal what it understands. The answer
    comes by standard input, so that has to be the terminal, too.
    """
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal or find_spec("textual_image") is None:
        return
    from rich.console import Console
    from textual_image import renderable

    if renderable.Image not in {renderable.TGPImage, renderable.SixelImage}:
        return
    try:
        image = picture.image
    except NoPictureError:  # kept and paid for, but not to be drawn: its path is told as ever
        return
    console = Console()
    columns = columns_of(image.size, (console.width, console.height))
    # Without a height the library takes the picture's own and draws it stretched.
    console.print(renderable.Image(image, width=columns, height="auto"))


def columns_of(size: tuple[int, int], terminal: tuple[int, int]) -> int:
    """Return how many columns a picture of *size* pixels gets on a *terminal* of columns and rows.

    So many that the badge above and the path below it stay in sight; a column is half as wide as a
    row is high.
    """
    width, height = size
    rows = max(1, terminal[1] - _TEXT_ROWS)
    return max(1, min(_COLUMNS, terminal[0], 2 * rows * width // height))
