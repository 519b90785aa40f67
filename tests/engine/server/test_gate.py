"""Who may ask: pages of other origins, host names, and what a person or a proxy sees first."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import httpx
import pytest

from opeai_nb.engine import Engine
from tests.engine.conftest import Answers, Clients, Swatches

PATH = "/v1/images/generations"
PREFLIGHT = {
    "Origin": "https://page.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


class TestCors:
    """A page of any origin may ask, as with the gateway."""

    def test_a_preflight_needs_no_key_and_allows_what_is_asked(self, door: httpx.Client) -> None:
        door.headers.pop("Authorization")
        answer = door.options(PATH, headers=PREFLIGHT)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
        assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_a_preflight_may_name_its_headers_in_several_lines(self, door: httpx.Client) -> None:
        lines = [*PREFLIGHT.items(), ("Access-Control-Request-Headers", "x-stainless-os")]
        allowed = door.options(PATH, headers=lines).headers["Access-Control-Allow-Headers"]
        assert allowed == "authorization,content-type,x-stainless-os"

    @pytest.mark.parametrize("path", ["/v1/models", "/openapi.json", "/pictures/none", "/none"])
    def test_every_answer_may_be_read(self, client: httpx.Client, path: str) -> None:
        answer = client.get(path, headers={"Origin": "https://page.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]

    def test_a_picture_that_was_asked_for_without_an_origin_may_be_read_later(
        self, client: httpx.Client
    ) -> None:
        assert client.get("/pictures/none").headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Origin" not in client.get("/v1/models").headers

    def test_one_origin_or_none_can_be_chosen(self, client_of: Clients) -> None:
        with client_of(Engine(cors="https://page.example")) as client:
            answer = client.get("/v1/models", headers={"Origin": "https://page.example"})
            assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
            assert answer.headers["Vary"] == "Origin"
        with client_of(Engine(cors=None)) as client:
            answer = client.options(PATH, headers=PREFLIGHT)
            assert not [name for name in answer.headers if name.startswith("access-control")]


class TestHost:
    """A name that was made to resolve to 127.0.0.1 is not the engine's own."""

    @pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1"])
    def test_its_own_names_are_answered(self, client_of: Clients, host: str) -> None:
        with client_of(Engine(hosts={"127.0.0.1", "localhost"})) as client:
            assert client.get("/v1/models", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
    def test_another_name_is_refused_with_the_way_out(
        self, client_of: Clients, method: str
    ) -> None:
        with client_of(Engine(hosts={"127.0.0.1"})) as client:
            answer = client.request(method, PATH, headers={"Host": "evil.example:8765"})
        assert answer.status_code == 403
        assert "--allow-host evil.example" in answer.json()["error"]["message"]


class TestProxy:
    """Picture URLs start where the client knows the engine."""

    @pytest.mark.parametrize(
        ("headers", "start"),
        [
            (
                {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "pics.example.org"},
                "https://pics.example.org/pictures/",
            ),
            (
                {
                    "Host": "hub.example.org",
                    "X-Forwarded-Proto": "https,http",
                    "X-ProxyContextPath": "/user/me/proxy/8765",
                },
                "https://hub.example.org/user/me/proxy/8765/pictures/",
            ),
            (
                {"Forwarded": 'for=1.2.3.4;host="a.example:81";proto=https, host=b.example'},
                "https://a.example:81/pictures/",
            ),
            ({"X-Forwarded-Prefix": "/engine/"}, "http://engine.invalid/engine/pictures/"),
            ({"X-Forwarded-Prefix": "engine"}, "http://engine.invalid/pictures/"),
            ({"X-Forwarded-Host": 'a"><script>'}, "http://engine.invalid/pictures/"),
        ],
    )
    def test_forwarded_headers_are_believed(
        self, client: httpx.Client, headers: dict[str, str], start: str
    ) -> None:
        body = {"model": "dall-e-2", "prompt": "x", "size": "256x256", "response_format": "url"}
        answer = client.post(PATH, json=body, headers=headers)
        assert answer.json()["data"][0]["url"].startswith(start)


class TestHome:
    """A browser finds a page that says what this is."""

    def test_it_names_every_model_and_how_to_ask(self, client: httpx.Client) -> None:
        models = [model["id"] for model in client.get("/v1/models").json()["data"]]
        client.headers.pop("Authorization")
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert all(f"<code>{name}</code>" in page.text for name in models)
        assert "http://engine.invalid/v1/images/generations" in page.text
        assert "<script" not in page.text

    def test_it_tells_the_last_requests_without_prompts_and_ids(
        self, create: Answers, client: httpx.Client
    ) -> None:
        task = create("gpt-image-2", prompt="my secret cat").json()["id"]
        client.get(f"{PATH}/{task}")
        for _ in range(8):
            client.get("/nowhere<b>")
        page = client.get("/").text
        assert f"POST {PATH}</code><td>200" in page
        assert f"GET {PATH}/…</code><td>200" in page
        assert "GET /nowhere&lt;b&gt;</code><td>404" in page
        assert "secret" not in page
        assert task not in page

    def test_docs_leads_to_it(self, client: httpx.Client) -> None:
        assert client.get("/docs", follow_redirects=True).url.path == "/"

    @pytest.mark.parametrize("path", ["/", "/v1/models", "/openapi.json"])
    def test_head_tells_the_length(self, door: httpx.Client, path: str) -> None:
        answer = door.head(path)
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) > 100
        assert answer.content == b""


