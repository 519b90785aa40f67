"""Presets as the user writes them: TOML tables beside the prices, or a mapping; checked whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.request import build_request
from opeai_nb.errors import InputError, OptionError, did_you_mean
from opeai_nb.fields import BY_NAME, Field
from opeai_nb.presets.preset import PRESET, Preset, problem_of
from opeai_nb.prices.price_file import text_at
from opeai_nb.prices.toml_line import line_of

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = re.compile(r"[^\W_][\w.-]*")
_OPTIONS: Final = tuple(name for name in BY_NAME if name != "image")
_ADVICE: Final = "Correct it. Nothing was sent."
_KEPT: Final = 8


def presets_at(path: Path) -> Mapping[str, Preset]:
    """Return the presets in a TOML file. Raises `OptionError` where it cannot be read, or be."""
    return _read(text_at(path), path.name)


@lru_cache(_KEPT)
def _read(text: str, name: str) -> Mapping[str, Preset]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{name} is not TOML: {error}.", advice=_ADVICE) from error
    return presets_in(data, name, text)


def presets_in(
    data: Mapping[str, Any], name: str = "Imagine.prices", text: str = ""
) -> Mapping[str, Preset]:
    """Return the presets that a mapping says; *text* is the TOML that it was written in, if any.

    Raises `OptionError` for a name that is none, an option that there is not, a value that cannot
    be, a prompt without `{prompt}` or with other braces, and a preset that names one.
    """
    tables = data.get(PRESET, {})
    check = _Check(name, text.splitlines())
    if not isinstance(tables, Mapping):
        raise check.error("", PRESET, "is no table: write [preset.NAME] above its options")
    return {str(each): check.preset(str(each), table) for each, table in tables.items()}


class _Check:
    """Looks at each value of a preset, and says where one is that cannot be."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self._name = name
        self._lines = lines

    def error(self, preset: str, option: str, what: str) -> OptionError:
        """Return the error for an *option* of a *preset*."""
        line = self._line(preset, option)
        place = f", line {line}" if line else ""
        of = f"preset {preset}: " if preset else ""
        end = "" if what.endswith(("?", ".")) else "."
        return OptionError(f"{self._name}{place}: {of}{option} {what}{end}", advice=_ADVICE)

    def _line(self, preset: str, option: str) -> int | None:
        head = re.compile(rf"""\s*\[\s*preset\s*\.\s*["']?{re.escape(preset)}["']?\s*[\].]""")
        start = next((n for n, line in enumerate(self._lines) if head.match(line)), None)
        if start is None:
            return None  # written as a mapping, or all in one line
        return line_of(option, self._lines, start)

    def preset(self, name: str, table: object) -> Preset:
        """Return the preset that a table says."""
        if not _NAME.fullmatch(name):
            raise self.error(name, "the name", "is no word of letters, digits, - and _")
        if not isinstance(table, Mapping):
            raise self.error(name, "it", "is no table of options")
        fields = {str(option).replace("-", "_"): value for option, value in table.items()}
        for option, value in fields.items():
            self._option(name, option)
            self._value(name, option, value, str(fields.get("model") or ""))
        return Preset(name, fields.pop("prompt", None), fields)

    def _option(self, name: str, option: str) -> None:
        if option == PRESET:
            raise self.error(name, option, "is no option of a preset: none builds on another")
        if option == "image":
            raise self.error(name, option, "is no option of a preset: give pictures where you ask")
        if option not in _OPTIONS:
            hint = did_you_mean(option, _OPTIONS)
            raise self.error(name, option, f"is no option of a request.{hint}")

    def _value(self, name: str, option: str, value: object, model: str) -> None:
        """Refuse a value that no request takes, each by itself: the rest is the request's own."""
        if option == "prompt":
            what = problem_of(value) if isinstance(value, str) else f"is {value!r}, not text"
            if what:
                raise self.error(name, option, what)
            return
        item = BY_NAME[option]
        if item.kind == "word" and isinstance(value, str) and "," in value:
            raise self.error(name, option, "has a comma: a preset says one value for each option")
        try:
            build_request("x", _alone(item, value, model))
        except InputError as error:
            raise self.error(name, option, f"cannot be: {error.message}") from error


def _alone(item: Field, value: object, model: str) -> dict[str, Any]:
    """Return the fields of a request that has this one set; `same` asks for a picture later."""
    if item.name == "size" and value == "same":
        return {}
    fields: dict[str, Any] = {"model": model} if model and item.name == "size" else {}
    if item.only:
        fields["dialect"] = item.only
    return {**fields, item.name: value}
