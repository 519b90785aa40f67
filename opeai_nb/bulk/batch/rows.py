"""What the rows of a table ask for: each is one request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.copies import FILE, names_of, template_in, template_in_cell
from opeai_nb.bulk.batch.manifest_line import is_manifest, without_ours
from opeai_nb.bulk.batch.source_table import SourceTable, read_table, told
from opeai_nb.bulk.sweep.axis import Missing, whole
from opeai_nb.bulk.sweep.plan import Draft, Plan, Point, numbered
from opeai_nb.bulk.sweep.template import filled, mentioned, names_in
from opeai_nb.client.values.name_template import refuse_clashes
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.client.values.words import WORDS, words_said
from opeai_nb.errors import InputError, did_you_mean
from opeai_nb.fields import BY_NAME
from opeai_nb.plain_file import as_here
from opeai_nb.presets.preset import PRESET, with_preset
from opeai_nb.studio.run_options import region_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from opeai_nb.presets.preset import Preset

_TRUTH: Final = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
}
REASON: Final = "opeai_nb_reason"
"""The column that says, in a table of rows to mend, why each has no pictures."""
ONLY: Final = "only"
"""The column that says where an edit may change its picture."""
_LIKE: Final = 0.8
_PROMPTS: Final = ("prompt", "prompts", "text", "caption", "description")
_COLUMNS: Final = (*BY_NAME, PRESET, FILE, ONLY, *WORDS)
_WHOLE: Final = re.compile(r"[+-]?\d+([.,]0*)?")  # pandas writes 1.0 where another cell is empty
_IMAGE: Final = re.compile(r"image[ _]?(\d+)")
_SHEET_ERRORS: Final = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")
)
_BRACED: Final = re.compile(r"(?<![\\{])(\{+)([^{}]+)\}")
_CONVERSION: Final = re.compile(r"![rsa]\Z")
_SEPARATORS: Final = re.compile(r"[;|\n]")


@dataclass(frozen=True)
class Rows:
    """The rows of a batch as they stand, and the *plan* of their requests.

    *as_fields* are the columns that are sent as fields of the request. *key* names the column that
    tells which row is which, whatever is sorted or taken out.
    """

    table: SourceTable
    plan: Plan
    as_fields: tuple[str, ...]
    key: str | None = None

    def chosen(self, only: Sequence[object]) -> list[Point]:
        """Return the points of these rows, by key, or without one by number.

        Raises `InputError` for a row that is not there.
        """
        names = [str(p.key if self.key else self.number(p.number)) for p in self.plan]
        places = {name: place for place, name in enumerate(names)}
        chosen = []
        for name in map(str, only):
            if name not in places:
                column = self.key or "row"
                raise InputError(
                    f"There is no {column} {name!r}.{did_you_mean(name, names)}",
                    advice="Rows are named by --key, else by their number. Nothing was sent.",
                )
            chosen.append(self.plan[places[name]])
        return chosen

    def number(self, place: int) -> int:
        """Return what the row at *place* of the plan is called in its own program."""
        return self.table.rows[place].number


def rows_of(
    source: object,
    prompt: str | None,
    fixed: Mapping[str, Any],
    missing: Missing = "refuse",
    *,
    key: str | None = None,
    field_columns: Sequence[str] | None = None,
    on_read: Callable[[int, int | None], object] = lambda *_: None,
    presets: Callable[[], Mapping[str, Preset]] = dict,
    file: str | None = None,
) -> Rows:
    """Return the rows of *source* and their requests.

    A column named as a field of the request, or `preset`, is that field, or only those in
    *field_columns*; an empty cell is not set; *fixed* fields are for rows that have none. All other
    columns are words for the template *prompt* (`{city}`), and go to the manifest as they are. A
    row that lacks a word of the template is refused, or left out where *missing* is `skip`. With
    *key* a request belongs to its row's value in that column. The column `file`, or the template
    *file* where a row has none, names its pictures; `alt`, `caption` and `keywords` are said of
    them. *on_read* is told at each thousand, each second and at the end how many
    rows are read (of None: nobody knows yet), then how many of how many have their request. Raises
    `InputError` with the row's number, before anything is sent.
    """
    table = read_table(source, lambda count: on_read(count, None))
    if is_manifest(table.rows):
        table = replace(table, rows=[without_ours(row) for row in table.rows])
    for row in table.rows:
        row.cells.pop(REASON, None)
    if not table.rows:
        raise InputError(
            "The batch is empty.", advice="Give it at least one prompt. Nothing was sent."
        )
    chosen = None if field_columns is None else _chosen(field_columns, table.columns)
    _check_columns(table, prompt, fixed, chosen)
    used = _words(table, prompt)
    if missing == "skip":
        needed = used if prompt is not None else {"prompt"}
        table = replace(
            table, rows=[r for r in table.rows if needed <= r.cells.keys() | fixed.keys()]
        )
    names = tuple(
        name
        for name in sorted(table.columns)
        if (name in _COLUMNS or _IMAGE.fullmatch(name))
        and name not in used
        and name not in {FILE, *WORDS}
        and (chosen is None or name in chosen)
    )
    asked = _requests(table, prompt, fixed, used, names, presets=cache(presets))
    total = len(table.rows)
    read = told(asked, lambda count: on_read(count, total))
    points = numbered(read, None if key is None else _keys(table, key))
    if said := [n for n in WORDS if n in table.columns - used and (chosen is None or n in chosen)]:
        points = _with_words(table, points, said)
    is_column = FILE in table.columns and (chosen is None or FILE in chosen)
    if is_column or file is not None:
        points = _with_files(table, points, file, is_column=is_column)
    return Rows(table, Plan((), points), names, key)


def _with_words(table: SourceTable, points: list[Point], names: Sequence[str]) -> list[Point]:
    """Return the points with what their rows say of the pictures. Raises `InputError`."""
    made = []
    for row, point in zip(table.rows, points, strict=True):
        told = {name: row.cells[name] for name in names if name in row.cells}
        try:
            made.append(replace(point, said=words_said(told)))
        except InputError as error:
            raise InputError(f"Row {row.number}: {error.message}", advice=error.advice) from error
    return made


def _with_files(
    table: SourceTable, points: list[Point], file: str | None, *, is_column: bool
) -> list[Point]:
    """Return the points with the names of their pictures: a row's cell goes before *file*.

    Raises `InputError` for a name that cannot be, and for two rows with one.
    """
    with _placed("file"):
        template = None if file is None else template_in(file)
    named, names = [], []
    for row, point in zip(table.rows, points, strict=True):
        is_own = is_column and FILE in row.cells
        with _placed(f"Row {row.number}, column {FILE}" if is_own else f"Row {row.number}"):
            own = template_in_cell(row.cells[FILE]) if is_own else template
            named.append(replace(point, file=own))
            names.append(names_of(named[-1]))
    refuse_clashes([f"Row {row.number}" for row in table.rows], names)
    return named


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Put in front of an error where it is."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error.message}", advice=error.advice) from error


def _chosen(given: Sequence[str], columns: set[str]) -> frozenset[str]:
    for name in given:
        if name not in _COLUMNS and not _IMAGE.fullmatch(name):
            raise InputError(
                f"{name!r} is not a field of a request.{did_you_mean(name, _COLUMNS)}",
                advice=f"The fields are: {', '.join(_COLUMNS)}. Nothing was sent.",
            )
        if name not in columns:
            raise InputError(
                f"There is no column named {name!r}.{did_you_mean(name, columns)}",
                advice=f"There are: {', '.join(sorted(columns))}. Nothing was sent.",
            )
    return frozenset(given)


def _keys(table: SourceTable, name: str) -> list[str]:
    """Return each row's key. Raises `InputError` for one that is empty or stands twice."""
    if name not in table.columns:
        raise InputError(
            f"There is no column named {name!r} to be the key.{did_you_mean(name, table.columns)}",
            advice=f"There are: {', '.join(sorted(table.columns))}. Nothing was sent.",
        )
    numbers: dict[str, int] = {}
    for row in table.rows:
        if name not in row.cells:
            raise InputError(f"Row {row.number} has no {name}, and that column is the key.")
        word = str(row.cells[name]).strip()
        if word in numbers:
            raise InputError(
                f"Rows {numbers[word]} and {row.number} have the same {name}: {word!r}.",
                advice="A key stands once. Nothing was sent.",
            )
        numbers[word] = row.number
    return list(numbers)


