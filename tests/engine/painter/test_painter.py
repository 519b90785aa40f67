from __future__ import annotations

import io
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from PIL import Image

from opeai_nb.engine.painter import encode, paint
from opeai_nb.engine.painter.prompt_reading import scene, vocabulary

SETTINGS, SUBJECTS = vocabulary()["setting"], vocabulary()["subject"]
STYLES, WEATHERS = vocabulary()["style"], vocabulary()["weather"]


@cache
def painted(prompt: str, side: int = 96, variant: int = 0) -> Image.Image:
    return paint(prompt, (side, side), variant=variant)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(np.float32)


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(pixels(one) - pixels(other)).mean())


def likeness(one: Image.Image, other: Image.Image) -> float:
    left, right = (
        np.asarray(image.convert("L").resize((48, 48)), np.float64).ravel()
        for image in (one, other)
    )
    return float(np.corrcoef(left, right)[0, 1])


def test_importing_the_painter_loads_neither_numpy_nor_pillow() -> None:
    check = (
        "import sys, opeai_nb.engine.painter as p; "
        "print(sorted({'numpy', 'PIL'} & set(sys.modules)), p.paint.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", check], check=True, text=True, capture_output=True)
    assert run.stdout.strip() == "[] paint"


@pytest.mark.parametrize("place", sorted(SETTINGS))
def test_each_place_is_a_picture_of_its_own(place: str) -> None:
    word = SETTINGS[place].split("|")[0]
    image = painted(f"{word} at day")
    assert scene(f"{word} at day").settings == (place,)
    assert float(pixels(image).std()) > 12
    others = [one for one in SETTINGS if one != place]
    nearest = min(
        distance(image, painted(f"{SETTINGS[one].split('|')[0]} at day")) for one in others[:5]
    )
    assert nearest > 9


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_each_subject_shows(subject: str) -> None:
    word = SUBJECTS[subject].split("|")[0]
    cut = paint(word, (128, 128), transparent=True)
    if subject == "moon":
        assert distance(painted("sea at night"), painted("moon over the sea at night")) > 2
        return
    assert cut.mode == "RGBA"
    share = np.asarray(cut.getchannel("A")).mean() / 255
    assert 0.005 < share < 0.9


@pytest.mark.parametrize("style", sorted(STYLES))
def test_each_style_changes_the_whole_picture(style: str) -> None:
    word = STYLES[style].split("|")[0]
    plain = painted("a lighthouse by the sea at sunset", 192)
    styled = paint("a lighthouse by the sea at sunset", (192, 192), style=word)
    assert scene(word).styles == (style,)
    assert distance(plain, styled) > 4
    assert likeness(plain, styled) > 0.35


@pytest.mark.parametrize("hour", ["dawn", "sunset", "dusk", "night"])
def test_the_hour_changes_the_light(hour: str) -> None:
    assert distance(painted("hills at day"), painted(f"hills at {hour}")) > 18


def test_nights_are_darker_than_days() -> None:
    for place in ("sea", "forest", "city", "desert", "mountains"):
        day, night = pixels(painted(f"{place} at day")), pixels(painted(f"{place} at night"))
        assert night.mean() < day.mean() * 0.7


@pytest.mark.parametrize("weather", sorted(WEATHERS))
def test_weather_shows(weather: str) -> None:
    word = WEATHERS[weather].split("|")[0]
    assert scene(f"{word} on the hills at day").weathers == (weather,)
    assert distance(painted("the hills at day"), painted(f"{word} on the hills at day")) > 5


def test_a_colour_grades_the_whole_picture() -> None:
    teal = pixels(painted("mountains at day in teal")).mean((0, 1))
    red = pixels(painted("mountains at day in red")).mean((0, 1))
    assert teal[1] > teal[0] + 15
    assert red[0] > red[1] + 15


def test_words_combine() -> None:
    read = scene("a pixel-art lighthouse at sunset in teal")
    assert [one.kind for one in read.subjects] == ["lighthouse"]
    assert (read.styles, read.times, read.tints) == (("pixel",), ("sunset",), ("teal",))
    image = paint("a pixel-art lighthouse at sunset in teal", (512, 512))
    assert len(image.getcolors(4096) or []) <= 40


@pytest.mark.parametrize("prompt", ["a fox in the forest", "the sea", "zyx", "a cat by the window"])
def test_variants_differ(prompt: str) -> None:
    images = [painted(prompt, 128, variant) for variant in range(4)]
    for number, image in enumerate(images):
        for other in images[number + 1 :]:
            assert distance(image, other) > 8


