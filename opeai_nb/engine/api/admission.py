"""The way of a paid POST, the same for every endpoint: read, parse, repeat or accept, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.api.picture_urls import PictureUrls
from opeai_nb.engine.api.request_body import read_fields
from opeai_nb.engine.faults.misbehaviour import Misbehaviour
from opeai_nb.engine.work.generations import Generations
from opeai_nb.engine.work.image_inputs import Reference

if TYPE_CHECKING:
    from starlette.requests import Request


Parse = Callable[[dict[str, Any]], tuple[ApiRequest, list[Reference]]]
Answer = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Admission:
    """What the endpoints of both dialects stand on, and how a request gets in."""

    generations: Generations
    urls: PictureUrls
    misbehaviour: Misbehaviour
    sync: bool
    """Whether models that answer with a task alone answer with pictures; rehearsals apart."""

    def is_task(self, request: ApiRequest) -> bool:
        """Tell whether *request*'s model answers with a task (platform.md 1.4)."""
        model = MODELS[request.model]
        return model.async_only and not (self.sync and model.family.vendor != "engine")

    async def admit(
        self,
        http: Request,
        parse: Parse,
        is_task: Callable[[ApiRequest], bool],
        answer: Answer,
        *,
        forms: bool = False,
    ) -> Response:
        """Return *answer*'s response to the generation that *http* asks for.

        *parse* turns the body's fields into a request and its input images, a mask last. *answer*
        gets *http*, the generation, and `fresh`: False where an Idempotency-Key is sent again.
        """
        fields, digest = await read_fields(http, forms=forms)
        request, refs = parse(fields)
        key = http.headers.get("idempotency-key") or None  # a header left empty is none
        early = self.misbehaviour.refusal(request.model, key or digest)
        if early is not None:
            return early
        generation = self.generations.repeated(key, digest, request.dialect)
        fresh = generation is None
        if generation is None:
            inputs = await self.generations.inputs(request.model, refs, self.urls.own(http))
            request = await self.generations.sized(request, inputs)
            task = is_task(request)
            if not task and request.model.startswith("gpt-image"):
                request = replace(request, form="b64_json")  # in a task alone URLs: platform.md 1.4
            generation, fresh = await self.generations.accept(
                request, inputs, is_task=task, key=key, digest=digest
            )
        return await answer(http, generation, fresh=fresh)
