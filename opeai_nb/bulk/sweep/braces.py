"""What braces in a prompt mean, read once for cells, sweeps and batches.

`{animal}`, `{row[city]:.1f}` and `__animal__` are words that stand for values, `{cat|dog}` is a
choice. `{{…}}` around either, and a backslash before a brace or a bar, take the meaning away. All
else is text, braces and bars and all: JSON, CSS, code, LaTeX. A prompt is paid for as it stands.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = r"[^\W\d]\w*"
STEPS: Final = rf"(?:\.{NAME}|\[[^\[\]{{}}]+\])*"
_FIELD = re.compile(rf"(?P<name>{NAME})(?P<path>{STEPS})(?::(?P<form>[^{{}}|\n]*))?")
_SPACED = re.compile(r"[^\W\d][^{}|:\"'\n\\]*")  # the name of a column
_ODD = re.compile(r"[^\s{}|\"'\\][^{}|\n\\]*")  # `2024`, `% wool`: where there is such a column
_WILD = re.compile(r"(?<!\w)__(?P<name>[^\W\d_]\w*?)__(?!\w)")
_MARKUP = re.compile(
    r"\{%.*?%\}|\{#.*?#\}"  # of Jinja
    r"|\$[^$\n]*\\[^$\n]*\$|\\(?:left|right)\\?[{}]"  # $\{x | x > 0\}$, \left\{
    r"|\$(?!\s)[^$\n]*[\^_]\{[^$\n]*(?<!\s)\$(?!\d)"  # $x^{n+1}$, and no two prices
    r"|\\[A-Za-z]+\*?(?:\[[^\]\n]*\])*(?:\{[^{}]*\})+"  # \frac{a}{b}
)
_ESCAPED = re.compile(r"\\\{(?P<inside>[^{}]*?)\\?\}")
_SPECIAL = re.compile(r"[\\${_]")
_QUOTED = re.compile(r"(?:(?<=[\s:\[({,=|])|^)\"[^\"\n]*\"")
# A key in quotes, a declaration, a statement: what looks so is JSON, CSS or a program.
_CODE = re.compile(
    r"\s*[\"'][^\"']*[\"']\s*:|.*;\s*\Z|.*(?:=>|&&|\S\s*\|\|\s*\S)|\s*return\b", re.S
)
_DECLARED = re.compile(r"\s*[\w-]+:(?!:)\s*\S|\s*[\w-]+\s*:\s")

_DOUBTFUL = re.compile(r"[\"=<>;]|\w:\s")
# What stands around the braces looks like a program or a page.
_IN_CODE = re.compile(r"\|\||&&|=>|[!=]=|</|/>|=\s*[\"']?$")


class Token(NamedTuple):
    """A piece of a prompt.

    *source* is how it stands there. Of a `word`, *name*, *path* and *form* are its parts; a
    `column` is a word where there is one of that *name*. *text* is what `kept` braces become, and
    what stands inside a `choice` or a `frame` (braces around a word or a choice).
    """

    kind: Literal["text", "word", "column", "choice", "kept", "frame"]
    source: str
    text: str = ""
    name: str = ""
    path: str = ""
    form: str | None = None


@lru_cache(512)
def tokens(prompt: str) -> tuple[Token, ...]:
    """Return *prompt* in pieces; together their sources are the prompt."""
    return tuple(_scanned(prompt))


def _scanned(prompt: str) -> Iterator[Token]:
    begun = place = 0
    while special := _SPECIAL.search(prompt, place):
        place = special.start()
        token = _token_at(prompt, place)
        if token is None:
            place += 1
            continue
        if begun < place:
            yield Token("text", prompt[begun:place])
        yield token
        begun = place = place + len(token.source)
    if begun < len(prompt):
        yield Token("text", prompt[begun:])


def _token_at(prompt: str, place: int) -> Token | None:
    if markup := _MARKUP.match(prompt, place):
        return Token("text", markup[0])
    if prompt[place] == "\\":
        return _escaped(prompt, place)
    if prompt[place] == "_":
        wild = _WILD.match(prompt, place)
        return Token("word", wild[0], name=wild["name"]) if wild else None
    end = _closing(prompt, place) if prompt[place] == "{" else None
    if end is None:
        return None
    source, inside = prompt[place : end + 1], prompt[place + 1 : end]
    if inside[:1] == "{" and _closing(inside, 0) == len(inside) - 1:
        return _doubled(source, inside[1:-1])
    if meaning := _meaning(source, inside):
        return meaning
    return Token("column", source, name=inside.strip()) if _ODD.fullmatch(inside) else None


def _meaning(source: str, inside: str) -> Token | None:
    """Return the word or the choice that braces are, None where they are text."""
    if word := _FIELD.fullmatch(inside):
        return Token("word", source, name=word["name"], path=word["path"], form=word["form"])
    if is_choice(inside):
        return Token("choice", source, inside)
    # Every bar has its backslash; one with nothing beside it is a norm of LaTeX: {\|x\|}.
    plain = unescaped(inside)
    if plain != inside and is_choice(plain) and all(option.strip() for option in split(plain)):
        return Token("kept", source, f"{{{plain}}}")
    if _SPACED.fullmatch(inside):
        return Token("column", source, name=inside.strip())
    return None


def _doubled(source: str, inside: str) -> Token | None:
    if inside[:1] == "{" and _closing(inside, 0) == len(inside) - 1:
        return Token("frame", source, inside)
    if _meaning(f"{{{inside}}}", inside):
        return Token("kept", source, f"{{{unescaped(inside)}}}")
    return None


def _escaped(prompt: str, place: int) -> Token | None:
    """Return braces behind a backslash as they shall stand, where they would mean something."""
    found = _ESCAPED.match(prompt, place)
    if found is None:
        return Token("text", prompt[place : place + 2]) if prompt[place + 1 : place + 2] else None
    inside = unescaped(found["inside"])
    if _meaning(f"{{{inside}}}", inside):
        return Token("kept", found[0], f"{{{inside}}}")
    return Token("text", found[0])


def unescaped(text: str) -> str:
    """Return *text* without the backslashes before bars and braces."""
    return re.sub(r"\\([{|}])", r"\1", text)


def is_choice(inside: str) -> bool:
    """Tell whether what stands in braces are alternatives, and not JSON, CSS or code with a bar."""
    options = split(inside)
    if len(options) == 1 or _CODE.match(inside):
        return False
    # One `colour: red` in front is a declaration; where every option has one, they are options.
    return not _DECLARED.match(options[0]) or all(map(_DECLARED.match, options))


def is_doubtful(prompt: str) -> bool:
    """Tell whether a choice in *prompt* may be something else: code or data, or inside of it."""
    pieces = tokens(prompt)
    if not any(token.kind == "choice" for token in pieces):
        return False
    return any(
        (_DOUBTFUL if token.kind == "choice" else _IN_CODE).search(token.text or token.source)
        for token in pieces
        if token.kind in {"choice", "text"}
    )


def split(inside: str) -> list[str]:
    """Split at the bars that stand in no inner braces, in no quotes and behind no backslash."""
    quoted = {place for found in _QUOTED.finditer(inside) for place in range(*found.span())}
    options, depth, escaped = [""], 0, False
    for place, letter in enumerate(inside):
        if not escaped:
            depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "|" and depth == 0 and not escaped and place not in quoted:
            options.append("")
        else:
            options[-1] += letter
        escaped = letter == "\\" and not escaped
    return options


def _closing(prompt: str, start: int) -> int | None:
    """Return the place of the brace that closes the one at *start*; None when none does."""
    depth, escaped = 0, False
    for place in range(start, len(prompt)):
        if not escaped:
            depth += {"{": 1, "}": -1}.get(prompt[place], 0)
        if depth == 0:
            return place
        escaped = prompt[place] == "\\" and not escaped
    return None
