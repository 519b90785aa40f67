"""What could be written next on a line of the magic: options, values, variables, commands.

Pure. Nothing is asked of the network and nothing
dear is imported: a completion is there in less than 5 ms (tests/bench/bench_cell.py).
"""

from __future__ import annotations

import re
from inspect import isroutine
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.client.values.size import SAME
from opeai_nb.families import FAMILIES, family_of
from opeai_nb.fields import DEFAULT_MODEL
from opeai_nb.notebook.magic.options import RATIOS, spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opeai_nb.fields import Field

_LINE = re.compile(r"\s*%%imagine[ \t](?P<cell>.*)|(?:.*?[=(,]\s*|\s*)%imagine[ \t](?P<line>.*)")
_CELL = re.compile(r"\s*%%imagine\b")
_ORDER = re.compile(r"\[(--[a-z-]+)(?: (\S+))?\]")  # an option in the arguments of a command
_BRACE = re.compile(r".*(?<!\{)\{(?P<name>[^\W\d]\w*)?")
# Of Seedream the start alone is known by heart: its names end in dates and versions.
_KNOWN_MODELS: Final = tuple(
    name
    for family in FAMILIES
    for name in [family.prefixes[0] if family.vendor == "ark" else family.name]
    if family_of(name) is family and family.vendor != "engine"
)


class Notebook(NamedTuple):
    """What a completion may use: variables, models that the platform told of, a default, commands.

    *commands* are the arguments of each sub-command, as its help shows them; *presets* gives the
    names of the user's own, whose file is read where they are asked for.
    """

    names: Mapping[str, Any]
    models: Sequence[str] = ()
    model: str = DEFAULT_MODEL
    commands: Mapping[str, str] = MappingProxyType({})
    presets: Callable[[], Sequence[str]] = tuple


class Completion(NamedTuple):
    """What would replace *fragment*, the text just before the cursor; *kind* is told to the eye."""

    fragment: str
    texts: tuple[str, ...]
    kind: str


def complete(before: str, notebook: Notebook) -> Completion | None:
    """Return what could follow *before*, the text of a cell up to the cursor.

    None where the text is not ours, or where we know nothing: others may offer then.
    """
    lines = before.split("\n")
    at = _LINE.fullmatch(lines[-1])
    body = any(_CELL.match(line) for line in lines[:-1]) and at is None
    if at is not None and (order := _of_command(at["line"] or "", notebook)):
        return order
    if body or (at is not None and _is_prompt(at["line"])):
        return _variable_in_braces(lines[-1], notebook)
    if at is None:
        return None
    written = at["cell"] if at["line"] is None else at["line"]
    return _on_line(written, notebook, may_command=at["line"] is not None)


def _of_command(line: str, notebook: Notebook) -> Completion | None:
    """Return what could follow a sub-command: its options, and the values of one with choices."""
    *earlier, fragment = re.split(r"\s+", line)
    if not earlier or earlier[0] not in notebook.commands:
        return None
    orders = dict(_ORDER.findall(notebook.commands[earlier[0]]))
    if earlier[-1] == "--model" and "--model" in orders:
        return _offered(fragment, [*notebook.models, *_KNOWN_MODELS], "model")
    if "|" in (choices := orders.get(earlier[-1], "")):
        return _offered(fragment, choices.split("|"), "value")
    if not fragment.startswith("-"):
        return None
    return _offered(fragment, (name for name in orders if name not in earlier), "param")


def _on_line(written: str, notebook: Notebook, *, may_command: bool) -> Completion | None:
    *earlier, fragment = re.split(r"\s+", written)
    known = spellings()
    earlier = [word for word in earlier if word]
    waiting = known.get(_spelling(earlier[-1])) if earlier else None
    given, equals, value = fragment.partition("=")
    if equals and (option := known.get(_spelling(given))):
        return _values(option, value, earlier, notebook)
    if waiting is not None and waiting.takes_value:
        return _values(waiting, fragment, earlier, notebook)
    if fragment.startswith("-"):
        return _options(fragment, earlier, known)
    if may_command and not earlier:
        return _offered(fragment, notebook.commands, "keyword")
    return _options(fragment, earlier, known) if not fragment else None


def _options(fragment: str, earlier: Sequence[str], known: Mapping[str, Field]) -> Completion:
    used = {option.name for word in earlier if (option := known.get(_spelling(word)))}
    texts = [
        spelling
        for spelling, option in known.items()
        if spelling.startswith("--") and (option.name not in used or option.may_repeat)
    ]
    asked = _spelling(fragment)
    return Completion(fragment, tuple(text for text in texts if text.startswith(asked)), "param")


def _values(
    option: Field, fragment: str, earlier: Sequence[str], notebook: Notebook
) -> Completion | None:
    if fragment.startswith(("$", "{")):
        sign, close = fragment[0], "}" if fragment[0] == "{" else ""
        texts = (f"{sign}{name}{close}" for name in _variables(notebook.names))
        return _offered(fragment, texts, "variable")
    if option.name == "model":
        return _offered(fragment, [*notebook.models, *_KNOWN_MODELS], "model")
    if option.name == "preset":
        before = "".join(fragment.rpartition(",")[:2])  # `flat,dr`: an axis of several
        return _offered(fragment, (before + name for name in notebook.presets()), "preset")
    if option.kind == "image":
        return _offered(fragment, _variables(notebook.names), "variable")
    if option.choices:
        return _offered(fragment, option.choices, "value")
    if option.name in {"size", "quality"}:
        family = family_of(_model_on(earlier) or notebook.model)
        if option.name == "quality":
            return _offered(fragment, family.qualities if family else (), "value")
        return _offered(fragment, [*(family.sizes if family else ()), *RATIOS, SAME], "size")
    return None


def _offered(fragment: str, texts: Iterable[str], kind: str) -> Completion | None:
    found = tuple(dict.fromkeys(text for text in texts if text.startswith(fragment)))
    return Completion(fragment, found, kind) if found else None


def _variable_in_braces(line: str, notebook: Notebook) -> Completion | None:
    brace = _BRACE.fullmatch(line)
    if brace is None:
        return None
    return _offered(brace["name"] or "", _variables(notebook.names), "variable")


def _variables(names: Mapping[str, Any]) -> list[str]:
    return sorted(
        name
        for name, value in names.items()
        if not name.startswith("_") and not isinstance(value, (ModuleType, type))
        if not isroutine(value)
    )


def _is_prompt(line: str | None) -> bool:
    """Tell whether the words of the prompt have begun on the line of a `%imagine`."""
    from opeai_nb.errors import OpeaiError
    from opeai_nb.notebook.magic.line import parse

    if line is None or not line.strip() or line.lstrip().startswith("{"):
        return False
    try:
        rest = parse(line, {}).rest
    except OpeaiError:
        return False
    return " " in rest or "{" in rest


def _model_on(earlier: Sequence[str]) -> str | None:
    for place, word in enumerate(earlier):
        given, equals, value = word.partition("=")
        if given in {"-m", "--model"}:
            return value if equals else next(iter(earlier[place + 1 :]), None)
    return None


def _spelling(word: str) -> str:
    return word.replace("_", "-") if word.startswith("--") else word
