"""Taking an API key out of what a server says: whole, in part, or starred."""

from __future__ import annotations

import re
from urllib.parse import quote

# Anchored at the start of a word and possessive: no text of a server takes more than linear time.
_STARRED = re.compile(r"(?<![\w\-])[\w\-]*+(?:\*{2,}+|•{2,}+)[\w\-]*+")
_ABRIDGED = re.compile(r"(?<![\w\-])([\w\-]*+)(?:\*{2,}+|•{2,}+|\.{2,}+|…)([\w\-]*+)")
_WORD = re.compile(r"[\w\-]+")
_CHUNK = re.compile(r"\S+")
_KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_\-]{6,}")
_PART = 8
_END = 5
_MASK = "[key]"


def masked(text: str) -> str:
    """Return *text* without what looks like an API key, whole or starred (`sk-ab***yz`)."""
    return _KEY_LIKE.sub(_MASK, _STARRED.sub(_MASK, text))


def key_hints(key: str) -> list[str]:
    """Return a few short pieces of *key*, one of which stands in every text that tells much of it.

    Whatever `without_key` removes, but for stars and dots, holds one of them.
    """
    return [*(key[start : start + 4] for start in range(0, len(key) - 3, 5)), key[-4:]]


def without_key(text: str, key: str | None) -> str:
    """Return *text* without this API *key*, in whatever form a server may echo it.

    These are: the key itself, percent-encoded, any 8 characters of it, its first or last 5 as a
    word, and its ends around stars or dots (`sk-ab***yz`).
    """
    if not key:
        return text
    for form in sorted({key, quote(key, safe="")}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", _MASK, text)
    parts = [key[start : start + _PART] for start in range(len(key) - _PART + 1)]
    found = [part for part in parts if part in text]
    if found:
        text = _CHUNK.sub(
            lambda chunk: _MASK if any(part in chunk[0] for part in found) else chunk[0], text
        )
    text = _ABRIDGED.sub(lambda ends: _MASK if _are_ends(ends, key) else ends[0], text)
    return _WORD.sub(lambda word: _MASK if _is_end(word[0], key) else word[0], text)


def _are_ends(found: re.Match[str], key: str) -> bool:
    head, tail = found[1], found[2]
    return bool(head or tail) and key.startswith(head) and key.endswith(tail)


def _is_end(word: str, key: str) -> bool:
    return len(word) >= _END and (key.startswith(word) or key.endswith(word))
