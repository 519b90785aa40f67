"""Words in a prompt filled in: `{animal}`, `{row[city]:.1f}`, `{city name}`, `__animal__`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.sweep.axis import is_missing
from opeai_nb.bulk.sweep.braces import NAME, Token, tokens
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP = re.compile(rf"\.({NAME})|\[([^\[\]]+)\]")


def names_in(template: str) -> list[str]:
    """Return the names of the plain words in *template*, which need a value; each once, in order.

    `{name:…}` and `{name.…}` may be text, and are words where there is such a value.
    """
    plain = (word.name for word in _words(template) if not word.path and word.form is None)
    return list(dict.fromkeys(plain))


def mentioned(template: str) -> set[str]:
    """Return every name in *template* that a value would be filled in for."""
    return {word.name for word in _words(template, columns=True)}


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
    return "".join(_text(token, values, wild=wild) for token in tokens(template))


def _text(token: Token, values: Mapping[str, Any], *, wild: bool) -> str:
    if token.kind == "kept":
        return token.text
    if token.kind == "frame":
        return f"{{{filled(token.text, values, wild=wild)}}}"
    is_word = token.kind in {"word", "column"} and (wild or token.source[0] == "{")
    return _value(token, values[token.name]) if is_word and token.name in values else token.source


def _value(word: Token, value: Any) -> str:
    try:
        value = follow(value, word.path)
        if is_missing(value):
            raise InputError(
                f"{word.source} in the prompt has no value: it is {value}.",
                advice="Fill it in, or leave it out. Nothing was sent.",
            )
        return format(value, word.form or "")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{word.source} in the prompt cannot be filled in: {type(error).__name__}: {error}.",
            advice=f"Correct it, or write {{{word.source}}} to keep the braces. Nothing was sent.",
        ) from error


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
