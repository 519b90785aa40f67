"""The one question that is asked before money is spent."""

from __future__ import annotations

from typing import Final

from opeai_nb.errors import OptionError

_YES: Final = frozenset({"y", "yes", "j", "ja", "是", "好"})


def confirm(question: str, *, may_ask: bool, advice: str) -> None:
    """Ask before many pictures are made. Raises `OptionError` for a no, or where nobody answers.

    *advice* is for whom it cannot be asked.
    """
    if not may_ask:
        raise OptionError(f"{question}.", advice=f"{advice} Nothing was sent.")
    if not is_agreed(f"{question}. Send them?"):
        raise OptionError("This was not confirmed.", advice="Nothing was sent.")


def is_agreed(question: str) -> bool:
    """Ask whoever sits there; anything but a yes, and no answer at all, is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in _YES
    except EOFError:
        return False