def _words(table: SourceTable, prompt: str | None) -> set[str]:
    """Return the columns that the template uses, also by `{name:format}` or with a space."""
    if prompt is None:
        return set()
    return set(names_in(prompt)) | (mentioned(prompt) & table.columns)


def _check_columns(
    table: SourceTable,
    prompt: str | None,
    fixed: Mapping[str, Any],
    chosen: frozenset[str] | None,
) -> None:
    columns = table.columns
    words = _words(table, prompt)
    if prompt is None and "prompt" not in columns | table.heads:
        near = next((name for name in sorted(columns) if name.lower() in _PROMPTS), "")
        hint = f" Rename {near!r} to 'prompt'." if near else ""
        raise InputError(
            f"There is no column named prompt.{hint}",
            advice=f'There are: {", ".join(sorted(columns))}. Name one so, or give prompt="…" '
            "with {column} in it. Nothing was sent.",
        )
    for name in sorted(words - columns - fixed.keys() - table.heads):
        same = [each for each in columns if each.lower() == name.lower()]
        hint = did_you_mean(name, same or columns, shape="{{{}}}")
        raise InputError(
            f"The prompt has {{{name}}}, and there is no column of that name.{hint}",
            advice=f"There are: {', '.join(sorted(columns))}. Nothing was sent.",
        )
    _check_braces(prompt or "", columns, words)
    for name in sorted(columns - set(_COLUMNS) - words) if chosen is None else ():
        if _IMAGE.fullmatch(name):
            continue
        if hint := did_you_mean(name.lower(), (*BY_NAME, PRESET), likeness=_LIKE):
            raise InputError(
                f"The column {name!r} is not a field of a request.{hint}",
                advice="Rename it, or say which columns are fields: "
                "field_columns=[…], --field-columns. Nothing was sent.",
            )


