"""Text of servers and strangers as it may reach a terminal: nothing in it is obeyed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# C0, DEL and C1 steer terminals; the bidi controls and the line separators reorder and break lines;
# U+FEFF and half letters are seen by nobody.
_HIDDEN: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_PICTURES: Final = 0x2400
"""Where Unicode has visible signs for the 32 control characters of ASCII."""


_filters: Final[list[Callable[[str], str]]] = []


def add_filter(clean: Callable[[str], str]) -> None:
    """Let *clean* take out of each text, before it is shown, what nobody may see."""
    _filters.append(clean)


def _filtered(text: str) -> str:
    for clean in _filters:
        text = clean(text)
    return text


def printable(text: str) -> str:
    """Return *text* with a visible mark, such as `␛`, for each character that steers a terminal.

    Line breaks and tabs stay. An API key that this process sends is a placeholder.
    """
    text = _filtered(text)
    return text if text.isprintable() else _HIDDEN.sub(lambda each: _mark(each[0]), text)


def printable_line(text: str) -> str:
    """Return *text* as `printable` does, in one line: a server must not forge a second one."""
    return printable(text).replace("\n", _mark("\n")).replace("\t", " ")


def printable_cell(text: str) -> str:
    """Return *text* in one line, as a spreadsheet shows it and does not carry it out.

    For what comes from servers and files of strangers alone: a user's own cells stay as they are.
    """
    line = printable_line(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


_FORMULA: Final = ("=", "+", "-", "@")


def escaped_json(text: str) -> str:
    """Return JSON that means the same, with each such character in JSON's own escapes.

    An API key that this process sends is a placeholder.
    """
    return _HIDDEN.sub(lambda each: f"\\u{ord(each[0]):04x}", _filtered(text))


def _mark(letter: str) -> str:
    code = ord(letter)
    return chr(_PICTURES + code) if code < ord(" ") else f"\\u{code:04x}"
