"""One of each kind of answer of the wild, through a studio: a record, one POST, nothing left."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Answer, Script, png

PICTURE, INPUT = png(64, 48), png(16, 16)
B64 = b64encode(PICTURE).decode()
URL = "http://p.test/1.png"
QUEUED = {"task_id": "t", "status": "QUEUED"}
DONE = {"status": "SUCCESS", "data": [{"url": URL}]}
WHOLE = json.dumps({"data": [{"b64_json": B64}]}).encode()
MOMENT = Answer({"error": {"message": "please wait"}}, status=403)

# kind -> the answer to the POST, and those to the questions that follow
KINDS: dict[str, tuple[Any, ...]] = {
    "a success code of its own": (
        {"code": 10000, "message": "Success", "data": {"task_id": "7"}},
        DONE,
    ),
    "an id under a strange name": ({"code": 0, "data": {"ticket": "x99"}}, DONE),
    "202 and a Location": (Answer(b"", status=202, headers={"Location": "/v1/tasks/t"}), DONE),
    "a polling URL": ({"id": "x1", "polling_url": "/v1/get?id=x1"}, DONE),
    "a word of another family": (QUEUED, {"id": "t", "status": "Ready", "result": {"sample": URL}}),
    "a word of two": (QUEUED, {"status": "completed_successfully", "output": URL}),
    "refusals in passing": (QUEUED, *[MOMENT] * 4, DONE),
    "a task that is not there for a moment": (
        QUEUED,
        Answer({"code": "task_not_exist", "message": "task_not_exist"}, status=400),
        DONE,
    ),
    "inputs repeated": (QUEUED, {"status": "SUCCESS", "images": ["/in.png"], "result_url": URL}),
    "a prefix twice": ({"data": [{"b64_json": "data:image/png;base64," * 2 + B64}]},),
    "Markdown": ({"choices": [{"message": {"content": f"Here it is: ![fox]({URL})"}}]},),
    "an event stream": (
        b"event: image_generation.completed\ndata: "
        + json.dumps({"type": "image_generation.completed", "b64_json": B64}).encode()
        + b"\n\n",
    ),
    "raw control characters": (WHOLE.replace(b'"}', b'", "revised_prompt": "a\nb"}'),),
    "a fence around it": (b"```json\n" + WHOLE + b"\n```",),
    "a label that lies": (Answer(gzip.compress(WHOLE), headers={"Content-Encoding": "UTF-8"}),),
    "items that name their task": ({"data": [{"url": URL, "task_id": "t"}]},),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_answer_becomes_a_record(kind: str, tmp_path: Path) -> None:
    first, *polls = KINDS[kind]
    now = [1000.0]

    async def pause(seconds: float) -> None:
        now[0] += seconds

    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return first
        if request.url.path.endswith(".png"):
            return INPUT if "in" in request.url.path else PICTURE
        return polls.pop(0) if len(polls) > 1 else polls[0]

    script = Script(answer)
    server: dict[str, Any] = {"base_url": "http://p.test", "api_key": "sk-0123456789abcdef"}
    client = AsyncClient(**server, transport=script, sleep=pause, clock=lambda: now[0])
    studio = Studio(settings(**server, library=tmp_path / "imagine"), client=client)
    generation = studio.generate("a fox", image=INPUT)
    assert [picture.size for picture in generation.good] == [(64, 48)]
    assert len(script.posts) == 1
    assert studio.library.pending() == []
    (record,) = studio.library.search()
    assert len(record.paths) == 1
