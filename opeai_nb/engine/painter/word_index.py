"""Words by their meanings: a table of them, and what of it stands in a text."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of a text and one of its meanings."""

    start: int
    end: int
    kind: str
    name: str


class WordIndex:
    """The words of *table*: kind, then the painter's name, then the words between bars."""

    def __init__(self, table: Mapping[str, Mapping[str, str]]) -> None:
        meanings: dict[str, list[tuple[str, str]]] = {}
        for kind, names in table.items():
            for name, words in names.items():
                for word in words.split("|"):
                    meanings.setdefault(word, []).append((kind, name))
        longest = sorted(meanings, key=lambda word: (-len(word), word))
        latin = "|".join(re.escape(word) for word in longest if word.isascii())
        han = "|".join(re.escape(word) for word in longest if not word.isascii())
        self._meanings = {word: tuple(pairs) for word, pairs in meanings.items()}
        self._pattern = re.compile(rf"(?<![a-z0-9])(?:{latin})(?:'?e?s)?(?![a-z0-9])|{han}")

    def meanings(self, word: str) -> tuple[tuple[str, str], ...]:
        """Return kind and name of each meaning of *word*, an English plural included."""
        for form in (word, word.removesuffix("s").rstrip("'"), word.removesuffix("es")):
            if form in self._meanings:
                return self._meanings[form]
        return ()

    def find(self, text: str) -> list[Mark]:
        """Return the words of the table in *text* (in its plain form), in order."""
        return [
            Mark(*match.span(), *meaning)
            for match in self._pattern.finditer(text)
            for meaning in self.meanings(match.group())
        ]


@cache
def words_of(path: str) -> dict[str, dict[str, str]]:
    """Return the table in the file at *path*, relative to the painter."""
    return tomllib.loads(files(__package__).joinpath(path).read_text(encoding="utf-8"))


@cache
def index_of(path: str) -> WordIndex:
    """Return the index of the table at *path*."""
    return WordIndex(words_of(path))
