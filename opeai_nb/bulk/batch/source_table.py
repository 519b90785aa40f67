"""Reading the table of a batch: a list, a DataFrame, CSV, TSV, Excel or JSON lines, into rows."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from opeai_nb.bulk.sweep.axis import is_missing
from opeai_nb.client.values.name_template import at_home
from opeai_nb.client.values.request import ImageRequest
from opeai_nb.errors import InputError
from opeai_nb.guard import cached_property
from opeai_nb.plain_file import open_plain
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DELIMITERS: Final = ",;\t|"
_ENDINGS: Final = (".csv", ".tsv", ".txt", ".xlsx", ".jsonl", ".ndjson")
_Read = TypeVar("_Read")
_NONE: Final = frozenset(("nan", "NaN", "NaT", "<NA>"))  # what pandas writes where asked for a word
_EXACT: Final = 2**53  # above, a fraction holds not every whole number
_REPEATED: Final = 2_000
_STEP: Final = 1_000
_BEAT: Final = 1.0
"""Rows and seconds between two words on how far the reading is."""
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_RUN: Final = 3


class Row(NamedTuple):
    """The cells of a row that are not empty, under their column's name.

    *number* is what the row's own program shows: the row of a spreadsheet (the head is row 1), the
    line of a JSONL file, the place in a list from 1.
    """

    number: int
    cells: dict[str, Any]


@dataclass(frozen=True)
class SourceTable:
    """The rows of a batch as they stand; pictures are looked for below *folder*.

    *notes* say what a person should know of how it was read; *heads* are the columns' names, also
    of those that hold nothing.
    """

    rows: list[Row]
    folder: Path = field(default_factory=Path)
    notes: tuple[str, ...] = ()
    heads: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> set[str]:
        """The names of all columns that hold something."""
        return set().union(*(row.cells for row in self.rows))


def read_table(source: object, on_read: Callable[[int], object] = lambda _: None) -> SourceTable:
    """Return the rows of *source*; empty ones are left out, and their number is noted.

    So are those of a file that repeat its head. *on_read* is told how many rows are read, at each
    thousand, each second and at the end.

    Text is UTF-8, UTF-16 with its mark, or else Windows' own cp1252, which is noted. The delimiter
    is the one of `, ; | tab` that cuts the head and the row below it into the same number of cells.
    Raises `InputError` for what is no table.
    """
    if isinstance(source, str | Path):
        return _read(at_home(Path(source)), on_read)
    to_dict = getattr(source, "to_dict", None)
    if callable(to_dict) and hasattr(source, "columns"):  # of pandas, or of polars
        # An empty row of one column is an empty cell of it.
        records = enumerate(_records(source), 1)
        return _table(told(records, on_read), keep_empty=len(source.columns) == 1)
    if callable(to_list := getattr(source, "to_pylist", None)):  # of pyarrow
        source = to_list()
    if callable(getattr(source, "read", None)):  # its lines are rows, and no prompts
        raise InputError(
            "An open file is not a batch.", advice="Give its path instead. Nothing was sent."
        )
    if isinstance(source, Iterable) and not isinstance(source, Mapping | str | bytes):
        rows = ((number, _as_row(item, number)) for number, item in enumerate(source, 1))
        return _table(told(rows, on_read), keep_empty=True)
    raise InputError(
        f"A {type(source).__name__} is not a batch.",
        advice="Give a list of prompts or of rows, or a table. Nothing was sent.",
    )


def told(
    items: Iterable[_Read],
    tell: Callable[[int], object],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[_Read]:
    """Yield *items*, and *tell* how many so far: at each thousand, each second, at the end."""
    count = last = 0
    due = clock() + _BEAT
    for count, item in enumerate(items, 1):
        yield item
        if count % _STEP == 0 or clock() >= due:  # an edit's picture is read with its row
            tell(count)
            last, due = count, clock() + _BEAT
    if count > last:
        tell(count)


def _table(
    rows: Iterable[tuple[int, Mapping[Any, Any]]],
    folder: Path | None = None,
    notes: Sequence[str] = (),
    *,
    keep_empty: bool = False,
) -> SourceTable:
    heads: set[Any] = set()
    every = []
    for number, cells in rows:
        heads.update(cells)
        every.append(Row(number, _without_empty(cells)))
    full = [row for row in every if row.cells or keep_empty]
    said = [*notes]
    if 0 < len(full) < len(every):
        said.append(_left_out(len(every) - len(full), "empty row"))
    return SourceTable(
        full, folder or Path(), tuple(said), frozenset(str(n).strip() for n in heads)
    )


def _left_out(count: int, what: str) -> str:
    return f"{counted(count, what)} {'was' if count == 1 else 'were'} left out"


def _without_empty(cells: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip(): value for name, value in cells.items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return not value.strip() if isinstance(value, str) else is_missing(value)


def _as_row(item: object, number: int) -> Mapping[Any, Any]:
    if isinstance(item, str) or is_missing(item):
        return {"prompt": item}
    if hasattr(item, "_asdict"):  # a named tuple, as `itertuples` of pandas gives them
        item = item._asdict()
    if isinstance(item, Mapping):
        return item
    if isinstance(item, ImageRequest):
        return item.set_fields()
    raise InputError(
        f"Row {number} is a {type(item).__name__}.",
        advice="Give text or a mapping. Nothing was sent.",
    )


def _records(frame: Any) -> list[dict[Any, Any]]:
    """Return the rows of a DataFrame; an index that says something is a column."""
    if hasattr(frame, "to_dicts"):
        return list(frame.to_dicts())
    index = frame.index
    if any(name is not None for name in index.names) or index.dtype.kind not in "iu":
        index = (
            index.to_frame(name=index.name or "index") if index.nlevels == 1 else index.to_frame()
        )
        frame = frame.reset_index(drop=True)
        for place, name in enumerate(index.columns):
            frame.insert(place, name, index[name].to_numpy(), allow_duplicates=True)
    _check_twice([str(name).strip() for name in frame.columns])
    return list(frame.astype(_whole_columns(frame)).to_dict("records"))


def _whole_columns(frame: Any) -> dict[Any, str]:
    """Return the columns of whole numbers that pandas made fractions, as a cell of them is empty.

    `3` would be painted as `3.0`.
    """
    fractions = {name: column for name, column in frame.items() if column.dtype.kind == "f"}
    gaps = {name: column.dropna() for name, column in fractions.items() if column.hasnans}
    return {
        name: "Int64"
        for name, there in gaps.items()
        if ((there % 1 == 0) & (there.abs() < _EXACT)).all()
    }


# -- files


def _read(path: Path, on_read: Callable[[int], object]) -> SourceTable:
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(
            f"{path.name!r} is not a file that a batch can be read from.",
            advice=f"Give a file that ends in one of {', '.join(_ENDINGS)}, or a list. "
            "Nothing was sent.",
        )
    try:
        if ending == ".xlsx":
            return _table(told(_workbook(path), on_read), path.parent)
        with os.fdopen(open_plain(path, links=True), "rb") as file:
            text, *notes = _text(file.read())
        is_json = ending in (".jsonl", ".ndjson")
        rows = _json_rows(text) if is_json else _csv_rows(text, ending, notes)
        return _table(told(rows, on_read), path.parent, notes)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not UTF-8.", advice='Save it as "CSV UTF-8", as Excel calls it.'
        ) from error


def _text(data: bytes) -> tuple[str, ...]:
    """Return the text and what to note of it. Raises `UnicodeDecodeError`."""
    if data.startswith(_UTF16):
        return (data.decode("utf-16"),)
    try:
        # A spreadsheet that saves CSV puts a mark in front of the first column's name; `cat` keeps
        # that of each file.
        return (data.decode("utf-8-sig").replace("\n\ufeff", "\n"),)
    except UnicodeDecodeError:
        if _is_foreign(data):
            raise
        return data.decode("cp1252"), "the table is no UTF-8 and was read as Windows text (cp1252)"


def _is_foreign(data: bytes) -> bool:
    """Tell Chinese, Korean or Cyrillic text: most of its bytes beyond ASCII stand side by side.

    Any such text can be read as cp1252, and each row of it would be paid for as nonsense.
    """
    runs = [len(run) for run in _HIGH.findall(data)]
    return 2 * sum(run for run in runs if run >= _RUN) > sum(runs)


def _csv_rows(text: str, ending: str, notes: list[str]) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """Yield the rows below a head. Where it stands again, of files one behind another, *notes* say.

    Raises `InputError` for a row that is none, with its number.
    """
    reader = _csv_reader(text, ending)
    number, heads = 1, 0
    same: dict[str, str] = {}  # a hundred thousand rows repeat their sizes and styles
    try:
        head = next(reader, [])
        names = _names(head)
        for number, cells in enumerate(reader, 2):
            if cells == head:
                heads += 1
                continue
            if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                raise InputError(
                    f"Row {number} has more cells than there are columns.",
                    advice='Put text with commas into quotes: "a fox, in ink". Nothing was sent.',
                )
            yield (
                number,
                {
                    name: None if cell in _NONE else same.get(cell) or _noted(same, cell)
                    for name, cell in zip(names, cells, strict=False)
                },
            )
    except csv.Error as error:
        raise _invalid(f"Row {number + 1}", error) from error
    if heads:
        notes.append(_left_out(heads, "repeated head"))


def _csv_reader(text: str, ending: str) -> Iterator[list[str]]:
    """Return a strict reader, as a quote left open would swallow the rows after it."""
    head, _, rest = text.partition("\n")
    delimiter = "\t" if ending == ".tsv" else None
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=;"):
        delimiter, text = head.strip()[-1], rest  # Excel's own way to say so
    try:
        delimiter = delimiter or _delimiter(text)
    except csv.Error as error:
        raise _invalid("Row 1 or 2", error) from error
    return csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)


def _invalid(row: str, error: csv.Error) -> InputError:
    return InputError(
        f"{row} is not valid CSV: {error}.",
        advice="A quote that opens there is perhaps not closed. Nothing was sent.",
    )


def _noted(same: dict[str, str], cell: str) -> str:
    if len(same) < _REPEATED:
        same[cell] = cell
    return cell


def _delimiter(text: str) -> str:
    """Return what cuts the head and the row below it into equally many cells, and into most."""

    def cuts(delimiter: str) -> tuple[bool, int]:
        first = list(itertools.islice(csv.reader(io.StringIO(text), delimiter=delimiter), 2))
        widths = [len(cells) for cells in first]
        return len(set(widths)) == 1, widths[0] if widths else 0

    best = max(_DELIMITERS, key=lambda delimiter: (cuts(delimiter)[1] > 1, cuts(delimiter)))
    return best if cuts(best)[1] > 1 else ","


def _names(head: Sequence[object]) -> list[str]:
    """Return the names of the columns; a second `image` is `image_2`, of others there is one."""
    names = ["" if name is None else str(name).strip() for name in head]
    for place, name in enumerate(names):
        if name == "image" and (before := names[:place].count("image")):
            names[place] = f"image_{before + 1}"
            while names.count(names[place]) > 1:
                before += 1
                names[place] = f"image_{before + 1}"
    _check_twice(names)
    return names


def _check_twice(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise InputError(f"Two columns are named {twice[0]!r}.", advice="Nothing was sent.")


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"Line {number} is not valid JSON: {error}.") from error
        yield number, _as_row(row, number)


def _workbook(path: Path) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """Yield the rows of a workbook's first sheet, what its formulas came to."""
    try:
        import openpyxl  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there
    except ImportError as error:
        raise InputError(
            "openpyxl is not installed, which reads Excel's files.",
            advice='Install it: pip install "opeai_nb[tables]". Or save the table as "CSV UTF-8".',
        ) from error
    filled = itertools.dropwhile(
        lambda row: all(map(_is_empty, row[1])), enumerate(_sheet(path, openpyxl), 1)
    )
    _, head = next(filled, (1, ()))
    names = _names(head)
    for number, cells in filled:
        yield number, {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _sheet(path: Path, openpyxl: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each row. Raises `InputError` for a formula that was never computed."""
    from zipfile import BadZipFile

    def rows(file: Any, *, computed: bool) -> Iterator[tuple[Any, ...]]:
        book = openpyxl.load_workbook(file, read_only=True, data_only=computed)
        return iter(book.worksheets[0].iter_rows(values_only=not computed))

    try:
        with (
            os.fdopen(open_plain(path, links=True), "rb") as file,
            os.fdopen(open_plain(path, links=True), "rb") as again,
        ):
            both = zip(rows(file, computed=True), rows(again, computed=False), strict=False)
            for number, (cells, formulas) in enumerate(both, 1):
                _check_computed(number, cells, formulas)
                yield tuple(cell.value for cell in cells)
    except InputError:  # it is a ValueError
        raise
    except (BadZipFile, KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path.name} is not an Excel workbook.") from error


def _check_computed(number: int, cells: Sequence[Any], formulas: Sequence[Any]) -> None:
    """Refuse what a program wrote and no spreadsheet has opened since: it would count as empty."""
    for cell, formula in zip(cells, formulas, strict=False):
        # A formula that came to an empty text has the kind of one.
        if cell.value is None and formula is not None and cell.data_type != "str":
            raise InputError(
                f"Row {number} has a formula that was never computed: {formula}.",
                advice="Open the workbook in a spreadsheet and save it. Nothing was sent.",
            )
