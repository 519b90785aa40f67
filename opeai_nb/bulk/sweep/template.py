"""Words in a prompt filled in: `{animal}`, `{row[city]:.1f}`, `{city name}`, `__animal__`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.sweep.axis import is_missing
from opeai_nb.bulk.sweep.braces import NAME, Token, tokens
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# How Python shows what has no words of its own, also in a list; its address is new each time.
_OBJECT = re.compile(r"\A<.*>\Z| at 0x[0-9a-fA-F]+>", re.S)
_STEP = re.compile(rf"\.({NAME})|\[([^\[\]]+)\]")


def names_in(template: str) -> list[str]:
    """Return the names of the plain words in *template*, which need a value; each once, in order.

    `{name:…}` and `{name.…}` may be text, and are words where there is such a value.
    """
    plain = (word.name for word in _words(template) if not word.path and word.form is None)
    return list(dict.fromkeys(plain))


def words_in(template: str) -> list[str]:
    """Return the words in *template* as they are written, `{name:…}` and all; each once."""
    return list(dict.fromkeys(word.source for word in _words(template)))


def mentioned(template: str) -> set[str]:
    """Return every name in *template* that a value would be filled in for.

    `{city.name}` is a part of `city`, or the column of that very name.
    """
    words = _words(template, columns=True)
    return {name for word in words for name in (word.name, _whole(word))}


def _whole(word: Token) -> str:
    return word.source[1:-1].strip() if word.source[0] == "{" else word.name


def _words(template: str, *, columns: bool = False) -> list[Token]:
    found: list[Token] = []
    for token in tokens(template):
        if token.kind == "word" or (columns and token.kind == "column"):
            found.append(token)
        elif token.kind in {"choice", "frame"}:
            found += _words(token.text, columns=columns)
    return found


def filled(template: str, values: Mapping[str, Any], *, wild: bool = True) -> str:
    """Return *template* with the words that have a value replaced, in one pass; the rest stays.

    Braces that are doubled or escaped become single ones. *wild*: `__name__` is a word, too.
    Raises `InputError` for an attribute, a key or a format that does not fit, and for a value that
    is missing (None, NaN): it would be painted as a word.
    """
    return "".join(
        token.source if token.kind == "text" else _text(token, values, wild=wild)
        for token in tokens(template)
    )


def _text(token: Token, values: Mapping[str, Any], *, wild: bool) -> str:
    if token.kind == "kept":
        return token.text
    if token.kind == "frame":
        return f"{{{filled(token.text, values, wild=wild)}}}"
    if token.kind not in {"word", "column"} or not (wild or token.source[0] == "{"):
        return token.source
    if (whole := _whole(token)) in values:
        return _told(token, values[whole], "")
    return _value(token, values[token.name]) if token.name in values else token.source


def _value(word: Token, value: Any) -> str:
    try:
        value = follow(value, word.path)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unfit(word, error) from error
    return _told(word, value, word.form or "")


def _told(word: Token, value: Any, form: str) -> str:
    """Return a value as text. Raises `InputError` for what has no words of its own."""
    if type(value) is str and not form:  # as the cells of a file are
        return value
    if is_missing(value) or (isinstance(value, float) and math.isinf(value)):
        raise InputError(
            f"{word.source} in the prompt has no value: it is {value}.",
            advice="Fill it in, or leave it out. Nothing was sent.",
        )
    try:
        text = format(value, form)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unfit(word, error) from error
    is_array = bool(getattr(value, "shape", ()))
    # A set is in another order after a restart: its prompt would be paid for again.
    is_unordered = isinstance(value, set | frozenset) and len(value) > 1
    is_object = not isinstance(value, str) and _OBJECT.search(text) is not None
    if is_array or is_unordered or is_object:
        raise InputError(
            f"{word.source} in the prompt is a value of the kind {type(value).__name__}, no text.",
            advice="Name a part of it, such as {name[0]} or {name.title}, or make it text before. "
            "Nothing was sent.",
        )
    return text


def _unfit(word: Token, error: Exception) -> InputError:
    return InputError(
        f"{word.source} in the prompt cannot be filled in: {type(error).__name__}: {error}.",
        advice=f"Correct it, or write {{{word.source}}} to keep the braces. Nothing was sent.",
    )


def follow(value: Any, path: str) -> Any:
    """Return what *path*, such as `.kittens[0]`, leads to. Raises what the steps raise."""
    for step in _STEP.finditer(path):
        value = getattr(value, step[1]) if step[1] else value[_key(step[2])]
    return value


def _key(text: str) -> int | str:
    text = text.strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return text[1:-1] if text[:1] in "\"'" and text[:1] == text[-1:] else text
