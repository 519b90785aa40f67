"""What a sweep asks, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opeai_nb.bulk.sweep.axis import axis_of
from opeai_nb.bulk.sweep.plan import plan_of
from opeai_nb.bulk.sweep.plan_table import plan_text
from opeai_nb.errors import InputError


def test_every_combination_comes_once_and_the_last_axis_is_fastest() -> None:
    plan = plan_of("a {animal} in {style}", {"animal": ["fox", "owl"], "style": ["ink", "oil"]})
    assert [point.request.prompt for point in plan] == [
        "a fox in ink",
        "a fox in oil",
        "a owl in ink",
        "a owl in oil",
    ]
    assert [point.labels for point in plan][:2] == [("fox", "ink"), ("fox", "oil")]


def test_a_word_of_the_prompt_is_no_field_although_the_api_has_one_of_that_name() -> None:
    plan = plan_of("in {style}", {"style": ["ink"]})
    assert plan[0].request.style is None


def test_fields_of_the_request_are_swept_too() -> None:
    plan = plan_of("a fox", {"model": ["a", "b"], "size": ["512x512", "16:9"], "n": 2})
    assert [(p.request.model, p.request.n) for p in plan] == [("a", 2)] * 2 + [("b", 2)] * 2
    assert plan.pictures == 8


def test_alternatives_in_the_prompt_are_axes_with_names_of_their_own() -> None:
    plan = plan_of("a {cat|dog} in {ink|oil}", {})
    assert [axis.name for axis in plan.axes] == ["choice", "choice_2"]
    assert plan[3].request.prompt == "a dog in oil"


def test_several_prompts_are_an_axis_with_their_alternatives() -> None:
    plan = plan_of(["a {cat|dog}", "a fox"], {})
    assert [point.request.prompt for point in plan] == ["a cat", "a dog", "a fox"]


def test_a_mapping_gives_labels() -> None:
    plan = plan_of("{style}", {"style": {"ink": "in loose ink wash", "oil": "in thick oil"}})
    assert [point.labels for point in plan] == [("ink",), ("oil",)]
    assert plan[0].request.prompt == "in loose ink wash"


def test_a_value_that_looks_like_a_word_or_a_group_is_not_read_again() -> None:
    plan = plan_of("a {animal}", {"animal": ["{x|y} {style}"]})
    assert [point.request.prompt for point in plan] == ["a {x|y} {style}"]


def test_wildcards_as_dynamicprompts_writes_them_are_words() -> None:
    assert plan_of("a __animal__", {"animal": ["fox"]})[0].request.prompt == "a fox"


@pytest.mark.parametrize(
    ("prompt", "values", "words"),
    [
        ("a {animal}", {}, "no value"),
        ("a fox", {"animal": ["fox"]}, "neither a word"),
        ("a fox", {"size": []}, "empty"),
        ("a fox", {"size": ["512x512", "big"]}, "size"),
    ],
)
def test_what_cannot_be_right_is_told_before_anything_is_sent(
    prompt: str, values: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        plan_of(prompt, values)


@pytest.mark.parametrize(
    "value",
    ["text", b"bytes", 3, None, (1024, 1024), np.zeros((4, 4, 3)), Image.new("RGB", (2, 2))],
)
def test_one_value_is_no_axis(value: object) -> None:
    assert axis_of("x", value) is None


@pytest.mark.parametrize("value", [[1, 2], range(1, 3), np.array([1, 2]), ("1", "2"), {1: 1, 2: 2}])
def test_collections_are_axes(value: object) -> None:
    axis = axis_of("x", value)
    assert axis is not None
    assert axis.labels == ("1", "2")


def test_the_same_request_twice_is_counted_so_that_each_gets_its_own_picture() -> None:
    plan = plan_of("a fox", {"user": ["ann", "bob"]})  # `user` changes no picture
    assert [point.call for point in plan] == [1, 2]


def test_the_table_tells_what_is_there_and_what_will_be_sent() -> None:
    plan = plan_of("a {animal}", {"animal": ["fox", "owl"], "n": 2})
    assert plan_text(plan, {0}) == (
        "2 requests, 4 pictures: 1 in the library, 1 to send (2 pictures)\n"
        "\n"
        "animal\n"
        "fox     in the library\n"
        "owl     to send"
    )


def test_a_path_is_one_value(tmp_path: Path) -> None:
    assert axis_of("image", tmp_path) is None
