"""One thing that a sweep varies: its name, the values, and a short label for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from opeai_nb.client.values.name_template import at_home
from opeai_nb.errors import InputError
from opeai_nb.plain_file import read_plain
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_LABEL: Final = 60
_LARGEST_FILE: Final = 100_000_000  # bytes
_PAIR: Final = 2
_PLAIN: Final = (str, int, float, tuple, type(None), Decimal, date, time, timedelta, Enum)
Missing = Literal["refuse", "skip"]
"""What becomes of values that are none."""


@dataclass(frozen=True)
class Axis:
    """*name* is a word of the prompt or a field of the request; values and labels go together."""

    name: str
    values: tuple[Any, ...]
    labels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{self.name}: {', '.join(self.labels)}"

    def __len__(self) -> int:
        return len(self.values)

    def place(self, wanted: object) -> int:
        """Return the place of a value, given as itself or by its label.

        Raises `KeyError` when the axis has no such value.
        """
        for place, (value, label) in enumerate(zip(self.values, self.labels, strict=True)):
            if wanted is value or wanted == label or (_comparable(value) and wanted == value):
                return place
        known = ", ".join(self.labels[:8]) + (", …" if len(self) > 8 else "")  # noqa: PLR2004  enough to see
        raise KeyError(f"{self.name} has no value {wanted!r}; it has {known}")


def axis_of(
    name: str, given: object, missing: Missing = "refuse", *, may_be_none: bool = True
) -> Axis | None:
    """Return the axis that *given* makes, or None where it is one value.

    Lists, ranges, arrays and other collections are axes; a mapping gives labels to its values.
    Text, bytes and a pair of numbers (a size) are values. A value that is *missing* is refused, or
    left out (`skip`), and so is an empty cell of a table's column; in a list an empty text is a
    value. For a field, None is a value: not set. Raises `InputError` for an empty axis.
    """
    if missing not in get_args(Missing):
        raise InputError(f"missing is {missing!r}, not one of {', '.join(get_args(Missing))}.")
    if isinstance(given, Mapping):
        if name == "extra":
            return None
        values, labels = list(given.values()), list(given)
        return _axis(name, *_present(name, values, labels, missing, may_be_none=may_be_none))
    if not _is_collection(given):
        return None
    values = _listed(given)
    labels = [label_of(value) for value in values]
    return _axis(name, *_present(name, values, labels, missing, may_be_none=may_be_none))


def _listed(given: Any) -> list[Any]:
    """Return the values; an array or a column of a table knows them as Python's own.

    An empty text in a column is an empty cell.
    """
    for method in ("tolist", "to_pylist"):
        if hasattr(given, method):
            return [None if _is_blank(value) else value for value in getattr(given, method)()]
    return list(given)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def lines_of(path: Path) -> list[str]:
    """Return the values in a text file: one a line, empty lines and those with a `#` left out.

    Raises `InputError` when it cannot be read, or is no text.
    """
    try:
        text = read_plain(at_home(path), _LARGEST_FILE, links=True).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError(
            f"The values in {path.name} cannot be read: {reason}.", advice="Nothing was sent."
        ) from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _present(
    name: str, values: list[Any], labels: list[Any], missing: Missing, *, may_be_none: bool
) -> tuple[list[Any], list[Any]]:
    """Return the values that are there and their labels. Raises `InputError` where one may not."""
    kept = [
        place
        for place, value in enumerate(values)
        if not is_missing(value) or (value is None and may_be_none)
    ]
    if len(kept) < len(values) and missing == "refuse":
        place = next(place for place in range(len(values)) if place not in kept)
        raise InputError(
            f"{name} has no value in place {place + 1}: it is {values[place]}.",
            advice='Fill it in, or pass missing="skip". Nothing was sent.',
        )
    return [values[place] for place in kept], [labels[place] for place in kept]


def is_missing(value: object) -> bool:
    """Tell whether *value* is none at all: None, NaN, NaT, or the NA of pandas."""
    if isinstance(value, Decimal):
        return value.is_nan()  # one that signals may not be compared
    try:
        return value is None or bool(value != value)  # noqa: PLR0124  only what is missing differs
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"  # which tells nothing; an array is there


def whole(value: Any) -> Any:
    """Return `2.0` as 2: what tables make of whole numbers beside an empty cell."""
    if not isinstance(value, float | Decimal) or not math.isfinite(value):
        return value
    return int(value) if value == int(value) else value


def label_of(value: object) -> str:
    """Return a short text for a value."""
    text = str(value) if _comparable(value) else type(value).__name__
    return shortened(text, _LONGEST_LABEL)


def _axis(name: str, values: list[Any], labels: list[Any]) -> Axis:
    if not values:
        raise InputError(
            f"{name} is empty.", advice="Give it at least one value. Nothing was sent."
        )
    unique: dict[str, Any] = {}
    for value, label in zip(values, labels, strict=True):
        text, number = str(label), 2
        while text in unique and not _same(unique[text], value):
            text, number = f"{label} ({number})", number + 1
        unique.setdefault(text, value)
    return Axis(name, tuple(unique.values()), tuple(unique))


def _is_collection(given: object) -> bool:
    if isinstance(given, str | bytes | bytearray | memoryview) or not isinstance(given, Iterable):
        return False
    if isinstance(given, tuple) and len(given) == _PAIR:
        return not all(isinstance(side, int) for side in given)
    # A picture of PIL or numpy is a value: it has a shape, and one axis of values has one side.
    shape = getattr(given, "shape", None)
    return shape is None or len(shape) == 1


def _comparable(value: object) -> bool:
    return isinstance(value, _PLAIN)


def _same(one: object, other: object) -> bool:
    return one is other or (_comparable(one) and _comparable(other) and one == other)
