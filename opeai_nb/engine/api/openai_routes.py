"""The OpenAI-style endpoints: generations, the task query, models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opeai_nb.engine.api.admission import Admission
from opeai_nb.engine.api.asgi_endpoint import Endpoint
from opeai_nb.engine.api.error_envelope import ApiError, task_not_found
from opeai_nb.engine.api.model_catalogue import MODELS, listing
from opeai_nb.engine.api.openai_request import ApiRequest, parse
from opeai_nb.engine.api.responses import sync_pieces, usage
from opeai_nb.engine.faults import in_the_wild
from opeai_nb.engine.faults.rehearsal import REHEARSALS
from opeai_nb.engine.work.image_inputs import Reference, references
from opeai_nb.engine.work.store import StoredGeneration
from opeai_nb.engine.work.task_state import State, result_fields, submitted, task_body

if TYPE_CHECKING:
    from starlette.requests import Request

_LATEST_MAX: Final = 1024  # tasks whose latest answer is kept: some megabytes


class OpenAIRoutes:
    """`/v1/images/generations` and `/v1/models`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._generations = admission.generations
        self._urls = admission.urls
        self._latest: dict[str, tuple[State, Response]] = {}

    def routes(self) -> list[Route]:
        """Return the routes for the engine's router."""
        return [
            Route("/v1/images/generations/{task_id}", Endpoint(self.task), methods=["GET"]),
            Route("/v1/images/generations", self.create, methods=["POST"]),
            Route("/v1/images/edits", self.edit, methods=["POST"]),
            Route("/v1/images/variations", _no_variations, methods=["POST"]),
            Route("/v1/models", self.models, methods=["GET"]),
            Route("/v1/models/", self.models, methods=["GET"]),
            Route("/v1/models/{model:path}", self.model, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Answer POST /v1/images/generations (platform.md 1.2 to 1.5)."""
        return await self._admission.admit(http, _parsed, self._admission.is_task, self._answer)

    async def edit(self, http: Request) -> Response:
        """Answer POST /v1/images/edits, a form or JSON (platform.md 2.4, 4.1)."""
        return await self._admission.admit(
            http, _edit, self._admission.is_task, self._answer, forms=True
        )

    async def _answer(
        self, http: Request, generation: StoredGeneration, *, fresh: bool
    ) -> Response:
        request = ApiRequest.loads(generation.request)
        edits = self._generations.store.count_inputs(generation.id) - request.masked
        if generation.kind == "task":
            body = submitted(generation, request, edits)
            return in_the_wild.submission(request.model, body)
        data = await self._generations.pictures(generation, keep=request.form == "url")
        urls = self._urls.of(http, generation.id, request.output_format)
        pieces = sync_pieces(request, generation.created, data, urls, edits=edits)
        return self._admission.misbehaviour.answer(request.model, pieces, fresh=fresh)

    async def task(self, http: Request) -> Response:
        """Answer GET /v1/images/generations/{task_id}. Raises `ApiError` 404 for an unknown one."""
        return self.poll(http.path_params["task_id"], http)

    def poll(self, id_: str, http: Request) -> Response:
        """Return the answer about the task *id_*. Raises `ApiError` 404 for an unknown one."""
        task = self._generations.task(id_, "openai")
        now_state = None if task is None else self._generations.look(task[0])
        if task is None or now_state is None or now_state.status == "EXPIRED":
            raise task_not_found()
        generation, request = task
        latest = self._latest.get(generation.id)
        if latest is not None and latest[0] == now_state:
            return latest[1]
        edits = self._generations.store.count_inputs(generation.id) - request.masked
        body = task_body(generation, request, now_state, edits=edits)
        if now_state.status == "SUCCESS":
            urls = self._urls.of(http, generation.id, request.output_format)
            body |= result_fields(request, urls, usage(request, edits, request.n))
        answer = JSONResponse(self._admission.misbehaviour.task(request.model, body))
        if now_state.status != "SUCCESS" and request.model not in REHEARSALS:
            self._remember(generation.id, now_state, answer)
        return answer

    def _remember(self, id_: str, now_state: State, answer: Response) -> None:
        """Keep the answer about a task for the polls that find it as it is now."""
        if len(self._latest) >= _LATEST_MAX:
            self._latest.clear()
        self._latest[id_] = now_state, answer

    async def models(self, _http: Request) -> Response:
        """List the catalogue (platform.md 2.6)."""
        entries = [listing(model, sync=self._admission.sync) for model in MODELS.values()]
        return JSONResponse({"success": True, "object": "list", "data": entries})

    async def model(self, http: Request) -> Response:
        """Show one model. Raises `ApiError`, HTTP 200 as documented (1.5), for an unknown one."""
        name = http.path_params["model"]
        if name in MODELS:
            return JSONResponse(listing(MODELS[name], sync=self._admission.sync))
        raise ApiError(
            f"The model '{name}' does not exist",
            status=200,
            code="model_not_found",
            param="model",
            documented=True,
        )


def _parsed(fields: dict[str, Any]) -> tuple[ApiRequest, list[Reference]]:
    """Return the request in *fields* and its images."""
    images = _seen(fields, references(fields.get("image")))
    return parse(fields, edits=len(images)), images


def _edit(fields: dict[str, Any]) -> tuple[ApiRequest, list[Reference]]:
    """Return the edit in *fields* and its images, the mask last."""
    images = references(fields.get("image") or fields.get("images"))
    mask = references(fields.get("mask"))
    if not images:
        raise ApiError(
            "image is required: a file in the form field `image`, or a URL or data URL in JSON",
            param="image",
        )
    if len(mask) > 1:
        raise ApiError("mask must be one image", param="mask")
    images = _seen(fields, images)
    return replace(parse(fields, edits=len(images)), masked=bool(images and mask)), (
        images and images + mask
    )


def _seen(fields: dict[str, Any], images: list[Reference]) -> list[Reference]:
    """Return *images* unless the model is one that drops them."""
    rehearsal = REHEARSALS.get(str(fields.get("model")))
    return [] if rehearsal and rehearsal.drops_images else images


async def _no_variations(_http: Request) -> Response:
    """Answer for variations: not the gateway's 501 (platform.md 2.4), which SDKs send again."""
    raise ApiError(
        "API not implemented: image variations. "
        "Send the picture as `image` to /v1/images/edits, with a prompt",
        type="new_api_error",
        code="api_not_implemented",
        param="",
    )
