"""The engine knows its own pictures again, whatever file they come back in."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from opeai_nb.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.engine.conftest import Clients

CAR = "a red car in the desert at day"


@pytest.fixture
def client(client_of: Clients) -> Iterator[httpx.Client]:
    engine = Engine(workers=0)
    with client_of(engine) as client:
        yield client
    engine.close()


def made(client: httpx.Client, **fields: Any) -> bytes:
    body = {"model": "qwen-image-2.0", "prompt": CAR, "size": "512x512", **fields}
    answer = client.post("/v1/images/generations", json=body)
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def edit(client: httpx.Client, data: bytes, words: str, **fields: Any) -> bytes:
    picture = "data:image/png;base64," + base64.b64encode(data).decode()
    return made(client, prompt=words, image=picture, **fields)


def share_changed(one: bytes, other: bytes) -> float:
    both = [
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int) for data in (one, other)
    ]
    return float((np.abs(both[0] - both[1]).max(axis=2) > 24).mean())


def saved_again(data: bytes) -> bytes:
    """Return the same pixels in another file, as an editor or a client's own encoder writes it."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(Image.open(io.BytesIO(data)))).save(file, "PNG")
    return file.getvalue()


def test_an_edit_of_its_own_picture_changes_what_is_named_alone(client: httpx.Client) -> None:
    car = made(client)
    for sent in (car, saved_again(car)):
        assert 0.01 < share_changed(car, edit(client, sent, "make the car blue")) < 0.15


def test_an_edit_of_an_edit_is_known_too(client: httpx.Client) -> None:
    blue = edit(client, made(client), "make the car blue")
    assert 0.01 < share_changed(blue, edit(client, saved_again(blue), "make the car green")) < 0.15


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_lossy_files_are_known_by_what_they_show(client: httpx.Client, output_format: str) -> None:
    fields = {"model": "gpt-image-1", "size": "1024x1024"}
    car = made(client, output_format=output_format, **fields)
    assert 0.01 < share_changed(car, edit(client, car, "make the car blue", **fields)) < 0.15


def test_a_strange_picture_is_edited_as_one(client: httpx.Client) -> None:
    strange = Image.open(io.BytesIO(made(client))).transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    strange.save(file, "PNG")
    assert len(edit(client, file.getvalue(), "make the car blue")) > 1000


def test_a_later_engine_on_the_same_store_knows_them(client_of: Clients, tmp_path: Path) -> None:
    first = Engine(store=tmp_path, workers=0)
    car = made(client_of(first))
    first.close()
    later = Engine(store=tmp_path, workers=0)
    assert 0.01 < share_changed(car, edit(client_of(later), car, "make the car blue")) < 0.15
    later.close()
