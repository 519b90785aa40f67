"""What sync models answer: platform.md 1.2, 1.3, and each vendor's own shape."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import ENGINE_URL, Engine
from tests.engine.conftest import Answers, Clients, Clock, Swatches


def size_of(item: dict[str, Any]) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).size


def test_the_defaults_are_the_documented_ones(create: Answers, clock: Clock) -> None:
    answer = create().json()
    assert answer["created"] == int(clock.now)
    (item,) = answer["data"]
    assert item["url"] == ""
    assert item["revised_prompt"] == "a cat"
    assert size_of(item) == (1024, 1024)


def test_usage_counts_pictures_and_adds_up(create: Answers) -> None:
    usage = create(n=3, size="512x512").json()["usage"]
    assert usage["generated_images"] == 3
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert sum(usage["input_tokens_details"].values()) == usage["input_tokens"]


def test_the_body_is_as_long_as_it_says(create: Answers) -> None:
    answer = create(n=2, size="512x512")
    assert len(answer.content) == int(answer.headers["content-length"])


def data_of(answer: httpx.Response) -> list[str]:
    return [item["b64_json"] for item in answer.json()["data"]]


def test_pictures_of_a_batch_differ_and_so_do_those_of_equal_requests(create: Answers) -> None:
    pictures = [data for _ in range(3) for data in data_of(create(n=2, size="512x512"))]
    assert len(set(pictures)) == 6


def test_a_batch_asked_in_equal_parts_has_no_picture_twice(create: Answers) -> None:
    whole = data_of(create(n=3, size="512x512"))
    assert [data_of(create(size="512x512"))[0] for _ in range(3)] == whole


def test_another_engine_paints_the_same_sequence(
    create: Answers, client_of: Clients, painter: Swatches
) -> None:
    here = [data_of(create(size="512x512")) for _ in range(3)]
    body = {"model": "qwen-image-2.0", "prompt": "a cat", "size": "512x512"}
    with client_of(Engine(painter=painter)) as client:
        there = [data_of(client.post("/v1/images/generations", json=body)) for _ in range(3)]
    assert there == here


def test_a_repeated_idempotency_key_is_no_further_request(client: httpx.Client) -> None:
    def asked(key: str) -> list[str]:
        body = {"model": "qwen-image-2.0", "prompt": "a cat", "n": 2, "size": "512x512"}
        headers = {"Idempotency-Key": key}
        return data_of(client.post("/v1/images/generations", json=body, headers=headers))

    first, again, second = asked("one"), asked("one"), asked("two")
    assert again == first
    assert not set(first) & set(second)


def test_an_idempotency_key_left_empty_is_none(client: httpx.Client) -> None:
    for prompt in ("a cat", "a dog"):
        body = {"model": "qwen-image-2.0", "prompt": prompt, "size": "512x512"}
        headers = {"Idempotency-Key": ""}
        answer = client.post("/v1/images/generations", json=body, headers=headers)
        assert answer.status_code == 200, answer.text


def test_an_idempotency_key_holds_for_one_dialect(client: httpx.Client) -> None:
    body = {"model": "qwen-image-2.0", "prompt": "a cat", "input": {"prompt": "a cat"}}
    answers = [
        client.post(path, json=body, headers={"Idempotency-Key": "one"}).status_code
        for path in ("/v1/images/generations", "/aliyun/v1/images/generations")
    ]
    assert answers == [200, 409]


def test_a_url_answer_has_an_empty_b64_json_and_its_url_holds_the_picture(
    create: Answers, engine: Engine, client_of: Clients
) -> None:
    (item,) = create(response_format="url", size="512x512").json()["data"]
    assert item["b64_json"] == ""
    assert item["url"].startswith(f"{ENGINE_URL}/pictures/")
    with client_of(engine) as client:
        client.headers.pop("Authorization")
        answer = client.get(item["url"])
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (512, 512)


@pytest.mark.parametrize(
    ("model", "fields", "keys"),
    [
        ("qwen-image-2.0", {}, {"url", "b64_json", "revised_prompt"}),
        ("wan2.6-t2i", {}, {"url", "b64_json", "revised_prompt"}),
        ("doubao-seedream-4.5", {}, {"b64_json", "size"}),
        ("doubao-seedream-4.5", {"response_format": "url"}, {"url", "size"}),
        ("gpt-image-1", {}, {"b64_json"}),
        ("gpt-image-1", {"response_format": "url"}, {"b64_json"}),
        ("dall-e-3", {}, {"b64_json", "revised_prompt"}),
        ("dall-e-3", {"response_format": "url"}, {"url", "revised_prompt"}),
    ],
)
def test_items_have_their_vendors_shape(
    create: Answers, model: str, fields: dict[str, Any], keys: set[str]
) -> None:
    (item,) = create(model, **fields).json()["data"]
    assert set(item) == keys


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("qwen-image-2.0", (1024, 1024)),
        ("qwen-image-plus", (1328, 1328)),
        ("gpt-image-1", (1024, 1024)),
        ("doubao-seedream-4.5", (2048, 2048)),
        ("dall-e-2", (1024, 1024)),
    ],
)
def test_an_omitted_size_is_the_models_own(
    create: Answers, model: str, size: tuple[int, int]
) -> None:
    assert size_of(create(model).json()["data"][0]) == size


def test_wan_answers_with_urls_whatever_is_asked(create: Answers) -> None:
    (item,) = create("wan2.6-t2i", response_format="b64_json").json()["data"]
    assert item["b64_json"] == ""
    assert item["url"]


def test_wan_takes_either_sign_in_size(create: Answers) -> None:
    assert create("wan2.6-t2i", size="1280*1280").status_code == 200
    assert create("wan2.6-t2i", size="1280x1280").status_code == 200


def test_seedream_answers_jpeg_under_its_upstream_name(
    create: Answers,
) -> None:
    answer = create("doubao-seedream-4.5").json()
    assert answer["model"] == "seedream-4-5-251128"
    assert answer["data"][0]["size"] == "2048x2048"
    assert base64.b64decode(answer["data"][0]["b64_json"])[:3] == b"\xff\xd8\xff"


def test_seedream_may_make_fewer_pictures_than_n(create: Answers) -> None:
    counts = {
        len(create("doubao-seedream-4.0", n=4, size="1K", prompt=p).json()["data"]) for p in "ab"
    }
    assert counts == {3, 4}


def test_seedream_makes_one_picture_when_sequences_are_disabled(
    create: Answers,
) -> None:
    answer = create("doubao-seedream-4.0", n=4, size="1K", sequential_image_generation="disabled")
    assert len(answer.json()["data"]) == 1


@pytest.mark.parametrize(
    ("format_", "magic"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8"), ("webp", b"RIFF")]
)
def test_gpt_image_answers_in_the_format_that_is_asked(
    create: Answers, format_: str, magic: bytes
) -> None:
    answer = create("gpt-image-1", output_format=format_).json()
    assert answer["output_format"] == format_
    assert base64.b64decode(answer["data"][0]["b64_json"]).startswith(magic)


@pytest.mark.parametrize("field", ["quality", "style", "user", "output_format", "background"])
def test_an_ignored_field_is_not_even_judged(create: Answers, field: str) -> None:
    assert create("wan2.6-t2i", **{field: "nonsense"}).status_code == 200


def test_null_means_omitted(create: Answers) -> None:
    nulls = dict.fromkeys(["n", "size", "quality", "response_format", "image", "stream"])
    assert create(**nulls).status_code == 200


def test_unknown_fields_are_dropped(create: Answers) -> None:
    assert create(seed=1, negative_prompt=["x"], aspect_ratio={}).status_code == 200


def test_an_n_of_zero_is_one(create: Answers) -> None:
    assert len(create(n=0).json()["data"]) == 1


def test_a_lone_surrogate_in_a_prompt_is_replaced(client: httpx.Client) -> None:
    body = b'{"model": "qwen-image-2.0", "prompt": "a \\ud800 cat", "size": "512x512"}'
    answer = client.post("/v1/images/generations", content=body)
    assert answer.json()["data"][0]["revised_prompt"] == "a \N{REPLACEMENT CHARACTER} cat"


def test_every_answer_has_a_request_id(client: httpx.Client) -> None:
    for path in ("/v1/models", "/v1/nothing", "/pictures/x", "/openapi.json"):
        assert client.get(path).headers["X-Oneapi-Request-Id"]


def test_picture_urls_start_with_base_url_where_one_is_given(
    painter: Swatches, client_of: Clients
) -> None:
    engine = Engine(painter=painter, base_url="https://pictures.example/")
    with client_of(engine) as client:
        body = {"model": "dall-e-3", "prompt": "cat", "response_format": "url"}
        item = client.post("/v1/images/generations", json=body).json()["data"][0]
    engine.close()
    assert item["url"].startswith("https://pictures.example/pictures/")


class TestPictureUrls:
    @pytest.fixture
    def url(self, create: Answers) -> str:
        return create("dall-e-3", response_format="url").json()["data"][0]["url"]

    @pytest.fixture
    def bare(self, engine: Engine, client_of: Clients) -> Iterator[httpx.Client]:
        with client_of(engine) as client:
            client.headers.pop("Authorization")
            yield client

    def test_a_url_lives_as_long_as_its_vendor_says(
        self, bare: httpx.Client, url: str, clock: Clock
    ) -> None:
        clock.pass_(3599)
        assert bare.get(url).status_code == 200
        clock.pass_(2)
        answer = bare.get(url)
        assert answer.status_code == 403
        assert "Request has expired" in answer.text
        assert answer.headers["content-type"] == "application/xml"

    def test_an_authorization_header_is_refused(self, client: httpx.Client, url: str) -> None:
        assert client.get(url).status_code == 400

    def test_a_query_that_was_encoded_again_is_refused(self, bare: httpx.Client, url: str) -> None:
        assert bare.get(url.replace("%3D", "=")).status_code == 403
        assert bare.get(url.partition("?")[0]).status_code == 403

    @pytest.mark.parametrize(
        "path",
        ["/pictures/../../etc/passwd", "/pictures/%2e%2e%2fx", "/pictures/%00", "/pictures/"],
    )
    def test_tricks_in_the_path_find_nothing(self, bare: httpx.Client, path: str) -> None:
        url = httpx.URL(f"{ENGINE_URL}/").copy_with(raw_path=path.encode())
        assert bare.get(url).status_code == 404
