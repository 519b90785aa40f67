"""The platform as a script, written from platform.md: what the contract needs of it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from opeai_nb.testing import Answer, error_answer, pictures_answer, png, task_answer
from tests.client.shells import KEY

HOST = "https://platform.test"
BLOCKED = "Your request was rejected by the safety system."


class Platform:
    """Answers each request as the models of the catalogue do; keeps tasks and 429s in mind."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, int] = {}

    def __call__(self, request: httpx.Request) -> Any:
        path = request.url.path
        if path.startswith("/pictures/"):
            width, height = map(int, path.removeprefix("/pictures/").split("x"))
            return png(width, height)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return error_answer("无效的令牌", status=401, code="")
        if path == "/v1/models":
            names = ("qwen-image-2.0", "gpt-image-2")
            return {"success": True, "object": "list", "data": [{"id": name} for name in names]}
        if request.method == "GET":
            return self.query(path.rsplit("/", 1)[1])
        body = json.loads(request.content)
        if path.startswith("/aliyun/"):
            return self.native(body)
        return self.create(body, request.headers["idempotency-key"])

    def create(self, body: dict[str, Any], key: str) -> Any:
        model, n = body["model"], body.get("n", 1)
        size = body.get("size", "1024x1024")
        picture = png(*map(int, size.split("x")))
        if model in {"gpt-image-2", "rehearsal-failed", "rehearsal-expired"}:
            task_id = f"image_{len(self.tasks):024x}"
            self.tasks[task_id] = {"model": model, "n": n, "size": size, "asked": 0}
            return task_answer("QUEUED", id=task_id, model=model, prompt=body["prompt"])
        if model == "rehearsal-rate-limited":
            self.refused[key] = self.refused.get(key, 0) + 1
            if self.refused[key] < 3:
                return Answer(b"", status=429)
        special = {
            "rehearsal-moderation": error_answer(BLOCKED, code="moderation_blocked"),
            "rehearsal-502": Answer("<html><h1>502 Bad Gateway</h1></html>", status=502),
            "rehearsal-empty": Answer({"data": [{"url": "", "b64_json": ""}] * n}),
            "nobody-has-this": error_answer("no channel", status=503, code="model_not_found"),
        }
        if model in special:
            return special[model]
        if size == "1x1":
            return error_answer("size is too small")
        if body.get("response_format") == "url":
            return pictures_answer(*[f"{HOST}/pictures/{size}"] * n)
        answer = pictures_answer(*[picture] * n)
        if model == "rehearsal-dropped":
            return Answer(answer.body, drop_after=int(len(answer.content) * 0.6))
        if model == "rehearsal-partial":
            for item in answer.body["data"][1::2]:
                item.update(b64_json="", error={"code": "generation_failed", "message": "gave up"})
        return answer

    def query(self, task_id: str) -> Any:
        task = self.tasks.get(task_id)
        if task is None or (task["model"] == "rehearsal-expired" and task["asked"]):
            return error_answer("image not found", status=404, code="ResourceNotFound")
        task["asked"] += 1
        if task["asked"] == 1:
            return task_answer("IN_PROGRESS", id=task_id, progress="50%")
        if task["model"] == "rehearsal-failed":
            return task_answer("FAILURE", id=task_id, fail_reason="rehearsal: gave up")
        items = [{"url": f"{HOST}/pictures/{task['size']}", "b64_json": ""}] * task["n"]
        return task_answer("SUCCESS", id=task_id, data=items)

    def native(self, body: dict[str, Any]) -> Any:
        size = body["parameters"].get("size", "1024*1024").replace("*", "x")
        part = {"image": f"{HOST}/pictures/{size}", "type": "image"}
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": [part]}}
        return {"request_id": "r-1", "output": {"choices": [choice]}, "usage": {"image_count": 1}}
