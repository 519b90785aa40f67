"""Event streams that nobody asked for: what each adds may end anywhere, in a URL, too."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.client.protocol.read_submission import reread
from opeai_nb.errors import OpeaiError
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED = png(64, 48, (200, 0, 0))
LARGE = png(64, 48) + bytes(range(256)) * 120
URL = "https://pictures.test/files/1.png?sig=a%2Bb"
USAGE = {"choices": [], "usage": {"total_tokens": 7}}
DATA = f"data:image/png;base64,{b64encode(LARGE).decode()}"


def chunk(index: int = 0, end: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": end}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 5, "choices": [choice]}


def pieces(text: str, size: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(text), size):
        yield chunk(role="assistant", content=text[start : start + size])


def stream(*chunks: Any, done: str = "data: [DONE]\n\n") -> bytes:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in chunks).encode() + done.encode()


def over(body: bytes, chunk: int | None = None) -> Script:
    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return Answer(body, chunk=chunk or len(body))
        return RED if str(request.url) == URL else Answer("no", status=404)

    return Script(answer)


@pytest.mark.parametrize("size", [1, 3, 7, 40, 4096])
@pytest.mark.parametrize("text", [URL, f"Here it is:\n\n![a fox]({URL})\n", f"<img src='{URL}'>"])
def test_url_that_is_split_is_one(shell: Shells, text: str, size: int) -> None:
    script = over(stream(*pieces(text, size), chunk(end="stop"), USAGE))
    generation = shell(transport=script).generate("a fox")
    assert ([p.data for p in generation.pictures], len(script.posts)) == ([RED], 1)
    assert (generation.notes, generation.usage) == ((), {"total_tokens": 7})


@pytest.mark.parametrize("size", [5000, 8192, 8193, 16_386, 1 << 20])
@pytest.mark.parametrize("around", ["{}", "![a fox]({})", "Here: ![]({}) done"])
def test_data_url_that_is_split_is_one(shell: Shells, around: str, size: int) -> None:
    body = stream(*pieces(around.format(DATA), size), chunk(end="stop"))
    generation = shell(transport=over(body, 3000)).generate("a fox")
    assert [p.data for p in generation.pictures] == [LARGE]


def test_base64_alone_that_is_split_is_one(shell: Shells) -> None:
    body = stream(*pieces(b64encode(LARGE).decode(), 9001))
    assert [p.data for p in shell(transport=over(body)).generate("a fox").pictures] == [LARGE]


def test_choices_are_pictures_of_their_own(shell: Shells) -> None:
    halves = [chunk(i, content=text) for text in (URL[:30], URL[30:]) for i in (0, 1)]
    halves = [chunk(i, content="![](") for i in (0, 1)] + halves
    body = stream(*halves, *(chunk(i, content=f"&n={i})", end="stop") for i in (0, 1)))
    urls = [p.url for p in getattr(reread(body, ImageRequest("a fox", n=2), None), "pictures", ())]
    assert urls == [f"{URL}&n=0", f"{URL}&n=1"]


def test_images_of_a_message_are_taken_from_its_chunks(shell: Shells) -> None:
    image = {"type": "image_url", "image_url": {"url": DATA}}
    body = stream(chunk(content="Here "), chunk(content="it is."), chunk(images=[image]))
    generation = shell(transport=over(body)).generate("a fox")
    assert [p.data for p in generation.pictures] == [LARGE]


def test_lines_of_json_are_joined_as_well(shell: Shells) -> None:
    chunks = [*pieces(f"![]({URL})", 9), chunk(end="stop")]
    body = "\n".join(map(json.dumps, chunks)).encode()
    assert len(shell(transport=over(body)).generate("a fox")) == 1


def test_stream_that_ends_in_the_middle_of_a_url_is_kept(shell: Shells) -> None:
    body = stream(*pieces(URL[:-8], 9), done="")
    script = over(body)
    with pytest.raises(OpeaiError) as caught:
        shell(transport=script).generate("a fox")
    assert (caught.value.answer, len(script.posts)) == (body, 1)
    assert "run again" not in f"{caught.value} {caught.value.advice}".lower()


def events(*values: dict[str, Any]) -> Script:
    body = stream(*values, done="")

    def answer(request: httpx.Request) -> Any:
        if request.url.host == "pictures.test":
            return RED
        done = {"status": "SUCCESS", "data": [{"url": URL}]}
        return Answer(body if request.method == "POST" else done)

    return Script(answer)


TASK = {"task_id": "t1", "status": "queued"}
ERROR = {"error": {"message": "the stream took too long"}}


@pytest.mark.parametrize(
    "values",
    [(TASK, ERROR), (ERROR, TASK), (TASK, {**TASK, "status": "processing"}, ERROR)],
    ids=["before", "behind", "twice"],
)
def test_error_of_a_stream_does_not_end_the_task_in_it(shell: Shells, values: Any) -> None:
    script = events(*values)
    generation = shell(transport=script).generate("a fox")
    assert ([p.data for p in generation.pictures], generation.task_id) == ([RED], "t1")
    assert len(script.posts) == 1


def test_several_tasks_in_a_stream_are_all_followed(shell: Shells) -> None:
    script = events(TASK, {**TASK, "task_id": "t2"})
    generation = shell(transport=script).generate("a fox", n=2)
    assert ([p.data for p in generation.pictures], len(script.posts)) == ([RED, RED], 1)
    assert generation.task_id == "t1, t2"


def test_pictures_of_ark_come_one_by_one(shell: Shells) -> None:
    kind = "image_generation"
    whole = [{"type": f"{kind}.partial_succeeded", "url": f"{URL}&i={i}"} for i in (0, 1)]
    failed = {"type": f"{kind}.partial_failed", "error": {"code": "x", "message": "too dark"}}
    done = {"type": f"{kind}.completed", "usage": {"generated_images": 2}}
    generation = shell(transport=events(*whole, failed, done)).generate("a fox", n=3)
    assert [p.url for p in generation.good] == [f"{URL}&i={i}" for i in (0, 1)]
    (missing,) = generation.failed
    assert "too dark" in str(missing.error)
    assert generation.usage == {"generated_images": 2}


@pytest.mark.parametrize(
    ("ends", "count", "kept"),
    [((10, 50, 100), 1, [2]), ((0.1, 0.5, 1.0), 1, [2]), ((50, 100), 2, [0, 1])],
)
def test_pictures_that_a_stream_shows_on_its_way_are_drafts(
    shell: Shells, ends: tuple[float, ...], count: int, kept: list[int]
) -> None:
    shown = [{"progress": end, "image": f"{URL}&i={i}"} for i, end in enumerate(ends)]
    generation = shell(transport=events(*shown)).generate("a fox", n=count)
    assert [picture.url for picture in generation.pictures] == [f"{URL}&i={i}" for i in kept]


def test_thought_of_a_model_is_no_picture(shell: Shells) -> None:
    parts = [
        {"thought": True, "inlineData": {"data": b64encode(png(8, 8)).decode()}},
        {"inlineData": {"data": b64encode(RED).decode()}},
    ]
    script = Script(Answer({"candidates": [{"content": {"parts": parts}}]}))
    generation = shell(transport=script).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]
