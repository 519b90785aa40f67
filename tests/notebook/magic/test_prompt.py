"""What becomes of braces in a prompt, rule by rule."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from opeai_nb.errors import OptionError
from opeai_nb.notebook.magic.prompt import interpolated, without_markers

NAMES: dict[str, Any] = {
    "book": "an atlas",
    "cat": SimpleNamespace(colour="grey", kittens=[SimpleNamespace(name="Tom")]),
    "row": {"animal": "fox", 3: "three", "a-b": "dashed"},
    "ratio": 0.5,
    "braces": "{book}",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reading {book}", "reading an atlas"),
        ("a {cat.colour} cat", "a grey cat"),
        ("{cat.kittens[0].name}", "Tom"),
        ("{row[animal]} {row['animal']}", "fox fox"),
        ("{row[3]} {row[a-b]}", "three dashed"),
        ("{ratio:.0%}", "50%"),
    ],
)
def test_a_field_becomes_its_value(text: str, expected: str) -> None:
    assert interpolated(text, NAMES) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": [2, 3]}',
        "function f() { return 1; }",
        "p { margin: 0 }",
        "{cat|dog|fox}",
        "{book|cat}",
        "{2$$red|blue}",
        "an empty {} and a { lone brace",
        "{color:red}",
        "{unknown.attribute}",
        "it's 5 o'clock, \\n and 100 %",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert interpolated(text, NAMES) == text


def test_a_value_is_not_filled_in_again() -> None:
    """One pass: what a variable holds is never itself a template."""
    assert interpolated("{braces}", NAMES) == "{book}"


def test_doubled_braces_keep_one_pair() -> None:
    assert interpolated("{{book}} and {book}", NAMES) == "{book} and an atlas"


def test_a_plain_name_that_is_not_defined_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(OptionError, match=r"Did you mean \{book\}\?") as raised:
        interpolated("reading {bok}", NAMES)
    assert "Nothing was sent" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "{book.upper()}",
        "{book!r}",
        "{ratio * 2}",
        "{ratio*2:.1f}",
        "{len(book)}",
        '{row.get("animal")}',
        "{book if ratio else cat}",
    ],
)
def test_python_as_in_an_f_string_is_not_painted(text: str) -> None:
    with pytest.raises(OptionError, match="is Python") as raised:
        interpolated(f"reading {text} by the window", NAMES)
    assert "Nothing was sent" in str(raised.value)
    assert interpolated(f"reading {text}", {}) == f"reading {text}", "no name of it is known"


@pytest.mark.parametrize("text", ["{cat.color}", "{row[bird]}", "{book:d}", "{book.x.y}"])
def test_what_does_not_fit_is_an_error(text: str) -> None:
    with pytest.raises(OptionError, match="cannot be filled in"):
        interpolated(text, NAMES)


def test_nbval_markers_are_no_prompt() -> None:
    text = "# NBVAL_IGNORE_OUTPUT\na fox\n  # NBVAL_SKIP\nin snow # NBVAL_X\n"
    assert without_markers(text) == "a fox\n\nin snow # NBVAL_X"


def test_what_is_raised_or_lowered_in_a_formula_is_no_name() -> None:
    for formula in ("$x^{n+1}$", "$a_{n-1} + a_{n}$", "$e^{n}$"):
        assert interpolated(f"a chalkboard with {formula}", {"n": 3}) == (
            f"a chalkboard with {formula}"
        )
    prices = "from $5 file_{n} to $6"
    assert interpolated(prices, {"n": 3}) == "from $5 file_3 to $6"
