"""A preset: options, and words around the prompt, under one name. It is expanded, then forgotten.

Pure. What is recorded and sent is the whole request: a replay never looks for a preset.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.views.text_output import from_here
from opeai_nb.errors import OptionError, did_you_mean
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PRESET: Final = "preset"
"""What the option, the keyword and the column are called."""
_NONE: Final = "Write [preset.NAME] into the file of Imagine.prices (OPEAI_NB_PRICES)."
_PIECE: Final = re.compile(r"\{\{|\}\}|\{prompt\}|[{}]")


@dataclass(frozen=True)
class Preset:
    """Options under one *name*.

    *prompt* has `{prompt}` where the user's own stands, and doubled braces for braces; None: the
    user's stays as it is. *fields* are those of a request.
    """

    name: str
    prompt: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def option_text(self) -> str:
        """The options as a person reads them: `model=gpt-image-2, n=1`."""
        return ", ".join(f"{name}={_text(value)}" for name, value in self.fields.items())

    def around(self, prompt: str) -> str:
        """Return *prompt* in the preset's words; braces in it are text, whatever they say."""
        if self.prompt is None:
            return prompt
        pieces = {"{{": "{", "}}": "}", "{prompt}": prompt}
        return _PIECE.sub(lambda piece: pieces.get(piece[0], piece[0]), self.prompt)

    def under(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a request: those *given* win, of `extra` each field by itself."""
        fields = {**self.fields, **given}
        if given.get("extra") and self.fields.get("extra"):
            fields["extra"] = {**self.fields["extra"], **given["extra"]}
        return fields


def summary(presets: Mapping[str, Preset], prices: object) -> str:
    """Return how many presets there are and where, or how to write one; *prices* is the setting."""
    if not presets:
        return f"No preset. {_NONE}"
    place = from_here(prices).as_posix() if isinstance(prices, Path) else "Imagine.prices"
    return f"{counted(len(presets), 'preset')} in {place}."


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def problem_of(prompt: str) -> str | None:
    """Return what is wrong with a preset's prompt; None where nothing is."""
    pieces = [piece[0] for piece in _PIECE.finditer(prompt)]
    if lone := next((piece for piece in pieces if piece in {"{", "}"}), None):
        return f"has a {lone} that is not part of {{prompt}}; write {lone}{lone} for a brace"
    if "{prompt}" not in pieces:
        return "has no {prompt}: what is asked for would be lost"
    return None


def with_preset(
    prompt: str,
    given: Mapping[str, Any],
    presets: Callable[[], Mapping[str, Preset]],
    defaults: Mapping[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the prompt and the fields that are asked for, the `preset` in *given* expanded.

    What is *given* wins over the preset, and the preset over *defaults*. Raises `OptionError` for
    a preset that there is not.
    """
    fields = dict(given)
    name = fields.pop(PRESET, None)
    if name is None:
        return prompt, {**(defaults or {}), **fields}
    preset = preset_named(name, presets())
    return preset.around(prompt), {**(defaults or {}), **preset.under(fields)}


def preset_named(name: object, presets: Mapping[str, Preset]) -> Preset:
    """Return the preset of that name. Raises `OptionError` where there is none, with those near."""
    name = name.strip() if isinstance(name, str) else name
    if isinstance(name, str) and name in presets:
        return presets[name]
    hint = did_you_mean(str(name), presets)
    there = f"There are: {', '.join(presets)}." if presets else _NONE
    raise OptionError(f"There is no preset {name!r}.{hint}", advice=f"{there} Nothing was sent.")
