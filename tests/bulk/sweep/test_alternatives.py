"""Alternatives in braces: dynamicprompts' syntax, and everything else left as it is."""

from __future__ import annotations

import warnings

import pytest

from opeai_nb.bulk.sweep.alternatives import Choices, expanded, parts_of
from opeai_nb.errors import InputError

SHARED = [
    "a {cat|dog|fox} in {ink|oil}",
    "a {2$$red|green|blue} flag",
    "a {2$$ and $$red|green|blue} flag",
    "{1-2$$a|b|c}",
    "a {0.5::cat|dog}",
    "a {a|{b|c}}",
    "{|x} y",
    "a {x|y} it's {1|2}",
    "line\nbreak,  two  spaces {x|y}",
    "plain",
]


@pytest.mark.parametrize("prompt", SHARED)
def test_what_dynamicprompts_understands_gives_the_same_prompts(prompt: str) -> None:
    dynamicprompts = pytest.importorskip("dynamicprompts.generators")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its parser's own deprecations
        theirs = dynamicprompts.CombinatorialPromptGenerator(ignore_whitespace=False)
        assert expanded(prompt) == list(theirs.generate(prompt, 1000))


@pytest.mark.parametrize(
    "prompt",
    [
        '{"a": 1}',
        "a { color: red }",
        "price # 5, 50% off for $5",
        "a {cat}",
        "tabs\tstay",
        "{x|y",
        "x|y}",
        "{}",
        "{{name}}",
        "__wild__ and (a:1.2) [b|c]",
    ],
)
def test_all_other_text_stays_as_it_is(prompt: str) -> None:
    """Every character of a prompt is paid for: none is dropped and none is changed."""
    assert expanded(prompt) == [prompt]


def test_a_word_inside_a_group_stays_a_word() -> None:
    assert expanded("a {big {animal}|tree}") == ["a big {animal}", "a tree"]


def test_the_parts_tell_which_texts_may_stand_where() -> None:
    assert parts_of("a {cat|dog}!") == ("a ", Choices(("cat", "dog")), "!")


def test_the_same_text_twice_is_one_alternative() -> None:
    assert expanded("{a|b|a}") == ["a", "b"]


def test_a_group_of_millions_is_refused_before_it_fills_the_memory() -> None:
    letters = "|".join("abcdefghijklmnop")
    with pytest.raises(InputError, match="more than"):
        expanded(f"{{16$${letters}}}")
