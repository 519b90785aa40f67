"""Each rehearsal model misbehaves as its table says, in process and over a socket alike."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.engine.faults import rehearsal
from opeai_nb.engine.faults.rehearsal import REHEARSALS
from tests.engine.conftest import Answers, Clock, Files, Swatches


@pytest.fixture
def post(door: httpx.Client) -> Answers:
    def post(
        model: str, *, key: str | None = None, timeout: float = 30, **fields: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"model": model, "prompt": "a cat", "size": "64x64", **fields}
        return door.post("/v1/images/generations", json=body, headers=headers, timeout=timeout)

    return post


@pytest.fixture
def look(door: httpx.Client) -> Answers:
    return lambda task: door.get(f"/v1/images/generations/{task}")


def test_every_model_is_documented_and_listed(client: httpx.Client) -> None:
    assert re.findall(r"^`(rehearsal-[\w-]+)`", rehearsal.__doc__, re.MULTILINE) == sorted(
        REHEARSALS, key=rehearsal.__doc__.index
    )
    listed = {model["id"]: model for model in client.get("/v1/models").json()["data"]}
    for name, entry in REHEARSALS.items():
        assert listed[name]["description"] == entry.description
        assert entry.description.startswith("Rehearsal: ")
        assert len(entry.description) <= 64, "a row of `%imagine models` is read whole"


def test_slow_tells_its_progress_over_12_seconds(
    post: Answers, look: Answers, clock: Clock
) -> None:
    task = post("rehearsal-slow").json()["id"]
    seen = []
    for _ in range(13):
        seen.append(look(task).json()["status"])
        clock.pass_(1.0)
    assert seen == ["QUEUED"] * 2 + ["IN_PROGRESS"] * 10 + ["SUCCESS"]


def test_failed_reaches_40_percent_and_ends_with_a_reason(
    post: Answers, look: Answers, clock: Clock
) -> None:
    task = post("rehearsal-failed").json()["id"]
    clock.pass_(1.4)
    assert look(task).json()["progress"] == 40
    clock.pass_(0.1)
    answer = look(task)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "FAILURE")
    assert body["error"] == {"message": body["fail_reason"], "code": "generation_failed"}
    assert "data" not in body


def test_expired_is_not_found_once_it_is_done(post: Answers, look: Answers, clock: Clock) -> None:
    task = post("rehearsal-expired").json()["id"]
    clock.pass_(1.0)
    assert look(task).json()["status"] == "IN_PROGRESS"
    clock.pass_(1.0)
    assert look(task).status_code == 404


def test_moderation_refuses_every_prompt(post: Answers) -> None:
    answer = post("rehearsal-moderation")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "moderation_blocked"


def test_rate_limited_refuses_a_request_twice_and_then_paints(
    post: Answers,
) -> None:
    first, second, third = (post("rehearsal-rate-limited", key="k") for _ in range(3))
    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert (second.status_code, second.content) == (429, b"")
    assert third.status_code == 200
    assert len(third.json()["data"]) == 1


def test_rate_limited_counts_each_request_by_itself(post: Answers) -> None:
    post("rehearsal-rate-limited", key="a")
    assert post("rehearsal-rate-limited", key="b").content != b""


def test_partial_fails_every_second_picture(post: Answers) -> None:
    answer = post("rehearsal-partial", n=4).json()
    first, second, third, fourth = answer["data"]
    assert base64.b64decode(first["b64_json"])[:4] == b"\x89PNG"
    assert base64.b64decode(third["b64_json"])[:4] == b"\x89PNG"
    assert set(second) == {"error"}
    assert fourth == {"url": "", "b64_json": "", "revised_prompt": ""}
    assert answer["usage"]["generated_images"] == 2


def test_empty_has_items_without_pictures(post: Answers) -> None:
    answer = post("rehearsal-empty", n=2)
    assert answer.status_code == 200
    assert answer.json()["data"] == [{"url": "", "b64_json": "", "revised_prompt": ""}] * 2


def test_502_is_a_proxys_html(post: Answers) -> None:
    answer = post("rehearsal-502")
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<html>")


def drain(answer: httpx.Response, received: bytearray) -> None:
    for chunk in answer.iter_raw():
        received += chunk


def test_dropped_ends_in_the_middle_of_the_body_after_the_first_of_two_pictures(
    door: httpx.Client,
) -> None:
    body = {"model": "rehearsal-dropped", "prompt": "a cat", "size": "256x256", "n": 2}
    received = bytearray()
    with door.stream("POST", "/v1/images/generations", json=body) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            drain(answer, received)
    assert len(received) == int(int(answer.headers["content-length"]) * 0.6)
    first = re.search(rb'"b64_json": "([^"]+)"', received)
    assert base64.b64decode(first[1])[:4] == b"\x89PNG"


def test_dropped_answers_whole_when_the_same_key_is_sent_again(
    post: Answers, painter: Swatches
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        post("rehearsal-dropped", key="k")
    assert len(post("rehearsal-dropped", key="k").json()["data"]) == 1


def test_stalled_stays_silent_after_half_of_the_body(door: httpx.Client) -> None:
    body = {"model": "rehearsal-stalled", "prompt": "a cat", "size": "64x64"}
    received = bytearray()
    request = door.build_request("POST", "/v1/images/generations", json=body, timeout=2.0)
    answer = door.send(request, stream=True)
    with pytest.raises(httpx.ReadTimeout):
        drain(answer, received)
    answer.close()
    assert len(received) == int(answer.headers["content-length"]) // 2


def test_envelope_speaks_another_gateways_words(
    post: Answers, look: Answers, clock: Clock, door: httpx.Client
) -> None:
    submitted = post("rehearsal-envelope").json()
    assert set(submitted["data"]) == {"taskId"}
    task = submitted["data"]["taskId"]
    assert look(task).json()["data"] == {"taskId": task, "state": "waiting"}
    clock.pass_(2)
    finished = look(task).json()["data"]
    assert finished["state"] == "success"
    (url,) = json.loads(finished["resultJson"])["resultUrls"]
    assert "/pictures/" in url


def test_cdn_is_late_and_then_oddly_encoded(post: Answers, door: httpx.Client) -> None:
    url = post("rehearsal-cdn").json()["data"][0]["url"]
    del door.headers["Authorization"]
    assert door.get(url).status_code == 404
    with door.stream("GET", url) as answer:
        assert answer.headers["Content-Encoding"] == "aws-chunked"
        assert b"".join(answer.iter_raw()).startswith(b"\x89PNG")


def test_hiccup_refuses_the_second_query_alone(post: Answers, look: Answers) -> None:
    task = post("rehearsal-hiccup").json()["id"]
    assert [look(task).status_code for _ in range(4)] == [200, 400, 200, 200]


def test_stream_sends_events_that_nobody_asked_for(post: Answers) -> None:
    answer = post("rehearsal-stream", n=2)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = re.findall(r"^data: (.*)$", answer.text, re.MULTILINE)
    assert [json.loads(event)["type"] for event in events] == ["image_generation.completed"] * 2
    assert base64.b64decode(json.loads(events[0])["b64_json"]).startswith(b"\x89PNG")


def test_no_image_makes_a_plain_generation_of_an_edit(post: Answers, picture: Files) -> None:
    image = base64.b64encode(picture(512, 512)).decode()
    usage = post("rehearsal-no-image", image=image).json()["usage"]
    assert usage["input_tokens_details"]["image_tokens"] == 0


def test_no_task_loses_the_task(post: Answers) -> None:
    answer = post("rehearsal-no-task")
    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_location_names_the_task_in_a_header_alone(
    post: Answers, door: httpx.Client, clock: Clock
) -> None:
    answer = post("rehearsal-location")
    assert (answer.status_code, answer.content) == (202, b"")
    clock.pass_(2)
    assert door.get(answer.headers["Location"]).json()["status"] == "SUCCESS"


def test_spelling_is_odd_and_all_there(post: Answers) -> None:
    text = post("rehearsal-spelling", n=2).text
    pictures = re.findall(r'"b64_json": "data:image/png;base64,data:image/png;base64,(.*?)"', text)
    assert [base64.b64decode(one)[:4] for one in pictures] == [b"\x89PNG"] * 2
    assert '"in other words:\na cat"' in text


def test_the_page_on_the_engine_names_every_rehearsal_in_its_own_words() -> None:
    page = (Path(__file__).parents[2] / "notebooks/how-to/engine.md").read_text(encoding="utf-8")
    for name, one in REHEARSALS.items():
        assert f"| `{name}` | {one.description.removeprefix('Rehearsal: ')} |" in page
