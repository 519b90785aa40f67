"""From the text of a cell to the prompt: names in braces become values, everything else stays."""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.sweep.braces import NAME, tokens
from opeai_nb.bulk.sweep.template import filled
from opeai_nb.errors import InputError, OptionError, did_you_mean
from opeai_nb.notebook.magic.cell_transform import MARKER_LINE
from opeai_nb.notebook.magic.line import option_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOLLAR = re.compile(rf"(?<!\S)\$({NAME})\b")


def without_markers(text: str) -> str:
    """Return *text* without the `# NBVAL_…` lines that nbval reads, which are no prompt."""
    return MARKER_LINE.sub("", text).strip()


def likely_mistakes(text: str, names: Mapping[str, Any], *, is_cell: bool) -> list[str]:
    """Return notes on what is sent as it stands and was hardly meant so: options, and `$name`.

    *names* are those of the notebook; *is_cell* tells a cell's body from a line.
    """
    notes = []
    if (option := option_in(text)) is not None:
        where = "in the first line of the cell" if is_cell else "before it"
        notes.append(f"{option} is a part of the prompt: options stand {where}.")
    return notes + [
        f"${name} is a part of the prompt: {{{name}}} is the variable's value."
        for name in dict.fromkeys(_DOLLAR.findall(text))
        if name in names
    ]


def interpolated(text: str, names: Mapping[str, Any]) -> str:
    """Fill in `{name}`, `{name.attr}`, `{name[key]}` and `{name:format}`, in one pass.

    `{{name}}` gives `{name}`. Braces with `|` are alternatives and stay, as does everything that is
    no such field: JSON, code, CSS. Raises `OptionError` for a plain `{name}` that is not defined,
    and for Python with names that are, as in an f-string (both would be paid for literally), for a
    value that is missing, and for an attribute, key or format that does not fit.
    """
    for token in tokens(text):
        plain = token.kind == "word" and not token.path and token.form is None
        if plain and token.source[0] == "{" and token.name not in names:
            raise _undefined(token.name, names)
        if token.kind == "column" and token.name not in names and _is_python(token.source, names):
            raise _python(token.source)
    try:
        return filled(text, names, wild=False)
    except InputError as error:
        raise OptionError(error.message, advice=error.advice) from error


def _undefined(name: str, names: Mapping[str, Any]) -> OptionError:
    hint = did_you_mean(name, (n for n in names if not n.startswith("_")), shape="{{{}}}")
    return OptionError(
        f"The prompt has {{{name}}}, and there is no variable {name!r}.{hint}",
        advice=f"Define it, write {{{{{name}}}}} to keep the braces, or add --raw. "
        "Nothing was sent.",
    )


def _is_python(field: str, names: Mapping[str, Any]) -> bool:
    """Tell whether an f-string would take *field*: all its names are known, one is the user's."""
    try:
        read = ast.parse(f"f{field!r}", mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    used = {node.id for node in ast.walk(read) if isinstance(node, ast.Name)}
    return any(name in names for name in used) and all(
        name in names or hasattr(builtins, name) for name in used
    )


def _python(field: str) -> OptionError:
    return OptionError(
        f"The prompt has {field}, which is Python: it would be painted as it stands.",
        advice="Give its value a name, and write that in braces; or add --raw, which keeps all "
        "braces. Nothing was sent.",
    )
