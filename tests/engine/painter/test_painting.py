"""The engine with the real painter: what is asked reaches it, and its files come back."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from opeai_nb.engine import Engine
from tests.engine.conftest import Clients, Files

MODEL = "rehearsal-partial"  # whose first picture is whole, and which paints small


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def paint(shared: Engine, client_of: Clients) -> Files:
    def paint(engine: Engine = shared, **fields: Any) -> bytes:
        body = {"model": MODEL, "prompt": "a lighthouse at sunset", "size": "96x64", **fields}
        with client_of(engine, timeout=60) as client:
            answer = client.post("/v1/images/generations", json=body)
        return base64.b64decode(answer.json()["data"][0]["b64_json"])

    return paint


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_picture_has_the_size_that_was_asked(paint: Files) -> None:
    assert opened(paint()).size == (96, 64)


def test_each_engine_paints_the_same_bytes_in_the_same_order(paint: Files) -> None:
    first, second = Engine(), Engine()
    pictures = [paint(first), paint(first), paint(first)]
    assert [paint(second), paint(second), paint(second)] == pictures
    assert len(set(pictures)) == 3
    first.close()
    second.close()


def test_another_prompt_makes_another_picture(paint: Files) -> None:
    assert paint() != paint(prompt="a green forest at night")


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp"])
def test_a_picture_has_the_format_that_was_asked(paint: Files, format_: str) -> None:
    assert opened(paint(output_format=format_)).format == format_.upper()


def test_compression_makes_a_jpeg_smaller(paint: Files) -> None:
    sizes = [len(paint(output_format="jpeg", output_compression=c)) for c in (10, 90)]
    assert sizes[0] < sizes[1]


def test_a_transparent_background_has_clear_pixels(paint: Files) -> None:
    alpha = opened(paint(prompt="a red flower", background="transparent")).getchannel("A")
    assert alpha.getextrema()[0] == 0


def test_an_edit_changes_the_picture_that_was_given(paint: Files, picture: Files) -> None:
    given = picture(96, 64)
    image = base64.b64encode(given).decode()
    edited = paint(prompt="make it red", image=image)
    assert opened(edited).size == (96, 64)
    assert opened(edited).convert("RGB").tobytes() != opened(given).tobytes()


def test_a_watermark_is_visible(paint: Files) -> None:
    assert paint() != paint(watermark=True)


@pytest.mark.parametrize(
    "size", [f"{width}x{height}" for width, height in [(1536, 512), (4096, 64), (64, 4096)]]
)
def test_the_largest_sides_are_painted(paint: Files, size: str) -> None:
    assert opened(paint(size=size)).size == tuple(map(int, size.split("x")))
