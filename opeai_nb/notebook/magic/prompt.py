"""From the text of a cell to the prompt: names in braces become values, everything else stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import OptionError, did_you_mean
from opeai_nb.notebook.magic.cell_transform import MARKER_LINE
from opeai_nb.notebook.magic.variables import PATH, follow

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = r"[^\W\d]\w*"
_FIELD = re.compile(
    rf"""
    (?P<escaped>\{{\{{(?:{_NAME})[^{{}}|]*\}}\}})      # {{{{name}}}}: braces that stay, one pair
    | \{{{PATH}
      (?::(?P<format>[^{{}}|]*))?\}}
    """,
    re.VERBOSE,
)


def without_markers(text: str) -> str:
    """Return *text* without the `# NBVAL_…` lines that nbval reads, which are no prompt."""
    return MARKER_LINE.sub("", text).strip()


def interpolated(text: str, names: Mapping[str, Any]) -> str:
    """Fill in `{name}`, `{name.attr}`, `{name[key]}` and `{name:format}`, in one pass.

    `{{name}}` gives `{name}`. Braces with `|` are alternatives and stay, as does everything that is
    no such field: JSON, code, CSS. Raises `OptionError` for a plain `{name}` that is not defined
    (it would be paid for literally), and for an attribute, key or format that does not fit.
    """

    def filled(found: re.Match[str]) -> str:
        if found["escaped"]:
            return found["escaped"][1:-1]
        name, path, form = found["name"], found["path"], found["format"]
        if name not in names:
            if path or form is not None:
                return found[0]
            raise _undefined(name, names)
        return _value(found[0], names[name], path, form or "")

    return _FIELD.sub(filled, text)


def _value(field: str, value: Any, path: str, form: str) -> str:
    try:
        return format(follow(value, path), form)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OptionError(
            f"{field} in the prompt cannot be filled in: {type(error).__name__}: {error}.",
            advice=f"Correct it, write {{{field}}} to keep the braces, or add --raw. "
            "Nothing was sent.",
        ) from error


def _undefined(name: str, names: Mapping[str, Any]) -> OptionError:
    hint = did_you_mean(name, (n for n in names if not n.startswith("_")), shape="{{{}}}")
    return OptionError(
        f"The prompt has {{{name}}}, and there is no variable {name!r}.{hint}",
        advice=f"Define it, write {{{{{name}}}}} to keep the braces, or add --raw. "
        "Nothing was sent.",
    )
