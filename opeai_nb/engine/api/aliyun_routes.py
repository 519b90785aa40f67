"""The Aliyun-native endpoints: DashScope's answers under the platform's paths (platform.md 1.8)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opeai_nb.engine.api.admission import Admission
from opeai_nb.engine.api.aliyun_request import parse_native
from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.faults.rehearsal import failed_message, item_fault
from opeai_nb.engine.work.store import StoredGeneration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request


_STATUSES: Final = {  # platform.md 3.4
    "QUEUED": "PENDING",
    "IN_PROGRESS": "RUNNING",
    "SUCCESS": "SUCCEEDED",
    "FAILURE": "FAILED",
    "EXPIRED": "UNKNOWN",
}
_FAMILIES_WITH_RESULTS: Final = ("qwen-image", "wan2-t2i")  # the older answer, platform.md 3.3
_MODELS_WITH_RESULTS: Final = ("wan2.5-t2i-preview",)
# What the gateway says before DashScope hears of it keeps the gateway's envelope.
_GATEWAY_CODES: Final = ("model_not_found", "bad_request_body", "read_request_body_failed")
_CODES: Final = {"moderation_blocked": "DataInspectionFailed", "InvalidURL": "InvalidURL"}


class AliyunRoutes:
    """`/aliyun/v1/images/generations` and `/aliyun/v1/tasks/{task_id}`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._generations = admission.generations
        self._urls = admission.urls

    def routes(self) -> list[Route]:
        """Return the routes for the engine's router."""
        return [
            Route("/aliyun/v1/images/generations", _flat(self.create), methods=["POST"]),
            Route("/aliyun/v1/tasks/{task_id}", _flat(self.task), methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Answer with pictures, or with a task for `X-DashScope-Async: enable`."""
        asked = http.headers.get("x-dashscope-async", "").lower() == "enable"
        return await self._admission.admit(
            http,
            parse_native,
            lambda request: asked or MODELS[request.model].async_only,
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
        id_ = http.path_params["task_id"]
        body: dict[str, Any] = {"request_id": http.scope["request_id"]}
        task = self._generations.task(id_, "aliyun")
        if task is None:
            return JSONResponse(body | {"output": {"task_id": id_, "task_status": "UNKNOWN"}})
        generation, request = task
        status = _STATUSES[self._generations.look(generation).status]
        output: dict[str, Any] = {"task_id": id_, "task_status": status}
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


def _flat(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return *endpoint* with DashScope's flat errors (platform.md 3.3)."""

    async def flat(http: Request) -> Response:
        try:
            return await endpoint(http)
        except ApiError as error:
            if error.code in _GATEWAY_CODES:
                raise
            body = {
                "code": "Throttling" if error.status == 429 else _code(error),  # noqa: PLR2004  HTTP's own number
                "message": error.message,
                "request_id": http.scope["request_id"],
            }
            return JSONResponse(body, status_code=error.status, headers=error.headers)

    return flat


def _code(error: ApiError) -> str:
    return _CODES.get(error.code or "", "InvalidParameter")


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