def test_a_seed_chooses_another_picture() -> None:
    first, second = (paint("hills", (96, 96), seed=seed) for seed in (1, 2))
    assert distance(first, second) > 4
    assert first.tobytes() == paint("hills", (96, 96), seed=1).tobytes()


@pytest.mark.parametrize(
    "prompt",
    [
        "mountains at dawn",
        "a boat on the sea at day",
        "a cat by the window",
        "city at night",
        "planets in space",
        "zyx",
    ],
)
def test_the_same_scene_at_another_resolution_is_the_same_scene(prompt: str) -> None:
    small, large = paint(prompt, (192, 192)), paint(prompt, (576, 576))
    assert likeness(small, large) > 0.93


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (256, 85), (85, 256), (480, 160), (32, 1024)])
@pytest.mark.parametrize(
    "prompt",
    [
        "a cat reading by the window",
        "a castle, low poly",
        "forest rain ink",
        "underwater mosaic",
        "a city, oil painting",
        "meadow watercolour",
        "desert comic",
        "portrait pencil",
        "zyx dots",
    ],
)
def test_every_size_is_painted(prompt: str, size: tuple[int, int]) -> None:
    image = paint(prompt, size, watermark=True)
    assert (image.size, image.mode) == (size, "RGB")


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " ",
        "🦊🌊✨",
        "\x00\x1b[31m\n\t",
        "word " * 6000,
        "\ud800 lone surrogate",
        "(" * 500,
        "海" * 900,
    ],
)
def test_any_prompt_is_painted(prompt: str) -> None:
    image = paint(prompt, (64, 64))
    assert image.size == (64, 64)
    assert float(pixels(image).std()) > 2


@pytest.mark.parametrize("size", [(15, 64), (64, 4097), (0, 0)])
def test_sizes_out_of_range_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size must be 16 to 4096"):
        paint("hills", size)


@pytest.mark.parametrize("style", [None, "watercolour", "pixel art", "low poly"])
def test_transparent_keeps_the_subject_alone(style: str | None) -> None:
    image = paint("a fox in the forest", (192, 192), transparent=True, style=style)
    alpha = np.asarray(image.getchannel("A"))
    assert image.mode == "RGBA"
    assert alpha[:20].max() == 0
    assert (alpha == 255).mean() > 0.04
    edge = np.asarray(image)[(alpha > 60) & (alpha < 200)][:, :3].astype(float)
    core = np.asarray(image)[alpha == 255][:, :3].astype(float)
    assert edge.mean() > core.mean() * 0.6


def test_the_mark_stands_in_a_corner() -> None:
    plain, marked = (paint("the sea at dawn", (256, 256), watermark=mark) for mark in (False, True))
    changed = np.abs(pixels(plain) - pixels(marked)).max(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 60
    assert rows.min() > 230
    assert columns.min() > 130


def test_vivid_is_more_colourful_than_natural() -> None:
    vivid, natural = (
        paint("meadow at day", (96, 96), style=style) for style in ("vivid", "natural")
    )
    spread = [float(np.ptp(pixels(one), axis=2).mean()) for one in (vivid, natural)]
    assert spread[0] > spread[1] * 1.3


def test_quality_changes_the_detail() -> None:
    low, high = (paint("hills, low poly", (128, 128), quality=quality) for quality in ("low", "hd"))
    assert len(high.getcolors(1 << 16) or []) > len(low.getcolors(1 << 16) or []) * 1.3
    edges = [
        float(np.abs(np.diff(pixels(paint("mountains", (256, 256), quality=one)), axis=0)).mean())
        for one in ("hd", "low")
    ]
    assert edges[0] > edges[1] * 1.05


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_png_keeps_every_pixel(mode: str) -> None:
    image = paint("a fox", (97, 61), transparent=mode == "RGBA")
    read = Image.open(io.BytesIO(encode(image)))
    assert (read.format, read.mode) == ("PNG", mode)
    assert read.tobytes() == image.tobytes()


@pytest.mark.parametrize("name", ["jpeg", "jpg", "webp", "JPEG"])
def test_compression_makes_files_smaller(name: str) -> None:
    image = paint("forest at day", (256, 256))
    small, large = encode(image, name, 20), encode(image, name, 95)
    assert len(small) < len(large) * 0.6
    assert Image.open(io.BytesIO(small)).format == name.upper().replace("JPG", "JPEG")


def test_jpeg_puts_transparent_pictures_on_white() -> None:
    image = paint("a fox", (96, 96), transparent=True)
    read = Image.open(io.BytesIO(encode(image, "jpeg", 95)))
    assert min(read.crop((1, 1, 2, 2)).tobytes()) > 240


def test_other_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="png, jpeg, webp"):
        encode(painted("hills"), "gif")
