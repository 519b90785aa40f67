"""The Aliyun-native endpoints: platform.md 1.8 and 3."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opeai_nb.engine import Engine
from tests.engine.conftest import Answers, Clients, Clock, Files

PATH = "/aliyun/v1/images/generations"
MODELS = ("qwen-image-2.0", "qwen-image-2.0-pro", "z-image-turbo")
ASYNC = {"X-DashScope-Async": "enable"}


def body(
    model: str = "qwen-image-2.0", *content: dict[str, Any], text: str = "a cat", **parameters: Any
) -> dict[str, Any]:
    messages = [{"role": "user", "content": [*content, {"text": text}]}]
    return {"model": model, "input": {"messages": messages}, "parameters": parameters}


@pytest.fixture
def post(client: httpx.Client) -> Answers:
    return lambda json, **headers: client.post(PATH, json=json, headers=headers)


def contents(answer: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [choice["message"]["content"] for choice in answer["output"]["choices"]]


def test_qwen_puts_its_pictures_into_one_choice(post: Answers) -> None:
    answer = post(body(n=2, size="1024*768")).json()
    (items,) = contents(answer)
    assert [set(item) for item in items] == [{"image"}, {"image"}]
    assert answer["usage"] == {"width": 1024, "height": 768, "image_count": 2}
    assert answer["request_id"]


def test_wan_makes_a_choice_of_each_picture_and_four_by_default(
    post: Answers,
) -> None:
    answer = post(body("wan2.6-t2i")).json()
    assert [len(items) for items in contents(answer)] == [1] * 4
    assert answer["usage"] == {"image_count": 4, "size": "1280*1280"}


def test_an_omitted_size_is_dashscopes_own(post: Answers) -> None:
    assert post(body()).json()["usage"]["width"] == 2048


def test_a_rewritten_prompt_comes_as_text(post: Answers) -> None:
    (items,) = contents(post(body(prompt_extend=True)).json())
    assert items[-1] == {"text": "a cat"}


def test_a_reference_image_makes_an_edit(post: Answers, picture: Files) -> None:
    image = "data:image/png;base64," + base64.b64encode(picture(640, 512)).decode()
    answer = post(body("wan2.6-image", {"image": image}, n=1)).json()
    assert answer["usage"]["size"] == "640*512"


@pytest.mark.parametrize(
    ("json", "code"),
    [
        ({"model": "qwen-image-2.0"}, "InvalidParameter"),
        ({"model": "qwen-image-2.0", "input": {"prompt": 7}}, "InvalidParameter"),
        ({"model": "qwen-image-2.0", "input": {"prompt": "a", "images": 7}}, "InvalidParameter"),
        ({"model": "qwen-image-2.0", "input": {"messages": []}}, "InvalidParameter"),
        ({"model": "qwen-image-2.0", "input": {"messages": [7]}}, "InvalidParameter"),
        (body(size="1024x1024"), "InvalidParameter"),
        (body(size="10*10"), "InvalidParameter"),
        (body(n=0), "InvalidParameter"),
        (body(n=7), "InvalidParameter"),
        (body(n="2"), "InvalidParameter"),
        (body(seed=-1), "InvalidParameter"),
        (body(seed=2**31), "InvalidParameter"),
        (body(negative_prompt="x" * 501), "InvalidParameter"),
        (body(text=""), "InvalidParameter"),
        (body("qwen-image-2.0", {"text": "two"}), "InvalidParameter"),
        (body("qwen-image-2.0", {"image": ""}), "InvalidParameter"),
        (body("wan2.6-image"), "InvalidParameter"),
        (body("qwen-image-2.0", {"image": "http://10.0.0.1/"}), "InvalidURL"),
        (body("rehearsal-moderation"), "DataInspectionFailed"),
    ],
)
def test_a_mistake_gets_a_flat_error(post: Answers, json: object, code: str) -> None:
    answer = post(json)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "request_id"}
    assert answer.json()["code"] == code


@pytest.mark.parametrize("model", ["gpt-image-2", "nobody", "doubao-seedream-4.5"])
def test_only_aliyun_models_have_a_channel(post: Answers, model: str) -> None:
    answer = post(body(model))
    assert answer.status_code == 503
    assert answer.json()["code"] == "ModelNotFound"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (PATH, {"Authorization": ""}, 401, "InvalidApiKey"),
        ("/aliyun/v1/services/nowhere", {}, 404, "InvalidParameter"),
    ],
)
def test_every_error_below_aliyun_has_dashscopes_shape(
    client: httpx.Client, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post(path, json=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "name",
    [
        "multimodal-generation/generation",
        "image-generation/generation",
        "text2image/image-synthesis",
        "image2image/image-synthesis",
    ],
)
def test_dashscopes_own_paths_take_its_requests(client: httpx.Client, name: str) -> None:
    path = f"/aliyun/v1/services/aigc/{name}"
    assert client.post(path, json=body()).json()["output"]["choices"]
    old = {"model": "qwen-image", "input": {"prompt": "a cat"}, "parameters": {"size": "1328*1328"}}
    task = client.post(path, json=old, headers=ASYNC).json()["output"]
    assert task["task_status"] == "PENDING"


class TestTasks:
    def test_tasks_are_listed_the_latest_first(self, post: Answers, client: httpx.Client) -> None:
        tasks = [post(body(f"{name}"), **ASYNC).json()["output"]["task_id"] for name in MODELS]
        rows = client.get("/aliyun/v1/tasks", params={"page_size": "2"}).json()
        assert [row["task_id"] for row in rows["data"]] == tasks[:-3:-1]
        assert (rows["total"], rows["total_page"]) == (3, 2)
        only = client.get("/aliyun/v1/tasks", params={"model_name": MODELS[0]}).json()
        assert [row["status"] for row in only["data"]] == ["PENDING"]

    @pytest.mark.parametrize("number", ["", "0", "-1", "x", "1e3", "9" * 5000])
    def test_a_page_that_is_no_number_is_the_first(self, client: httpx.Client, number: str) -> None:
        rows = client.get("/aliyun/v1/tasks", params={"page_no": number}).json()
        assert rows["page_no"] == 1

    def test_a_task_that_queues_can_be_canceled_and_no_other(
        self, post: Answers, client: httpx.Client, clock: Clock
    ) -> None:
        def cancel(task: str) -> httpx.Response:
            return client.post(f"/aliyun/v1/tasks/{task}/cancel")

        first, second = (post(body(), **ASYNC).json()["output"]["task_id"] for _ in range(2))
        assert cancel(first).status_code == 200
        clock.pass_(10)
        assert client.get(f"/aliyun/v1/tasks/{first}").json()["output"]["task_status"] == "CANCELED"
        answer = cancel(second)
        assert (answer.status_code, answer.json()["code"]) == (400, "UnsupportedOperation")
        assert cancel("nobody").json()["output"]["task_status"] == "UNKNOWN"

    @pytest.fixture
    def look(self, client: httpx.Client) -> Callable[[str], dict[str, Any]]:
        return lambda task: client.get(f"/aliyun/v1/tasks/{task}").json()

    def test_a_task_goes_from_pending_to_succeeded(
        self, post: Answers, look: Callable[[str], dict[str, Any]], clock: Clock
    ) -> None:
        answer = post(body(n=2), **ASYNC).json()
        assert answer["output"]["task_status"] == "PENDING"
        task = answer["output"]["task_id"]
        seen = []
        for _ in range(3):
            seen.append(look(task)["output"]["task_status"])
            clock.pass_(5.0)
        assert seen == ["PENDING", "RUNNING", "SUCCEEDED"]
        (items,) = contents(look(task))
        assert len(items) == 2

    def test_an_older_model_answers_with_results(
        self, post: Answers, look: Callable[[str], dict[str, Any]], clock: Clock
    ) -> None:
        task = post(body("qwen-image-plus"), **ASYNC).json()["output"]["task_id"]
        clock.pass_(10.0)
        output = look(task)["output"]
        (result,) = output["results"]
        assert set(result) == {"orig_prompt", "actual_prompt", "url"}
        assert output["task_metrics"] == {"TOTAL": 1, "SUCCEEDED": 1, "FAILED": 0}
        assert output["submit_time"] == "2026-04-29 05:20:00.000"

    def test_a_failed_task_is_http_200_with_code_and_message(
        self, post: Answers, look: Callable[[str], dict[str, Any]], clock: Clock
    ) -> None:
        task = post(body("rehearsal-failed")).json()["output"]["task_id"]
        clock.pass_(10.0)
        output = look(task)["output"]
        assert (output["task_status"], output["code"]) == ("FAILED", "InternalError")
        assert output["message"]

    def test_an_expired_or_unknown_task_is_unknown(
        self, post: Answers, look: Callable[[str], dict[str, Any]], clock: Clock
    ) -> None:
        task = post(body(), **ASYNC).json()["output"]["task_id"]
        clock.pass_(86_401)
        for id_ in (task, "nothing"):
            assert look(id_)["output"] == {"task_id": id_, "task_status": "UNKNOWN"}

    def test_a_task_is_found_under_its_own_dialect_only(
        self,
        post: Answers,
        look: Callable[[str], dict[str, Any]],
        client: httpx.Client,
        create: Answers,
    ) -> None:
        native = post(body(), **ASYNC).json()["output"]["task_id"]
        assert client.get(f"/v1/images/generations/{native}").status_code == 404
        other = create("gpt-image-2").json()["id"]
        assert look(other)["output"]["task_status"] == "UNKNOWN"


def test_a_seed_paints_the_same_picture_however_often(
    post: Answers, engine: Engine, client_of: Clients
) -> None:
    def painted(**parameters: Any) -> bytes:
        (choice,) = contents(post(body(size="512*512", **parameters)).json())
        with client_of(engine) as client:
            client.headers.pop("Authorization")
            return client.get(choice[0]["image"]).content

    assert painted(seed=7) == painted(seed=7)
    assert painted() != painted()
