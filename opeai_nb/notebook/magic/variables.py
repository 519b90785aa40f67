"""A word of a line that stands for something in the notebook: a variable, a file, a URL."""

from __future__ import annotations

import re
import sys
from collections import ChainMap
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.sweep.braces import NAME, STEPS
from opeai_nb.bulk.sweep.template import follow
from opeai_nb.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

_PATH = re.compile(rf"(?P<name>{NAME})(?P<path>{STEPS})")
_REFERENCE = re.compile(rf"\$({NAME})({STEPS})|\{{({NAME})({STEPS})\}}")
_MACHINERY: Final = frozenset({"IPython", "opeai_nb", "ipykernel"})


def names_here(user: dict[str, Any]) -> Mapping[str, Any]:
    """Return the names that the calling code sees: its locals, its globals, then the *user*'s.

    Behind its locals stand those of the functions around it, as far as they are running: Python
    hands on to a nested function only what it sees used, and it sees no names in a prompt.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  inspect.stack reads every file
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _MACHINERY:
        frame = frame.f_back
    if frame is None or frame.f_locals is user:
        return user
    seen = [frame.f_locals]
    at: FrameType | None = frame
    while at and (around := at.f_code.co_qualname.rpartition(".<locals>")[0]):
        at = _running(around, at)
        seen += [at.f_locals] if at else []
    return ChainMap(*seen, frame.f_globals, user)


def _running(function: str, inner: FrameType) -> FrameType | None:
    """Return the nearest frame below *inner* of a *function* of its module, by the full name."""
    frame = inner.f_back
    while frame and not (
        frame.f_code.co_qualname == function and frame.f_globals is inner.f_globals
    ):
        frame = frame.f_back
    return frame


def is_reference(text: str) -> bool:
    """Tell whether *text* is `$name`, `{name}` or a part of one."""
    return _REFERENCE.fullmatch(text) is not None


def value_of(text: str, names: Mapping[str, Any]) -> Any:
    """Return the value that `$name`, `{name}` or `{name[0]}` refers to, else *text* itself.

    Raises `OptionError` when there is no such variable, or no such part of it.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text
    name, path = found[1] or found[3], found[2] or found[4] or ""
    if name not in names:
        raise _no_variable(name, names)
    return _part(text, names[name], path)


def picture_named(text: str, names: Mapping[str, Any]) -> Any:
    """Return the input picture that *text* names: a variable or a part of it, a path, a URL.

    Raises `OptionError` when it looks like a variable's name and there is neither that nor a file.
    """
    from pathlib import Path

    found = _PATH.fullmatch(text)
    # `fox.png` is a file, also where there is a variable `fox`.
    if found is None or (found["path"].startswith(".") and "[" not in text):
        return text
    if found["name"] in names:
        return _part(text, names[found["name"]], found["path"])
    if Path(text).exists():
        return text
    raise _no_variable(text, names, "no variable and no file")


def _part(text: str, value: Any, path: str) -> Any:
    try:
        return follow(value, path)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OptionError(
            f"There is no {text}: {type(error).__name__}: {error}.",
            advice="Correct it. Nothing was sent.",
        ) from error


def _no_variable(name: str, names: Mapping[str, Any], what: str = "no variable") -> OptionError:
    hint = did_you_mean(name, (n for n in names if not n.startswith("_")))
    return OptionError(
        f"There is {what} named {name!r}.{hint}",
        advice="Define it before this cell. Nothing was sent.",
    )
