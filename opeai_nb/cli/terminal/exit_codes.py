"""What a command says to the shell that called it."""

from __future__ import annotations

from typing import Final

GOOD: Final = 0
SOME_FAILED: Final = 1
WRONG: Final = 2
INTERRUPTED: Final = 130
