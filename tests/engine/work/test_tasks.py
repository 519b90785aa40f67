"""The life of a task: platform.md 1.4 to 1.6."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import Engine
from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.openai_request import ApiRequest
from tests.engine.conftest import Answers, Clients, Clock, Files, Swatches

DAY = 86_400


@pytest.fixture
def look(client: httpx.Client) -> Answers:
    def look(task: str) -> httpx.Response:
        return client.get(f"/v1/images/generations/{task}")

    return look


def test_the_submit_answer_is_the_documented_one(create: Answers, clock: Clock) -> None:
    answer = create("gpt-image-2", quality="low")
    task = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(r"image_[0-9a-f]{24}", task["id"])
    assert task == {
        "id": task["id"],
        "task_id": task["id"],
        "object": "image.generation.task",
        "status": "QUEUED",
        "created_at": int(clock.now),
        "model": "gpt-image-2",
        "prompt": "a cat",
        "size": "1024x1024",
        "quality": "low",
        "mode": "generation",
    }


def test_a_task_queues_progresses_and_succeeds(
    create: Answers, look: Answers, clock: Clock
) -> None:
    task = create("gpt-image-2", n=2).json()["id"]
    seen = []
    for _ in range(11):
        body = look(task).json()
        seen.append((body["status"], body["progress"]))
        clock.pass_(1.0)
    assert [status for status, _ in seen] == ["QUEUED"] * 2 + ["IN_PROGRESS"] * 8 + ["SUCCESS"]
    progress = [percent for _, percent in seen]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 100)


def test_a_result_has_urls_even_though_b64_json_was_asked(
    create: Answers, look: Answers, clock: Clock
) -> None:
    task = create("gpt-image-2", n=2, response_format="b64_json").json()["id"]
    clock.pass_(10)
    body = look(task).json()
    assert [item["b64_json"] for item in body["data"]] == ["", ""]
    assert len({item["url"] for item in body["data"]}) == 2
    assert body["usage"]["generated_images"] == 2
    assert body["completed_at"] == body["created_at"] + 10


def test_a_task_is_kept_for_24_hours(create: Answers, look: Answers, clock: Clock) -> None:
    task = create("gpt-image-2").json()["id"]
    clock.pass_(DAY)
    assert look(task).json()["status"] == "SUCCESS"
    clock.pass_(1)
    answer = look(task)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "message": "image not found",
            "type": "NotFound",
            "param": "",
            "code": "ResourceNotFound",
        }
    }


@pytest.mark.parametrize("task", ["image_0", "x", "%00", "a%2Fb", "'; DROP TABLE generations;--"])
def test_an_unknown_task_is_not_found(look: Answers, task: str) -> None:
    assert look(task).status_code == 404


def test_a_sync_generation_is_no_task(create: Answers, engine: Engine, look: Answers) -> None:
    create(size="512x512")
    (row,) = engine._generations.store._reader.execute("SELECT id FROM generations").fetchall()
    assert look(row[0]).status_code == 404


class TestIdempotency:
    @pytest.fixture
    def post(self, client: httpx.Client) -> Answers:
        def post(key: str, **fields: Any) -> httpx.Response:
            body = {"model": "gpt-image-2", "prompt": "a cat", **fields}
            headers = {"Idempotency-Key": key}
            return client.post("/v1/images/generations", json=body, headers=headers)

        return post

    def test_a_repeated_key_gets_the_same_task(
        self, post: Answers, clock: Clock, painter: Swatches
    ) -> None:
        first = post("k1")
        clock.pass_(60)
        assert post("k1").json() == first.json()
        assert painter.painted == ["a cat"]

    def test_a_repeated_key_gets_the_same_sync_answer(self, post: Answers, clock: Clock) -> None:
        first = post("k1", model="qwen-image-2.0")
        clock.pass_(60)
        assert post("k1", model="qwen-image-2.0").json() == first.json()

    def test_another_key_makes_another_task(self, post: Answers) -> None:
        assert post("k1").json()["id"] != post("k2").json()["id"]

    def test_a_key_is_forgotten_after_24_hours(self, post: Answers, clock: Clock) -> None:
        first = post("k1").json()["id"]
        clock.pass_(DAY + 1)
        assert post("k1").json()["id"] != first

    def test_a_key_sent_with_another_body_is_an_error(self, post: Answers) -> None:
        post("k1")
        answer = post("k1", prompt="a dog")
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "idempotency_key_reused"

    def test_of_two_bodies_that_come_with_one_key_at_once_one_is_refused(
        self, engine: Engine
    ) -> None:
        async def accept(prompt: str) -> object:  # both found the key unused
            request = ApiRequest(model="gpt-image-2", prompt=prompt, width=8, height=8)
            work = engine._generations
            return await work.accept(request, [], is_task=True, key="k1", digest=prompt)

        asyncio.run(accept("a cat"))
        with pytest.raises(ApiError, match="another body"):
            asyncio.run(accept("a dog"))

    def test_requests_are_logged_with_their_key(self, post: Answers, engine: Engine) -> None:
        post("k1")
        assert list(engine.requests) == [("POST", "/v1/images/generations", "k1")]


class TestRestart:
    """A second engine over the same folder is what a kernel restart leaves."""

    def test_a_task_and_its_pictures_survive(
        self,
        tmp_path: Path,
        clock: Clock,
        painter: Swatches,
        client_of: Clients,
    ) -> None:
        first = Engine(store=tmp_path, clock=clock, painter=painter, workers=0)
        with client_of(first) as client:
            body = {"model": "gpt-image-2", "prompt": "a cat"}
            task = client.post("/v1/images/generations", json=body).json()["id"]
        first.close()
        clock.pass_(10)
        second = Engine(store=tmp_path, clock=clock, painter=painter, workers=0)
        with client_of(second) as client:
            body = client.get(f"/v1/images/generations/{task}").json()
            client.headers.pop("Authorization")
            assert client.get(body["data"][0]["url"]).content.startswith(b"\x89PNG")
        second.close()
        assert painter.painted == ["a cat"]

    def test_a_task_whose_process_died_is_painted_when_it_is_asked_for(
        self,
        tmp_path: Path,
        clock: Clock,
        painter: Swatches,
        client_of: Clients,
        picture: Files,
    ) -> None:
        import base64

        first = Engine(store=tmp_path, clock=clock, painter=painter, workers=0)
        with client_of(first) as client:
            image = base64.b64encode(picture(64, 64)).decode()
            body = {"model": "gpt-image-2", "prompt": "a cat", "n": 2, "image": image}
            task = client.post("/v1/images/generations", json=body).json()["id"]
        with first._generations.store._write() as db:
            db.execute("UPDATE pictures SET data = NULL")  # as if it had died before painting
        first.close()
        painter.painted.clear()
        clock.pass_(10)
        second = Engine(store=tmp_path, clock=clock, painter=painter, workers=1)
        with client_of(second) as client:
            while (body := client.get(f"/v1/images/generations/{task}").json())["progress"] < 100:
                pass
        second.close()
        assert body["status"] == "SUCCESS"
        assert body["mode"] == "edit"
        assert painter.painted == ["a cat", "a cat"]


def test_a_task_whose_painting_fails_ends_as_failure(
    client_of: Clients,
    clock: Clock,
    painter: Swatches,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Swatches):
        def paint(self, prompt: str, size: tuple[int, int], /, **manner: Any) -> Image.Image:
            raise RuntimeError("out of paint")

    engine = Engine(painter=Broken(), clock=clock, workers=0)
    with client_of(engine) as client:
        body = {"model": "gpt-image-2", "prompt": "a cat"}
        task = client.post("/v1/images/generations", json=body).json()["id"]
        clock.pass_(10)
        body = client.get(f"/v1/images/generations/{task}").json()
    engine.close()
    assert body["status"] == "FAILURE"
    assert body["error"]["message"] == body["fail_reason"]
    assert "out of paint" in caplog.text
