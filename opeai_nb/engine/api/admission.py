"""The way of a paid POST, the same for every endpoint: read, parse, repeat or accept, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

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
        key = http.headers.get("idempotency-key")
        early = self.misbehaviour.refusal(request.model, key or digest)
        if early is not None:
            return early
        generation = self.generations.repeated(key, digest)
        fresh = generation is None
        if generation is None:
            inputs = await self.generations.inputs(request.model, refs, self.urls.own(http))
            request = await self.generations.sized(request, inputs)
            generation, fresh = await self.generations.accept(
                request, inputs, is_task=is_task(request), key=key, digest=digest
            )
        return await answer(http, generation, fresh=fresh)
