"""What came is compared with what was asked for: told beside it, never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import ModerationError
from opeai_nb.families import FAMILIES
from opeai_nb.testing import pictures_answer
from tests.client.shells import Shell
from tests.pictures import encoded, png

Shells = Callable[..., Shell]
GPT = "gpt-image-2"


def came(*pictures: Picture, **asked: Any) -> tuple[str, ...]:
    return Generation(pictures, ImageRequest("a fox", **asked)).differences


def of(*sizes: tuple[int, int]) -> list[Picture]:
    return [Picture(png(size)) for size in sizes]


def clear(alpha: int) -> Picture:
    return Picture(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, alpha)), "PNG"))


def test_other_pixels_are_told() -> None:
    assert came(*of((64, 64)), size="96x64") == ("Asked for 96x64, got 64x64.",)


def test_some_pictures_of_other_pixels_are_counted() -> None:
    told = came(*of((96, 64), (64, 64), (64, 64), (32, 32)), size="96x64", n=4)
    assert told == ("Asked for 96x64, got 64x64 (2 of 4), 32x32 (1 of 4).",)


@pytest.mark.parametrize("size", [None, "auto", "2K"])
def test_a_size_that_leaves_a_choice_is_not_compared(size: str | None) -> None:
    assert came(*of((64, 64)), size=size) == ()


@pytest.mark.parametrize(("asked", "got"), [(4, 3), (1, 2)])
def test_another_count_is_told(asked: int, got: int) -> None:
    (told,) = came(*of(*[(8, 8)] * got), n=asked)
    assert told == f"Asked for {asked} picture{'s' * (asked > 1)}, got {got}."


def noise(form: str) -> bytes:
    return encoded(Image.effect_noise((96, 80), 90).convert("RGB"), form)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_ends_in_the_middle_is_told(form: str) -> None:
    whole = Picture(noise(form))
    half = Picture((whole.data or b"")[:1500])
    assert came(whole) == ()
    assert came(half) == ("Got a picture that ends in the middle.",)
    assert came(whole, half) == ("Got a picture that ends in the middle (1 of 2).",)


def test_a_picture_that_lacks_the_mark_of_its_end_alone_is_whole() -> None:
    assert came(Picture(noise("PNG")[:-12])) == ()


@pytest.mark.parametrize("whole", [png((64, 64)) + b"\n", noise("WEBP")[:-1]])
def test_what_stands_behind_an_end_or_is_padding_makes_no_half(whole: bytes) -> None:
    assert came(Picture(whole)) == ()


def test_fewer_are_no_difference_where_n_is_a_maximum() -> None:
    assert came(*of((8, 8)), n=4, model="doubao-seedream-4-5-251128") == ()
    assert came(*of((8, 8)), n=4, model="a-model-nobody-knows") == ("Asked for 4 pictures, got 1.",)


def test_an_item_that_failed_is_no_missing_picture() -> None:
    assert came(*of((8, 8)), Picture(error=ModerationError("no")), n=2) == ()


def test_another_format_is_told_where_the_model_reads_it() -> None:
    assert came(*of((8, 8)), output_format="webp", model=GPT) == ("Asked for WEBP, got PNG.",)
    assert came(*of((8, 8)), output_format="PNG", model=GPT) == ()
    jpeg = Picture(encoded(Image.new("RGB", (8, 8)), "JPEG"))
    assert came(jpeg, output_format="jpg", model=GPT) == ()
    assert came(*of((8, 8)), output_format="webp", model="qwen-image-2.0") == ()


def test_an_alpha_channel_without_a_clear_pixel_is_opaque() -> None:
    opaque = "Asked for a transparent background, got an opaque picture"
    asked: dict[str, Any] = {"background": "transparent", "model": GPT}
    assert came(clear(0), **asked) == ()
    assert came(clear(255), **asked) == (f"{opaque}.",)
    assert came(clear(0), *of((8, 8)), n=2, **asked) == (f"{opaque} (1 of 2).",)
    assert came(*of((8, 8)), background="transparent") == ()


@given(
    st.lists(st.binary(max_size=40) | st.just(png((8, 8))), max_size=3),
    st.sampled_from([family.prefixes[0] for family in FAMILIES] + ["unknown"]),
    st.sampled_from([None, "8x8", "2K"]),
)
def test_whatever_came_nothing_is_raised(found: list[bytes], model: str, size: str | None) -> None:
    pictures = [Picture(data) for data in found]
    asked = {"background": "transparent", "output_format": "webp"}
    for told in came(*pictures, Picture(), model=model, size=size, n=2, **asked):
        assert told.startswith("Asked for ")


def test_a_request_through_a_client_is_compared(shell: Shells) -> None:
    generation = shell(pictures_answer(png((64, 64)))).generate("a fox", size="1024x1024")
    assert generation.differences == ("Asked for 1024x1024, got 64x64.",)
