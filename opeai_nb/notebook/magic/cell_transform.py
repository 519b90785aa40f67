"""Cells that IPython would refuse before the magic sees them."""

from __future__ import annotations

import re
from typing import Final

_OURS = re.compile(r"%%imagine(?:\s|$)")
_MARKER = r"\s*#\s*NBVAL_[A-Z_]+\s*"
MARKER_LINE: Final = re.compile(rf"^{_MARKER}$", re.MULTILINE)
"""A line that nbval reads: it is no part of a prompt."""
_ABOVE = re.compile(rf"{_MARKER}|\s*")


def with_body(lines: list[str]) -> list[str]:
    """Let `%%imagine --help` pass without a body, and markers of nbval stand above the magic.

    IPython answers both with a `UsageError`, which nbval takes for success.
    An empty body becomes an empty line: what is wrong with it is then ours to say.
    """
    first = next((n for n, line in enumerate(lines) if not _ABOVE.fullmatch(line)), None)
    if first is None or not _OURS.match(lines[first]):
        return lines
    head, *body = lines[first:]
    return [head, *body] if "".join(body) else [head.rstrip("\n") + "\n", "\n"]


# IPython then leaves it out where it only asks whether a cell that is being typed is complete.
with_body.has_side_effects = True  # type: ignore[attr-defined]  # how IPython marks a function
