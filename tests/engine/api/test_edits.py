"""The `image` field: every form of it, and every way to abuse it."""

from __future__ import annotations

import base64
import contextlib
import io
import socketserver
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.work.fetch import fetch, is_public
from opeai_nb.engine.work.image_inputs import bytes_max, decoded, references
from tests.engine.conftest import Answers, Files

MODEL = "qwen-image-2.0"


@pytest.fixture
def text(picture: Files) -> str:
    return base64.b64encode(picture(600, 500)).decode()


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        lambda text: f"data:image/png;base64,{text}",
        lambda text: f"DATA:image/png;name=x.png;base64,{text}",
        lambda text: [text],
        lambda text: [text, f"data:image/png;base64,{text}"],
        lambda text: {"url": f"data:image/png;base64,{text}"},
        lambda text: {"image_url": f"data:image/png;base64,{text}"},
        lambda text: {"image_url": {"url": f"data:image/png;base64,{text}"}},
        lambda text: {"b64_json": text},
        lambda text: [{"b64_json": text}, {"image_url": f"data:image/png;base64,{text}"}],
        lambda text: text.rstrip("="),
        lambda text: "\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
    ],
)
def test_every_form_of_image_makes_an_edit(
    create: Answers, text: str, form: Callable[[str], object]
) -> None:
    (item,) = create(image=form(text)).json()["data"]
    painted = Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))
    assert painted.size == (600, 500)
    assert painted.getpixel((10, 10)) == (0, 128, 128)


@pytest.mark.parametrize("image", [None, "", []])
def test_an_empty_image_is_no_edit(create: Answers, image: object) -> None:
    assert create("dall-e-3", image=image).status_code == 200


def test_a_size_that_is_asked_wins_over_the_inputs(create: Answers, text: str) -> None:
    (item,) = create(image=text, size="512x512").json()["data"]
    assert Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).size == (512, 512)


def test_an_edit_as_a_task_says_so(create: Answers, text: str) -> None:
    assert create("gpt-image-2", image=text).json()["mode"] == "edit"


def test_the_engines_own_picture_urls_are_read_from_the_store(create: Answers, text: str) -> None:
    url = create(response_format="url", size="512x512").json()["data"][0]["url"]
    (item,) = create(image=url).json()["data"]
    assert Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).size == (512, 512)


PROXIED = {
    "X-Forwarded-Host": "hub.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/user/a/proxy/8000",
}


@pytest.mark.parametrize(
    ("made", "edited"),
    [
        (PROXIED, PROXIED),
        (PROXIED, {}),
        ({"Host": "127.0.0.1:8000"}, {"Host": "localhost:8000"}),
        ({"Host": "LocalHost:8000"}, {"Host": "localhost:8000"}),
        ({"Host": "[::1]:8000"}, {}),
    ],
)
def test_a_picture_is_the_engines_own_under_whatever_name_it_was_made(
    client: httpx.Client, made: dict[str, str], edited: dict[str, str]
) -> None:
    body = {"model": "qwen-image-2.0", "prompt": "a cat", "response_format": "url"}
    answer = client.post("/v1/images/generations", json=body, headers=made)
    edit = {**body, "image": answer.json()["data"][0]["url"]}
    answer = client.post("/v1/images/generations", json=edit, headers=edited)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("change", [("/pictures/", "/pictures/0"), ("Signature=", "Signature=x")])
def test_a_picture_under_another_name_needs_its_signature(
    client: httpx.Client, change: tuple[str, str]
) -> None:
    body = {"model": "qwen-image-2.0", "prompt": "a cat", "response_format": "url"}
    host = {"Host": "127.0.0.1:8000"}
    answer = client.post("/v1/images/generations", json=body, headers=host)
    edit = {**body, "image": answer.json()["data"][0]["url"].replace(*change)}
    answer = client.post("/v1/images/generations", json=edit)
    assert answer.json()["error"]["code"] == "InvalidURL"


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (7, "invalid_image"),
        (True, "invalid_image"),
        ({}, "invalid_image"),
        ({"file": "x"}, "invalid_image"),
        ([""], "invalid_image"),
        ([None], "invalid_image"),
        ([[[[["x"]]]]], "invalid_image"),
        ("not base64!", "invalid_image"),
        ("file:///etc/passwd", "invalid_image"),
        ("data:text/html;base64,eA==", "invalid_image"),
        ("data:image/png,abc", "invalid_image"),
        ("bm90IGFuIGltYWdl", "invalid_image"),
        (["eA=="] * 17, "invalid_image"),
        (["eA=="] * 4, "invalid_image_request"),
        ("http://127.0.0.1:1/x.png", "InvalidURL"),
        ("http://localhost/x.png", "InvalidURL"),
        ("http://[::1]/x.png", "InvalidURL"),
        ("http://169.254.169.254/latest/meta-data", "InvalidURL"),
        ("http://10.0.0.1/", "InvalidURL"),
        ("http://2130706433/", "InvalidURL"),
        ("http://0x7f.1/", "InvalidURL"),
        ("http:///x.png", "InvalidURL"),
        ("http://[bad/x.png", "InvalidURL"),
        ("https://user:pw@127.0.0.1/", "InvalidURL"),
        ("http://engine.invalid/pictures/unknown.png", "InvalidURL"),
        ("http://engine.invalid/v1/models", "InvalidURL"),
    ],
)
def test_an_image_that_can_not_be_had_is_refused(create: Answers, image: object, code: str) -> None:
    answer = create(image=image)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_model_that_does_not_edit_refuses_an_image(create: Answers, text: str) -> None:
    answer = create("qwen-image-plus", image=text)
    assert answer.status_code == 400
    assert "does not accept image input" in answer.json()["error"]["message"]


