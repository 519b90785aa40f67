"""The readers of bodies: equal to json and base64 on every body and split, within the caps."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opeai_nb.client.http import content_encoding, json_reader
from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.http.picture_reader import PictureReader
from opeai_nb.client.protocol.steps import Blob, CutAnswer, NotJson, PictureEnd, Piece
from opeai_nb.testing import png

INLINE = 16  # so that short strings are long ones

scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=30)
pictures = st.binary(min_size=13, max_size=200)
values = st.recursive(
    scalars | pictures,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def as_json(value: object, spelling: str) -> object:
    """Return a JSON value with base64 where bytes stood."""
    if isinstance(value, bytes):
        text = (urlsafe_b64encode if spelling == "urlsafe" else b64encode)(value).decode()
        if spelling == "unpadded":
            text = text.rstrip("=")
        if spelling == "lines":
            text = "\n".join(text[i : i + 19] for i in range(0, len(text), 19))
        return f"data:image/png;base64,{text}" if spelling == "data" else text
    if isinstance(value, list):
        return [as_json(item, spelling) for item in value]
    if isinstance(value, dict):
        return {name: as_json(item, spelling) for name, item in value.items()}
    return value


def read(body: bytes, cuts: list[int], inline: int = INLINE) -> tuple[Any, dict[int, bytes]]:
    """Feed a body in pieces cut at these places; return its values and its pictures."""
    subject = JsonReader(inline)
    parts: dict[int, bytearray] = {}
    whole: dict[int, bytes] = {}
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    events = [event for start, end in pairwise(edges) for event in subject.feed(body[start:end])]
    for event in [*events, *subject.finish()]:
        if isinstance(event, Piece):
            parts.setdefault(event.number, bytearray()).extend(event.data)
        else:
            whole[event.number] = bytes(parts.get(event.number, b""))
    return subject.body(), whole


def assert_equal(read_value: Any, value: Any, blobs: dict[int, bytes]) -> None:
    """Compare, blob by blob; a string that stayed a string is decoded here."""
    if isinstance(value, bytes):
        found = (
            blobs[read_value.number] if isinstance(read_value, Blob) else decode_base64(read_value)
        )
        assert found == value
    elif isinstance(value, list):
        assert len(read_value) == len(value)
        for left, right in zip(read_value, value, strict=True):
            assert_equal(left, right, blobs)
    elif isinstance(value, dict):
        assert list(read_value) == list(value)
        for name, inner in value.items():
            assert_equal(read_value[name], inner, blobs)
    elif isinstance(read_value, Blob):  # a text that happens to be base64
        assert b64encode(blobs[read_value.number]).rstrip(b"=") in value.encode()
    else:
        assert read_value == value


class TestEqualToJsonAndBase64:
    @given(
        value=values,
        cuts=st.lists(st.integers(0, 10**6), max_size=12),
        spelling=st.sampled_from(["plain", "urlsafe", "unpadded", "lines", "data"]),
        escape=st.sampled_from([None, "/", "u", "ascii"]),
        indent=st.sampled_from([None, 1]),
    )
    def test_on_every_body_in_every_split(
        self, value: Any, cuts: list[Any], spelling: str, escape: str | None, indent: int | None
    ) -> None:
        text = json.dumps(as_json(value, spelling), indent=indent, ensure_ascii=escape == "ascii")
        if escape == "/":
            text = text.replace("/", "\\/")
        if escape == "u":
            text = text.replace("/", "\\u002F").replace("+", "\\u002b").replace("=", "\\u003d")
        found, blobs = read(text.encode(), cuts)
        assert_equal(found, value, blobs)

    @pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 64, 4096, 65_536, 10**9])
    def test_on_a_body_of_pictures(self, step: int) -> None:
        images = [bytes(range(256)) * size for size in (0, 1, 20, 90)]
        body = json.dumps({"data": [{"b64_json": b64encode(i).decode()} for i in images]}).encode()
        found, blobs = read(body, list(range(step, len(body), step)), inline=4096)
        assert_equal(found, {"data": [{"b64_json": i} for i in images]}, blobs)

    @pytest.mark.parametrize("key", ["prompt", "revised_prompt", "text", "message"])
    def test_long_word_of_a_text_stays_a_text(self, key: str) -> None:
        found, blobs = read(json.dumps({key: "A" * 400}).encode(), [])
        assert (found, blobs) == ({key: "A" * 400}, {})

    @pytest.mark.parametrize("tail", ["!", "\\u0021", '\\"', "=A", "\\\\", "A", "A\\u00e4"])
    def test_broken_base64_is_a_broken_blob_and_the_rest_is_read(self, tail: str) -> None:
        text = "QUJD" * 100 + tail
        found, blobs = read(b'{"a": "%s", "b": [1, "QUJDQUJDQUJDQUJDQUJD"]}' % text.encode(), [])
        assert found["a"].broken
        assert blobs[found["b"][1].number] == b"ABC" * 5


class TestAnyBytes:
    @given(body=st.binary(max_size=400), cuts=st.lists(st.integers(0, 10**6), max_size=6))
    def test_never_raise_and_never_depend_on_the_split(self, body: bytes, cuts: list[Any]) -> None:
        whole, _ = read(body, [])
        split, _ = read(body, cuts)
        assert type(whole) is type(split)

    @given(
        value=values, end=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 10**6), max_size=6)
    )
    def test_half_a_body_is_no_json_or_another_value(
        self, value: Any, end: int, cuts: list[Any]
    ) -> None:
        body = json.dumps({"data": as_json(value, "plain")}).encode()
        found, _ = read(body[: end % len(body)], cuts)
        assert isinstance(found, NotJson)

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b"9" * 10_000,
            b'"\xff\xfe"',
            b"\x00",
            b"NaN",
        ],
    )
    def test_hostile_json_is_a_value_or_none(self, body: bytes) -> None:
        read(body, [10, 100])


class TestCaps:
    def test_json_beyond_the_cap_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_reader, "MAX_REST_BYTES", 1000)
        with pytest.raises(CutAnswer, match="larger than any answer"):
            read(b'{"a": "%s"}' % (b"! " * 1000), [])

    def test_pictures_beyond_the_cap_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_reader, "MAX_PICTURE_BYTES", 1000)
        with pytest.raises(CutAnswer, match="larger than any answer"):
            read(json.dumps([b64encode(bytes(600)).decode()] * 2).encode(), [])

    def test_what_only_claims_to_be_a_picture_is_capped_as_text(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_reader, "MAX_REST_BYTES", 1000)
        with pytest.raises(CutAnswer, match="larger than any answer"):
            read(b'{"a": "%s"}' % b64encode(bytes(4000)), [])
        read(b'{"a": "%s"}' % b64encode(png() + bytes(4000)), [])

    @pytest.mark.parametrize("unit", [b"[],", b"{},", b'"",', b'"":'])
    def test_values_beyond_the_cap_are_cut(self, unit: bytes) -> None:
        with pytest.raises(CutAnswer, match="more than any answer"):
            read(b"[" + unit * 450_000, [])

    def test_more_pictures_than_any_answer_has_are_cut(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_reader, "MAX_PICTURES", 3)
        item = b'"%s",' % b64encode(png())
        read(b"[" + item * 3 + b"0]", [])
        with pytest.raises(CutAnswer, match="more than any answer"):
            read(b"[" + item * 4 + b"0]", [])

    @pytest.mark.parametrize(
        "text",
        [
            b"A" * 5000 + b" " * 3_000_000,
            b"A" * 5000 + b" \t" * 1_500_000,
            b"A" * 5000 + b" \n" * 300_000,
            b'\\"' * 190_000,
        ],
    )
    def test_long_white_space_and_open_strings_take_linear_time(self, text: bytes) -> None:
        """Each took minutes once: a pattern or a buffer that began anew at each byte."""
        body, pictures = read(b'{"a": "' + text, list(range(65_536, len(text), 65_536)))
        assert isinstance(body, NotJson)
        assert body.is_open
        assert body.text.startswith('{"a": "')
        assert pictures == {}

    def test_broken_base64_without_end_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_reader, "MAX_BODY_BYTES", 10_000)
        subject = JsonReader(INLINE)
        subject.feed(b'{"a": "' + b"A" * 40 + b"!")
        with pytest.raises(CutAnswer, match="larger than any answer"):
            [subject.feed(b"A" * 100) for _ in range(10_000)]

    def test_compressed_bomb_is_opened_bit_by_bit(self) -> None:
        import zlib

        import httpx

        sizes: list[int] = []

        class Measuring(PictureReader):
            def feed(self, chunk: bytes) -> list[Piece | PictureEnd]:
                sizes.append(len(chunk))
                return super().feed(chunk)

        packed = zlib.compress(b"x" * 20_000_000)
        response = httpx.Response(
            200, headers={"Content-Encoding": "deflate"}, stream=httpx.ByteStream(b"")
        )
        subject = content_encoding.reader_for(lambda: Measuring(limit=5_000_000), response)
        with pytest.raises(CutAnswer, match="larger than any picture"):
            list(subject.feed(packed))
        assert (max(sizes), sum(sizes) < 6_000_000) == (256 * 1024, True)


class TestPictures:
    @given(
        data=st.binary(max_size=300) | st.binary(max_size=30).map(lambda end: b"<svg" + end),
        cuts=st.lists(st.integers(0, 10**6), max_size=6),
    )
    @example(data=b"<svg", cuts=[])
    @example(data=b" <!-- a fox --><SVG>", cuts=[3])
    @example(data=b"<!-- no drawing -->", cuts=[3])
    def test_every_byte_is_handed_on_unless_it_is_a_page(
        self, data: bytes, cuts: list[Any]
    ) -> None:
        subject = PictureReader()
        edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        events = [e for a, b in pairwise(edges) for e in subject.feed(data[a:b])]
        events += subject.finish()
        drawing = re.match(
            rb"\s*(<(\?xml|!--|!doctype svg).*)?<svg", data, re.IGNORECASE | re.DOTALL
        )
        page = data.lstrip()[:1] in (b"", b"<", b"{") and not drawing
        assert b"".join(e.data for e in events if isinstance(e, Piece)) == (b"" if page else data)
        assert (PictureEnd(0) in events) is not page


@pytest.mark.parametrize("size", [60, 292, 3_000])
def test_a_small_picture_under_its_own_name_is_whole_before_the_answer_ends(size: int) -> None:
    """Its file then outlives the process, as that of a large one does."""
    reader, picture = JsonReader(), b"\x89PNG\r\n\x1a\n" + bytes(size)
    answer = json.dumps({"data": [{"b64_json": b64encode(picture).decode()}]}).encode()
    cut = answer.index(b'"}')
    assert reader.feed(answer[:30]) == []
    events = [*reader.feed(answer[30:cut]), *reader.feed(answer[cut : cut + 1])]
    assert events[-1] == PictureEnd(0)
    assert b"".join(event.data for event in events if isinstance(event, Piece)) == picture
    assert reader.feed(answer[cut + 1 :]) == reader.finish() == []
    assert reader.body()["data"][0]["b64_json"] == Blob(0)
