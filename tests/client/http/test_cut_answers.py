"""A paid answer that is cut off: what is whole in it is kept, the rest is told, no POST follows."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import ImageRequest
from opeai_nb.client.http.json_documents import whole_part
from opeai_nb.errors import OpeaiError, OutcomeUnknownError, UnreadableAnswerError
from opeai_nb.testing import Script, png
from tests.client.shells import Shell

PICTURES = [png(64, 48, colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
ITEMS = [{"b64_json": b64encode(data).decode()} for data in PICTURES]
LINKS = [{"url": f"https://pictures.test/{number}.png"} for number in range(3)]


class Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends as it likes: with an error, or as if that were all."""

    def __init__(self, body: bytes, error: type[httpx.TransportError] | None) -> None:
        self._body, self._error = body, error

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 50):
            yield self._body[start : start + 50]
        if self._error is not None:
            raise self._error("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


ENDS = [httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, None]
Plan = Callable[[bytes, Any], Script]


def script_of(body: bytes, error: type[httpx.TransportError] | None) -> Script:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, stream=Cut(body, error))
        return httpx.Response(200, content=PICTURES[int(request.url.path[1])])

    return Script(answer)


def behind(items: list[dict[str, str]], whole: int, more: int = 20) -> bytes:
    """Return an answer that is cut so many bytes behind its last *whole* item."""
    text = json.dumps({"created": 1, "data": items})
    end = text.index("}", text.index(next(iter(items[whole - 1].values())))) + 1
    return text[: end + more].encode()


def event(kind: str, item: dict[str, str]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **item})}\n\n".encode()


DRAFT = event("image_generation.partial_image", ITEMS[1])
DONE = event("image_generation.completed", ITEMS[0])


@pytest.mark.parametrize("error", ENDS)
@pytest.mark.parametrize("items", [ITEMS, LINKS])
@pytest.mark.parametrize("whole", [1, 2])
def test_what_is_whole_stands_on_the_error_and_is_read_again(
    shell: Callable[..., Shell], items: list[dict[str, str]], error: Any, whole: int
) -> None:
    script = script_of(behind(items, whole), error)
    client = shell(transport=script)
    with pytest.raises(OutcomeUnknownError, match=r"cut off.*resume. keeps it") as caught:
        client.generate("a fox", n=3)
    found = caught.value
    urls = [picture.url for picture in found.pictures]
    assert urls == [item.get("url") for item in items[:whole]]
    assert found.answer == behind(items, whole)
    assert found.idempotency_key
    assert len(script.posts) == 1

    again = client.client.reread(found.answer, ImageRequest("a fox", n=3))
    again = client.fetch(again)
    assert [picture.data for picture in again.good] == PICTURES[:whole]
    assert [type(each.error) for each in again.failed] == [OutcomeUnknownError] * (3 - whole)
    assert len(script.posts) == 1


@pytest.mark.parametrize("error", ENDS)
@pytest.mark.parametrize("body", [b"", b"{", b'{"data": [{"url": "https://pictures.te', DRAFT[:90]])
def test_nothing_whole_is_told_as_nothing(
    shell: Callable[..., Shell], body: bytes, error: Any
) -> None:
    script = script_of(body, error)
    with pytest.raises((OutcomeUnknownError, UnreadableAnswerError)) as caught:
        shell(transport=script).generate("a fox")
    assert caught.value.pictures == ()
    assert "keeps it" not in str(caught.value)
    assert len(script.posts) == 1


@pytest.mark.parametrize("size", range(200, 204))
def test_half_a_picture_is_kept_to_its_last_letter(shell: Callable[..., Shell], size: int) -> None:
    body = json.dumps({"data": ITEMS}).encode()[:size]
    with pytest.raises(OutcomeUnknownError) as caught:
        shell(transport=script_of(body, httpx.ReadError)).generate("a fox")
    assert caught.value.answer == body


@pytest.mark.parametrize("error", ENDS)
@pytest.mark.parametrize("body", [DRAFT, DRAFT * 3, DRAFT + DONE[:120]])
def test_drafts_of_a_stream_are_no_pictures(
    shell: Callable[..., Shell], tmp_path: Any, body: bytes, error: Any
) -> None:
    script = script_of(body, error)
    with pytest.raises((OutcomeUnknownError, UnreadableAnswerError)) as caught:
        shell(transport=script).generate("a fox", into=tmp_path)
    assert caught.value.pictures == ()
    assert caught.value.answer == body, "as it came"
    assert "OPEAI_BASE_URL" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert len(script.posts) == 1


@pytest.mark.parametrize("error", ENDS)
def test_stream_that_is_cut_behind_its_picture_is_whole(
    shell: Callable[..., Shell], error: Any
) -> None:
    script = script_of(DRAFT + DONE + DRAFT[:100], error)
    generation = shell(transport=script).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [PICTURES[0]]


def test_input_that_an_answer_repeats_before_the_cut_is_no_result(
    shell: Callable[..., Shell],
) -> None:
    echo = b'{"input": {"images": ["https://pictures.test/0.png"]}, "data": [{"ur'
    with pytest.raises(OutcomeUnknownError) as caught:
        shell(transport=script_of(echo, None)).generate("a fox")
    assert caught.value.pictures == ()


def test_refusal_that_is_cut_is_no_answer(shell: Callable[..., Shell]) -> None:
    refusal = b'{"error": {"message": "too big", "url": "https://docs.test/0.png"'
    with pytest.raises(OpeaiError) as caught:
        shell(transport=script_of(refusal, None)).generate("a fox")
    assert caught.value.pictures == ()


LEAVES = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def is_part(part: Any, whole: Any) -> bool:
    if isinstance(whole, list) and isinstance(part, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and is_part(part[name], whole[name]) for name in part)
    return bool(part == whole and type(part) is type(whole))


@given(value=st.dictionaries(st.text(max_size=4), VALUES, min_size=1), data=st.data())
def test_part_of_a_text_is_part_of_its_value(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value)
    part = whole_part(text[: data.draw(st.integers(0, len(text)))])
    assert part is None or is_part(part, value)


@given(value=st.dictionaries(st.text(max_size=4), st.text(max_size=8), min_size=1))
def test_all_that_is_closed_is_part_of_it(value: dict[str, str]) -> None:
    assert whole_part(json.dumps(value)[:-1]) == value


@pytest.mark.parametrize("text", ["", "no JSON", '"half', "}{", "{" * 10_000, '{"a": ' * 10_000])
def test_text_without_a_whole_value_has_none(text: str) -> None:
    assert whole_part(text) is None
