"""Where a batch comes from: a list, a DataFrame, a CSV or a JSONL file. Each row is one request."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from opeai_nb.bulk.batch.manifest import OURS
from opeai_nb.bulk.sweep.axis import Missing, is_missing
from opeai_nb.bulk.sweep.plan import Plan, numbered
from opeai_nb.bulk.sweep.template import filled, mentioned, names_in
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.errors import InputError, did_you_mean
from opeai_nb.fields import BY_NAME
from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = Mapping[str, Any]

_TRUTH: Final = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
}
_LIKE: Final = 0.8
_PROMPTS: Final = ("prompt", "prompts", "text", "caption", "description")
_WHOLE: Final = re.compile(r"[+-]?\d+(\.0*)?")  # pandas writes 1.0 where another cell is empty
_FILE_ENDINGS: Final = (".csv", ".tsv", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Rows:
    """The rows of a batch: *given* as they stand, and the *plan* of their requests."""

    given: list[dict[str, Any]]
    plan: Plan


def rows_of(
    source: object, prompt: str | None, fixed: Mapping[str, Any], missing: Missing = "refuse"
) -> Rows:
    """Return the rows of *source* and their requests.

    A column named as a field of the request is that field; an empty cell is not set; *fixed* fields
    are for rows that have none. All other columns are words for the template *prompt* (`{city}`),
    and go to the manifest as they are. A row that lacks a word of the template is refused, or left
    out where *missing* is `skip`. Raises `InputError` with the row's number, before anything is
    sent.
    """
    given, base = _given(source)
    if not given:
        raise InputError("The batch is empty.", advice="Give it at least one prompt.")
    _check_columns(given, prompt, fixed)
    used = _words(given, prompt)
    if missing == "skip":
        given = [row for row in given if used <= row.keys() | fixed.keys()]
    points = numbered(_requests(given, prompt, fixed, used, base))
    return Rows(given, Plan((), points))


def _given(source: object) -> tuple[list[dict[str, Any]], Path]:
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        if path.suffix.lower() not in _FILE_ENDINGS:
            raise InputError(
                f"{path.name!r} is not a file that a batch can be read from.",
                advice=f"Give a file that ends in one of {', '.join(_FILE_ENDINGS)}, or a list.",
            )
        return _read(path), path.parent
    to_dict = getattr(source, "to_dict", None)
    if callable(to_dict) and hasattr(source, "columns"):
        _check_twice([str(name).strip() for name in source.columns])
        return [_clean(row, number) for number, row in enumerate(to_dict("records"), 1)], Path()
    if isinstance(source, Iterable) and not isinstance(source, Mapping):
        return [_clean(_as_row(item, n), n) for n, item in enumerate(source, 1)], Path()
    raise InputError(f"A {type(source).__name__} is not a batch.", advice="Give a list of prompts.")


def _as_row(item: object, number: int) -> Row:
    if isinstance(item, str):
        return {"prompt": item}
    if isinstance(item, Mapping):
        return item
    if isinstance(item, ImageRequest):
        return item.set_fields()
    raise InputError(f"Row {number} is a {type(item).__name__}.", advice="Give text or a mapping.")


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        # utf-8-sig: a spreadsheet that saves CSV puts a mark in front of the first column's name.
        with os.fdopen(open_plain(path, links=True), encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in (".csv", ".tsv"):
                return _table(file, path)
            return [_json_row(number, line) for number, line in enumerate(file, 1) if line.strip()]
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8.", advice="Save it as UTF-8.") from error
    except csv.Error as error:
        raise InputError(f"{path.name} is not valid CSV: {error}.") from error


def _table(file: TextIO, path: Path) -> list[dict[str, Any]]:
    """Return the rows below a head; strict, as a quote left open would swallow those after it."""
    head = file.readline()
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=;"):
        delimiter, head = head.strip()[-1], file.readline()  # Excel's own way to say so
    elif delimiter == "," and ";" in head and "," not in head:
        delimiter = ";"  # what Excel writes where the comma is the decimal point
    reader = csv.DictReader(itertools.chain([head], file), delimiter=delimiter, strict=True)
    _check_twice([name.strip() for name in reader.fieldnames or ()])
    return [_clean(row, number) for number, row in enumerate(reader, 1)]


def _check_twice(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise InputError(f"Two columns are named {twice[0]!r}.", advice="Nothing was sent.")


def _json_row(number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"Line {number} is not valid JSON: {error}.") from error
    return _clean(_as_row(row, number), number)


def _clean(row: Row, number: int) -> dict[str, Any]:
    """Return a row without the cells that are empty: None, NaN, or blank text."""
    if None in row:
        raise InputError(
            f"Row {number} has more cells than there are columns.",
            advice='Put text with commas into quotes: "a fox, in ink". Nothing was sent.',
        )
    return {str(name).strip(): value for name, value in row.items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def _words(given: Sequence[Row], prompt: str | None) -> set[str]:
    """Return the columns that the template uses, also by `{name:format}` or with a space."""
    if prompt is None:
        return set()
    columns = {name for row in given for name in row}
    return set(names_in(prompt)) | (mentioned(prompt) & columns)


def _check_columns(given: Sequence[Row], prompt: str | None, fixed: Mapping[str, Any]) -> None:
    columns = {name for row in given for name in row}
    words = _words(given, prompt)
    if prompt is None and "prompt" not in columns:
        near = next((name for name in sorted(columns) if name.lower() in _PROMPTS), "")
        hint = f" Rename {near!r} to 'prompt'." if near else ""
        raise InputError(
            f"There is no column named prompt.{hint}",
            advice=f'There are: {", ".join(sorted(columns))}. Name one so, or give prompt="…" '
            "with {column} in it. Nothing was sent.",
        )
    for name in sorted(words - columns - fixed.keys()):
        raise InputError(
            f"The prompt has {{{name}}}, and there is no column of that name.",
            advice=f"There are: {', '.join(sorted(columns))}. Nothing was sent.",
        )
    for name in sorted(columns - BY_NAME.keys() - words - set(OURS)):
        if hint := did_you_mean(name.lower(), BY_NAME, likeness=_LIKE):
            raise InputError(
                f"The column {name!r} is not a field of a request.{hint}",
                advice="Rename it; a column that should only go to the manifest needs a name that "
                "is less like a field's. Nothing was sent.",
            )


def _requests(
    given: Iterable[Row], prompt: str | None, fixed: Mapping[str, Any], words: set[str], base: Path
) -> Iterator[tuple[tuple[str, ...], ImageRequest]]:
    for number, row in enumerate(given, 1):
        values = {**fixed, **row}
        text = prompt if prompt is not None else values.get("prompt", "")
        try:
            asked = {
                name: _value(name, values[name], base)
                for name in BY_NAME
                if name in values and name not in words
            }
            if isinstance(text, Mapping | list | tuple):
                raise InputError(f"The prompt is a {type(text).__name__}, not text.")
            asked["prompt"] = str(text) if prompt is None else filled(prompt, _cells(values, words))
            yield (), build_request(None, asked)
        except InputError as error:
            raise InputError(f"Row {number}: {error.message}", advice=error.advice) from error


def _cells(values: Row, words: set[str]) -> Row:
    """Return the values for the words. Raises `InputError` for a cell that is empty."""
    if lacking := sorted(words - values.keys()):
        raise InputError(
            f"The column {lacking[0]!r} is empty, and the prompt needs it.",
            advice='Fill it in, or leave such rows out with missing="skip". Nothing was sent.',
        )
    return {name: values[name] for name in words}


def _value(name: str, value: Any, base: Path) -> Any:
    """Return a cell as the field wants it: a file knows text alone, and pandas makes floats."""
    kind = BY_NAME[name].kind
    if kind == "integer":
        return _number(name, value)
    if kind == "flag" and isinstance(value, str):
        return _TRUTH.get(value.strip().lower(), value)
    if kind == "pairs" and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as error:
            raise InputError(f"extra is not valid JSON: {error}.") from error
    if kind == "image" and isinstance(value, list):
        return [_value(name, item, base) for item in value]
    if kind == "image" and isinstance(value, str) and _is_file(base / value):
        return base / value
    return value


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a data URL is no name of a file: too long, or it holds what none may


def _number(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value.strip()):
            raise InputError(f"{name} is {value!r}, not a whole number.")
        return int(value.partition(".")[0])
    return int(value) if isinstance(value, float) and value.is_integer() else value
