"""Edits of pictures that the painter made itself: it knows their scenes."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image, ImageDraw

from opeai_nb.engine.painter import edit, encode, paint
from opeai_nb.engine.painter.editing import RECIPE
from opeai_nb.engine.painter.editing.recipe import Recipe
from tests.engine.painter.test_instruction import instructions

SIDE = 192


@cache
def painting(prompt: str) -> Image.Image:
    return paint(prompt, (SIDE, SIDE))


@cache
def edited(prompt: str, *instructions: str) -> Image.Image:
    image = painting(prompt)
    for words in instructions:
        image = edit([image], words, None)
    return image


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(np.float32)


@cache
def changes(prompt: str, *instructions: str) -> np.ndarray:
    """Return how much each pixel differs, 0 to 255."""
    return np.abs(pixels(edited(prompt, *instructions)) - pixels(painting(prompt))).max(axis=2)


def silhouette(prompt: str, kind: str) -> np.ndarray:
    """Return where a thing is: what goes with it when it is taken away."""
    return changes(prompt, f"remove the {kind}") > 24


THINGS = [
    ("a red car in the desert at day", "car"),
    ("a fox in the forest", "fox"),
    ("a teapot on the table", "teapot"),
    ("a sailing boat on the sea at noon", "boat"),
    ("a cottage in the hills at day", "house"),
    ("a cat by the window", "cat"),
    ("a lighthouse by the sea at day", "lighthouse"),
]


@pytest.mark.parametrize(("prompt", "thing"), THINGS)
def test_the_thing_that_is_named_is_what_changes_its_colour(prompt: str, thing: str) -> None:
    inside = silhouette(prompt, thing)
    change = changes(prompt, f"make the {thing} purple")
    assert inside.mean() > 0.01
    assert change[inside].mean() > 8 * change[~inside].mean()
    assert (change[~inside] > 60).mean() < 0.01


@pytest.mark.parametrize(("prompt", "thing"), THINGS)
def test_what_an_instruction_leaves_alone_stays_to_the_pixel(prompt: str, thing: str) -> None:
    assert (changes(prompt, f"make the {thing} purple")[:12] == 0).mean() > 0.9


def test_the_colour_is_the_one_asked_for() -> None:
    inside = silhouette("a red car in the desert at day", "car")
    red, green, blue = pixels(edited("a red car in the desert at day", "make the car blue"))[
        inside
    ].mean(axis=0)
    assert blue > red + 20
    assert blue > green


def test_a_replaced_thing_is_gone_and_the_new_one_stands_in_its_place() -> None:
    prompt = "a fox in the forest"
    old, change = silhouette(prompt, "fox"), changes(prompt, "replace the fox with a cat")
    assert (change > 24)[old].mean() > 0.4
    assert (change > 24)[~old].mean() < 0.04
    cat = edited(prompt, "replace the fox with a cat", "remove the cat")
    assert np.abs(pixels(cat) - pixels(edited(prompt, "remove the fox"))).mean() < 0.5


@pytest.mark.parametrize("words", ["add a red boat", "add a lighthouse", "加一艘船"])
def test_what_is_added_leaves_the_rest_where_it_was(words: str) -> None:
    prompt = "a sailing boat on the sea at noon" if "lighthouse" in words else "the sea at noon"
    change = changes(prompt, words) > 24
    assert 0.01 < change.mean() < 0.4
    assert not change[:8].any()


def test_two_trees_are_more_tree_than_one() -> None:
    prompt = "a tree in the hills at day"
    both = edited(prompt, "two trees instead of one")
    bare = edited(prompt, "remove the tree")
    cover = (np.abs(pixels(both) - pixels(bare)).max(axis=2) > 24).any(axis=0)
    assert cover[: SIDE // 2].any()
    assert cover[SIDE // 2 :].any()
    one = edited(prompt, "two trees instead of one", "only one tree")
    assert (np.abs(pixels(one) - pixels(both)).max(axis=2) > 24).any()


def test_a_bigger_house_covers_more() -> None:
    prompt = "a cottage in the hills at day"
    bare = pixels(edited(prompt, "remove the house"))
    sizes = [
        (np.abs(pixels(edited(prompt, words)) - bare).max(axis=2) > 24).mean()
        for words in ("make the house smaller", "mirror it", "make the house bigger")
    ]
    assert sizes[0] < (silhouette(prompt, "house")).mean() < sizes[2]


def test_a_moved_boat_is_on_the_other_side() -> None:
    prompt = "a sailing boat on the sea at noon"
    bare = pixels(edited(prompt, "remove the boat"))
    middles = [
        np.argwhere(np.abs(pixels(edited(prompt, words)) - bare).max(axis=2) > 40)[:, 1].mean()
        for words in ("move the boat to the left", "move the boat to the right")
    ]
    assert middles[0] < SIDE * 0.35
    assert middles[1] > SIDE * 0.65


SKIES = ["the sea under a full moon", "a city at night"]


def lights(image: Image.Image) -> int:
    """Return how many pixels of the upper sky are as bright as a moon or a star."""
    return int((pixels(image)[: SIDE // 5].min(axis=2) > 200).sum())


@pytest.mark.parametrize("prompt", SKIES)
def test_a_sunny_day_has_no_moon_and_no_stars(prompt: str) -> None:
    assert lights(painting(prompt)) > 15
    day = edited(prompt, "make it a sunny day")
    assert lights(day) == 0
    assert pixels(day).mean() > pixels(painting(prompt)).mean() + 50


@pytest.mark.parametrize("words", ["remove the moon", "without the moon", "去掉月亮"])
def test_a_moon_that_is_to_go_is_gone(words: str) -> None:
    prompt = "the sea at night"
    moon = [
        (pixels(one).min(axis=2) > 215).sum() for one in (painting(prompt), edited(prompt, words))
    ]
    assert moon[0] > 60
    assert moon[1] < moon[0] / 3


@pytest.mark.parametrize(
    ("words", "channel", "other"),
    [("make it winter", 2, 1), ("make it autumn", 0, 1), ("make it spring", 1, 2)],
)
def test_a_season_colours_the_land(words: str, channel: int, other: int) -> None:
    prompt = "a cottage in the hills at day"
    before, after = (
        pixels(one)[-SIDE // 4 :].mean((0, 1)) for one in (painting(prompt), edited(prompt, words))
    )
    assert after[channel] - after[other] > before[channel] - before[other] + 5


@pytest.mark.parametrize("words", ["change the background to blue", "背景换成蓝色"])
def test_another_background_leaves_the_thing_alone(words: str) -> None:
    prompt = "a teapot on the table"
    change, inside = changes(prompt, words), silhouette(prompt, "teapot")
    assert np.median(change[inside]) < 6
    assert np.median(change[~inside]) > 20
    corner = pixels(edited(prompt, words))[:20, :20].mean((0, 1))
    assert corner[2] > corner[0] + 25


def test_edits_of_edits_know_what_came_before() -> None:
    prompt = "a red car in the desert at day"
    twice = edited(prompt, "make the car blue", "make it winter")
    other = edited(prompt, "make it winter", "make the car blue")
    assert np.abs(pixels(twice) - pixels(other)).mean() < 2


def test_the_same_edit_gives_the_same_pixels_and_another_variant_others() -> None:
    cat = painting("a cat by the window")
    one, same = (edit([cat], "make it winter", None) for _ in range(2))
    assert one.tobytes() == same.tobytes()
    assert edit([cat], "make it winter", None, variant=1).tobytes() != one.tobytes()


def test_a_picture_drawn_on_keeps_what_was_drawn() -> None:
    drawn = painting("a red car in the desert at day").copy()
    ImageDraw.Draw(drawn).rectangle((4, 4, 20, 14), fill=(0, 255, 0))
    after = pixels(edit([drawn], "make the car blue", None))
    assert (after[4:14, 4:20] == (0, 255, 0)).all()


@pytest.mark.parametrize(
    "recipe", ["", "{}", "null", "[1]", '{"prompt": 1, "size": [1], "steps": []}', "x" * 10_000]
)
def test_a_recipe_that_says_nothing_is_no_recipe(recipe: str) -> None:
    image = painting("a fox in the forest").copy()
    image.info[RECIPE] = recipe
    assert Recipe.in_(image) is None
    assert RECIPE not in edit([image], "make it winter", None).info


def test_a_picture_that_is_not_what_its_recipe_says_is_a_strange_one() -> None:
    other = Image.new("RGB", (SIDE, SIDE), (40, 90, 40))
    other.info[RECIPE] = painting("a fox in the forest").info[RECIPE]
    assert RECIPE not in edit([other], "make it winter", None).info
    part = painting("a fox in the forest").crop((0, 0, 96, 96))
    assert RECIPE not in edit([part], "make it winter", None).info


def test_an_edit_of_another_shape_shows_the_same_scene() -> None:
    wide = edit([painting("a red car in the desert at day")], "make the car blue", (288, SIDE))
    assert wide.size == (288, SIDE)
    assert RECIPE in wide.info
    red, _, blue = pixels(wide)[SIDE // 2 :, 72:216].mean((0, 1))
    plain = pixels(paint("a red car in the desert at day", (288, SIDE)))
    assert blue - red > np.subtract(*plain[SIDE // 2 :, 72:216].mean((0, 1))[[2, 0]])


def test_a_mask_leaves_the_rest_of_a_known_scene_alone() -> None:
    fox = painting("a fox in the forest")
    mask = Image.new("L", fox.size)
    mask.paste(255, (60, 60, 120, 120))
    after = edit([fox], "make it winter", None, mask=mask)
    change = np.abs(pixels(after) - pixels(fox)).max(axis=2)
    assert change[60:120, 60:120].any()
    change[60:120, 60:120] = 0
    assert not change.any()
    assert RECIPE not in after.info


def test_a_jpeg_of_a_painting_is_still_known() -> None:
    car = painting("a red car in the desert at day")
    sent = Image.open(io.BytesIO(encode(car, "jpeg", 90)))
    sent.info[RECIPE] = car.info[RECIPE]
    after = edit([sent], "make the car blue", None)
    assert RECIPE in after.info


@settings(max_examples=8)  # each paints eight small pictures
@given(instructions())
def test_no_instruction_raises_and_every_one_changes_the_picture(words: str) -> None:
    for prompt in ("a fox in the forest", "the sea at night"):
        small = paint(prompt, (48, 48))
        for image in (small, Image.new("RGB", (48, 48), (90, 120, 60))):
            after = edit([image], words, None)
            assert after.size == image.size
        stranger = small.copy()
        stranger.info.clear()
        assert edit([stranger], words, None).size == (48, 48)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a fox in the forest", "make it smaller"),
        ("a fox in the forest", "move it up"),
        ("a fox in the forest", "move the fox to the left"),
        ("a fox in the forest", "replace the fox with the moon"),
        ("a fox in the forest", "replace the forest with a city"),
        ("a fox in the forest", "make the trees orange"),
        ("the sea at sunset", "make the sky green"),
        ("the sea at sunset", "make the sea purple"),
        ("the sea at sunset", "replace the sunset with rain"),
        ("the sea at sunset", "add the moon"),
        ("the sea at sunset", "three boats"),
        ("a whale in the deep sea", "add two jellyfish"),
        ("space", "replace it with the sea"),
    ],
)
def test_what_is_named_is_changed_in_a_scene_of_its_own(prompt: str, words: str) -> None:
    before = paint(prompt, (48, 48))
    after = edit([before], words, None)
    assert RECIPE in after.info
    assert np.abs(pixels(after) - pixels(before)).mean() > 0.5
