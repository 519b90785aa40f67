"""The API key: sent to the platform, shown to nobody."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NoReturn

from opeai_nb.client.wire.redact import key_hints, without_key
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

_SENDABLE = re.compile(r"[!-~]+")
# What may hide a key from a search for its parts: stars, dots, and JSON's escapes.
_HIDING: Final = (b"**", b"\xe2\x80\xa2", b"..", b"\xe2\x80\xa6", b"\\u00")


class Key:
    """An API key that shows itself to nobody: not in a repr, a traceback's locals or a pickle."""

    __slots__ = ("_hints", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._hints = tuple(part.encode() for part in key_hints(text))

    def __repr__(self) -> str:
        return "<key: set>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is never written anywhere")

    def bearer(self) -> str:
        """Return the value of the Authorization header, for the one place that sends it."""
        return f"Bearer {self._text}"

    def removed(self, text: str) -> str:
        """Return *text* without the key, in whatever form a server echoed it."""
        return without_key(text, self._text)

    def cleaner(self, raw: bytes) -> Callable[[str], str] | None:
        """Return what removes the key from the strings of a body; None when *raw* cannot hold it.

        Nearly always None: so a body is looked through once, and its strings are left alone.
        """
        hidden = any(mark in raw for mark in _HIDING) or any(hint in raw for hint in self._hints)
        return self.removed if hidden else None


def checked_key(api_key: str | None) -> Key | None:
    """Return the API key without white space around it, else `OPEAI_API_KEY`, else None.

    Raises `InputError` (which does not show it) when it is no text, or holds what a header cannot
    carry.
    """
    given = os.environ.get("OPEAI_API_KEY", "") if api_key is None else api_key
    if not isinstance(given, str):
        raise InputError(f"The API key is a {type(given).__name__}, not text.")
    if given.strip() and not _SENDABLE.fullmatch(given.strip()):
        raise InputError(
            "The API key holds a character that no key has (a space, a line break or a letter "
            "outside ASCII).",
            advice="Copy it again from the platform. Nothing was sent.",
        )
    return Key(given.strip()) if given.strip() else None
