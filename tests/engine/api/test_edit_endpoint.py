"""POST /v1/images/edits: forms and JSON, one image and several, with and without a mask."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import Engine
from tests.engine.conftest import Clients, Files

PATH = "/v1/images/edits"


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def image_of(answer: httpx.Response) -> Image.Image:
    (item,) = answer.json()["data"]
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))


def stored(upright: Image.Image, orientation: int) -> bytes:
    """Return a file that is turned as *orientation* says, and shows *upright* by its EXIF."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what Pillow calls them, undone
    turn = turns.get(orientation)
    image = upright if turn is None else upright.transpose(Image.Transpose(turn))
    image.save(file, "PNG", exif=exif)
    return file.getvalue()


def test_a_photo_that_lies_on_its_side_is_edited_upright(
    client: httpx.Client, picture: Files
) -> None:
    upright = Image.open(io.BytesIO(picture(512, 640)))
    form = {"model": "qwen-image-2.0", "prompt": "a hat"}
    files = {"image": ("a.png", stored(upright, 6), "image/png")}
    assert image_of(client.post(PATH, data=form, files=files)).size == (512, 640)


def mask(width: int, height: int, clear: tuple[int, int, int, int] | None = None) -> bytes:
    image, file = Image.new("RGBA", (width, height), "black"), io.BytesIO()
    image.paste((0, 0, 0, 0), clear or (0, 0, width, height))
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]", "images"])
def test_a_form_edits_whatever_its_client_calls_the_image(
    door: httpx.Client, picture: Files, name: str
) -> None:
    form = {"model": "qwen-image-2.0", "prompt": "a hat", "n": "1", "watermark": "false"}
    answer = door.post(PATH, data=form, files={name: ("cat.png", picture(640, 512), "image/png")})
    assert answer.status_code == 200, answer.text
    assert image_of(answer).size == (640, 512)
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == 256


def test_several_images_come_in_order(client: httpx.Client, picture: Files) -> None:
    files = [("image[]", ("a.png", picture(640, 512))), ("image[]", ("b.png", picture(512, 512)))]
    form = {"model": "qwen-image-2.0", "prompt": "together"}
    answer = client.post(PATH, data=form, files=files)
    assert image_of(answer).size == (640, 512)
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == 512


@pytest.mark.parametrize(
    "fields",
    [
        lambda url: {"image": url},
        lambda url: {"images": [{"image_url": url}]},
        lambda url: {"images": [{"image_url": {"url": url}}], "mask": None},
    ],
)
def test_json_edits_too(client: httpx.Client, picture: Files, fields: Any) -> None:
    body = {"model": "qwen-image-2.0", "prompt": "a hat", **fields(data_url(picture(640, 512)))}
    assert image_of(client.post(PATH, json=body)).size == (640, 512)


def test_an_edit_as_a_task_says_so(client: httpx.Client, picture: Files) -> None:
    form = {"model": "gpt-image-2", "prompt": "a hat"}
    task = client.post(PATH, data=form, files={"image": picture(512, 512)}).json()
    assert (task["object"], task["mode"]) == ("image.generation.task", "edit")


def test_an_idempotency_key_holds_over_the_boundary_that_each_repeat_changes(
    client: httpx.Client, picture: Files
) -> None:
    form = {"model": "qwen-image-2.0", "prompt": "a hat"}
    files = {"image": picture(512, 512)}
    headers = [
        {"Idempotency-Key": "one", "Content-Type": f"multipart/form-data; boundary={boundary}"}
        for boundary in ("first", "second")
    ]
    answers = [client.post(PATH, data=form, files=files, headers=one) for one in headers]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    files = {"image": picture(512, 512, colour="red")}
    assert client.post(PATH, data=form, files=files, headers=headers[0]).status_code == 409


