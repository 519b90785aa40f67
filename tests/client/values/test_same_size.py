"""An edit keeps its picture's shape: `size="same"`, and a hint where no size is named."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.client import ImageRequest
from opeai_nb.client.wire.hints import hints
from opeai_nb.errors import InputError
from opeai_nb.families import FAMILIES, accepts_size, parse_size, size_for_picture
from opeai_nb.library import identity
from tests.pictures import png

EDITORS = [family for family in FAMILIES if family.images_max]


def edit(sides: tuple[int, int], **asked: Any) -> ImageRequest:
    return ImageRequest("make it night", image=png(sides), **asked)


@pytest.mark.parametrize(
    ("model", "sides", "size"),
    [
        ("qwen-image-2.0", (1536, 1024), "1536x1024"),
        ("qwen-image-2.0", (4000, 3000), "2304x1728"),
        ("qwen-image-2.0", (300, 200), "672x448"),
        ("gpt-image-1", (1600, 900), "1536x1024"),
        ("gpt-image-1", (500, 500), "1024x1024"),
        ("dall-e-2", (300, 310), "256x256"),
        ("a-model-nobody-knows", (777, 333), "777x333"),
    ],
)
def test_the_nearest_size_that_the_model_takes_is_asked_for(
    model: str, sides: tuple[int, int], size: str
) -> None:
    assert edit(sides, model=model, size="same").size == size


@example(EDITORS[1], 16, 1171)
@given(st.sampled_from(EDITORS), st.integers(16, 5000), st.integers(16, 5000))
def test_what_is_asked_for_is_taken_and_no_offered_size_has_a_nearer_shape(
    family: Any, width: int, height: int
) -> None:
    size = size_for_picture(family.prefixes[0], (width, height))
    if size is None:  # a strip that no free size comes near, of a model that offers none
        assert not family.sizes
        assert max(width / height, height / width) > 8
        return
    assert accepts_size(family, size)

    def off(other: str) -> float:
        sides = parse_size(other)
        return abs(math.log(sides[0] / sides[1] * height / width)) if sides else math.inf

    assert all(off(size) <= off(other) + 0.01 for other in family.sizes)


def test_a_turned_photo_is_as_wide_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Image.new("RGB", (1536, 1024)).save(buffer, "JPEG", exif=exif)
    request = ImageRequest("a", image=buffer.getvalue(), size="same", model="gpt-image-1")
    assert request.size == "1024x1536"


def test_the_request_stands_as_if_the_size_had_been_named() -> None:
    same, named = edit((1536, 1024), size=" SAME "), edit((1536, 1024), size="1536x1024")
    assert identity(same) == identity(named)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "size is same, and there is no input picture"),
        ({"image": "https://a.example/1.png"}, "of a picture that is given as a URL"),
        ({"image": png((16, 1171)), "model": "qwen-image-edit"}, "of the shape of 16x1171"),
    ],
)
def test_without_a_picture_whose_pixels_are_known_same_is_refused(
    asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told) as raised:
        ImageRequest("a fox", size="same", **asked)
    assert "Nothing was sent" in raised.value.advice


def test_an_edit_of_another_shape_without_a_size_is_told_of() -> None:
    (told,) = hints(edit((1536, 1024)))
    assert told == (
        "No size is named, so 1024x1024 is what may come: size same keeps the shape of the input "
        "picture (1536x1024)."
    )
    assert hints(edit((1536, 1024), size="same")) == ()
    assert hints(edit((900, 900))) == ()
    assert hints(edit((1536, 1024), model="a-model-nobody-knows")) == ()
    assert hints(ImageRequest("a", image="https://a.example/1.png")) == ()
