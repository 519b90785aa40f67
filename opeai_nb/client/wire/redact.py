"""Taking an API key out of what a server says: whole, in part, or starred."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from opeai_nb.errors import OpeaiError
    from opeai_nb.secret import Secret

# Anchored at the start of a word and possessive: no text of a server takes more than linear time.
_STARRED = re.compile(r"(?<![\w\-])[\w\-]*+(?:\*{2,}+|•{2,}+)[\w\-]*+")
_ABRIDGED = re.compile(r"(?<![\w\-])([\w\-]*+)(?:\*{2,}+|•{2,}+|\.{2,}+|…)([\w\-]*+)")
_WORD = re.compile(r"[\w\-]+")
_CHUNK = re.compile(r"\S+")
_KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_\-]{6,}")
_PART = 8
_END = 5
_TAIL: Final = 4
_MOST_KEYS: Final = 64
_MASK = "[key]"


def masked(text: str) -> str:
    """Return *text* without what looks like an API key, whole or starred (`sk-ab***yz`)."""
    return _KEY_LIKE.sub(_MASK, _STARRED.sub(_MASK, text))


def hide_in(error: OpeaiError, key: Secret | None) -> None:
    """Take *key* out of what an error shows."""
    error.message = without_key(error.message, key)
    error.args = (error.message,)
    for name in ("code", "type", "request_id"):
        if text := getattr(error, name):
            setattr(error, name, without_key(text, key))


def value_without_key(value: Any, key: Secret | None) -> Any:
    """Return what a server told of a picture (a prompt, a model, its usage) without a random *key*.

    A key that is a word stays: there it is the word that was meant.
    """
    if key is None or not key.is_random:
        return value
    if isinstance(value, str):
        return without_key(value, key)
    if isinstance(value, dict):
        return {without_key(k, key): value_without_key(inner, key) for k, inner in value.items()}
    return [value_without_key(inner, key) for inner in value] if isinstance(value, list) else value


def without_key(text: str, key: Secret | None) -> str:
    """Return *text* without this API *key*, in whatever form a server may echo it.

    These are: the key itself, percent-encoded, in base64, and its ends around stars or dots
    (`sk-ab***yz`); of a random key also any 8 characters of it, percent-encoded (twice, too) or in
    base64 as well, and its first or last 5 as a word.
    """
    if key is None:
        return text
    plain = key.reveal()
    forms = {plain, quote(plain, safe=""), *([key.in_base64()] if key.is_random else [])}
    for form in sorted(forms, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", _MASK, text)
    text = _ABRIDGED.sub(lambda ends: _MASK if _are_ends(ends, plain) else ends[0], text)
    return _without_parts(text, plain) if key.is_random else text


def _without_parts(text: str, key: str) -> str:
    echoed = [part for part in _parts(key) if part in text]
    if echoed:
        text = _CHUNK.sub(
            lambda chunk: _MASK if any(part in chunk[0] for part in echoed) else chunk[0], text
        )
    return _WORD.sub(lambda word: _MASK if _is_end(word[0], key) else word[0], text)


@lru_cache(_MOST_KEYS)
def _parts(key: str) -> tuple[str, ...]:
    """Return all runs of 8 characters of a key, in each way in which it is spelled."""
    once = quote(key, safe="")
    shifted = (b64encode(bytes(before) + key.encode()).decode() for before in range(3))
    # Whatever stood before and behind it changes the letters of base64 at both ends.
    encoded = [text[before + 1 : -_TAIL] for before, text in enumerate(shifted)]
    spellings = (key, once, once.lower(), quote(once, safe=""), *encoded)
    return tuple(
        dict.fromkeys(
            text[start : start + _PART]
            for text in spellings
            for start in range(len(text) - _PART + 1)
        )
    )


def _are_ends(found: re.Match[str], key: str) -> bool:
    head, tail = found[1], found[2]
    return bool(head or tail) and key.startswith(head) and key.endswith(tail)


def _is_end(word: str, key: str) -> bool:
    return len(word) >= _END and (key.startswith(word) or key.endswith(word))
