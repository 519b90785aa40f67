"""Words in a prompt that stand for values: `{animal}`, and dynamicprompts' `__animal__`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = r"[^\W\d]\w*?"
_WORD = re.compile(rf"\{{(?P<braced>{_NAME})\}}|(?<!\w)__(?P<wild>[^\W\d_]\w*?)__(?!\w)")


def names_in(template: str) -> list[str]:
    """Return the names of the words in *template*, each once, in order."""
    found = (word["braced"] or word["wild"] for word in _WORD.finditer(template))
    return list(dict.fromkeys(found))


def filled(template: str, values: Mapping[str, Any]) -> str:
    """Return *template* with the words that have a value replaced, in one pass; the rest stays."""

    def value(word: re.Match[str]) -> str:
        name = word["braced"] or word["wild"]
        return str(values[name]) if name in values else word[0]

    return _WORD.sub(value, template)
