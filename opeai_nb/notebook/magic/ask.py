"""The one question that is asked before money is spent."""

from __future__ import annotations

from typing import Final

_YES: Final = frozenset({"y", "yes", "j", "ja", "是", "好"})


def is_agreed(question: str) -> bool:
    """Ask whoever sits there; anything but a yes, and no answer at all, is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in _YES
    except EOFError:
        return False