def test_wan_image_takes_one_to_four(create: Answers, text: str) -> None:
    assert create("wan2.6-image", image=[text] * 4).status_code == 200
    assert create("wan2.6-image", image=[text] * 5).status_code == 400


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be *width* by *height*."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("size", [(5001, 5000), (10_000, 10_000), (60_000, 60_000)])
def test_an_image_bomb_is_refused(create: Answers, size: tuple[int, int]) -> None:
    answer = create(image=base64.b64encode(bomb(*size)).decode())
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_image"


def test_a_truncated_image_is_refused(create: Answers, picture: Files) -> None:
    answer = create(image=base64.b64encode(picture(300, 300, "JPEG")[:-200]).decode())
    assert answer.status_code == 400


@pytest.mark.parametrize(("vendor", "megabytes"), [("aliyun", 10), ("openai", 20)])
def test_an_input_has_its_vendors_limit_in_bytes(vendor: str, megabytes: int) -> None:
    with pytest.raises(ApiError, match=f"at most {megabytes} MB"):
        decoded("A" * (megabytes * 4 * 2**20 // 3 + 100), bytes_max(vendor))


def test_a_phone_sized_photo_is_reduced_before_painting(create: Answers, picture: Files) -> None:
    photo = base64.b64encode(picture(5000, 4000, "JPEG")).decode()
    (item,) = create(image=photo).json()["data"]
    painted = Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))
    assert painted.size[0] == 2048


def test_references_keep_their_order() -> None:
    assert references(["a", {"url": "b"}, {"image_url": {"url": "c"}}]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fec0::1", False),
        ("64:ff9b:1::1", False),
        ("2606:4700::5efe:a00:1", False),
        ("2606:4700::200:5efe:7f00:1", False),
        ("2606:4700::5efe:808:808", True),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("64:ff9b::808:808", True),
        ("2002:808:808::", True),
    ],
)
def test_only_public_addresses_are_fetched_from(address: str, public: bool) -> None:
    assert is_public(address) is public


class TestFetch:
    """Against a server of raw answers on loopback, which the real rule would refuse."""

    @pytest.fixture
    def serve(self) -> Iterator[Callable[..., str]]:
        with contextlib.ExitStack() as stack:

            def serve(*answers: bytes, hold: threading.Event | None = None) -> str:
                left = iter(answers)

                class Handler(socketserver.BaseRequestHandler):
                    def handle(self) -> None:
                        self.request.recv(65_536)
                        with contextlib.suppress(OSError):
                            self.request.sendall(next(left))
                            if hold is not None:
                                hold.wait(30)

                server = stack.enter_context(
                    socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
                )
                server.daemon_threads = True
                threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
                stack.callback(server.shutdown)
                if hold is not None:
                    stack.callback(hold.set)
                return f"http://127.0.0.1:{server.server_address[1]}"

            yield serve

    @staticmethod
    def get(url: str, bytes_max: int = 1000, seconds: float = 10.0) -> bytes:
        return fetch(url, bytes_max, seconds=seconds, allowed=lambda address: True)

    def test_a_body_is_returned_whole(self, serve: Callable[..., Any]) -> None:
        url = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
        assert self.get(url + "/a?b=c%2F") == b"abc"

    def test_a_redirect_is_followed(self, serve: Callable[..., Any]) -> None:
        url = serve(
            b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
        )
        assert self.get(url) == b"abc"

    def test_redirects_are_counted(self, serve: Callable[..., Any]) -> None:
        url = serve(*[b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"] * 5)
        with pytest.raises(ApiError, match="redirects too often"):
            self.get(url)

    def test_a_redirect_to_another_scheme_is_refused(self, serve: Callable[..., Any]) -> None:
        url = serve(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n")
        with pytest.raises(ApiError, match="only http and https"):
            self.get(url)

    def test_each_address_is_judged_also_after_a_redirect(self, serve: Callable[..., Any]) -> None:
        seen = []

        def allowed(address: str) -> bool:
            seen.append(address)
            return len(seen) == 1

        url = serve(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\n\r\n")
        with pytest.raises(ApiError, match="not on the public internet"):
            fetch(url, 1000, allowed=allowed)
        assert seen == ["127.0.0.1", "127.0.0.2"]

    def test_bytes_are_counted(self, serve: Callable[..., Any]) -> None:
        url = serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001)
        with pytest.raises(ApiError, match="at most"):
            self.get(url)

    @pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n"])
    def test_a_bad_answer_is_an_error(self, serve: Callable[..., Any], answer: Any) -> None:
        with pytest.raises(ApiError, match="failed to download"):
            self.get(serve(answer))

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"])
    def test_a_server_that_hangs_is_left_in_time(
        self, serve: Callable[..., Any], start: Any
    ) -> None:
        url = serve(start, hold=threading.Event())
        with pytest.raises(ApiError, match="failed to download"):
            self.get(url, seconds=0.05)

    def test_a_name_server_that_says_nothing_is_left_in_time(self) -> None:
        silence = threading.Event()

        def resolve(host: str) -> list[str]:
            assert host == "silent.test"
            silence.wait()
            return []

        with pytest.raises(ApiError, match="failed to download"):
            fetch("http://silent.test/a.png", 1000, seconds=0.05, resolve=resolve)
        silence.set()
