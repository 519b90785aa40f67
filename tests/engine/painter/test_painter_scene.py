from __future__ import annotations

import pytest

from opeai_nb.engine.painter import paint
from opeai_nb.engine.painter.prompt_reading import scene


def test_a_colour_before_a_subject_is_the_subjects() -> None:
    read = scene("a blue boat on the sea in orange light")
    assert read.subjects[0].colour == "blue"
    assert read.tints == ("orange",)
    blue, red = (paint(f"a {tone} car in the desert at day", (96, 96)) for tone in ("blue", "red"))
    assert blue.tobytes() != red.tobytes()


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("一只猫在窗边", "a cat by the window"),
        ("狐狸在森林里, 夜晚", "a fox in the forest, night"),
        ("海边的灯塔, 日落, 水彩", "a lighthouse by the sea, sunset, watercolour"),
        ("城市夜景, 霓虹", "city night, neon"),
        ("像素风的城堡", "pixel art castle"),
        ("红色的船在湖上", "a red boat on the lake"),
        ("沙漠里的骆驼", "a camel in the desert"),
    ],
)
def test_chinese_words_mean_what_english_ones_do(chinese: str, english: str) -> None:
    one, other = scene(chinese), scene(english)
    assert [(s.kind, s.colour) for s in one.subjects] == [
        (s.kind, s.colour) for s in other.subjects
    ]
    assert (set(one.settings), set(one.times), set(one.styles)) == (
        set(other.settings),
        set(other.times),
        set(other.styles),
    )


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("butterflies", "butterfly"),
        ("foxes", "fox"),
        ("cats", "cat"),
        ("wolves", "wolf"),
        ("cherries", "fruit"),
        ("lighthouses", "lighthouse"),
    ],
)
def test_plurals_are_understood(many: str, one: str) -> None:
    assert [subject.kind for subject in scene(many).subjects] == [one]


def test_what_is_denied_is_not_shown() -> None:
    assert not scene("a beach without people").has("person")
    assert scene("no clouds over the sea").weathers == ()


def test_a_colour_before_flowers_is_theirs_and_grades_nothing() -> None:
    read = scene("a meadow of red tulips")
    assert (read.petals, read.tints) == ("red", ())