def _check_braces(prompt: str, columns: set[str], words: set[str]) -> None:
    """Refuse a column in braces that would be painted as they stand: `{ city }`, `{city!r}`.

    Doubled ones are meant so, unless no column is filled in at all and no brace has a backslash, as
    in a template of Jinja.
    """
    is_jinja = not words and "\\{" not in prompt
    for found in _BRACED.finditer(prompt):
        braces, inside = found.groups()
        name = _CONVERSION.sub("", inside.strip()).strip()
        if name in columns - words and (len(braces) == 1 or is_jinja):
            raise InputError(
                f"{found[0]} in the prompt is no column, and would be painted as it stands.",
                advice=f"Write {{{name}}}, or \\{{{name}}} to keep the braces. Nothing was sent.",
            )


def _requests(
    table: SourceTable,
    prompt: str | None,
    fixed: Mapping[str, Any],
    words: set[str],
    as_fields: Sequence[str],
    *,
    presets: Callable[[], Mapping[str, Preset]],
) -> Iterator[Draft]:
    names = tuple(name for name in as_fields if name not in {"prompt", ONLY})
    asked = _Asked(fixed, names, table.folder, presets)
    for number, cells in table.rows:
        values = {**fixed, **cells} if fixed else cells
        text = prompt if prompt is not None else values.get("prompt", "")
        try:
            if isinstance(text, Mapping | list | tuple):
                raise InputError(f"The prompt is a {type(text).__name__}, not text.")
            made = asked.made_for(cells)
            told = str(text) if prompt is None else filled(prompt, _cells(values, words))
            if "#" in told:
                _check_sheet((name, values.get(name)) for name in (*words, "prompt"))
            request = made(told)
            given = values.get(ONLY) if ONLY in as_fields else fixed.get(ONLY)
            region = None if given is None else _region(given, table.folder)
            only = None if region is None else region_of(request, region)
            yield Draft((), request, cells, only)
        except InputError as error:
            raise InputError(f"Row {number}: {error.message}", advice=error.advice) from error


