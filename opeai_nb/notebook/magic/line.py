"""The line of a magic: options up to the first bare word, the rest verbatim."""

from __future__ import annotations

import builtins
import math
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import OptionError
from opeai_nb.notebook.magic.options import REQUEST_OPTIONS, spellings, unknown_option
from opeai_nb.notebook.magic.shell_words import Word, words
from opeai_nb.notebook.magic.variables import is_reference, picture_named, value_of
from opeai_nb.prices.cost import amount_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opeai_nb.fields import Field

_OPTION = re.compile(r"--?[^\W\d]")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_IN_WORDS = re.compile(r"(?<!\S)(--?[a-z][a-z-]*)(?:[ =](\S+))?")
_TARGET = re.compile(r"([^\W\d]\w*)\s*<<(?=\s|$)")

_NEEDED = frozenset({"In", "Out", "get_ipython", "exit", "quit", "display"})
# IPython's own: _, __, _i, _ii, _3, _i3, _oh, _ih, _dh, _exit_code; __builtins__ is Python's.
_RESERVED = re.compile(r"_+|_\d+|_i+\d*|_[iod]h|_exit_code|__\w*__")


@dataclass
class Parsed:
    """What a line says: *request* fields, *cell* options, and the *rest* behind them.

    *references* are the words of it that stand for something in the notebook, as they are written.
    *is_literal*: `--` says that nothing behind it is an option.
    """

    request: dict[str, Any] = field(default_factory=dict)
    cell: dict[str, Any] = field(default_factory=dict)
    rest: str = ""
    references: list[str] = field(default_factory=list)
    is_literal: bool = False


def parse(line: str, names: Mapping[str, Any]) -> Parsed:
    """Return what *line* says: options up to the first bare word, the rest verbatim.

    `NAME <<` among the options is `-o NAME`. A value `$name` or `{name}` is that variable's value.
    Raises `OptionError` for an option that does not exist (with the nearest one), a value that is
    missing or of the wrong kind.
    """
    parsed = Parsed()
    known = spellings()
    stream = words(line)
    while (word := next(stream, None)) is not None:
        if word.text == "--" and not word.quoted:
            parsed.rest, parsed.is_literal = line[word.end :].strip(), True
            break
        # `-n` and `--size=…`, but neither a quoted word nor a prompt such as `-5 degrees`.
        if line[word.start] not in "\"'" and _OPTION.match(word.text):
            _take(parsed, word, stream, known, names)
        elif target := _TARGET.match(line, word.start):
            _put(parsed, known["--out"], _variable(target[1]))
            stream = words(line, start=target.end())
        else:
            parsed.rest = line[word.start :].strip()
            break
    return parsed


def option_in(prompt: str) -> str | None:
    """Return the first option that a prompt holds with its value, as `--size` of `--size 2K`."""
    known = spellings()
    for found in _IN_WORDS.finditer(prompt):
        if (option := known.get(found[1])) is None:
            continue
        if not option.takes_value:
            return found[1]
        with suppress(OptionError):
            if found[2]:
                _converted(option, found[1], [found[2]], None)
                return found[1]
    return None


def parse_arguments(arguments: Sequence[str]) -> Parsed:
    """Return what the arguments of a command say; options may stand behind the prompt, too.

    A shell has read quotes and variables already: `$name` is text here. Raises as `parse` does.
    """
    parsed, known = Parsed(), spellings()
    rest: list[str] = []
    stream = iter([Word(text, 0, 0, quoted=False) for text in arguments])
    for word in stream:
        if word.text == "--":
            rest += [behind.text for behind in stream]
        elif _OPTION.match(word.text):
            _take(parsed, word, stream, known, None)
        else:
            rest.append(word.text)
    parsed.rest = " ".join(rest)
    return parsed


def _take(
    parsed: Parsed,
    word: Word,
    stream: Iterator[Word],
    known: Mapping[str, Field],
    names: Mapping[str, Any] | None,
) -> None:
    given, equals, attached = word.closed().partition("=")
    spelling = given.replace("_", "-") if given.startswith("--") else given
    option = known.get(spelling)
    if option is None and (short := known.get(given[:2])) and not given.startswith("--"):
        option, spelling, attached, equals = short, given[:2], word.text[2:], "="  # -n2
    if option is None:
        raise unknown_option(spelling)
    if not option.takes_value:
        if equals:
            raise OptionError(f"{spelling} takes no value.")
        _put(parsed, option, spelling != option.unset)
        return
    values = [attached] if equals else [_next(stream, option, spelling)]
    if option.kind == "pairs":
        values.append(_next(stream, option, spelling))
    converted = _converted(option, spelling, values, names)
    if names is not None and (option.kind in {"image", "region"} or is_reference(values[-1])):
        parsed.references.append(values[-1])
    _put(parsed, option, converted)


def _next(stream: Iterator[Word], option: Field, spelling: str) -> str:
    word = next(stream, None)
    if word is None:
        raise OptionError(
            f"{spelling} needs a value.",
            advice=f"Write {spelling} {option.metavar}. Nothing was sent.",
        )
    return word.closed()


def _put(parsed: Parsed, option: Field, value: Any) -> None:
    target = parsed.request if option in REQUEST_OPTIONS else parsed.cell
    if option.kind == "image":
        target.setdefault(option.name, []).append(value)
    elif option.kind == "pairs":
        target.setdefault(option.name, {}).update([value])
    elif option.name in target:
        raise OptionError(f"{option.long} is given twice.")
    else:
        target[option.name] = value


def _converted(
    option: Field, spelling: str, values: list[str], names: Mapping[str, Any] | None
) -> Any:
    value = values[-1] if names is None else value_of(values[-1], names)
    if option.kind == "pairs":
        return values[0], json_or_text(value)
    if option.kind in {"image", "region"}:
        return (
            picture_named(value, names) if isinstance(value, str) and names is not None else value
        )
    if option.kind == "integer" and isinstance(value, str):
        if not _WHOLE_NUMBER.fullmatch(value):
            raise _wrong(spelling, value, "a whole number")
        return int(value)
    if option.kind == "number":
        return _seconds(spelling, value)
    if option.kind == "amount":
        if (amount := amount_of(value)) is None:
            raise _wrong(spelling, value, "an amount of 0 or more")
        return amount
    if option.name == "out":
        return _variable(value)
    if option.kind == "choice" and value not in option.choices:
        raise _wrong(spelling, value, f"one of {', '.join(option.choices)}")
    return value


def _variable(given: Any) -> str:
    name = unicodedata.normalize("NFKC", str(given))  # as Python reads it
    if not isinstance(given, str) or not name.isidentifier() or iskeyword(name):
        raise OptionError(
            f"-o {given!r} is not the name of a variable.", advice="Nothing was sent."
        )
    if name in _NEEDED or hasattr(builtins, name) or _RESERVED.fullmatch(name):
        raise OptionError(
            f"-o {name} would take a name that Python or IPython needs.",
            advice=f"Take another, such as my_{name.strip('_') or 'fox'}. Nothing was sent.",
        )
    return name


def _seconds(spelling: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError) as error:
        raise _wrong(spelling, value, "a number of seconds") from error
    if not 0 < seconds < math.inf:
        raise _wrong(spelling, value, "a number of seconds above 0")
    return seconds


def json_or_text(text: Any) -> Any:
    """Return what *text* says as JSON, else the text itself."""
    import json

    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _wrong(spelling: str, value: Any, wanted: str) -> OptionError:
    return OptionError(
        f"{spelling} is {value!r}, not {wanted}.", advice="Correct it. Nothing was sent."
    )
