"""One thing that a sweep varies: its name, the values, and a short label for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opeai_nb.errors import InputError

_LONGEST_LABEL: Final = 60
_PAIR: Final = 2


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


def axis_of(name: str, given: object) -> Axis | None:
    """Return the axis that *given* makes, or None where it is one value.

    Lists, ranges, arrays and other collections are axes; a mapping gives labels to its values.
    Text, bytes and a pair of numbers (a size) are values. Raises `InputError` for an empty one.
    """
    if isinstance(given, Mapping):
        return None if name == "extra" else _axis(name, list(given.values()), list(given))
    if not _is_collection(given):
        return None
    # An array or a column of a table knows its values as Python's own numbers and texts.
    listed: Any = given.tolist() if hasattr(given, "tolist") else given
    values = list(listed)
    return _axis(name, values, [label_of(value) for value in values])


def label_of(value: object) -> str:
    """Return a short text for a value."""
    text = " ".join(str(value).split()) if _comparable(value) else type(value).__name__
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _axis(name: str, values: list[Any], labels: list[Any]) -> Axis:
    if not values:
        raise InputError(f"{name} is empty.", advice="Give it at least one value.")
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
    return isinstance(value, str | int | float | bool | tuple | None)


def _same(one: object, other: object) -> bool:
    return one is other or (_comparable(one) and _comparable(other) and one == other)
