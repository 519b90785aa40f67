"""Alternatives in a prompt, in dynamicprompts' syntax: `a {cat|dog} in {2$$ and $$ink|oil|chalk}`.

Written here rather than taken from dynamicprompts 0.31, because a prompt is paid for as it stands:
that library drops the braces of JSON and CSS and all behind a `#`, refuses `50%` and `$5`, turns
tabs into spaces, and does not tell which alternative was taken, which a grid's labels need. What
both understand gives the same prompts (tests/bulk/test_alternatives.py compares them).
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNT = re.compile(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*\$\$(?:(?P<glue>[^{}|]*?)\$\$)?", re.DOTALL)
_WEIGHT = re.compile(r"\s*\d+(?:\.\d+)?::")
_GLUE: Final = ","
MOST: Final = 1_000_000
"""More alternatives than this in one group are a mistake: `{1-20$$…}` of twenty words."""


class Choices(NamedTuple):
    """One group in braces: the texts that may stand in its place, in order, without repeats."""

    texts: tuple[str, ...]


Part = str | Choices


def parts_of(prompt: str) -> tuple[Part, ...]:
    """Return *prompt* cut into texts and groups of alternatives.

    A group is a pair of braces with a `|` of its own inside; all other braces are text. `n$$` in
    front takes n of them, joined by a comma, `n$$glue$$` by *glue*, `m-n$$` from m to n. A weight
    (`0.5::cat`) is for chance, and a sweep takes all: it is passed over. Groups may be nested.
    Raises `InputError` for a group that stands for more than a million texts.
    """
    found: list[Part] = []
    text, place = "", 0
    while place < len(prompt):
        end = _closing(prompt, place) if prompt[place] == "{" else None
        variants = None if end is None else _variants(prompt[place + 1 : end])
        if end is None or variants is None:
            text, place = text + prompt[place], place + 1
            continue
        found += [text] * bool(text)
        found.append(Choices(tuple(dict.fromkeys(variants))))
        text, place = "", end + 1
    return (*found, text) if text or not found else tuple(found)


def expanded(prompt: str) -> list[str]:
    """Return every prompt that *prompt* stands for; the last group changes fastest."""
    options = [part.texts if isinstance(part, Choices) else (part,) for part in parts_of(prompt)]
    return ["".join(chosen) for chosen in itertools.product(*options)]


def _closing(prompt: str, start: int) -> int | None:
    """Return the place of the brace that closes the one at *start*; None when none does."""
    depth = 0
    for place in range(start, len(prompt)):
        depth += {"{": 1, "}": -1}.get(prompt[place], 0)
        if depth == 0:
            return place
    return None


def _variants(inside: str) -> list[str] | None:
    """Return the texts of a group; None for braces that are no group."""
    counted = _COUNT.match(inside)
    options = _split(inside[counted.end() :] if counted else inside)
    if len(options) == 1:
        return None
    texts = [text for option in options for text in expanded(_WEIGHT.sub("", option, count=1))]
    if counted is None:
        return texts
    least, most = int(counted[1]), min(int(counted[2] or counted[1]), len(texts))
    glue = _GLUE if counted["glue"] is None else counted["glue"]
    return [glue.join(chosen) for chosen in _arrangements(texts, least, most)]


def _arrangements(texts: list[str], least: int, most: int) -> Iterator[tuple[str, ...]]:
    size = 0
    for count in range(least, most + 1):
        for chosen in itertools.permutations(texts, count):
            size += 1
            if size > MOST:
                raise InputError(
                    f"Braces in the prompt stand for more than {MOST} texts.",
                    advice="Take fewer of them at once. Nothing was sent.",
                )
            yield chosen


def _split(inside: str) -> list[str]:
    """Split at the bars that stand in no inner braces."""
    options, depth = [""], 0
    for letter in inside:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            options.append("")
        else:
            options[-1] += letter
    return options