class _Asked:
    """Makes of cells what makes a request of a prompt; rows with the same cells share it."""

    def __init__(
        self,
        fixed: Mapping[str, Any],
        names: Sequence[str],
        folder: Path,
        presets: Callable[[], Mapping[str, Preset]],
    ) -> None:
        own = {"prompt", ONLY}
        self._fixed = {name: value for name, value in fixed.items() if name not in own}
        self._names = names
        self._folder = folder
        self._presets = presets
        self._shared = lru_cache(256, typed=True)(self._made)  # `1`, `1.0` and `True` are not one

    def made_for(self, cells: Mapping[str, Any]) -> Callable[[str], ImageRequest]:
        """Return what makes the request of a row, given its prompt."""
        values = [cells.get(name) for name in self._names]
        is_plain = all(isinstance(value, str | int | float | None) for value in values)
        return self._shared(*values) if is_plain else self._made(*values)

    def _made(self, *values: Any) -> Callable[[str], ImageRequest]:
        there = zip(self._names, values, strict=True)
        asked = {**self._fixed, **{name: value for name, value in there if value is not None}}
        _check_sheet(asked.items())
        given = _fields(asked, self._folder)
        _, fields = with_preset("", given, self._presets)
        made = build_request("a prompt", fields).for_prompts()
        if PRESET not in given:
            return made
        return lambda prompt: made(with_preset(prompt, given, self._presets)[0])


def _check_sheet(cells: Iterable[tuple[str, Any]]) -> None:
    for name, value in cells:
        if isinstance(value, str) and "#" in value and value.strip() in _SHEET_ERRORS:
            raise InputError(
                f"The column {name!r} holds {value.strip()}, which is a spreadsheet's error.",
                advice="Mend the formula there. Nothing was sent.",
            )


def _fields(asked: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Return the fields that cells ask for; the columns `image`, `image_2` … are one of them."""
    images = sorted((number, name) for name in asked if (number := _image_number(name)) is not None)
    fields = {n: _value(n, v, base) for n, v in asked.items() if n in _COLUMNS}
    for _, name in images:
        more = _value("image", asked[name], base)
        before = fields.get("image", ())
        fields["image"] = [*_as_list(before), *_as_list(more)]
    return fields


@lru_cache(256)
def _image_number(name: str) -> int | None:
    """Return which input picture a column such as `image_2` holds; None for any other."""
    numbered = _IMAGE.fullmatch(name)
    return int(numbered[1]) if numbered else None


def _region(value: Any, base: Path) -> Any:
    """Return the region of a cell: a box, or a mask that lies beside the table."""
    return base / value if isinstance(value, str) and _is_file(base / value) else value


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _cells(values: Mapping[str, Any], words: set[str]) -> Mapping[str, Any]:
    """Return the values for the words. Raises `InputError` for a cell that is empty."""
    if not words <= values.keys():
        lacking = sorted(words - values.keys())
        raise InputError(
            f"The column {lacking[0]!r} is empty, and the prompt needs it.",
            advice='Fill it in, or leave such rows out with missing="skip". Nothing was sent.',
        )
    return {name: values[name] for name in words}


def _value(name: str, value: Any, base: Path) -> Any:
    """Return a cell as the field wants it: a file knows text alone, and pandas makes floats."""
    kind = "word" if name == PRESET else BY_NAME[name].kind
    if kind == "integer":
        return _number(name, value)
    if kind == "flag" and isinstance(value, str):
        return _TRUTH.get(value.strip().lower(), value)
    if kind == "pairs" and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as error:
            raise InputError(f"extra is not valid JSON: {error}.") from error
    if kind == "image":
        return _images(value, base)
    return value


def _images(value: Any, base: Path) -> Any:
    """Return the pictures of a cell: files beside the table, addresses, or several of them."""
    if isinstance(value, list | tuple):
        return [_images(item, base) for item in value]
    if not isinstance(value, str):
        return value
    if _is_file(file := as_here(base / value)):
        return file
    text = value.strip()
    if text.startswith("[") and isinstance(listed := _json_or_none(text), list):
        return [_images(item, base) for item in listed]
    for parts in (_SEPARATORS.split(text), text.split(",")):
        names = [part.strip() for part in parts if part.strip()]
        if len(names) > 1 and all(_is_picture(name, base) for name in names):
            return [_images(name, base) for name in names]
    return value


def _is_picture(name: str, base: Path) -> bool:
    return name.startswith(("http://", "https://")) or _is_file(as_here(base / name))


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a data URL is no name of a file: too long, or it holds what none may


def _number(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value.strip()):
            raise InputError(f"{name} is {value!r}, not a whole number.")
        return int(re.split("[.,]", value.strip())[0])
    return whole(value)
