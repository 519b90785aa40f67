"""Whatever is sent, the answer is documented and the engine lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.engine import ENGINE_URL, Engine, EngineTransport
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import FIELD_TYPES

PATIENT = [name for name in MODELS if name not in ("rehearsal-stalled", "rehearsal-dropped")]
STATUSES = {200, 400, 409, 413, 429, 502, 503}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
sizes = st.sampled_from(["", "64x64", "1024*1024", "0x0", "1x999999", "2K", "auto", "×", "-1x5"])
fields = {
    **dict.fromkeys(FIELD_TYPES, junk),
    "model": st.sampled_from(PATIENT) | junk,
    "prompt": st.text(min_size=1, max_size=900) | junk,
    "n": st.integers(-1, 20) | junk,
    "size": sizes | st.from_regex(r"[0-9]{1,4}x[0-9]{1,4}", fullmatch=True) | junk,
    "image": st.sampled_from(["eA==", "http://127.0.0.1/", ["data:image/png;base64,"]]) | junk,
}
openai_bodies = st.fixed_dictionaries(
    {"model": fields["model"], "prompt": fields["prompt"]},
    optional={name: value for name, value in fields.items() if name not in ("model", "prompt")},
)
content = st.lists(
    st.fixed_dictionaries({}, optional={"text": st.text() | junk, "image": st.text() | junk})
    | junk,
    max_size=3,
)
messages = st.lists(
    st.fixed_dictionaries({"role": st.just("user") | junk, "content": content | junk}) | junk,
    max_size=2,
)
native_bodies = st.fixed_dictionaries(
    {
        "model": st.sampled_from(PATIENT) | junk,
        "input": st.fixed_dictionaries({"messages": messages | junk}) | junk,
    },
    optional={
        "parameters": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("size", "n", "seed", "watermark"), junk)
        )
        | junk
    },
)


@pytest.fixture(scope="module")
def small() -> Iterator[httpx.Client]:
    """A client of an engine that paints one pixel whatever the size: the wire is fuzzed."""
    from PIL import Image

    class Dot:
        def paint(self, prompt: str, size: tuple[int, int], /, **manner: Any) -> Image.Image:
            return Image.new("RGB", (1, 1))

        def edit(
            self,
            images: Sequence[Image.Image],
            prompt: str,
            size: tuple[int, int],
            /,
            **manner: Any,
        ) -> Image.Image:
            return Image.new("RGB", (1, 1))

        def encode(
            self, image: object, /, output_format: str = "png", output_compression: int = 100
        ) -> bytes:
            return b"\x89PNG"

    engine = Engine(painter=Dot(), time_scale=0.0)
    with httpx.Client(
        transport=EngineTransport(engine),
        base_url=ENGINE_URL,
        headers={"Authorization": "Bearer x", "Content-Type": "application/json"},
        timeout=60,
    ) as client:
        yield client
    engine.close()


def check(answer: httpx.Response) -> None:
    assert answer.status_code in STATUSES, (answer.status_code, answer.text)
    assert answer.headers["X-Oneapi-Request-Id"]
    if answer.headers.get("content-type") == "application/json":
        body = answer.json()
        if answer.status_code >= 400:
            error = body.get("error", body)
            assert isinstance(error["message"], str)
            assert isinstance(error["code"], str)


@given(openai_bodies)
def test_any_json_gets_a_documented_answer(small: httpx.Client, body: Any) -> None:
    check(small.post("/v1/images/generations", content=json.dumps(body)))


@given(native_bodies)
def test_any_native_json_gets_a_documented_answer(small: httpx.Client, body: Any) -> None:
    check(small.post("/aliyun/v1/images/generations", content=json.dumps(body)))


@given(st.binary(max_size=200) | junk.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_get_a_documented_answer(small: httpx.Client, body: Any) -> None:
    check(small.post("/v1/images/generations", content=body))


@given(
    st.sampled_from(["/v1/images/generations/", "/pictures/", "/v1/models/", "/aliyun/v1/tasks/"]),
    st.binary(min_size=1, max_size=40),
    st.binary(max_size=20),
)
def test_any_path_gets_an_answer(small: httpx.Client, prefix: str, path: str, query: str) -> None:
    from urllib.parse import quote

    raw = f"{prefix}{quote(path, safe='')}?{quote(query)}".encode()
    answer = small.get(httpx.URL(ENGINE_URL).copy_with(raw_path=raw))
    assert answer.status_code in {200, 400, 404}, answer.text


@given(st.binary(max_size=40).filter(lambda value: not set(value) & set(b"\r\n\0")))
def test_any_header_gets_an_answer(small: httpx.Client, value: bytes) -> None:
    headers = {b"Idempotency-Key": value, b"Authorization": b"Bearer " + value, b"Host": value}
    answer = small.get("/v1/models", headers=headers)
    assert answer.status_code in {200, 401}