class TestCompressedBody:
    """A body may come compressed, and may not grow beyond the limit."""

    @pytest.mark.parametrize(
        ("encoding", "compress"),
        [
            ("gzip", gzip.compress),
            ("deflate", zlib.compress),
            ("GZIP, identity", gzip.compress),
            ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
            ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
            ("gzip", lambda body: gzip.compress(body) + bytes(512)),
            ("deflate", lambda body: zlib.compress(body)[2:-4]),  # bare, as many clients send it
        ],
    )
    def test_it_is_read(
        self, client: httpx.Client, encoding: str, compress: Callable[[bytes], bytes]
    ) -> None:
        body = compress(json.dumps({"model": "qwen-image-2.0", "prompt": "a cat"}).encode())
        answer = client.post(PATH, content=body, headers={"Content-Encoding": encoding})
        assert answer.status_code == 200

    @pytest.mark.parametrize("members", [1, 2])
    def test_it_does_not_grow_beyond_the_limit(self, client: httpx.Client, members: int) -> None:
        body = gzip.compress(bytes(65 * 2**20 // members), compresslevel=1) * members
        answer = client.post(PATH, content=body, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413, answer.text

    @pytest.mark.parametrize(
        ("encoding", "body", "status"),
        [
            ("gzip", gzip.compress(b"{}", mtime=0)[:-9], 400),
            ("gzip", b"{}", 400),
            ("gzip", gzip.compress(b"{}", mtime=0) + b"more", 400),
            ("gzip", gzip.compress(b"", mtime=0) * 20, 400),
            ("deflate", b"{}", 400),
            ("br", b"{}", 415),
            (", ".join(["identity"] * 9), b"{}", 415),
        ],
    )
    def test_what_can_not_be_read_is_refused(
        self, client: httpx.Client, encoding: str, body: bytes, status: int
    ) -> None:
        answer = client.post(PATH, content=body, headers={"Content-Encoding": encoding})
        assert answer.status_code == status, answer.text


def test_a_base_url_without_v1_is_told(client: httpx.Client) -> None:
    error = client.post("/images/generations").json()["error"]
    assert error["message"] == (
        "Invalid URL (POST /images/generations); the base URL of an OpenAI client ends in /v1"
    )


def test_a_base_url_of_dashscopes_own_is_told(client: httpx.Client) -> None:
    error = client.get("/api/v1/tasks").json()["error"]
    assert error["message"].endswith("the base URL of DashScope's SDK ends in /aliyun/v1")


def test_sync_has_no_tasks_but_those_of_rehearsals(painter: Swatches, client_of: Clients) -> None:
    with client_of(Engine(painter=painter, sync=True)) as client:
        body = {"model": "gpt-image-2", "prompt": "a cat", "size": "1024x1024"}
        assert client.post(PATH, json=body).json()["data"][0]["b64_json"]
        models = client.get("/v1/models").json()["data"]
        tasks = [model["id"] for model in models if model["features"]["async_only"]]
        assert "gpt-image-2" not in tasks
        assert "rehearsal-slow" in tasks
