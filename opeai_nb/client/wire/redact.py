"""Taking an API key out of what a server says: whole, in part, or starred."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.errors import OpeaiError
    from opeai_nb.secret import Secret

# Anchored at the start of a word and possessive: no text of a server takes more than linear time.
_STARRED = re.compile(r"(?<![\w\-])[\w\-]*+(?:\*{2,}+|•{2,}+)[\w\-]*+")
_ABRIDGED = re.compile(r"(?<![\w\-])([\w\-]*+)(?:\*{2,}+|•{2,}+|\.{2,}+|…)([\w\-]*+)")
_WORD = re.compile(r"[\w\-]+")
_CHUNK = re.compile(r"\S+")
_KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_\-]{6,}")
_SIGNS: Final = ("**", "••", "..", "…")  # without one of which nothing is abridged
_PART = 8
_GRAM: Final = 4
_STEP: Final = _PART - _GRAM + 1
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
    (`sk-ab***yz`); of a random key also any 8 characters of it, escaped as URLs, JSON or HTML
    escape (and once more), in other letters, in base64 or hexadecimal, its first or last 5 as a
    word, and 4 of them beside whatever stands for the rest.
    """
    if key is None:
        return text
    plain = key.reveal()
    # What a text does not hold is not looked for by a pattern: nearly all hold nothing of the key.
    forms, whole = _whole(key)
    if any(form in text for form in forms):
        text = whole.sub(_MASK, text)
    if any(sign in text for sign in _SIGNS):
        text = _ABRIDGED.sub(lambda ends: _MASK if _are_ends(ends, plain) else ends[0], text)
    return _without_ends(_without_parts(text, plain), plain) if key.is_random else text


@lru_cache(_MOST_KEYS)
def _whole(key: Secret) -> tuple[list[str], re.Pattern[str]]:
    """Return the spellings of a key as a whole, the longest first, and what finds them."""
    plain = key.reveal()
    forms = {plain, quote(plain, safe=""), *([key.in_base64()] if key.is_random else [])}
    longest_first = sorted(forms, key=len, reverse=True)
    spelled = "|".join(map(re.escape, longest_first))
    return longest_first, re.compile(rf"(?<!\w)(?:{spelled})(?!\w)")


def _without_parts(text: str, key: str) -> str:
    if echoed := echoed_parts(_unescaped(text), key):
        text = _CHUNK.sub(
            lambda chunk: _MASK if any(p in _unescaped(chunk[0]) for p in echoed) else chunk[0],
            text,
        )
    if key[:_END] not in text and key[-_END:] not in text:
        return text
    return _WORD.sub(lambda word: _MASK if _is_end(word[0], key) else word[0], text)


def echoed_parts(text: str, key: str) -> frozenset[str]:
    """Return the parts of a key that stand in *text*.

    Each of them covers a gram, whole, at one of every `_STEP` places: those are looked at first.
    """
    parts, grams = _parts(key)
    places = [p for p in range(0, len(text), _STEP) if text[p : p + _GRAM] in grams]
    return parts.intersection(
        text[start : start + _PART]
        for place in places
        for start in range(max(0, place - _STEP + 1), place + 1)
    )


_ESCAPED = re.compile(
    r"%([0-9a-f]{2})|\\+(?:u00|x)([0-9a-f]{2})|&#x0*([0-9a-f]{2});|&#0*(\d{2,3});|&(\w{2,4});|\\(/)",
    re.IGNORECASE,
)
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_UNSEEN = re.compile("[\xad\u200b-\u200d\u2060\ufeff]")
_TIMES_ESCAPED: Final = 3


def _unescaped(text: str) -> str:
    """Return *text* in small letters, without the escapes of URLs, JSON, HTML and Python."""
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    for _ in range(_TIMES_ESCAPED):
        if "%" not in text and "\\" not in text and "&" not in text:
            break
        text = _ESCAPED.sub(_letter, text)
    return text.lower()


def _letter(found: re.Match[str]) -> str:
    in_hex = found[1] or found[2] or found[3]
    if in_hex or found[4]:
        return chr(int(in_hex, 16) if in_hex else int(found[4]))
    return found[6] or _NAMED.get(found[5].lower(), found[0])


_MASKED = re.compile(
    r" ?(?:[*•·●]+|\.{2,}|…+|[xX]{4,}|[-_]{4,}|\[(?:\.{2,}|…)\]|<[^<>\s]{1,20}>|\. \. \.) ?"
)
"""What stands for the middle of a key; stars and dots around whole words are found before."""


def _without_ends(text: str, key: str) -> str:
    """Return *text* without an end of a random key that stands beside a sign for the rest."""
    if key[:_TAIL] not in text and key[-_TAIL:] not in text:
        return text
    pieces, place = [], 0
    for mask in _MASKED.finditer(text):
        before, behind = text[place : mask.start()], text[mask.end() : mask.end() + len(key)]
        sizes = range(len(key), _TAIL - 1, -1)
        head = next((size for size in sizes if before.endswith(key[:size])), 0)
        tail = next((size for size in sizes if behind.startswith(key[-size:])), 0)
        if head or tail:
            pieces += [text[place : mask.start() - head], _MASK]
            place = mask.end() + tail
    return "".join([*pieces, text[place:]])


@lru_cache(_MOST_KEYS)
def _parts(key: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return all runs of 8 characters of a key, in each way in which `_unescaped` leaves it.

    Beside them all runs of 4 that are in these.
    """
    shifted = (b64encode(bytes(before) + key.encode()).decode() for before in range(3))
    # Whatever stood before and behind it changes the letters of base64 at both ends.
    encoded = [text[before + 1 : -_TAIL] for before, text in enumerate(shifted)]
    for_urls = [text.translate(str.maketrans("+/", "-_")) for text in encoded]
    once = _unescaped(key)
    in_hex = (key.encode().hex(), *(key.encode().hex(sign) for sign in ":-"))
    spellings = (key, once, *encoded, *for_urls, *in_hex)
    parts = frozenset(run for text in spellings for run in _runs(text.lower(), _PART))
    return parts, frozenset(gram for part in parts for gram in _runs(part, _GRAM))


def _runs(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(len(text) - length + 1))


def _are_ends(found: re.Match[str], key: str) -> bool:
    head, tail = found[1], found[2]
    return bool(head or tail) and key.startswith(head) and key.endswith(tail)


def _is_end(word: str, key: str) -> bool:
    return len(word) >= _END and (key.startswith(word) or key.endswith(word))
