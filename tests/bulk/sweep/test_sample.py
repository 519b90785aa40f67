"""A part of a space: the same on every run, so that running it again is free."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opeai_nb
from opeai_nb.bulk import Plan
from opeai_nb.bulk.sweep.plan import plan_of
from opeai_nb.bulk.sweep.sample import draw
from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.errors import InputError
from opeai_nb.studio import Studio
from tests.studio.conftest import Watched

ANIMALS = ["fox", "owl", "wolf", "hare", "carp"]
LIGHTS = ["dusk", "fog", "noon", "rain"]
PROMPT = "a {animal} in {light}"
SEED_1 = ["a fox in dusk", "a fox in noon", "a wolf in dusk"]


def prompts(plan: Plan) -> list[str]:
    return [point.request.prompt for point in plan]


def plan(sample: int | None = None, **values: Any) -> Plan:
    return plan_of(PROMPT, {"animal": ANIMALS, "light": LIGHTS, **values}, sample=sample)


def test_a_sample_is_a_part_in_the_order_of_the_whole() -> None:
    whole, part = prompts(plan()), prompts(plan(7, seed=1))
    assert len(part) == 7
    assert part == [prompt for prompt in whole if prompt in part]


def test_the_same_seed_chooses_the_same_and_another_one_others() -> None:
    assert prompts(plan(7)) == prompts(plan(7, seed=0)) == prompts(plan(7))
    assert prompts(plan(7, seed=1)) != prompts(plan(7, seed=2))
    # On every machine: this is what version 0.1.0 chose.
    assert prompts(plan(3, seed=1)) == SEED_1


@given(st.integers(1, 20), st.integers(0, 99))
def test_a_larger_sample_holds_the_smaller_one(count: int, seed: int) -> None:
    small, large = plan(count, seed=seed), plan(min(20, count + 3), seed=seed)
    assert set(prompts(small)) <= set(prompts(large))
    assert len(set(prompts(small))) == count


def test_values_that_are_added_leave_most_of_what_was_drawn() -> None:
    few = plan(light=draw(LIGHTS))
    more = plan(animal=["lynx", *ANIMALS], light=draw(LIGHTS))
    assert len(few) == len(ANIMALS)
    assert set(prompts(few)) < set(prompts(more))


def test_a_draw_depends_on_the_seed_and_is_one_of_its_values() -> None:
    every = {prompt for seed in range(9) for prompt in prompts(plan(light=draw(LIGHTS), seed=seed))}
    assert len(every) > len(ANIMALS)
    assert every <= {f"a {animal} in {light}" for animal, light in product(ANIMALS, LIGHTS)}


def test_the_plan_says_what_part_of_the_space_it_is(studio: Studio) -> None:
    made = sweep(PROMPT, animal=ANIMALS, light=LIGHTS, sample=3, seed=1, studio=studio)
    assert "3 of 20 combinations, sampled (seed 1)" in made.table
    whole = sweep(PROMPT, animal=ANIMALS, light=LIGHTS, studio=studio)
    assert "sampled" not in whole.table


def test_running_a_sample_again_is_free_and_its_pictures_stand_side_by_side(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    for _ in range(2):
        values: dict[str, Any] = {
            "animal": ANIMALS,
            "light": opeai_nb.draw(LIGHTS),
            "size": "512x512",
        }
        made = sweep(PROMPT, **values, sample=3, seed=1, studio=new_studio()).run()
    assert transport.posts == 3
    assert made.grid().shape == (2, 2)
    assert made.grid(rows="animal").shape[0] == len(ANIMALS)
    assert made.grid().sheet().width > 900
    assert made[made.plan[0].labels].request == made.plan[0].request


def test_a_text_file_gives_prompts_and_values(tmp_path: Path) -> None:
    file = tmp_path / "animals.txt"
    file.write_text("\ufefffox\n\n# not these\n  owl \n", encoding="utf-8")
    assert prompts(plan_of("a {animal}", {"animal": file})) == ["a fox", "a owl"]
    assert prompts(plan_of(file, {})) == ["fox", "owl"]
    assert len(plan_of("a {animal}", {"animal": draw(file)})) == 1


def test_a_seed_of_the_request_stays_the_requests() -> None:
    made = plan(2, seed=[7, 8], dialect="aliyun")
    assert {point.request.seed for point in made} <= {7, 8}
    assert [point.request.seed for point in plan_of("a fox", {"seed": 7, "dialect": "aliyun"})] == [
        7
    ]


@pytest.mark.parametrize(
    ("sample", "values", "told"),
    [
        (21, {}, "sample is 21, and this sweep has 20 points"),
        (6, {"light": draw(LIGHTS)}, "sample is 6, and this sweep has 5 points"),
        (0, {}, "sample is 0, not a number of points"),
        (True, {}, "sample is True, not a number of points"),
        ("7", {}, "sample is '7', not a number of points"),
        (2, {"seed": 7, "dialect": "aliyun"}, "seed may be the sample's or the request's"),
        (None, {"light": draw([])}, "light is empty"),
        (None, {"light": Path("none.txt")}, "The values in none.txt cannot be read: No such file"),
    ],
)
def test_what_cannot_be_chosen_is_refused(sample: Any, values: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        plan(sample, **values)
