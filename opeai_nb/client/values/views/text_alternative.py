"""What is said of pictures to whoever does not see them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH: Final = 300
_CAPTION: Final = 90  # letters: one line beside a badge


def text_alternative(prompt: str, count: int = 1) -> str:
    """Return the text that stands for *count* pictures of *prompt*: its beginning."""
    several = f"{count} pictures: " if count > 1 else ""
    return _beginning(f"{several}{prompt}", _LENGTH)


def caption(prompts: Iterable[str]) -> str:
    """Return the visible line for pictures of *prompts*: the first, and how many others there are.

    JupyterLab, nbconvert's template `lab` and GitHub show no text alternative of an output that is
    a picture. They show what stands beside it.
    """
    first, *others = list(dict.fromkeys(prompts)) or [""]
    more = f" and {len(others)} more" if others else ""
    return printable_line(_beginning(" ".join(first.split()), _CAPTION)) + more


def _beginning(text: str, length: int) -> str:
    """Return *text*, cut between words where it is too long."""
    if len(text) <= length:
        return text
    start = text[: length - 1]
    words = start.rsplit(" ", 1)[0]
    return f"{words if len(words) > length // 2 else start}…"
