"""Bodies that are no JSON: a picture alone, several files, streams with odd line ends."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import ImageRequest
from opeai_nb.client.http.body_parts import parts_of
from opeai_nb.client.protocol.read_submission import reread
from opeai_nb.errors import OpeaiError, OutcomeUnknownError
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED, BLUE = png(64, 48, (200, 0, 0)), png(8, 8, (0, 0, 200))
B64 = b64encode(RED).decode()
DONE = {"data": [{"b64_json": B64}]}
REQUEST = ImageRequest("a fox")

pytestmark = pytest.mark.filterwarnings("ignore::opeai_nb.client.AnswerWarning")


def plays(shell: Shells, body: bytes, kind: str = "", **options: Any) -> Any:
    """Return the generation of a body that comes as the answer to one POST."""
    script = Script(Answer(body, headers={"Content-Type": kind}, **options))
    generation = shell(transport=script).generate("a fox")
    assert len(script.requests) == 1
    return generation


def data_of(generation: Any) -> list[bytes | None]:
    return [picture.data for picture in generation.pictures]


def multipart(*parts: tuple[str, bytes]) -> bytes:
    heads = [(f"Content-Type: {kind}\r\nX-Seed: 1\r\n\r\n".encode(), data) for kind, data in parts]
    return b"".join(b"--xyz\r\n" + head + data + b"\r\n" for head, data in heads) + b"--xyz--\r\n"


def zipped(*files: bytes, coding: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", coding) as archive:
        for place, data in enumerate(files):
            archive.writestr(f"image_{place}.png", data)
    return held.getvalue()


PACKED = {
    "multipart": multipart(("image/png", RED), ("image/png", BLUE)),
    "with JSON": multipart(
        ("application/json", b'{"seed": 1}'), ("image/png", RED), ("image/png", BLUE)
    ),
    "in base64": multipart(("image/png", B64.encode()), ("image/png", b64encode(BLUE))),
    "form": multipart(("image/png", RED), ("text/plain", b"12"), ("image/png", BLUE)),
    "zip": zipped(RED, BLUE),
    "zip and text": zipped(b'{"seed": 1}', RED, b"a fox", BLUE),
}


@pytest.mark.parametrize("chunk", [None, 100])
@pytest.mark.parametrize("name", PACKED)
def test_each_picture_in_a_body_of_several_files_is_read(
    shell: Shells, name: str, chunk: int | None
) -> None:
    assert data_of(plays(shell, PACKED[name], chunk=chunk)) == [RED, BLUE]


@pytest.mark.parametrize(
    "body",
    [
        multipart(("text/plain", b"nothing here")),
        zipped(b"nothing here"),
        zipped(RED)[:-30],
        b"PK\x03\x04" + bytes(range(256)) * 40,
        b"--\r\n--xyz\r\n",
    ],
    ids=["no picture", "no picture in a zip", "cut zip", "no zip", "no boundary"],
)
def test_files_without_a_picture_are_kept_as_they_came(shell: Shells, body: bytes) -> None:
    with pytest.raises(OpeaiError) as caught:
        plays(shell, body)
    assert caught.value.answer == body


@given(
    st.sampled_from(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    ),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3),
    st.floats(0, 1),
)
def test_archive_with_any_damage_gives_its_files_or_none(
    coding: int, changes: list[tuple[float, int]], length: float
) -> None:
    body = bytearray(zipped(RED, bytes(range(256)) * 3, coding=coding))
    for place, value in changes:
        body[4 + int(place * (len(body) - 4))] = value
    assert len(parts_of(bytes(body))) in {0, 1, 2}
    assert parts_of(bytes(body[: max(4, int(length * len(body) - 1))])) == []


def test_archive_that_unpacks_without_end_is_kept(shell: Shells) -> None:
    body = zipped(RED, bytes(40_000_000))
    with pytest.raises(OpeaiError) as caught:
        plays(shell, body)
    assert caught.value.answer == body


def test_picture_alone_may_be_larger_than_any_json(shell: Shells) -> None:
    picture = RED + bytes(range(256)) * 60_000  # 15 MB
    generation = plays(shell, picture, "image/png", chunk=1 << 16)
    assert data_of(generation) == [picture]
    assert generation.answer == picture
    assert data_of(reread(generation.answer, REQUEST, None)) == [picture]


def test_picture_alone_that_is_cut_is_kept_as_it_came(shell: Shells) -> None:
    picture = RED + bytes(range(256)) * 60
    with pytest.raises(OutcomeUnknownError) as caught:
        plays(shell, picture, "image/png", chunk=1000, drop_after=9000)
    assert caught.value.answer == picture[:9000]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        ["id: 1", "retry: 3000", f"data: {json.dumps(DONE)}", ""],
        [": open", "", "event: done", f"data: {json.dumps(DONE)}", "", "data: [DONE]", ""],
        ["event: progress", "data: 10%", "", "event: image", f"data: {B64}", ""],
        [f"data: data:image/png;base64,{B64}", "", "data: [DONE]", ""],
        [
            *("event: partial_image", f"data: {b64encode(BLUE).decode()}", ""),
            *("event: image", f"data: {B64}", ""),
        ],
    ],
    ids=["named", "comment", "base64", "data URL", "partial"],
)
@pytest.mark.parametrize("chunk", [None, 7])
def test_stream_with_any_line_ends_is_read(
    shell: Shells, lines: list[str], end: str, chunk: int | None
) -> None:
    assert data_of(plays(shell, end.join([*lines, ""]).encode(), chunk=chunk)) == [RED]
