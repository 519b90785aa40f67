"""What an instruction is read as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.engine.painter.editing import operations as ops
from opeai_nb.engine.painter.editing.instruction import read_instruction
from opeai_nb.engine.painter.prompt_reading import vocabulary
from opeai_nb.engine.painter.word_index import words_of


def told(one: ops.Operation) -> str:
    """Return an operation in short: its kind, what it is done to, and how."""
    parts = [type(one).__name__]
    for name in one.__slots__:
        value = getattr(one, name)
        if isinstance(value, ops.Noun):
            value = " ".join(filter(None, [value.colour, value.meanings[0][1]]))
        parts.append("+".join(value) if isinstance(value, tuple) else str(value))
    return " ".join(parts)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("make the car red", ["Recolour car red"]),
        ("change the colour of the car to blue", ["Recolour car blue"]),
        ("the car should be green", ["Recolour car green"]),
        ("make the sky pink and the sea green", ["Recolour sky pink", "Recolour sea green"]),
        ("replace the fox with a cat", ["Replace fox cat"]),
        ("replace the fox with a black cat", ["Replace fox black cat"]),
        ("a cat instead of the fox", ["Replace fox cat"]),
        ("turn the sea into a desert", ["Replace sea desert"]),
        ("remove the sun", ["Remove sun"]),
        ("remove the moon, the stars and the boat", ["Remove moon", "Remove stars", "Remove boat"]),
        ("without clouds", ["Remove cloud"]),
        ("a sunny day without clouds", ["Hour day", "Weather clear", "Remove cloud"]),
        ("add a boat", ["Add boat"]),
        ("add a red boat and a lighthouse", ["Add red boat", "Add lighthouse"]),
        ("add snow", ["Weather snow"]),
        ("two trees instead of one", ["Count tree 2 0"]),
        ("make it three cats", ["Count cat 3 0"]),
        ("only one boat", ["Count boat 1 0"]),
        ("another fox", ["Count fox 0 1"]),
        ("make the house bigger", ["Resize house 1.55"]),
        ("make it smaller", ["Resize None 0.6"]),
        ("move the boat to the left", ["Move boat left"]),
        ("mirror it", ["Mirror"]),
        ("make it winter", ["Season winter"]),
        ("turn it into spring", ["Season spring"]),
        ("turn day into night", ["Hour night"]),
        ("make it a sunny day", ["Hour day", "Weather clear"]),
        ("change the background to blue", ["Place plain blue"]),
        ("put it on a beach", ["Place sea None"]),
        ("put a hat on the cat", []),
        ("as an oil painting", ["Style oil"]),
        ("the same coast on a starry night, in teal", ["Hour night", "Tint teal"]),
        ("make it blue", ["Tint blue"]),
        ("darker and warmer", ["Tone darker", "Tone warm"]),
        ("把车变成红色", ["Recolour car red"]),
        ("把狐狸换成猫", ["Replace fox cat"]),
        ("用猫代替狐狸", ["Replace fox cat"]),
        ("去掉太阳", ["Remove sun"]),
        ("加一艘船", ["Add boat"]),
        ("变成冬天", ["Season winter"]),
        ("换成夜晚", ["Hour night"]),
        ("背景换成森林", ["Place forest None"]),
        ("两棵树", ["Count tree 2 0"]),
        ("把房子放大", ["Resize house 1.55"]),
        ("qwertz", []),
        ("", []),
    ],
)
def test_an_instruction_is_read_as_operations(words: str, wanted: list[str]) -> None:
    assert [told(one) for one in read_instruction(words)] == wanted


WORDS = [
    word
    for table in (vocabulary(), words_of("editing/words.toml"))
    for names in table.values()
    for words in names.values()
    for word in words.split("|")
]
BETWEEN = ["the", "a", "with", "into", "to", "instead of", "and", ",", ".", "no", "of", "", "🦊"]


def instructions() -> st.SearchStrategy[str]:
    """Return sentences of words that the painter knows, in any order."""
    words = st.sampled_from(WORDS) | st.sampled_from(BETWEEN) | st.text(max_size=6)
    return st.lists(words, max_size=14).map(" ".join)


@given(instructions())
def test_any_words_are_read(words: str) -> None:
    assert len(read_instruction(words)) <= 40
