"""A second list of pictures in an answer: results that are paid for, an echo, or in doubt."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import AnswerWarning, AsyncClient
from opeai_nb.client.values.answer_notes import IN_DOUBT
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Answer, Script, png, task_answer
from tests.client.shells import KEY, Shell

Shells = Callable[..., Shell]
GIVEN = png(8, 8, (1, 2, 3))
HOST = "https://pictures.test"


def b64(content: bytes) -> str:
    return b64encode(content).decode()


def painted(url: httpx.URL) -> bytes:
    """Return a picture of its own for each number in a URL."""
    return png(16, 16, (int(url.path.strip("/").partition(".")[0]), 0, 0))


def link(number: int, at: str = HOST) -> dict[str, str]:
    return {"url": f"{at}/{number}.png"}


def over(body: Any, *, by_task: bool = False) -> Script:
    def answer(request: httpx.Request) -> Any:
        if request.url.host.endswith("pictures.test"):
            return painted(request.url)
        if request.method == "POST" and by_task:
            return task_answer(id="t1")
        return task_answer("SUCCESS", id="t1", **body) if by_task else Answer(body)

    return Script(answer)


@pytest.mark.parametrize("by_task", [False, True])
@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"data": [link(1)], "images": [link(2)]}, 2),
        ({"data": [link(1)], "output_images": [link(2), link(3)]}, 3),
        ({"data": [link(1)], "images": [link(1), link(2)]}, None),
        ({"data": [{"b64_json": b64(png(9, 9))}], "images": [b64(png(10, 9))]}, 2),
        ({"result_url": link(1)["url"], "images": [link(1), link(2)]}, 2),
    ],
    ids=["count", "count of three", "shares one", "bytes", "one alone"],
)
def test_what_is_surely_a_result_is_taken(
    shell: Shells, body: Any, count: int | None, *, by_task: bool
) -> None:
    script = over(body, by_task=by_task)
    generation = shell(transport=script).generate("a fox", n=count)
    assert (len(generation), generation.notes) == (count or 2, ())
    assert (len({p.data for p in generation.pictures}), len(script.posts)) == (count or 2, 1)
    assert generation.answer is None


@pytest.mark.parametrize("by_task", [False, True])
@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"data": [link(1)], "images": [link(2)]}, {"n": 1}),
        ({"data": [link(1)], "images": [link(2), link(3), link(4)]}, {"n": 2}),
        ({"data": [link(1)], "images": [link(2)]}, {"n": 2, "image": GIVEN}),
        ({"data": [link(1)], "images": [link(2), link(3)]}, {"n": 1, "image": GIVEN}),
        ({"data": [link(1)], "output_images": [link(2)]}, {"n": 1, "image": GIVEN}),
        ({"data": [{"b64_json": b64(png())}], "images": [link(2)]}, {"n": 2}),
        ({"data": [link(1)], "odd": [link(2)], "images": []}, {"n": 2}),
        ({"url": link(1)["url"], "images": None, "odd": link(2)["url"]}, {"n": 3}),
    ],
    ids=[
        *("one too many", "more", "edit, too few", "edit, more", "edit, results", "form"),
        *("too few, and a list of no name", "too few, and an object's own"),
    ],
)
def test_what_nobody_can_tell_is_told_and_kept(
    shell: Shells, body: Any, asked: Any, *, by_task: bool
) -> None:
    script = over(body, by_task=by_task)
    with pytest.warns(AnswerWarning, match="lists other pictures as well"):
        generation = shell(transport=script).generate("a fox", **asked)
    assert (len(generation), generation.notes, len(script.posts)) == (1, (IN_DOUBT,), 1)
    assert b'"images"' in (generation.answer or b"") or b"output_images" in generation.answer


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"data": [link(1)], "images": [link(9)]}, {"image": f"{HOST}/9.png"}),
        ({"data": [link(1)], "images": [b64(GIVEN)]}, {"image": GIVEN}),
        ({"data": [link(1)], "images": [link(9)]}, {"image": GIVEN}),
        ({"data": [link(1)], "image_urls": [link(1)["url"]]}, {}),
        ({"data": [link(1)], "urls": [link(1, "https://cdn.pictures.test")["url"]]}, {}),
        ({"data": [{"b64_json": b64(png())}], "image_urls": [link(1)["url"]]}, {}),
        ({"data": [link(1)], "images": [{"url": "", "b64_json": ""}]}, {}),
        ({"data": [link(1)], "tasks": [{"task_id": "t1"}]}, {}),
    ],
    ids=["by URL", "by bytes", "at a URL", "twice", "CDN", "other form", "empty", "tasks"],
)
def test_echo_and_other_form_are_nothing_to_tell(shell: Shells, body: Any, asked: Any) -> None:
    generation = shell(transport=over(body)).generate("a fox", **asked)
    assert (len(generation), len(generation.failed), generation.answer) == (1, 0, None)


def studio_over(script: Script, folder: Path) -> Studio:
    client = AsyncClient(base_url="http://p.test", api_key=KEY, transport=script)
    return Studio(settings(base_url="http://p.test", api_key=KEY, library=folder), client=client)


def test_studio_keeps_what_is_in_doubt_until_it_is_read_or_forgotten(tmp_path: Path) -> None:
    script = over({"data": [link(1)], "images": [link(2)]})
    studio = studio_over(script, tmp_path)
    job = studio.start("a fox")
    with pytest.warns(UserWarning, match="lists other pictures as well"):
        assert len(job.result(60)) == 1
    (entry,) = studio.library.pending()
    assert (entry.truth, len(script.posts)) == ("answer not read", 1)
    assert b"/2.png" in (entry.answer() or b"")
    assert studio_over(Script(), tmp_path).generate("a fox").replayed_from is not None


def test_studio_takes_no_input_that_is_repeated_in_bytes(tmp_path: Path) -> None:
    """What comes goes into files there, and a file equals no bytes."""
    large = png(64, 64) + bytes(range(256)) * 40
    body = {"images": [b64(large)], "result_url": link(1)["url"]}
    studio = studio_over(over(body), tmp_path)
    generation = studio.generate("a fox", image=large)
    assert [image.size for image in generation] == [(16, 16)]
    assert studio.library.pending() == []


@pytest.mark.parametrize("label", [{"type": "input"}, {"role": "Mask"}, {"variant": "thumbnail"}])
def test_item_that_is_labelled_as_no_result_is_none(shell: Shells, label: dict[str, str]) -> None:
    body = {"data": [{**link(1), **label}, {**link(2), "type": "output"}, {**link(3), **label}]}
    generation = shell(transport=over(body)).generate("a fox")
    assert [picture.url for picture in generation.pictures] == [link(2)["url"]]


def test_items_that_are_all_labelled_so_are_pictures(shell: Shells) -> None:
    body = {"data": [{**link(1), "type": "preview"}, {**link(2), "type": "preview"}]}
    assert len(shell(transport=over(body)).generate("a fox", n=2)) == 2
