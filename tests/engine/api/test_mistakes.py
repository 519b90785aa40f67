"""The error envelope and status of each mistake: platform.md 1.5, 2.4, 2.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import Engine
from tests.engine.conftest import Answers, Clients, Swatches

INVALID = "invalid_image_request"


@pytest.mark.parametrize(
    ("fields", "status", "code", "words"),
    [
        ({"size": "1024×1024"}, 400, INVALID, "use 'x' instead of the multiplication sign"),
        ({"size": "huge"}, 400, "InvalidParameter", "Invalid size 'huge'"),
        ({"size": "99999x99999"}, 400, "InvalidParameter", "Invalid size"),
        ({"size": "256x256"}, 400, "InvalidParameter", "Invalid size"),
        ({"prompt": ""}, 400, INVALID, "prompt is required"),
        ({"prompt": " \n"}, 400, INVALID, "prompt is required"),
        ({"prompt": None}, 400, INVALID, "prompt is required"),
        ({"prompt": "x" * 801}, 400, "InvalidParameter", "at most 800 characters"),
        ({"prompt": 7}, 400, INVALID, "ImageRequest.prompt of type string"),
        ({"model": ""}, 400, INVALID, "model is required"),
        ({"model": None}, 400, INVALID, "model is required"),
        ({"model": "nobody"}, 503, "model_not_found", "No available channel for model nobody"),
        ({"n": 7}, 400, "InvalidParameter", "n must be between 1 and 6"),
        ({"n": 10**30}, 400, INVALID, "n must be an integer between 1 and 128"),
        ({"n": -1}, 400, INVALID, "ImageRequest.n of type uint"),
        ({"n": "2"}, 400, INVALID, "cannot unmarshal string into"),
        ({"n": True}, 400, INVALID, "cannot unmarshal bool into"),
        ({"n": 1.5}, 400, INVALID, "cannot unmarshal number into"),
        ({"stream": True}, 400, INVALID, "stream=true is not supported"),
        ({"watermark": "yes"}, 400, INVALID, "ImageRequest.watermark of type bool"),
        ({"model": "gpt-image-1", "size": "1000x1000"}, 400, "invalid_value", "Invalid size"),
        ({"model": "gpt-image-1", "quality": "hd"}, 400, "invalid_value", "quality must be one"),
        ({"model": "gpt-image-1", "output_format": "gif"}, 400, "invalid_value", "output_format"),
        (
            {"model": "gpt-image-1", "output_format": "jpeg", "background": "transparent"},
            400,
            "invalid_value",
            "requires output_format png or webp",
        ),
        ({"model": "gpt-image-1", "output_compression": 101}, 400, "invalid_value", "0 and 100"),
        ({"model": "gpt-image-2", "size": "1000x1000"}, 400, "invalid_value", "Invalid size"),
        ({"model": "dall-e-3", "n": 2}, 400, "invalid_value", "n must be between 1 and 1"),
        ({"model": "dall-e-3", "size": "512x512"}, 400, INVALID, "size must be one of"),
        ({"model": "dall-e-3", "style": "cubist"}, 400, "invalid_value", "style must be one of"),
        ({"model": "qwen-image-plus", "size": "1024x1024"}, 400, "InvalidParameter", "1328x1328"),
        ({"model": "wan2.6-t2i", "size": "1024x1024"}, 400, "InvalidParameter", "1280x1280"),
        ({"model": "wan2.6-image"}, 400, INVALID, "1 to 4 images"),
        (
            {"model": "doubao-seedream-4.5", "size": "1024x1024"},
            400,
            "InvalidParameter",
            "at least 3686400 pixels",
        ),
        (
            {"model": "doubao-seedream-4.5", "sequential_image_generation": "maybe"},
            400,
            "InvalidParameter",
            "must be one of: disabled, auto",
        ),
    ],
)
def test_a_mistake_gets_its_documented_error(
    create: Answers,
    fields: dict[str, Any],
    status: int,
    code: str,
    words: str,
) -> None:
    answer = create(**fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert words in error["message"]
    request_id = answer.headers["X-Oneapi-Request-Id"]
    assert error["message"].endswith(f"(request id: {request_id})")


def test_a_wrong_response_format_gets_the_platforms_own_example_to_the_letter(
    create: Answers,
) -> None:
    answer = create(response_format="png")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "message": "response_format must be one of: b64_json, url",
            "type": "invalid_request_error",
            "code": INVALID,
        }
    }


@pytest.mark.parametrize("missing", ["prompt", "model"])
def test_a_required_field_that_is_not_there_is_named(client: httpx.Client, missing: str) -> None:
    body = {"model": "qwen-image-2.0", "prompt": "a cat"}
    del body[missing]
    error = client.post("/v1/images/generations", json=body).json()["error"]
    assert (error["code"], f"{missing} is required" in error["message"]) == (INVALID, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"12",
        b"\xff\xfe\x00",
        b'{"n": NaN}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/images/generations", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request_body"


def test_a_body_of_200_mb_is_refused_and_not_held_in_memory(door: httpx.Client) -> None:
    chunk = b" " * 1_000_000

    def chunks() -> Iterator[bytes]:
        for _ in range(200):
            yield chunk

    answer = door.post("/v1/images/generations", content=chunks(), timeout=60)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "read_request_body_failed"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "sk-any"])
def test_a_request_without_a_bearer_key_is_refused(
    client: httpx.Client, header: str | None
) -> None:
    client.headers.pop("Authorization")
    headers = {} if header is None else {"Authorization": header}
    answer = client.post("/v1/images/generations", json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("未提供令牌")


def test_a_key_that_is_demanded_is_compared_whole_and_never_echoed(
    painter: Swatches, client_of: Clients
) -> None:
    engine = Engine(painter=painter, key="sk-right")
    with client_of(engine) as client:
        for given, status in [("sk-right", 200), ("sk-wrong", 401), ("sk-righ", 401), ("é", 401)]:
            header = {b"Authorization": f"Bearer {given}".encode()}
            answer = client.get("/v1/models", headers=header)
            assert answer.status_code == status
            if status == 401:
                assert "sk-" not in answer.text
    engine.close()
    assert "sk-right" not in repr(engine)


def test_an_unknown_path_or_method_is_the_gateways_404(client: httpx.Client) -> None:
    answer = client.get("/v1/pictures")
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "Invalid URL (GET /v1/pictures)",
        "type": "invalid_request_error",
        "param": "",
        "code": "",
    }
    assert client.delete("/v1/models").status_code == 404


def test_variations_are_refused_for_good_and_say_what_to_send(client: httpx.Client) -> None:
    answer = client.post("/v1/images/variations")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "api_not_implemented")
    assert "/v1/images/edits" in error["message"]


def test_a_form_is_told_where_forms_are_taken(client: httpx.Client) -> None:
    answer = client.post("/v1/images/generations", files={"image": b"x"}, data={"prompt": "a cat"})
    assert answer.status_code == 400
    assert "/v1/images/edits takes multipart forms" in answer.json()["error"]["message"]


def test_an_unknown_model_is_shown_as_documented(client: httpx.Client) -> None:
    answer = client.get("/v1/models/unknown-model")
    assert answer.status_code == 200
    assert answer.json() == {
        "error": {
            "message": "The model 'unknown-model' does not exist",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


def test_a_painter_that_fails_is_a_500_and_the_engine_lives_on(
    client_of: Clients, painter: Swatches, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Swatches):
        def paint(self, prompt: str, size: tuple[int, int], /, **manner: Any) -> Image.Image:
            if prompt == "break":
                raise RuntimeError("out of paint")
            return super().paint(prompt, size, **manner)

    engine = Engine(painter=Broken())
    with client_of(engine) as client:
        body = {"model": "qwen-image-2.0", "prompt": "break", "size": "512x512"}
        answer = client.post("/v1/images/generations", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
        assert "out of paint" not in answer.text
        body["prompt"] = "cat"
        assert client.post("/v1/images/generations", json=body).status_code == 200
    engine.close()
    assert "out of paint" in caplog.text


def test_the_catalogue_tells_what_is_async_only(client: httpx.Client) -> None:
    answer = client.get("/v1/models").json()
    features = {model["id"]: model["features"]["async_only"] for model in answer["data"]}
    assert answer["object"] == "list"
    assert features["gpt-image-2"] is True
    assert features["qwen-image-2.0"] is False
    assert client.get("/v1/models/gpt-image-2").json() in answer["data"]
