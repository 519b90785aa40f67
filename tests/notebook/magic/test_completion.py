"""What is offered while a line of the magic is written."""

from __future__ import annotations

import math
from typing import Any

import pytest

from opeai_nb.notebook.magic.completion import Completion, Notebook, complete

NAMES: dict[str, Any] = {"photo": object(), "palette": "teal", "math": math, "print": print}
NOTEBOOK = Notebook(
    names=NAMES,
    models=("qwen-image-2.0", "house-model"),
    commands={
        "help": "",
        "models": "",
        "tasks": "",
        "usage": "[--by day|model] [--csv FILE]",
        "history": "[--starred] [--model NAME] [WORDS]",
    },
)


def texts(before: str) -> tuple[str, ...]:
    found = complete(before, NOTEBOOK)
    assert found is not None, before
    return found.texts


@pytest.mark.parametrize("line", ["%%imagine ", "%imagine ", "x = %imagine ", "\n\n%%imagine "])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("--si", ("--size",)),
        ("--output_f", ("--output-format",)),
        ("--no-w", ("--no-watermark", "--no-wait")),
        ("-n 2 --sh", ("--show",)),
        ("--show ", ("thumb", "full", "none")),
        ("--show=f", ("full",)),
        ("--dialect a", ("aliyun",)),
        ("-m house", ("house-model",)),
        ("--model=gpt-image-2", ("gpt-image-2",)),
        ("--ar 16", ("16:9",)),
        ("-i ph", ("photo",)),
        ("-i $pa", ("$palette",)),
        ("-n {pal", ("{palette}",)),
    ],
)
def test_on_a_line(line: str, written: str, expected: tuple[str, ...]) -> None:
    assert texts(line + written) == expected


def test_what_is_replaced_is_the_value_alone() -> None:
    assert complete("%%imagine --show=f", NOTEBOOK) == Completion("f", ("full",), "value")


def test_sizes_and_qualities_are_those_of_the_model_on_the_line() -> None:
    assert "1536x1024" in texts("%%imagine -m gpt-image-2 -s ")
    assert "1536x1024" not in texts("%%imagine -s ")
    assert "16:9" in texts("%%imagine -s ")
    assert "high" in texts("%%imagine --model=gpt-image-1 -q ")
    assert complete("%%imagine -q ", NOTEBOOK) is None, "qwen-image-2.0 ignores it"


def test_an_option_is_offered_once_unless_it_may_be_repeated() -> None:
    offered = texts("%%imagine --size 1:1 -i photo --")
    assert "--size" not in offered
    assert "--image" in offered


def test_a_line_begins_with_a_command_or_an_option() -> None:
    assert texts("%imagine ta") == ("tasks",)
    assert texts("%imagine ") == tuple(NOTEBOOK.commands)
    assert "--model" in texts("%%imagine ")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("%%imagine -n 2\na {pal", ("palette",)),
        ("%%imagine\na {", ("palette", "photo")),
        ("%imagine a cat in {pal", ("palette",)),
    ],
)
def test_variables_are_offered_in_braces(before: str, expected: tuple[str, ...]) -> None:
    assert texts(before) == expected


@pytest.mark.parametrize(
    "before",
    [
        "%%imagine\na pho",
        "%%imagine\na {{pal",
        "%%imagine\n--si",
        "%imagine a cat --si",
        "%imagine a cat pho",
        "%%imagine -i ./pic",
        "%%imagined --si",
        "import o",
        "x = 5 % imagine ",
        "",
    ],
)
def test_elsewhere_nothing_is_offered(before: str) -> None:
    assert complete(before, NOTEBOOK) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("history --", ("--starred", "--model")),
        ("history --starred --", ("--model",)),
        ("history --model ho", ("house-model",)),
        ("usage --by ", ("day", "model")),
        ("usage --c", ("--csv",)),
    ],
)
def test_a_command_offers_its_own_options(written: str, expected: tuple[str, ...]) -> None:
    assert texts(f"%imagine {written}") == expected


def test_a_prompt_offers_no_options_of_a_command() -> None:
    assert complete("%imagine -- history --", NOTEBOOK) is None
    assert complete("%imagine tasks --", NOTEBOOK) is None
