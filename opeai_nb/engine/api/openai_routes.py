"""The OpenAI-style endpoints: generations, the task query, models."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opeai_nb.engine.api.error_envelope import ApiError, task_not_found
from opeai_nb.engine.api.model_catalogue import MODELS, listing
from opeai_nb.engine.api.openai_request import ImageRequest, loads, parse
from opeai_nb.engine.api.request_body import read_body
from opeai_nb.engine.api.responses import sync_pieces, usage
from opeai_nb.engine.work.image_inputs import references
from opeai_nb.engine.work.task_state import submitted, task_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from opeai_nb.engine.api.picture_urls import PictureUrls
    from opeai_nb.engine.faults.misbehaviour import Conduct
    from opeai_nb.engine.work.generations import Atelier
    from opeai_nb.engine.work.store import Generation

_SMALL: Final = 64 * 1024  # bodies up to it are parsed on the loop


class OpenAIRoutes:
    """`/v1/images/generations` and `/v1/models` over one atelier."""

    def __init__(self, atelier: Atelier, urls: PictureUrls, conduct: Conduct) -> None:
        self._atelier = atelier
        self._urls = urls
        self._conduct = conduct

    def routes(self) -> list[Route]:
        """Return the routes for the engine's router."""
        return [
            Route("/v1/images/generations", self.create, methods=["POST"]),
            Route("/v1/images/generations/{task_id}", self.task, methods=["GET"]),
            Route("/v1/images/edits", _not_implemented, methods=["POST"]),
            Route("/v1/images/variations", _not_implemented, methods=["POST"]),
            Route("/v1/models", _models, methods=["GET"]),
            Route("/v1/models/{model:path}", _model, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Answer POST /v1/images/generations (platform.md 1.2 to 1.5)."""
        body = await read_body(http)
        if len(body) <= _SMALL:
            request, refs, digest = _understood(body)
        else:
            request, refs, digest = await asyncio.to_thread(_understood, body)
        key = http.headers.get("idempotency-key")
        early = self._conduct.refusal(request.model, key or digest)
        if early is not None:
            return early
        generation = self._atelier.repeated(key, digest)
        fresh = generation is None
        if generation is None:
            inputs = await self._atelier.inputs(request.model, refs, self._urls.own(http))
            request = await self._atelier.sized(request, inputs)
            generation, fresh = await self._atelier.accept(
                request,
                inputs,
                is_task=MODELS[request.model].async_only,
                key=key,
                digest=digest,
            )
        return await self._answer(http, generation, len(refs), fresh=fresh)

    async def _answer(
        self, http: Request, generation: Generation, edits: int, *, fresh: bool
    ) -> Response:
        request = ImageRequest.loads(generation.request)
        if generation.kind == "task":
            return JSONResponse(submitted(generation, request, edits))
        data = await self._atelier.pictures(generation, keep=request.form == "url")
        urls = self._urls.of(http, generation.id, request.output_format)
        pieces = sync_pieces(request, generation.created, data, urls, edits=edits)
        return self._conduct.answer(request.model, pieces, fresh=fresh)

    async def task(self, http: Request) -> Response:
        """Answer GET /v1/images/generations/{task_id}; 404 for unknown and expired ones."""
        atelier = self._atelier
        generation = atelier.store.generation(http.path_params["task_id"], atelier.clock())
        if generation is None or generation.kind != "task":
            raise task_not_found()
        request = ImageRequest.loads(generation.request)
        now_state = atelier.look(generation)
        if request.dialect != "openai" or now_state.status == "EXPIRED":
            raise task_not_found()
        edits = atelier.store.count_inputs(generation.id)
        body = task_body(
            generation,
            request,
            now_state,
            edits=edits,
            urls=self._urls.of(http, generation.id, request.output_format),
            usage=usage(request, edits, request.n),
        )
        return JSONResponse(body)


def _understood(body: bytes) -> tuple[ImageRequest, list[str], str]:
    """Return the request in *body*, its image references, and the body's digest."""
    fields = loads(body)
    refs = references(fields.get("image"))
    return parse(fields, edits=len(refs)), refs, hashlib.sha256(body).hexdigest()


async def _models(_http: Request) -> Response:
    """List the catalogue (platform.md 2.6)."""
    entries: list[dict[str, Any]] = [listing(model) for model in MODELS.values()]
    return JSONResponse({"success": True, "object": "list", "data": entries})


async def _model(http: Request) -> Response:
    """Show one model; an unknown one is HTTP 200 with an error, as documented (platform.md 1.5)."""
    name = http.path_params["model"]
    if name in MODELS:
        return JSONResponse(listing(MODELS[name]))
    raise ApiError(
        f"The model '{name}' does not exist",
        status=200,
        code="model_not_found",
        param="model",
        documented=True,
    )


async def _not_implemented(_http: Request) -> Response:
    """Answer for the edits endpoint, which the gateway does not have (platform.md 2.4)."""
    raise ApiError(
        "API not implemented",
        status=501,
        type="new_api_error",
        code="api_not_implemented",
        param="",
    )
