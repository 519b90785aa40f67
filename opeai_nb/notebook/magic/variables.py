"""A word of a line that stands for something in the notebook: a variable, a file, a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$([^\W\d]\w*)|\{([^\W\d]\w*)\}")
_NAME = re.compile(r"[^\W\d]\w*")


def value_of(text: str, names: Mapping[str, Any]) -> Any:
    """Return the value of the variable that `$name` or `{name}` refers to, else *text* itself.

    Raises `OptionError` when there is no such variable.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text
    name = found[1] or found[2]
    if name not in names:
        raise _no_variable(name, names)
    return names[name]


def picture_named(text: str, names: Mapping[str, Any]) -> Any:
    """Return the input picture that *text* names: the value of a variable, else a path or a URL.

    Raises `OptionError` when it looks like a variable's name and there is neither that nor a file.
    """
    if not _NAME.fullmatch(text):
        return text
    if text in names:
        return names[text]
    from pathlib import Path

    if Path(text).exists():
        return text
    raise _no_variable(text, names, "no variable and no file")


def _no_variable(name: str, names: Mapping[str, Any], what: str = "no variable") -> OptionError:
    hint = did_you_mean(name, (n for n in names if not n.startswith("_")))
    return OptionError(
        f"There is {what} named {name!r}.{hint}",
        advice="Define it before this cell. Nothing was sent.",
    )
