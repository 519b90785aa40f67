"""Edits of pictures whose scene nobody knows; `test_repaint.py` has the painter's own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageFilter

from opeai_nb.engine import painter
from opeai_nb.engine.painter import edit

SIDE = 192


def paint(prompt: str, size: tuple[int, int], *, transparent: bool = False) -> Image.Image:
    """Return a painting that says nothing of how it was made, as a photograph does not."""
    image = painter.paint(prompt, size, transparent=transparent)
    image.info.clear()
    return image


@pytest.fixture(scope="module")
def cat() -> Image.Image:
    return paint("a cat by the window", (SIDE, SIDE))


@pytest.fixture(scope="module")
def teapot() -> Image.Image:
    return paint("a red teapot on the table", (SIDE, SIDE))


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(np.float32)


def likeness(one: Image.Image, other: Image.Image) -> float:
    left, right = (
        np.asarray(image.convert("L").resize((48, 48)), np.float64).ravel()
        for image in (one, other)
    )
    return float(np.corrcoef(left, right)[0, 1])


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ("make it blue", 0.9),
        ("in teal", 0.9),
        ("black and white", 0.95),
        ("sepia", 0.95),
        ("at sunset", 0.85),
        ("at night", 0.85),
        ("at dawn", 0.85),
        ("in watercolour", 0.7),
        ("pixel art", 0.85),
        ("as an oil painting", 0.8),
        ("ink drawing", 0.6),
        ("low poly", 0.85),
        ("add snow", 0.85),
        ("in the rain", 0.85),
        ("in fog", 0.45),
        ("brighter", 0.95),
        ("darker", 0.95),
        ("blur it", 0.9),
        ("warmer", 0.95),
        ("more contrast", 0.95),
        ("做成蓝色", 0.9),
        ("换成夜晚", 0.85),
        ("水彩风格", 0.7),
        ("qwertz", 0.9),
        ("", 0.9),
    ],
)
def test_an_edit_changes_the_picture_and_keeps_its_subject(
    cat: Image.Image,
    words: str,
    least: float,
) -> None:
    changed = edit([cat], words, None)
    assert changed.size == cat.size
    assert float(np.abs(pixels(changed) - pixels(cat)).mean()) > 4
    assert likeness(changed, cat) > least


def test_blue_is_blue_and_black_and_white_is_grey(teapot: Image.Image) -> None:
    blue = pixels(edit([teapot], "make it blue", None)).mean((0, 1))
    grey = pixels(edit([teapot], "black and white", None))
    assert blue[2] > blue[0] + 25
    assert float(np.ptp(grey, axis=2).max()) < 3


def test_tone_words_move_the_tone(teapot: Image.Image) -> None:
    plain = pixels(teapot).mean()
    assert pixels(edit([teapot], "brighter", None)).mean() > plain + 12
    assert pixels(edit([teapot], "darker", None)).mean() < plain - 12
    assert pixels(edit([teapot], "at night", None)).mean() < plain - 12


@pytest.mark.parametrize(("words", "least"), [("make it a sunny day", 110), ("at sunset", 85)])
def test_a_picture_of_the_night_can_become_another_hour(words: str, least: int) -> None:
    night = paint("the coast on a starry night", (SIDE, SIDE))
    changed = edit([night], words, None)
    assert pixels(night).mean() < 80
    assert pixels(changed).mean() > least
    assert likeness(changed, night) > 0.6


@pytest.mark.parametrize(
    "words",
    [
        "the same forest on a starry night",
        "at night under the stars",
        "保持森林，夜晚",  # noqa: RUF001  Chinese has its own comma
    ],
)
def test_words_that_keep_the_place_keep_it(teapot: Image.Image, words: str) -> None:
    assert likeness(edit([teapot], words, None), teapot) > 0.75


@pytest.mark.parametrize(
    "words",
    [
        "change the background to a clean studio",
        "put it on a beach",
        "背景换成森林",
    ],
)
def test_another_background_leaves_the_subject_alone(teapot: Image.Image, words: str) -> None:
    changed = np.abs(pixels(edit([teapot], words, None)) - pixels(teapot)).mean(axis=2)
    middle = changed[110:140, 80:112]
    border = np.concatenate([changed[:24].ravel(), changed[:, :10].ravel()])
    assert float(np.median(middle)) < 6
    assert float(np.median(border)) > 20


def test_a_frame_goes_round_the_picture(cat: Image.Image) -> None:
    framed = pixels(edit([cat], "put it in a frame", None))
    assert float(framed[:3].std(axis=(0, 1)).max()) < 12
    assert likeness(edit([cat], "put it in a frame", None).crop((20, 20, 172, 172)), cat) > 0.6


def test_every_further_picture_is_laid_on_the_first(cat: Image.Image, teapot: Image.Image) -> None:
    green = Image.new("RGB", (64, 64), (0, 255, 0))
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    made = pixels(edit([cat, green, red], "put them together", None))
    for channel in (0, 1):
        others = [one for one in range(3) if one != channel]
        pure = (made[..., channel] > 180) & (made[..., others].max(axis=2) < 70)
        assert pure.mean() > 0.01
    assert likeness(edit([cat, teapot], "both", None), cat) > 0.6


@pytest.mark.parametrize("size", [(256, 96), (96, 256), (48, 48), (400, 400)])
def test_an_edit_has_the_size_asked_for(cat: Image.Image, size: tuple[int, int]) -> None:
    assert edit([cat], "in red", size).size == size


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "LA", "CMYK", "1", "I;16"])
def test_pictures_of_any_mode_are_taken(cat: Image.Image, mode: str) -> None:
    given = (
        Image.new("I;16", (64, 64), 30000)
        if mode == "I;16"
        else cat.convert("RGB" if mode == "CMYK" else mode)
    )
    if mode == "CMYK":
        given = given.convert("CMYK")
    made = edit([given], "in teal", None)
    assert (made.mode, made.size) == ("RGB", given.size)


def test_a_transparent_edit_keeps_the_given_ground_clear(teapot: Image.Image) -> None:
    cut = paint("a fox", (SIDE, SIDE), transparent=True)
    made = edit([cut], "make it blue", None, transparent=True)
    assert made.mode == "RGBA"
    assert likeness(made.getchannel("A"), cut.getchannel("A")) > 0.99
    guessed = np.asarray(edit([teapot], "cut it out", None, transparent=True).getchannel("A"))
    assert guessed[:12].mean() < 20
    assert guessed[110:140, 80:112].mean() > 200


def test_an_edit_is_the_same_each_time_and_differs_by_variant(cat: Image.Image) -> None:
    first, again = (edit([cat], "add snow", None).tobytes() for _ in range(2))
    assert first == again
    assert first != edit([cat], "add snow", None, variant=1).tobytes()


def test_the_given_picture_is_left_as_it_was(cat: Image.Image) -> None:
    before = cat.tobytes()
    edit([cat, cat], "night, snow, pixel art, framed", None, watermark=True, transparent=True)
    assert cat.tobytes() == before


def test_an_edit_without_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        edit([], "make it blue", None)


NIGHTS = ["the sea at night", "mountains under a full moon", "a city at night"]


def lights(image: Image.Image) -> int:
    """Return how many pixels of the sky stand out from the air around them."""
    sky = image.convert("L").crop((0, 0, image.width, image.height // 4))
    air = sky.filter(ImageFilter.MinFilter(9)).filter(ImageFilter.MaxFilter(9))
    return int((np.asarray(sky).astype(int) - np.asarray(air) > 24).sum())


@pytest.mark.parametrize("prompt", NIGHTS)
def test_a_sunny_day_leaves_no_moon_and_no_stars(prompt: str) -> None:
    night = paint(prompt, (256, 256))
    day = edit([night], "make it a sunny day", None)
    assert lights(night) > 40
    assert lights(day) <= 2
    brightest = max(day.convert("L").crop((0, 0, 256, 64)).tobytes())
    assert brightest < 235  # a moon made brighter would be white


@pytest.mark.parametrize("prompt", ["a city at night", "a lighthouse at night"])
def test_a_sunny_day_leaves_what_stands_below_the_sky(prompt: str) -> None:
    night = paint(prompt, (256, 256))
    assert likeness(night, edit([night], "make it a sunny day", None)) > 0.6


def test_an_edit_by_night_keeps_the_moon() -> None:
    night = paint("mountains under a full moon", (256, 256))
    assert lights(edit([night], "warmer", None)) > 40


def test_what_a_mask_leaves_out_is_untouched_to_the_pixel(teapot: Image.Image) -> None:
    mask = Image.new("L", teapot.size)
    mask.paste(255, (60, 60, 120, 120))
    edited = edit([teapot], "watercolour, at night, snow", None, mask=mask)
    changed = ImageChops.difference(edited, teapot).getbbox()
    assert changed is not None
    assert changed[0] >= 60
    assert changed[1] >= 60
    assert changed[2] <= 120
    assert changed[3] <= 120


@pytest.fixture(scope="module")
def night() -> Image.Image:
    return paint("mountains at night with a moon", (SIDE, SIDE))


def test_what_is_added_stands_beside_what_was_there() -> None:
    boat = paint("a boat on the sea", (SIDE, SIDE))
    changed = ImageChops.difference(boat, edit([boat], "add a fox", None).convert("RGB"))
    left, top, right, _ = changed.getbbox()
    assert left >= SIDE // 2 or right <= SIDE // 2
    assert top >= SIDE // 4


def test_what_is_added_stands_inside_the_mask(teapot: Image.Image) -> None:
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (16, 64, 96, 160))
    changed = ImageChops.difference(teapot, edit([teapot], "add a cat", None, mask=mask))
    left, top, right, bottom = changed.getbbox()
    assert (min(left, 16), min(top, 64), max(right, 96), max(bottom, 160)) == (16, 64, 96, 160)


@pytest.mark.parametrize("words", ["remove the moon", "no moon, please", "去掉月亮"])
def test_a_moon_that_is_to_go_is_gone(night: Image.Image, words: str) -> None:
    before, after = (
        pixels(one)[: SIDE // 2].max(axis=2) for one in (night, edit([night], words, None))
    )
    assert (before > 220).sum() > 200
    assert (after > 220).sum() < (before > 220).sum() / 4


def test_stars_that_are_to_go_leave_the_moon(night: Image.Image) -> None:
    after = edit([night], "without stars", None)
    fine = [
        ImageChops.difference(one, one.filter(ImageFilter.MedianFilter(5))).convert("L")
        for one in (night.convert("RGB"), after.convert("RGB"))
    ]
    stars = [(np.asarray(one)[: SIDE // 3] > 40).sum() for one in fine]
    assert stars[1] < stars[0] / 2
    assert (pixels(after).max(axis=2) > 220).sum() > 200


def test_a_city_by_daytime_is_bright() -> None:
    city = paint("a city at night", (SIDE, SIDE))
    assert pixels(edit([city], "make it daytime", None)).mean() > pixels(city).mean() + 60


@pytest.mark.parametrize(
    "words",
    [
        *("remove the fox", "replace the fox with a cat", "replace the fox with a forest"),
        *("replace the sunset with rain", "add the moon", "remove the clouds", "remove the stars"),
        *("make it autumn", "make the sky green", "make the fox blue", "add a boat"),
    ],
)
def test_what_is_named_is_changed_in_a_scene_that_nobody_knows(words: str) -> None:
    fox = paint("a fox in the forest", (48, 48))
    after = edit([fox], words, None)
    assert after.size == fox.size
    assert np.abs(pixels(after) - pixels(fox)).mean() > 0.5
