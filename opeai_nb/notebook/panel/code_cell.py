"""A request as the cell that asks for the same: `%%imagine`, or Python where it is unknown."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.sweep.alternatives import parts_of
from opeai_nb.errors import InputError
from opeai_nb.notebook.magic.cell_transform import MARKER_LINE
from opeai_nb.notebook.magic.options import REQUEST_OPTIONS
from opeai_nb.notebook.magic.prompt import interpolated
from opeai_nb.notebook.magic.shell_words import words
from opeai_nb.notebook.magic.sweep_cell import LISTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opeai_nb.client import ImageRequest
    from opeai_nb.fields import Field
    from opeai_nb.presets.preset import Preset

_SPELLED: Final = {"model": "--model", "n": "-n", "size": "--size", "image": "--image"}
_REFERENCE = re.compile(r"\$[^\W\d]\w*|\{[^\W\d]\w*\}")


def cell_text(
    request: ImageRequest,
    images: Sequence[str] = (),
    *,
    preset: Preset | None = None,
    prompt: str = "",
    only: str = "",
) -> str:
    """Return the `%%imagine` cell for *request*; *images* name its input pictures.

    Where a *preset* is expanded in it, the cell names that, and *prompt* is a person's own. *only*
    is the region as it is written.
    Raises `InputError` for the few requests that no cell can say: an option's value that reads as
    a reference to a variable (`$name`) or as several (`a,b`), a prompt line that is a marker of
    nbval.
    """
    text = request.prompt if preset is None else prompt.strip()
    if MARKER_LINE.search(text):
        raise _unsayable("A line of the prompt is an nbval marker")
    parts = ["%%imagine"] if preset is None else ["%%imagine", "--preset", _quoted(preset.name)]
    said = _besides(preset, request)
    for option in REQUEST_OPTIONS:
        if option.name in said and option.option != "--ar":
            value = list(images) if option.kind == "image" else said[option.name]
            parts += _written(option, value)
    parts += ["--only", _quoted(only)] if only else []
    if _has_fields(text) or _has_alternatives(text):
        parts.append("--raw")
    return f"{' '.join(parts)}\n{text}"


def python_text(
    request: ImageRequest,
    images: Sequence[str] = (),
    *,
    preset: Preset | None = None,
    prompt: str = "",
    only: str = "",
) -> str:
    """Return `cell_text` in Python: for marimo, which has no magic. It can say any request."""
    text = request.prompt if preset is None else prompt.strip()
    beside = {"preset": preset and preset.name, "image": list(images), "only": only}
    said = {k: v for k, v in _besides(preset, request).items() if k not in {"prompt", "image"}}
    said |= {name: value for name, value in beside.items() if value}
    fields = "".join(f", {name}={value!r}" for name, value in said.items())
    return f"import opeai_nb\n\nopeai_nb.generate({text!r}{fields})"


def _besides(preset: Preset | None, request: ImageRequest) -> dict[str, Any]:
    """Return the fields that a cell has to name: those that would not be so without."""
    said = request.set_fields()
    below = {"dialect": "openai"} if preset is None else {"dialect": "openai", **preset.fields}
    return {name: value for name, value in said.items() if not _is_so(request, name, below)}


def _is_so(request: ImageRequest, name: str, below: Mapping[str, Any]) -> bool:
    """Tell whether a field would be the same by what lies *below* the cell's own options."""
    if name not in below:
        return False
    try:
        return replace(request, **{name: below[name]}) == request
    except InputError:
        return False  # it goes with other values than these


def _written(option: Field, value: Any) -> list[str]:
    name = _SPELLED.get(option.name, option.long)
    if option.kind == "flag":
        return [name if value else option.unset]
    if option.kind == "image":
        return [part for image in value for part in (name, _quoted(image))]
    if option.kind == "pairs":
        return [
            part
            for key, item in value.items()
            for part in (name, _quoted(key), _quoted(json.dumps(item, ensure_ascii=False)))
        ]
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        raise _unsayable(f"The value {value!r} of {option.name} reads as a variable")
    if isinstance(value, str) and "," in value and option.name in LISTED:
        raise _unsayable(f"The value {value!r} of {option.name} reads as several")
    return [name, _quoted(str(value))]


def _quoted(text: str) -> str:
    """Return *text* as one word of an option line."""
    for form in (text, shlex.quote(text), '"' + text.replace('"', '\\"') + '"'):
        try:
            if (
                text
                and [word.text for word in words(f"{form} .")] == [text, "."]
                and "\n" not in text
            ):
                return form
        except InputError:
            continue
    raise _unsayable(f"The value {text[:40]!r} does not fit on an option line")


def _has_fields(prompt: str) -> bool:
    """Tell whether braces in the prompt would be filled in, or refused."""
    try:
        return interpolated(prompt, {}) != prompt
    except InputError:
        return True


def _has_alternatives(prompt: str) -> bool:
    """Tell whether braces in the prompt would stand for several texts, or for too many."""
    try:
        return parts_of(prompt) != (prompt,)
    except InputError:
        return True


def _unsayable(why: str) -> InputError:
    return InputError(
        f"{why}, so this request cannot be written as a cell.",
        advice="In Python: opeai_nb.Studio().generate(panel.request).",
    )