class TestMask:
    """Painted only where the mask allows."""

    @pytest.fixture
    def asked(self, client_of: Clients, picture: Files) -> Any:
        engine = Engine()

        def asked(mask: bytes, **fields: str) -> httpx.Response:
            with client_of(engine, timeout=60) as client:
                form = {"model": "qwen-image-2.0", "prompt": "watercolour, at night", **fields}
                files = {"image": picture(512, 512), "mask": mask}
                return client.post(PATH, data=form, files=files)

        yield asked
        engine.close()

    def test_what_lies_outside_is_as_it_was_to_the_pixel(self, asked: Any, picture: Files) -> None:
        image = image_of(asked(mask(512, 512, (128, 64, 384, 448))))
        before = Image.open(io.BytesIO(picture(512, 512))).convert("RGB")
        inside = image.crop((128, 64, 384, 448))
        assert inside.tobytes() != before.crop((128, 64, 384, 448)).tobytes()
        image.paste(before.crop((128, 64, 384, 448)), (128, 64))
        assert image.convert("RGB").tobytes() == before.tobytes()

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_it_is_looked_at_upright_as_the_photo_it_was_made_of(
        self, asked: Any, picture: Files, orientation: int
    ) -> None:
        box = (40, 64, 300, 480)
        upright = Image.open(io.BytesIO(mask(512, 512, box)))
        image = image_of(asked(stored(upright, orientation)))
        before = Image.open(io.BytesIO(picture(512, 512))).convert("RGB")
        image.paste(before.crop(box), box[:2])
        assert image.convert("RGB").tobytes() == before.tobytes()

    def test_its_size_is_the_images(self, asked: Any) -> None:
        answer = asked(mask(512, 500))
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "mask")

    def test_one_without_alpha_would_allow_nothing(self, asked: Any, picture: Files) -> None:
        error = asked(picture(512, 512)).json()["error"]
        assert error["param"] == "mask"
        assert "no alpha channel" in error["message"]

    def test_a_second_one_is_refused(self, client: httpx.Client, picture: Files) -> None:
        form = {"model": "qwen-image-2.0", "prompt": "a hat"}
        masks = [("mask", ("m.png", mask(512, 512)))] * 2
        files = [("image", ("a.png", picture(512, 512))), *masks]
        answer = client.post(PATH, data=form, files=files)
        assert answer.json()["error"]["message"].startswith("mask must be one image")

    def test_it_is_no_input_picture(self, asked: Any) -> None:
        assert asked(mask(512, 512)).json()["usage"]["input_tokens_details"]["image_tokens"] == 256


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "a hat"}, "model is required"),
        ({"model": "qwen-image-2.0"}, "prompt is required"),
        ({"model": "qwen-image-2.0", "prompt": "x", "n": "many"}, "ImageRequest.n of type uint"),
        ({"model": "qwen-image-2.0", "prompt": "x", "n": "²"}, "ImageRequest.n of type uint"),
        ({"model": "qwen-image-2.0", "prompt": "x", "n": "9" * 5000}, "ImageRequest.n of type"),
        ({"model": "dall-e-3", "prompt": "x"}, "gpt-image-1 and qwen-image-2.0 do"),
        ({"model": "gpt-image-1", "prompt": "x", "stream": "true"}, "stream=true"),
    ],
)
def test_a_mistake_in_a_form_is_named(
    client: httpx.Client, picture: Files, fields: dict[str, str], words: str
) -> None:
    answer = client.post(PATH, data=fields, files={"image": picture(512, 512)})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "image is required"),
        ({"images": [{"file_id": "file-1"}]}, "send image_url"),
        ({"image": "data:image/png;base64,AAAA"}, "could not be read"),
    ],
)
def test_a_mistake_in_json_is_named(
    client: httpx.Client, body: dict[str, object], words: str
) -> None:
    answer = client.post(PATH, json={"model": "qwen-image-2.0", "prompt": "x", **body})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_a_field_that_is_left_empty_asks_for_nothing(client: httpx.Client, picture: Files) -> None:
    form = {"model": "qwen-image-2.0", "prompt": "a hat", "n": "", "size": "", "user": ""}
    assert image_of(client.post(PATH, data=form, files={"image": picture(640, 512)}))


def test_too_many_images_are_counted(client: httpx.Client, picture: Files) -> None:
    form = {"model": "gpt-image-1", "prompt": "a hat"}
    files = [("image[]", (f"{n}.png", picture(64, 64))) for n in range(18)]
    answer = client.post(PATH, data=form, files=files)
    assert answer.status_code == 400
    assert "at most 16 images" in answer.json()["error"]["message"]


def test_a_form_without_files_is_told_what_to_send(client: httpx.Client) -> None:
    answer = client.post(PATH, data={"model": "gpt-image-1", "prompt": "a hat"})
    assert answer.status_code == 400
    assert "multipart" in answer.json()["error"]["message"]


@pytest.mark.parametrize("head", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_can_not_be_read_is_refused(client: httpx.Client, head: str) -> None:
    answer = client.post(PATH, content=b"--x\r\nnonsense", headers={"Content-Type": head})
    assert answer.status_code == 400, answer.text
