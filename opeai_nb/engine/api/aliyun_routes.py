"""The Aliyun-native endpoints: DashScope's answers under the platform's paths (platform.md 1.8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opeai_nb.engine.api.admission import Admission
from opeai_nb.engine.api.aliyun_request import parse_native
from opeai_nb.engine.api.asgi_endpoint import Endpoint
from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.faults.rehearsal import failed_message, item_fault
from opeai_nb.engine.work.store import StoredGeneration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request


_STATUSES: Final = {  # platform.md 3.4
    "QUEUED": "PENDING",
    "IN_PROGRESS": "RUNNING",
    "SUCCESS": "SUCCEEDED",
    "FAILURE": "FAILED",
    "EXPIRED": "UNKNOWN",
    "CANCELED": "CANCELED",
}
_DIGITS_MAX: Final = 9  # of a page's number; Python refuses to read thousands of them
_ENDED: Final = ("SUCCEEDED", "FAILED", "CANCELED")
_SERVICES: Final = "/aliyun/v1/services/aigc/"
_SERVICE_NAMES: Final = (  # DashScope's own paths, which its SDK appends: platform.md 3.1
    "multimodal-generation/generation",
    "image-generation/generation",
    "text2image/image-synthesis",
    "image2image/image-synthesis",
)
_FAMILIES_WITH_RESULTS: Final = ("qwen-image", "wan2-t2i")  # the older answer, platform.md 3.3
_MODELS_WITH_RESULTS: Final = ("wan2.5-t2i-preview",)


class AliyunRoutes:
    """`/aliyun/v1/images/generations` and `/aliyun/v1/tasks/{task_id}`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._generations = admission.generations
        self._urls = admission.urls

    def routes(self) -> list[Route]:
        """Return the routes for the engine's router."""
        paths = ("/aliyun/v1/images/generations", *(_SERVICES + name for name in _SERVICE_NAMES))
        return [
            *(Route(path, self.create, methods=["POST"]) for path in paths),
            Route("/aliyun/v1/tasks", self.tasks, methods=["GET"]),
            Route("/aliyun/v1/tasks/{task_id}", Endpoint(self.task), methods=["GET"]),
            Route("/aliyun/v1/tasks/{task_id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, http: Request) -> Response:
        """Answer with pictures, or with a task for `X-DashScope-Async: enable`."""
        asked = http.headers.get("x-dashscope-async", "").lower() == "enable"
        return await self._admission.admit(
            http,
            parse_native,
            lambda request: asked or self._admission.is_task(request),
            self._answer,
        )

    async def _answer(
        self, http: Request, generation: StoredGeneration, *, fresh: bool
    ) -> Response:
        request = ApiRequest.loads(generation.request)
        if generation.kind == "task":
            output: dict[str, Any] = {"task_id": generation.id, "task_status": "PENDING"}
            return JSONResponse({"request_id": http.scope["request_id"], "output": output})
        await self._generations.pictures(generation, keep=True)
        urls = self._urls.of(http, generation.id, request.output_format)
        body = {
            "request_id": http.scope["request_id"],
            "output": {"choices": _choices(request, urls), "finished": True},
            "usage": _usage(request),
        }
        pieces = [json.dumps(body, ensure_ascii=False).encode()]
        return self._admission.misbehaviour.answer(request.model, pieces, fresh=fresh)

    async def task(self, http: Request) -> Response:
        """Answer a task query; an unknown or expired task has the status UNKNOWN."""
        task = self._generations.task(http.path_params["task_id"], "aliyun")
        if task is None:
            return _no_task(http)
        generation, request = task
        body: dict[str, Any] = {"request_id": http.scope["request_id"]}
        status = _STATUSES[self._generations.look(generation).status]
        output: dict[str, Any] = {"task_id": generation.id, "task_status": status}
        if status != "UNKNOWN":
            output["submit_time"] = _local(generation.created)
        if status == "FAILED":
            output |= {"code": "InternalError", "message": failed_message(request.model)}
        if status == "SUCCEEDED":
            urls = self._urls.of(http, generation.id, request.output_format)
            output |= {
                "scheduled_time": _local(generation.starts),
                "end_time": _local(generation.ends),
                **_pictures(request, urls),
            }
            body["usage"] = _usage(request)
        return JSONResponse(body | {"output": output})

    async def tasks(self, http: Request) -> Response:
        """List the tasks of the last 24 hours, the latest first, by model and status if asked."""
        rows = [self._row(generation, request) for generation, request in self._recent()]
        for name in ("model_name", "status"):
            if value := http.query_params.get(name):
                rows = [row for row in rows if row[name] == value]
        page, size = _number(http, "page_no", 1), _number(http, "page_size", 10)
        return JSONResponse(
            {
                "request_id": http.scope["request_id"],
                "data": rows[(page - 1) * size : page * size],
                "total": len(rows),
                "total_page": -(-len(rows) // size),
                "page_no": page,
                "page_size": size,
            }
        )

    def _recent(self) -> Iterator[tuple[StoredGeneration, ApiRequest]]:
        for id_ in self._generations.store.recent_tasks(self._generations.clock()):
            task = self._generations.task(id_, "aliyun")
            if task is not None:
                yield task

    def _row(self, generation: StoredGeneration, request: ApiRequest) -> dict[str, Any]:
        status = _STATUSES[self._generations.look(generation).status]
        return {
            "task_id": generation.id,
            "model_name": request.model,
            "status": status,
            "start_time": int(generation.created * 1000),
            "end_time": int(generation.ends * 1000) if status in _ENDED else None,
        }

    async def cancel(self, http: Request) -> Response:
        """Cancel a task that still queues; ApiError 400 for one that is further (3.1)."""
        task = self._generations.task(http.path_params["task_id"], "aliyun")
        if task is None:
            return _no_task(http)
        if self._generations.look(task[0]).status != "QUEUED":
            raise ApiError(
                "the task is not PENDING, so it can not be canceled", code="UnsupportedOperation"
            )
        self._generations.store.end(task[0].id, "canceled")
        return JSONResponse({"request_id": http.scope["request_id"]})


def _no_task(http: Request) -> Response:
    """Return the answer about an unknown task, which is no error (platform.md 3.4)."""
    output = {"task_id": http.path_params["task_id"], "task_status": "UNKNOWN"}
    return JSONResponse({"request_id": http.scope["request_id"], "output": output})


def _number(http: Request, name: str, default: int) -> int:
    text = http.query_params.get(name, "")
    return max(1, int(text)) if text.isdecimal() and len(text) <= _DIGITS_MAX else default


def _pictures(request: ApiRequest, urls: list[str]) -> dict[str, Any]:
    family = MODELS[request.model].family
    if family.name not in _FAMILIES_WITH_RESULTS and request.model not in _MODELS_WITH_RESULTS:
        return {"finished": True, "choices": _choices(request, urls)}
    results = [
        {"orig_prompt": request.prompt, "actual_prompt": request.prompt, "url": url} for url in urls
    ]
    return {
        "results": results,
        "task_metrics": {"TOTAL": len(urls), "SUCCEEDED": len(urls), "FAILED": 0},
    }


def _choices(request: ApiRequest, urls: list[str]) -> list[dict[str, Any]]:
    """Return one choice for each picture (wan) or one for all (qwen): platform.md 3.3."""
    items: list[dict[str, Any]] = [
        {"image": url}
        for position, url in enumerate(urls)
        if not item_fault(request.model, position)
    ]
    if request.model.startswith("wan"):
        return [_choice([{**item, "type": "image"}]) for item in items]
    if request.prompt_extend:
        items.append({"text": request.prompt})
    return [_choice(items)]


def _choice(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}


def _usage(request: ApiRequest) -> dict[str, Any]:
    if request.model.startswith("wan"):
        return {"image_count": request.n, "size": f"{request.width}*{request.height}"}
    return {"width": request.width, "height": request.height, "image_count": request.n}


def _local(seconds: float) -> str:
    """Return a time as DashScope writes it, without a zone (platform.md 3.3)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
