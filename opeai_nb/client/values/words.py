"""What a person says of pictures in their own words: a text alternative, a caption, keywords.

They are no part of a request: another word makes no other picture, and costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opeai_nb.errors import InputError

WORDS: Final = ("alt", "caption", "keywords")
_LONGEST: Final = {"alt": 2_000, "caption": 10_000, "keywords": 200}
_MOST: Final = 100  # keywords
_BETWEEN: Final = re.compile(r"[,;]")
_HIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of pictures; empty: nothing, and the prompt stands for them.

    *alt* is read to whoever does not see them, *caption* stands beside them.
    """

    alt: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.alt or self.caption or self.keywords)

    def with_changes(self, said: Mapping[str, Any]) -> Words:
        """Return these words with those that are *said*; what is None or absent stays."""
        told = {name: said[name] for name in WORDS if said.get(name) is not None}
        return Words.from_json({**self.to_json(), **told}) if told else self

    def to_json(self) -> dict[str, Any]:
        """Return what is said, by name; what is empty is left out."""
        said = {name: getattr(self, name) for name in WORDS}
        return {name: value for name, value in said.items() if value}

    @classmethod
    def from_json(cls, said: Mapping[str, Any] | None) -> Words:
        """Return words by name; those that are not there are empty."""
        if not said:
            return NOTHING_SAID
        keywords = said.get("keywords") or ()
        return cls(str(said.get("alt") or ""), str(said.get("caption") or ""), tuple(keywords))


NOTHING_SAID: Final = Words()
"""One for all pictures of which nothing is said: most of a batch."""


def words_said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words among *given*, as they are kept; those that are None are left out.

    Keywords may be one text, with commas between them. Raises `InputError` for what is no text, is
    too long, or holds half of a character.
    """
    said: dict[str, Any] = {}
    for name in WORDS:
        value = given.get(name)
        if value is None:
            continue
        said[name] = _keywords(value) if name == "keywords" else _text(name, value)
    return said


def _keywords(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _BETWEEN.split(value)
    if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
        raise _wrong("keywords", f"is a {type(value).__name__}, not words")
    words = dict.fromkeys(" ".join(_text("keywords", each).split()) for each in value)
    words.pop("", None)
    if len(words) > _MOST:
        raise _wrong("keywords", f"holds {len(words)} words, more than {_MOST}")
    return tuple(words)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, f"is {value!r:.60}, not text")
    text = _HIDDEN.sub("", value).strip()
    if len(text) > _LONGEST[name]:
        raise _wrong(name, f"has {len(text)} letters, more than {_LONGEST[name]}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _wrong(name, "holds half of a character pair (a lone surrogate)") from error
    return text


def _wrong(name: str, what: str) -> InputError:
    return InputError(f"{name} {what}.", advice="Correct it. Nothing was sent.")
