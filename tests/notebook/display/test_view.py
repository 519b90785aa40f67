"""What a generation looks like: small, numbered, the same on every run."""

from __future__ import annotations

import base64
import dataclasses
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.values.views.result_view import full_size, generation_bundle, sheet_of
from opeai_nb.client.values.views.text_alternative import caption, text_alternative
from opeai_nb.errors import ModerationError, OptionError
from tests.pictures import encoded, png


def noisy(size: tuple[int, int], seed: int = 0) -> bytes:
    """A picture as hard to compress as a photograph."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    grain = random.integers(-6, 6, (size[1], size[0], 3))
    pixels = np.clip(np.asarray(image, dtype=np.int16) + grain, 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "PNG", compress_level=1)


def generation(*pictures: bytes) -> Generation:
    return Generation(tuple(Picture(p) for p in pictures), ImageRequest('a "fox" <in> snow'))


def decoded(bundle: dict[str, str], mime: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(bundle[mime])))


def test_one_picture_is_a_small_jpeg_of_its_own_shape() -> None:
    data, metadata = generation_bundle(generation(noisy((1536, 1024))))
    image = decoded(data, "image/jpeg")
    assert image.size == (512, 341)
    assert metadata["image/jpeg"] == {"width": 512, "height": 341, "alt": 'a "fox" <in> snow'}
    assert set(data) == {"text/plain", "image/jpeg"}


def test_a_small_picture_is_not_blown_up() -> None:
    data, _ = generation_bundle(generation(png((100, 60))))
    assert decoded(data, "image/jpeg").size == (100, 60)


def test_four_large_pictures_add_less_than_300_kb() -> None:
    """Shown as PIL images they would add about 7 MB to the notebook."""
    data, _ = generation_bundle(generation(*(noisy((1024, 1024), seed) for seed in range(4))))
    assert len(data["image/jpeg"]) < 300_000
    width, height = decoded(data, "image/jpeg").size
    assert width == height > 900


def test_a_transparent_picture_is_shown_as_png() -> None:
    data, _ = generation_bundle(generation(png((300, 300), "#00ff0080", "RGBA")))
    assert decoded(data, "image/png").mode == "RGBA"


def test_bytes_that_are_no_picture_take_their_own_place_alone() -> None:
    """One of two is an error page: the other is shown all the same."""
    page, red = (Picture(data) for data in (b"<html>sorry</html>", png((300, 300), "#ff0000")))
    image = Image.open(BytesIO(sheet_of([page, red]).data))
    assert image.width > 1.8 * image.height, "two places"
    places = (image.width // 4, image.width * 3 // 4)
    line = image.height // 3  # beyond the text, and within the smaller picture
    left, right = (image.convert("RGB").crop((x, line, x + 1, line + 1)).tobytes() for x in places)
    assert max(abs(a - b) for a, b in zip(left, (91, 100, 114), strict=True)) < 8
    assert right[0] > 240
    assert right[2] < 20
    assert full_size(page).mime == "image/jpeg"


@pytest.mark.parametrize(("count", "columns"), [(2, 2), (3, 3), (4, 2), (5, 3), (9, 3), (10, 4)])
def test_a_sheet_holds_every_picture_in_rows(count: int, columns: int) -> None:
    data, _ = generation_bundle(generation(*[png((64, 64))] * count))
    width, height = decoded(data, "image/jpeg").size
    rows = -(-count // columns)
    assert (width, height) == (columns * 64 + (columns - 1) * 8, rows * 64 + (rows - 1) * 8)


def test_the_text_is_the_same_on_every_run_and_names_what_failed() -> None:
    failed = Picture(error=ModerationError("no"))
    made = Generation(
        (Picture(png((64, 32))), failed), ImageRequest("a fox"), task_id="image_1", created=1
    )
    data, _ = generation_bundle(made)
    assert data["text/plain"] == "<Generation: 1 picture, 1 failed · qwen-image-2.0 · 64x32>"


def test_where_one_is_no_picture_the_text_says_how_many_came() -> None:
    data, _ = generation_bundle(generation(b"<html>sorry</html>", png((300, 300))))
    assert data["text/plain"] == "<Generation: 2 pictures · qwen-image-2.0 · 300x300>"
    assert data["image/jpeg"]


def test_a_replay_is_told_by_the_metadata_alone() -> None:
    sent = generation(png())
    again = dataclasses.replace(sent, replayed_from="3f2a9c1d")
    (data, metadata), (replayed, remembered) = map(generation_bundle, (sent, again))
    assert replayed == data
    assert "replayed_from" not in metadata["opeai_nb"]
    assert remembered["opeai_nb"]["replayed_from"] == "3f2a9c1d"


def test_a_generation_shows_itself_where_no_extension_was_loaded() -> None:
    """IPython before `%load_ext`, and marimo, ask the object alone."""
    fox = generation(noisy((640, 480)))
    assert DisplayFormatter().format(fox) == generation_bundle(fox)


def test_a_picture_shows_itself_and_one_that_failed_says_why() -> None:
    data, metadata = DisplayFormatter().format(Picture(noisy((640, 480)), revised_prompt="a hare"))
    assert decoded(data, "image/jpeg").size == (512, 384)
    assert metadata["image/jpeg"]["alt"] == "a hare"
    data, metadata = DisplayFormatter().format(Picture(error=ModerationError("no")))
    assert set(data) == {"text/plain"}
    assert "no" in data["text/plain"]


def test_the_text_alternative_says_how_many_and_is_cut_between_words() -> None:
    _, metadata = generation_bundle(generation(png(), png()))
    assert metadata["image/jpeg"]["alt"] == '2 pictures: a "fox" <in> snow'
    long = text_alternative("a fox in snow " * 40)
    assert 280 < len(long) <= 300
    assert long.endswith(("a…", "fox…", "in…", "snow…"))


def test_a_caption_is_one_line_and_counts_the_other_prompts() -> None:
    assert caption(["a\nfox "]) == "a fox"
    assert caption(["a fox", "an owl", "a fox"]) == "a fox and 1 more"
    assert len(caption(["word " * 100])) <= 90
    assert caption([]) == ""


def test_full_shows_the_received_bytes_as_they_are() -> None:
    received = noisy((640, 480))
    data, metadata = generation_bundle(generation(received), "full")
    assert base64.b64decode(data["image/png"]) == received
    assert metadata["image/png"]["width"] == 640


def test_none_shows_text_alone() -> None:
    data, _ = generation_bundle(generation(png()), "none")
    assert set(data) == {"text/plain"}


def test_another_way_to_show_is_an_error() -> None:
    with pytest.raises(OptionError, match="thumb, full, none"):
        generation_bundle(generation(png()), "huge")


@pytest.mark.parametrize("show", ["thumb", "full"])
def test_a_picture_whose_file_is_gone_has_a_plate_in_its_place(tmp_path: Path, show: str) -> None:
    gone = Generation((Picture(tmp_path / "fox.png"),), ImageRequest("a fox"))
    data, _ = generation_bundle(gone, show)
    plate = decoded(data, "image/jpeg")
    assert min(plate.size) > 100
    assert data["text/plain"].startswith("<Generation: 1 picture")
