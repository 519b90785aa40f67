"""A line split into words as a shell splits it, each with the place where it stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from opeai_nb.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Word(NamedTuple):
    """One word, its quotes taken off; *start* and *end* are its places in the line.

    *open* is the quote that it lacks at its end: a shell would wait for more, and in a prompt it is
    an apostrophe.
    """

    text: str
    start: int
    end: int
    quoted: bool
    open: str = ""

    def closed(self) -> str:
        """Return the text. Raises `OptionError` for a quote that is not closed."""
        if self.open:
            raise OptionError(
                f"A quote {self.open} is not closed.",
                advice="Close it, or put the prompt into the body of a %%imagine cell. "
                "Nothing was sent.",
            )
        return self.text


def words(
    line: str, start: int = 0, *, backslash_is_literal: bool = os.name == "nt"
) -> Iterator[Word]:
    r"""Yield the words of *line*, one by one; what is behind the last one is not looked at.

    Quoting is a shell's: `'…'` as it is, `"…"` with `\"` and `\\`, a backslash keeps the next
    character. On Windows a backslash is a backslash: paths are written with it.
    """
    place = start
    while True:
        while place < len(line) and line[place].isspace():
            place += 1
        if place == len(line):
            return
        word = _word(line, place, escape="" if backslash_is_literal else "\\")
        yield word
        place = word.end


def _word(line: str, start: int, escape: str) -> Word:
    text: list[str] = []
    quote, place = "", start
    quoted = False
    while place < len(line):
        letter = line[place]
        if letter == escape and quote != "'" and place + 1 < len(line):
            following = line[place + 1]
            text.append(following if not quote or following in '"\\' else letter + following)
            place += 1
        elif quote:
            if letter == quote:
                quote = ""
            else:
                text.append(letter)
        elif letter in "\"'":
            quote, quoted = letter, True
        elif letter.isspace():
            break
        else:
            text.append(letter)
        place += 1
    return Word("".join(text), start, place, quoted, quote)
