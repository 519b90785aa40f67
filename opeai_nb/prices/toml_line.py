"""Where in a TOML file something stands: its reader tells no lines."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def line_of(field: str, lines: Sequence[str], head: int | None) -> int | None:
    """Return the line of *field*, from 1, in the table whose head is at *head*, else the head's.

    *head* counts from 0; None: above all tables, where nothing stands for a field that is missing.
    """
    written = re.compile(rf"""\s*["']?{re.escape(field)}["']?\s*[.=]""")
    rest = range(0 if head is None else head + 1, len(lines))
    own = takewhile(lambda place: not lines[place].lstrip().startswith("["), rest)
    line = next((place for place in own if written.match(lines[place])), head)
    return None if line is None else line + 1
