"""What a cell's result was made of, and what of that has changed since.

A cell that is run again asks for what it says then. A result that is merely shown again, in another
cell, may be of a variable, a file or a preset that is something else by now: it says so.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.sweep.template import words_in
from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.magic.prompt import interpolated
from opeai_nb.notebook.magic.variables import picture_named, value_of
from opeai_nb.presets.preset import PRESET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.presets.preset import Preset

    Presets = Callable[[], Mapping[str, Preset]]


@dataclass(frozen=True)
class Recipe:
    """What a cell says, and what that stood for.

    *prompt* is as it stands there (empty with `--raw`), *options* are words for variables and
    files; *words* is what the references of the prompt were, *things* all else, by its name.
    """

    prompt: str
    options: tuple[str, ...]
    preset: str | None
    words: Mapping[str, str]
    things: Mapping[str, str]

    def changed_words(self, names: Mapping[str, Any]) -> list[str]:
        """Return the references of the prompt that stand for something else now."""
        return _differing(self.words, _words(self.prompt, names))

    def changed(self, names: Mapping[str, Any], presets: Presets) -> list[str]:
        """Return what stands for something else now; what is gone is not known to have changed."""
        things = _things(self.options, self.preset, names, presets)
        return [*self.changed_words(names), *_differing(self.things, things)]


def recipe(parsed: Parsed, prompt: str, names: Mapping[str, Any], presets: Presets) -> Recipe:
    """Return what a line and a prompt are made of now."""
    text = "" if parsed.cell.get("raw") else prompt
    name = parsed.request.get(PRESET)
    preset = name if isinstance(name, str) else None
    options = tuple(parsed.references)
    words, things = _words(text, names), _things(options, preset, names, presets)
    return Recipe(text, options, preset, words, things)


def note(changed: list[str]) -> str:
    """Return what is said beside a result; empty where nothing has changed."""
    if not changed:
        return ""
    listed = " and ".join(filter(None, [", ".join(changed[:-1]), changed[-1]]))
    have = "have" if len(changed) > 1 else "has"
    return f"{listed} {have} changed since this was made. Run its cell again for what it says now."


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name, was in before.items() if now.get(name, was) != was]


def _words(prompt: str, names: Mapping[str, Any]) -> dict[str, str]:
    return dict(_each(words_in(prompt), lambda source: interpolated(source, names)))


def _things(
    options: tuple[str, ...], preset: str | None, names: Mapping[str, Any], presets: Presets
) -> dict[str, str]:
    things = dict(_each(options, lambda text: fingerprint(_value(text, names))))
    if preset is not None:
        things |= _each([f"the preset {preset}"], lambda _: repr(presets()[preset]))
    return things


def _each(names: Any, fact: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield each name with its fact; of what cannot be told there is none."""
    for name in names:
        try:
            yield name, fact(name)
        except (OpeaiError, OSError, LookupError, ValueError, TypeError, AttributeError):
            continue


def _value(text: str, names: Mapping[str, Any]) -> Any:
    value = value_of(text, names)
    return picture_named(value, names) if isinstance(value, str) else value


def fingerprint(value: Any) -> str:
    """Return what tells whether a value is still the same: of pictures and files, their content.

    Raises `OSError` for a file that cannot be read.
    """
    if isinstance(value, str | os.PathLike):
        if not Path(value).expanduser().is_file():  # a URL; a pipe is not emptied
            return str(value)
        return _digest(Path(value).expanduser().read_bytes())
    if isinstance(value, bytes | bytearray):
        return _digest(bytes(value))
    if hasattr(value, "good"):  # a generation
        return " ".join(fingerprint(picture) for picture in value.good)
    if hasattr(value, "received_sha256"):  # a picture of one
        return _digest(value.data or b"")
    if isinstance(value, list | tuple):
        return " ".join(map(fingerprint, value))
    if hasattr(value, "tobytes"):  # a PIL image, an array
        shape = getattr(value, "shape", None) or (getattr(value, "mode", ""), value.size)
        return f"{shape} {_digest(value.tobytes())}"
    return repr(value)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
