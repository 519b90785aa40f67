"""Picture URLs as servers in the wild serve them: fetched, or refused with what helps."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.protocol.steps import Unsent
from opeai_nb.errors import DownloadError, OpeaiError, RefusedDownloadError
from opeai_nb.testing import Answer, Script, pictures_answer, png
from tests.client.misbehaving import misbehaving
from tests.client.shells import KEY, Shell
from tests.pictures import encoded

Shells = Callable[..., Shell]
RED = png(64, 48, (200, 0, 0))
JPEG = encoded(Image.new("RGB", (64, 48), (200, 0, 0)), "JPEG")
OWN = "https://platform.test/generated/f.png"
ELSEWHERE = "https://pictures.test/f.png"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def failing(shell: Shells, url: str, *replies: Any) -> OpeaiError:
    with pytest.raises(OpeaiError) as caught:
        shell(pictures_answer(url), *replies).generate("a fox")
    return caught.value


@pytest.mark.parametrize("status", [403, 404, 425])
def test_fresh_url_that_is_not_there_yet_is_tried_again(shell: Shells, status: int) -> None:
    not_yet = Answer(b"not here yet", status=status)
    assert len(shell(pictures_answer(ELSEWHERE), not_yet, not_yet, RED).generate("a fox")) == 1


@pytest.mark.parametrize(
    "not_yet",
    [
        Answer(b"wait a moment", status=202),
        Answer({"status": "processing", "message": "still painting"}),
        Answer({"state": "queued"}, status=202),
        Answer(RED[:40], status=206, headers={"Content-Range": f"bytes 0-39/{len(RED)}"}),
    ],
    ids=["text", "JSON", "JSON and status", "a part of it"],
)
def test_fresh_url_that_says_that_it_is_not_there_yet_is_tried_again(
    shell: Shells, not_yet: Answer
) -> None:
    generation = shell(pictures_answer(ELSEWHERE), not_yet, not_yet, RED).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]


def unended(data: bytes) -> Answer:
    """Return an answer that promises more than comes before the connection is closed."""
    return Answer(data, headers={"Content-Length": "90000", "Connection": "close"})


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize("data", [RED, JPEG], ids=["png", "jpeg"])
def test_picture_that_came_to_its_end_before_a_broken_connection_is_taken(
    shell: Shells, tmp_path: Path, data: bytes, into: bool
) -> None:
    folder = tmp_path if into else None
    with misbehaving(unended(data)) as server:
        generation = Generation((Picture(url=f"{server.url}/f.png"),), ImageRequest("x"))
        fetched = shell(base_url=server.url).fetch(generation, into=folder)
        assert [picture.data for picture in fetched.pictures] == [data]
        assert len(server.requests) == 1


def test_half_a_picture_before_a_broken_connection_is_none(shell: Shells) -> None:
    with misbehaving(unended(JPEG[: len(JPEG) // 2])) as server:
        generation = Generation((Picture(url=f"{server.url}/f.png"),), ImageRequest("x"))
        with pytest.raises(DownloadError, match="broke"):
            shell(base_url=server.url).fetch(generation)
        assert len(server.requests) == 4


def test_fresh_url_that_never_comes_is_not_called_expired(shell: Shells) -> None:
    error = failing(shell, ELSEWHERE, *[Answer(b"no", status=404)] * 4)
    assert "expired" not in str(error)
    assert "not there yet" in str(error)


def test_old_url_is_asked_once_and_may_have_expired(shell: Shells) -> None:
    script = Script(Answer(b"gone", status=403))
    with pytest.raises(DownloadError, match="may have expired"):
        shell(transport=script).fetch(Generation((Picture(url=ELSEWHERE),), ImageRequest("x")))
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_own_origin_is_asked_once_more_with_the_key(shell: Shells, status: int) -> None:
    script = Script(pictures_answer(OWN), Answer(b"no key", status=status), RED)
    assert len(shell(transport=script).generate("a fox")) == 1
    keys = [request.headers.get("authorization") for request in script.requests[1:]]
    assert keys == [None, f"Bearer {KEY}"]


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.test/f.png",
        "http://platform.test/f.png",
        "https://platform.test:8443/f.png",
        "https://platform.test.evil.test/f.png",
        "https://evil.test/platform.test",
    ],
)
def test_no_other_origin_ever_gets_the_key(shell: Shells, url: str) -> None:
    script = Script(
        lambda request: (
            pictures_answer(url) if request.method == "POST" else Answer(b"no key", status=401)
        )
    )
    with pytest.raises(DownloadError):
        shell(transport=script, allow_hosts=["platform.test"]).generate("a fox")
    assert not any(request.headers.get("authorization") for request in script.requests[1:])


def test_redirect_from_the_own_origin_leaves_the_key_at_home(shell: Shells) -> None:
    moved = Answer(b"", status=302, headers={"Location": ELSEWHERE})
    script = Script(pictures_answer(OWN), Answer(b"", status=401), moved, Answer(b"no", status=401))
    with pytest.raises(DownloadError):
        shell(transport=script).generate("a fox")
    assert "authorization" not in script.requests[-1].headers


def test_query_travels_as_written_with_the_key_too(shell: Shells) -> None:
    url = f"{OWN}?X-Sig=a%2Fb+c=="
    script = Script(pictures_answer(url), Answer(b"", status=401), RED)
    shell(transport=script).generate("a fox")
    targets = [request.extensions["target"] for request in script.requests[1:]]
    assert targets == [b"/generated/f.png?X-Sig=a%2Fb+c=="] * 2


@pytest.mark.parametrize("into", [False, True])
@pytest.mark.parametrize("body", [b"expired", b'["not found"]', b"\0\1\2\3" * 9, b"PK\3\4 zip"])
def test_bytes_that_are_no_picture_are_never_kept_as_one(
    shell: Shells, tmp_path: Path, body: bytes, into: bool
) -> None:
    with pytest.raises(DownloadError, match="no picture") as caught:
        shell(pictures_answer(ELSEWHERE), body).generate(
            "a fox", **({"into": tmp_path} if into else {})
        )
    (picture,) = caught.value.pictures
    assert picture.error.answer == body
    assert caught.value.answer == pictures_answer(ELSEWHERE).content
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "body",
    [
        SVG,
        b'<?xml version="1.0"?>\n<!-- made by x -->\n' + SVG,
        b"\n  " + SVG,
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>" + SVG,
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_svg_is_kept_and_named(shell: Shells, tmp_path: Path, body: bytes, chunk: int) -> None:
    client = shell(pictures_answer(ELSEWHERE), Answer(body, chunk=chunk))
    generation = client.generate("a fox", into=tmp_path)
    (picture,) = generation.pictures
    assert picture.data == body
    assert picture.path is not None
    assert picture.path.suffix == ".svg"


def test_picture_that_ends_in_the_middle_is_fetched_again(shell: Shells) -> None:
    half = RED[: len(RED) // 2]
    assert len(shell(pictures_answer(ELSEWHERE), half, RED).generate("a fox")) == 1


@pytest.mark.parametrize("path", ["/home/user/outputs/a.jpeg", "/tmp/x.png", "file:///tmp/x.png"])
def test_path_of_the_servers_own_disk_names_the_way_out(shell: Shells, path: str) -> None:
    error = failing(shell, path, *[Answer(b"nope", status=404)] * 4)
    assert "own disk" in str(error)
    assert 'response_format="b64_json"' in str(error)
    assert "expired" not in str(error)


@pytest.mark.parametrize("url", ["s3://bucket/a.png", "gs://bucket/a.png", "ipfs://Qm1/a.png"])
def test_address_in_a_store_names_the_way_out(shell: Shells, url: str) -> None:
    error = failing(shell, url)
    assert 'response_format="b64_json"' in str(error)
    assert error.answer


def test_key_that_is_a_word_stays_in_what_is_used(shell: Shells) -> None:
    url = "https://localai.test/localai/f.png"
    script = Script(lambda r: pictures_answer(url) if r.method == "POST" else RED)
    generation = shell(transport=script, api_key="localai").generate("a localai fox")
    assert str(script.requests[1].url) == url
    assert generation.pictures[0].url == url


def test_key_that_is_a_word_is_masked_in_what_is_shown(shell: Shells) -> None:
    refused = Answer({"error": {"message": "bad key local-dev"}}, status=401)
    with pytest.raises(OpeaiError, match=r"bad key \[key\]"):
        shell(refused, api_key="local-dev").generate("a fox")


def test_key_that_is_a_word_stays_in_ids_and_models(shell: Shells) -> None:
    task = {"task_id": "task-ollama-1", "status": "QUEUED"}
    done = {"status": "SUCCESS", "model": "ollama/sdxl", **pictures_answer(RED).body}
    script = Script(lambda r: Answer(task) if r.method == "POST" else Answer(done))
    generation = shell(transport=script, api_key="ollama").generate("a fox")
    assert script.requests[1].url.path.endswith("/task-ollama-1")
    assert generation.model == "ollama/sdxl"


@pytest.mark.parametrize(
    "pasted", ['"{}"', "'{}'", "OPEAI_API_KEY={}", 'export OPEAI_API_KEY="{}"', " {}\n", "`{}`"]
)
def test_what_is_pasted_around_a_key_is_taken_off(
    shell: Shells, monkeypatch: pytest.MonkeyPatch, pasted: str
) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", pasted.format(KEY))
    script = Script(pictures_answer(RED))
    shell(transport=script, api_key=None).generate("a fox")
    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


SIGNED = "http://o.test/a.png?Expires=1&Signature=a%2Fb"


@pytest.mark.parametrize(
    ("written", "refusals"),
    [
        (SIGNED, []),
        (SIGNED.replace("&", "&amp;"), []),
        (SIGNED.replace("&", "&#38;"), []),
        (SIGNED.replace("&", "\\u0026"), []),
        (SIGNED.replace("&", "&x=1&amp;"), [403]),
        (SIGNED.replace("&", "&x=1&AMP;"), [400]),
        (f"![a fox]({SIGNED.replace('&', '&amp;')})", []),
        (f'<img src="{SIGNED.replace("&", "&amp;")}">', []),
    ],
)
def test_url_that_was_escaped_for_html_is_asked_for_as_it_was_meant(
    shell: Shells, written: str, refusals: list[int]
) -> None:
    refused = [Answer(b"<Error/>", status=status) for status in refusals]
    script = Script({"data": [{"url": written}]}, *refused, RED)
    assert len(shell(transport=script).generate("a fox")) == 1
    wanted = SIGNED.replace("&", "&x=1&") if refusals else SIGNED
    assert str(script.requests[-1].url) == wanted
    assert len(script.requests) == 2 + len(refusals)


@pytest.mark.parametrize(
    "host", ["xn--zzzzzzz-.test", "xn--.test", "a..test", "☃.test", "h.test:x"]
)
def test_host_that_is_none_costs_its_own_picture_alone(shell: Shells, host: str) -> None:
    script = Script(pictures_answer(f"http://{host}/a.png", ELSEWHERE), RED)
    generation = shell(transport=script, resolve=named).generate("a fox", n=2)
    assert [picture.error is None for picture in generation.pictures] == [False, True]
    assert len(script.posts) == 1


def named(host: str, *_: float) -> tuple[str, ...]:
    """Give every name an address, and no other text."""
    if ".." in host:
        raise Unsent("no such name")
    return ("8.8.8.8",)


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://localhost:9", "http://0.0.0.0:9"])
@pytest.mark.parametrize("there", ["http://0.0.0.0:9", "http://127.0.0.1:8", "http://[::1]:9"])
def test_address_that_a_server_listens_on_is_this_machine(
    shell: Shells, base: str, there: str
) -> None:
    script = Script(pictures_answer(f"{there}/a.png"), RED)
    homes = {"localhost": ("127.0.0.1",)}
    client = shell(transport=script, base_url=base, resolve=lambda host, *_: homes[host])
    assert len(client.generate("a fox")) == 1


B64 = b64encode(RED).decode()
LONG = {"more": "x" * 5000}


@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "body", [{"b64_json": B64}, {"data": [{"image": B64}]}, {"url": f"{OWN}?2"}], ids=list
)
def test_json_in_a_pictures_place_is_read(shell: Shells, body: Any, more: Any) -> None:
    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return pictures_answer(ELSEWHERE)
        return RED if request.url.query else Answer({**more, **body}, chunk=700)

    script = Script(answer)
    generation = shell(transport=script).generate("a fox")
    assert ([p.data for p in generation.pictures], len(script.posts)) == ([RED], 1)


def test_json_leads_nowhere_that_a_picture_may_not_be(shell: Shells) -> None:
    def answer(request: httpx.Request) -> Any:
        to = {"url": "http://169.254.169.254/x.png"}
        return pictures_answer(ELSEWHERE) if request.method == "POST" else Answer(to)

    script = Script(answer)
    with pytest.raises(RefusedDownloadError, match="private address"):
        shell(transport=script, resolve=lambda _: ("1.1.1.1",)).generate("a fox")
    assert len(script.requests) == 2


def test_json_that_leads_to_itself_ends(shell: Shells) -> None:
    script = Script(
        lambda sent: pictures_answer(OWN) if sent.method == "POST" else Answer({"url": OWN})
    )
    with pytest.raises(DownloadError, match="too many times"):
        shell(transport=script).generate("a fox")


@pytest.mark.parametrize(
    "nothing",
    [Answer(b""), Answer(b"", status=204), Answer({"status": "processing"}, status=202)],
    ids=["empty", "204", "202"],
)
def test_fresh_url_that_has_nothing_yet_is_tried_again(shell: Shells, nothing: Answer) -> None:
    plan = (pictures_answer(ELSEWHERE), nothing, nothing, RED)
    assert len(shell(*plan).generate("a fox")) == 1
    error = failing(shell, ELSEWHERE, *[nothing] * 4)
    assert "JSON came" in str(error) or "returned nothing" in str(error)


@pytest.mark.parametrize("front", [b"\xef\xbb\xbf", b"\r\n", b"\n\n\xef\xbb\xbf"])
def test_picture_behind_what_a_script_printed_is_one(shell: Shells, front: bytes) -> None:
    generation = shell(pictures_answer(ELSEWHERE), front + RED).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]


@pytest.mark.parametrize("body", [RED, b"\xff\x0a" + bytes(60)], ids=["picture", "bytes"])
@pytest.mark.parametrize("status", [200, 410])
def test_bytes_are_not_quoted_as_words(shell: Shells, body: bytes, status: int) -> None:
    if (body, status) != (RED, 200):
        error = failing(shell, ELSEWHERE, Answer(body, status=status))
        assert str(error).isascii()


@pytest.mark.parametrize("more", [{}, LONG], ids=["short", "long"])
def test_json_that_repeats_the_key_does_not_show_it(shell: Shells, more: Any) -> None:
    body = Answer({"note": f"no picture for {KEY}", **more})
    error = failing(shell, ELSEWHERE, body, body)
    assert "JSON came" in str(error)
    assert KEY not in f"{error!r} {error}"
