"""Cells as IPython gets them: a prompt is a prompt, whatever Python or IPython would make of it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import lru_cache
from keyword import iskeyword
from typing import Any, Final, NamedTuple

_NAME: Final = "imagine"
# Behind the name may stand any blank, also one that a web page has left, or none before an option.
_END = r"(?:\s|(?=[-'\"]))"
MARKER_LINE: Final = re.compile(r"^[ \t]*(?:#[ \t]*NBVAL_[A-Z_]+|#\|.*)[ \t\r]*$", re.MULTILINE)
"""A line that is for nbval, Quarto or nbdev: it is no part of a prompt."""
_ABOVE = re.compile(r"\s*(?:#.*)?\s*")
# IPython's magics that run Python: they read what is on them as Python once it was run.
_RUNNERS = r"(?:time|timeit|prun|capture)\b"
_RUN_CELL: Final = rf"%%{_RUNNERS}"
# Texts from here on: `re` compiles and keeps them when a cell first asks, and most have no magic.
_RUN_BEFORE: Final = rf"\s*(?:\w+\s*=\s*)?%{_RUNNERS}(?:\s+-\S+(?:\s+\d+)?)*\s+(?:\w+\s*=\s*)?"
_AUTOMAGIC: Final = r"(?s)imagine[ \t]+(?:--?)?[^\W\d].*\?\s*"
_CALL: Final = r"""(?m)^(?:[^'"=]*=)?\s*get_ipython\(\)\.run_line_magic\('imagine'"""
_HELP: Final = r"\s*\?*\s*"
_ESCAPED: Final = r"(\s*)(?:[\w.,\s]*=\s*)?[%!?]"
DROPPED: Final = "\n"
"""What ends the text of a `%imagine` whose value Python drops: in a block, or before the last line.

The magic shows it then. No line that is typed ends so.
"""
_NAMED: Final = r"(?:[{$]|(?:-i|--image)[ =]+[{$]?)([^\W\d]\w*)"
_RESULT: Final = "_result_of_imagine"


class _Spelling(NamedTuple):
    """How a cell, a line, and a line on one of IPython's runners say our magic."""

    cell: re.Pattern[str]
    line: re.Pattern[str]
    run_line: re.Pattern[str]


@lru_cache
def _spelling(names: tuple[str, ...]) -> _Spelling:
    name = "|".join(map(re.escape, names))
    said = rf"%(?P<name>{name}){_END}(?P<line>.*)"
    return _Spelling(
        re.compile(rf"%%(?P<name>{name})(?:{_END}|$)(?P<line>.*)", re.DOTALL),
        re.compile(rf"(?P<before>\s*(?:\S.*?=\s*)?){said}", re.DOTALL),
        re.compile(rf"(?P<before>{_RUN_BEFORE}){said}", re.DOTALL),
    )


def _names() -> tuple[str, ...]:
    """Return the names of our magic: its own, and those that `%alias_magic` has given it."""
    from IPython.core.getipython import get_ipython
    from IPython.core.magic import MagicAlias

    names = [_NAME]
    if (shell := get_ipython()) is not None:
        for kind in ("line", "cell"):
            for name, magic in shell.magics_manager.magics[kind].items():
                if isinstance(magic, MagicAlias) and magic.magic_name in names:
                    names.append(name)
    return tuple(dict.fromkeys(names))


def with_body(lines: list[str]) -> list[str]:
    """Let `%%imagine --help` pass without a body, and comments stand above the magic.

    IPython answers the first with a `UsageError`, which nbval takes for success, and the second
    with Python's `SyntaxError`. An empty body becomes an empty line: what is wrong with it is then
    ours to say.
    """
    first = next((n for n, line in enumerate(lines) if not _ABOVE.fullmatch(line)), None)
    if first == 0 and re.match(_RUN_CELL, lines[0]):
        return [lines[0], *_as_python(lines[1:])]
    said = None if first is None else _spelling(_names()).cell.match(lines[first])
    if said is None:
        return lines
    head, *body = lines[first:]
    if text := said["line"].strip():  # IPython looks for a plain blank alone
        head = f"%%{said['name']} {text}\n"
    return [head, *body] if "".join(body) else [head.rstrip("\n") + "\n", "\n"]


def is_misread(cell: str) -> bool:
    """Tell whether IPython alone takes a prompt of *cell* for something else, such as a question.

    It has read the whole cell before the line in it that loads the extension runs.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    if "%imagine" not in cell:
        return False
    run_line = _spelling((_NAME,)).run_line
    timed = (found["line"] for line in cell.splitlines() if (found := run_line.fullmatch(line)))
    if any(map(_is_no_python, timed)):
        return True
    alone: Any = TransformerManager()  # type: ignore[no-untyped-call]  # of IPython
    ours: Any = TransformerManager()  # type: ignore[no-untyped-call]  # as above
    ours.line_transforms.append(with_prompts)
    counts = [len(re.findall(_CALL, each.transform_cell(cell))) for each in (alone, ours)]
    return counts[0] < counts[1]


def _is_no_python(text: str) -> bool:
    """Tell whether Python cannot even cut *text* into words, as `%time` does when it was run."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except (tokenize.TokenError, SyntaxError):
        return True
    return False


def _as_python(lines: list[str]) -> list[str]:
    """Return the body of `%%time` and its like with calls of Python in place of our magics."""
    body = with_body(lines)
    said = _spelling(_names()).cell.match(body[0]) if body else None
    if said is None:
        return with_prompts(body)
    line, text = said["line"].strip(), "".join(body[1:])
    return [f"get_ipython().run_cell_magic({said['name']!r}, {line!r}, {text!r})\n"]


# IPython then leaves it out where it only asks whether a cell that is being typed is complete.
with_body.has_side_effects = True  # type: ignore[attr-defined]  # how IPython marks a function


def with_prompts(lines: list[str]) -> list[str]:
    """Make a call of each `%imagine …` and `x = %imagine …`, its text a string of Python.

    IPython itself reads such a line as Python in places: a question mark at its end opens the help,
    a quote or a bracket that is open takes the next lines along. A `;` at the end silences the
    cell, a backslash there goes on in the next line, as with every magic.
    """
    begins = len(lines) == 1 and lines[0].startswith(_NAME)
    if begins and re.fullmatch(_AUTOMAGIC, lines[0]) and _is_automagic():
        lines = [f"%{lines[0]}"]
    names = _names()
    spelling, signs = _spelling(names), [f"%{name}" for name in names]
    if not any(sign in line for line in lines for sign in signs):
        return lines
    done: list[str] = []
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        # IPython splits at every kind of line break, also at those that web pages leave in a text.
        while any(sign in line for sign in signs) and not line.endswith("\n") and rest:
            line += rest.pop(0)
        found = spelling.line.fullmatch(line) or spelling.run_line.fullmatch(line)
        asks_help = found and re.fullmatch(_HELP, found["line"])
        if found and not asks_help and _is_statement(done, found["before"]):
            line = f"{found['before']}{_call(found, rest)}\n"
        done.append(line)
    return done


def _is_automagic() -> bool:
    """Tell whether `imagine …` without a sign is our magic: by IPython's setting, and no name."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return bool(shell and shell.automagic and "imagine" not in shell.user_ns)


def _call(said: re.Match[str], following: list[str]) -> str:
    """Return the call for a line of our magic; takes its further lines off *following*."""
    before, text = said["before"], said["line"].strip()
    while text.endswith("\\") and following:
        text = f"{text[:-1].rstrip()} {following.pop(0).strip()}"
    silent = ";" * text.endswith(";")
    text = text.removesuffix(";")
    is_last = not before and all(map(_ABOVE.fullmatch, following))
    if not (silent or before.strip() or is_last):
        text += DROPPED
    seen = _seen(text) if before[:1].isspace() else ""
    return f"get_ipython().run_line_magic({said['name']!r}, {seen}{text!r}){silent}"


def _seen(text: str) -> str:
    """Return code that names the variables in *text* and does nothing.

    Python hands on to a nested function the names around it that it sees in there.
    """
    names = dict.fromkeys(name for name in re.findall(_NAMED, text) if not iskeyword(name))
    return f"(lambda: ({', '.join(names)},)) and " if names else ""


def _is_statement(above: list[str], before: str) -> bool:
    """Tell whether a statement begins behind the lines *above*, or a value behind `x =`."""
    if _is_open(above):
        return False
    if not before.strip() or re.fullmatch(_RUN_BEFORE, before):
        return True
    try:
        last = ast.parse(f"{before.strip()} {_RESULT}")
    except SyntaxError:
        return False
    values = (node.value for node in ast.walk(last) if isinstance(node, ast.Assign | ast.AnnAssign))
    return any(isinstance(value, ast.Name) and value.id == _RESULT for value in values)


def _is_open(lines: list[str]) -> bool:
    """Tell whether a string, a bracket or a backslash at the end of *lines* goes on below."""
    if lines and lines[-1].endswith("\\\n"):
        return True
    # What other magics and shell commands have on their lines is no Python.
    text = "".join(f"{at[1]}pass\n" if (at := re.match(_ESCAPED, line)) else line for line in lines)
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except tokenize.TokenError as error:
        told = str(error)  # both words stand for what is open, on Python 3.11 and from 3.12 on
        return "multi-line" in told or "triple-quoted" in told
    except SyntaxError:
        return False
    return False
