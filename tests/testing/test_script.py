"""The scripted server does what its plan says, for both kinds of client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opeai_nb.client import Client
from opeai_nb.testing import (
    Answer,
    Drop,
    Refuse,
    Script,
    Stall,
    error_answer,
    pictures_answer,
    png,
    task_answer,
)

URL = "https://platform.test/v1/images/generations"


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., httpx.Response | None]:
    """A function that sends one GET through a script, as httpx's two clients do."""

    async def later(script: Script, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=script) as client:
            return await client.get(URL, **options)

    def now(script: Script, **options: Any) -> httpx.Response:
        if request.param == "async":
            return asyncio.run(later(script, **options))
        with httpx.Client(transport=script) as client:
            return client.get(URL, **options)

    return now


class TestReplies:
    @pytest.mark.parametrize(
        ("reply", "content", "kind"),
        [
            (b"raw", b"raw", "application/octet-stream"),
            ("text ä", "text ä".encode(), "text/html"),
            ({"a": 1}, b'{"a": 1}', "application/json"),
            ([1], b"[1]", "application/json"),
            (None, b"null", "application/json"),
        ],
    )
    def test_bare_body_is_a_200(
        self, ask: Callable[..., httpx.Response | None], reply: Any, content: bytes, kind: str
    ) -> None:
        answer = ask(Script(reply))
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == kind

    def test_answer_has_its_status_and_headers(
        self, ask: Callable[..., httpx.Response | None]
    ) -> None:
        answer = ask(Script(Answer(b"x", 429, {"Retry-After": "3", "content-type": "a/b"})))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
        assert answer.headers["content-type"] == "a/b"

    def test_response_of_httpx_is_passed_on(
        self, ask: Callable[..., httpx.Response | None]
    ) -> None:
        assert ask(Script(httpx.Response(418, text="tea"))).text == "tea"

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (Refuse(), httpx.ConnectError),
            (Drop(), httpx.RemoteProtocolError),
            (Stall(), httpx.ReadTimeout),
            (Answer(b"abcdef").half(), httpx.RemoteProtocolError),
            (Answer(b"abcdef", drop_after=0), httpx.RemoteProtocolError),
            (Answer(b"abcdef", stall_after=3), httpx.ReadTimeout),
            (httpx.ReadError("mine"), httpx.ReadError),
            (KeyboardInterrupt(), KeyboardInterrupt),
        ],
    )
    def test_failure_is_that_of_a_real_server(
        self, ask: Callable[..., httpx.Response | None], reply: Any, error: type[Any]
    ) -> None:
        with pytest.raises(error):
            ask(Script(reply))

    def test_part_before_a_cut_arrives(self) -> None:
        received: list[bytes] = []
        script = Script(Answer(b"abcdef", drop_after=4, chunk=3))
        with (
            httpx.Client(transport=script) as client,
            pytest.raises(httpx.RemoteProtocolError),
            client.stream("GET", URL) as answer,
        ):
            received += answer.iter_raw()
        assert received == [b"abc", b"d"]

    @pytest.mark.parametrize(("chunk", "pieces"), [(2, 3), (None, 1), (100, 1)])
    def test_body_arrives_in_chunks(self, chunk: int | None, pieces: int) -> None:
        script = Script(Answer(b"abcdef", chunk=chunk))
        with httpx.Client(transport=script) as client, client.stream("GET", URL) as answer:
            assert len(list(answer.iter_raw())) == pieces


class TestPlan:
    def test_replies_come_in_their_order(self, ask: Callable[..., httpx.Response | None]) -> None:
        script = Script("one", "two")
        assert [ask(script).text, ask(script).text] == ["one", "two"]

    def test_function_is_given_each_request(
        self, ask: Callable[..., httpx.Response | None]
    ) -> None:
        script = Script(lambda request: request.headers["x-mine"])
        assert ask(script, headers={"x-mine": "7"}).text == "7"

    def test_request_that_nobody_planned_is_an_assertion(
        self, ask: Callable[..., httpx.Response | None]
    ) -> None:
        with pytest.raises(AssertionError, match=f"nothing is planned for GET {URL}"):
            ask(Script())

    def test_requests_are_kept(self) -> None:
        script = Script(pictures_answer(png()))
        Client(transport=script, base_url="https://p.test").generate("a fox", n=2)
        (request,) = script.posts
        assert (request.method, json.loads(request.content)["n"]) == ("POST", 2)
        assert script.sent == [{"model": "qwen-image-2.0", "prompt": "a fox", "n": 2}]
        assert repr(script) == "<Script: 1 requests so far>"


class TestAnswers:
    def test_pictures_are_bytes_or_urls(self) -> None:
        first, second = pictures_answer(b"x", "https://x.test/1", usage={"a": 1}).body["data"]
        assert (first["b64_json"], first["url"]) == ("eA==", "")
        assert (second["b64_json"], second["url"]) == ("", "https://x.test/1")

    def test_task_is_the_platforms_object(self) -> None:
        body = task_answer("IN_PROGRESS", id="image_7", progress=30).body
        assert (body["id"], body["task_id"], body["status"]) == (
            "image_7",
            "image_7",
            "IN_PROGRESS",
        )
        assert (body["object"], body["progress"]) == ("image.generation.task", 30)

    def test_error_has_the_platforms_envelope(self) -> None:
        answer = error_answer("no", status=403, code="access_denied")
        assert answer.status == 403
        assert answer.body["error"]["code"] == "access_denied"

    def test_png_is_a_real_one(self) -> None:
        from io import BytesIO

        from PIL import Image

        image = Image.open(BytesIO(png(7, 5, (1, 2, 3))))
        image.load()
        assert (image.size, image.getpixel((6, 4))) == ((7, 5), (1, 2, 3))


def test_documented_example_runs() -> None:
    import opeai_nb.testing

    lines = opeai_nb.testing.__doc__.split("\n\n")[1]
    exec("\n".join(line.removeprefix("    ") for line in lines.splitlines()), {})


@pytest.mark.parametrize("module", ["opeai_nb.testing", "opeai_nb.testing.plugin"])
def test_import_is_cheap(module: str) -> None:
    code = (
        f"import sys, pytest, {module}\n"
        "dear = {'httpx', 'PIL', 'numpy', 'starlette', 'ipywidgets', 'IPython', 'pybase64'}\n"
        "print(sorted(dear & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
