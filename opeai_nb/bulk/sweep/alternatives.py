"""Alternatives in a prompt, in dynamicprompts' syntax: `a {cat|dog} in {2$$ and $$ink|oil|chalk}`.

Written here rather than taken from dynamicprompts 0.31, because a prompt is paid for as it stands:
that library drops the braces of JSON and CSS and all behind a `#`, refuses `50%` and `$5`, turns
tabs into spaces, and does not tell which alternative was taken, which a grid's labels need. What
both understand gives the same prompts (tests/bulk/sweep/test_alternatives.py compares them).
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.bulk.sweep.braces import split, tokens
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

    A group is a pair of braces with a `|` of its own inside; all other braces, and JSON, CSS and
    code with bars in it, are text (`braces`). `n$$` in front takes n of them, joined by a comma,
    `n$$glue$$` by *glue*, `m-n$$` from m to n. A weight (`0.5::cat`) is for chance, and a sweep
    takes all: it is passed over. Groups may be nested. Raises `InputError` for a group that stands
    for more than a million texts.
    """
    found: list[Part] = []
    text = ""
    for token in tokens(prompt):
        if token.kind == "choice":
            found += [text] * bool(text)
            found.append(Choices(tuple(dict.fromkeys(_variants(token.text)))))
            text = ""
        elif token.kind == "frame":
            inner = parts_of(token.text)
            found += [f"{text}{{{{", *inner]
            text = "}}"
        else:
            text += token.source
    return (*found, text) if text or not found else tuple(found)


def expanded(prompt: str) -> list[str]:
    """Return every prompt that *prompt* stands for; the last group changes fastest."""
    options = [part.texts if isinstance(part, Choices) else (part,) for part in parts_of(prompt)]
    return ["".join(chosen) for chosen in itertools.product(*options)]


def _variants(inside: str) -> list[str]:
    """Return the texts of a group."""
    counted = _COUNT.match(inside)
    options = split(inside[counted.end() :] if counted else inside)
    plain = (_WEIGHT.sub("", option, count=1) for option in options)
    texts = [text.replace(r"\|", "|") for option in plain for text in expanded(option)]
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
