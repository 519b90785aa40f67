"""Where accepted requests become pictures: store, painting threads and clock together."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import secrets
import uuid
from base64 import b64encode
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.faults.rehearsal import REHEARSALS
from opeai_nb.engine.work.fetch import SECONDS, fetch, is_public
from opeai_nb.engine.work.image_inputs import Reference, bytes_max, decoded, is_url
from opeai_nb.engine.work.render import Painter, checked_mask_size, checked_size, render
from opeai_nb.engine.work.store import StoredGeneration, StoredPicture
from opeai_nb.engine.work.store_cache import CachedStore
from opeai_nb.engine.work.task_state import State, state
from opeai_nb.engine.work.worker_pool import WorkerPool

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future


_LOG: Final = logging.getLogger("opeai_nb.engine")
_QUEUED_PART: Final = 0.2  # of a task's seconds: long enough that a poll each second sees QUEUED
_FETCHERS: Final = 4  # input images at once: they wait for the network, not for a processor


class Generations:
    """Accepts requests, paints them in threads, and tells how far they are.

    *workers* 0 paints a task before its POST is answered: its life depends on *clock* alone.
    """

    def __init__(
        self,
        store: CachedStore,
        painter: Painter | None,
        clock: Callable[[], float],
        *,
        workers: int,
        task_seconds: tuple[float, float],
        time_scale: float,
        rng: random.Random,
    ) -> None:
        self.store = store
        self.clock = clock
        self._painter = painter
        self._eager = workers == 0
        self._painters = WorkerPool(max(1, workers))
        self._fetchers = WorkerPool(_FETCHERS)
        self._task_seconds = task_seconds
        self._time_scale = time_scale
        self._rng = rng
        self._takes: dict[bytes, Iterator[int]] = {}

    def close(self) -> None:
        """Dismiss the threads and close the store."""
        self._painters.close()
        self._fetchers.close()
        self.store.close()

    async def inputs(
        self, model: str, references: Sequence[Reference], own: Callable[[str], str | None]
    ) -> list[bytes]:
        """Return the input images; *own* gives the picture's id in a URL that is the engine's own.

        ApiError 400 for one that can't be had, is too large for *model* or is no image.
        """
        most = bytes_max(MODELS[model].family.vendor)
        images = []
        for reference in references:
            if not is_url(reference):
                images.append(await asyncio.to_thread(decoded, reference, most))
            elif (id_ := own(reference)) is not None:
                images.append(await self.picture_data(id_) or _gone(id_))
            else:
                images.append(await self._fetched(reference, most))
        return images

    async def _fetched(self, url: str, most: int) -> bytes:
        # The extra second lets the fetch's own deadline, which says more, come first. A name server
        # that hangs is not under that deadline.
        job = self._fetchers.submit(
            secrets.token_hex(8), lambda: fetch(url, most, allowed=is_public), urgent=True
        )
        try:
            data: bytes = await asyncio.wait_for(asyncio.wrap_future(job), SECONDS + 1)
        except TimeoutError as error:
            raise ApiError(
                "the input image took too long to download", code="InvalidURL", param="image"
            ) from error
        return data

    async def sized(self, request: ApiRequest, inputs: Sequence[bytes]) -> ApiRequest:
        """Check *inputs* by decoding them; let the first one decide a size that was not asked.

        Raises `ApiError` 400 for a mask of another size or without alpha, and
        what decoding raises.
        """
        checks = [partial(checked_size, data) for data in inputs]
        if request.masked:
            checks[-1] = partial(checked_mask_size, inputs[-1])
        jobs = [self._painters.submit(secrets.token_hex(8), check, urgent=True) for check in checks]
        sizes = [await asyncio.wrap_future(job) for job in jobs]
        if request.masked and sizes[-1] != sizes[0]:
            raise ApiError(
                "the mask must have the size of the first image", code="invalid_image", param="mask"
            )
        return request.sized(*sizes[0]) if sizes else request

    def repeated(self, key: str | None, digest: str, dialect: str) -> StoredGeneration | None:
        """Return what an Idempotency-Key has made before.

        Raises `ApiError` 409 for a key that was sent with another body, or in another dialect.
        """
        generation = None if key is None else self.store.by_key(key, self.clock())
        if generation is not None:
            _check_repeat(generation, digest, dialect)
        return generation

    def task(self, id_: str, dialect: str) -> tuple[StoredGeneration, ApiRequest] | None:
        """Return a task of *dialect* and its request, or None for an unknown or old one."""
        generation = self.store.generation(id_, self.clock())
        if generation is None or generation.kind != "task":
            return None
        request = ApiRequest.loads(generation.request)
        return (generation, request) if request.dialect == dialect else None

    def model_of(self, picture: StoredPicture) -> str:
        """Return the model that made *picture*; "" where nobody knows any more."""
        generation = self.store.generation(picture.generation, self.clock())
        return ApiRequest.loads(generation.request).model if generation else ""

    async def accept(
        self,
        request: ApiRequest,
        inputs: Sequence[bytes],
        *,
        is_task: bool,
        key: str | None,
        digest: str,
    ) -> tuple[StoredGeneration, bool]:
        """Keep *request* and return its generation, and whether it is new (not a repeated key).

        Raises `ApiError` 409 for a key that came with another body while this one was read.
        """
        now, rehearsal = self.clock(), REHEARSALS.get(request.model)
        request = replace(request, take=self._take(request, inputs))
        wait, length = self._seconds(request) if is_task else (0.0, 0.0)
        generation = StoredGeneration(
            id=_id(request.dialect),
            kind="task" if is_task else "sync",
            request=request.dumps(),
            created=now,
            starts=now + wait,
            ends=now + length,
            fate=rehearsal.fate if rehearsal else "success",
            key=key,
            digest=digest,
        )
        expires = generation.ends + MODELS[request.model].url_seconds
        pictures = [_picture(generation.id, n, expires) for n in range(request.n)]
        stored = await asyncio.to_thread(self.store.add, generation, inputs, pictures)
        _check_repeat(stored, digest, request.dialect)
        if (fresh := stored is generation) and is_task and generation.fate == "success":
            jobs = self._paint(generation, pictures, urgent=False, keep=True)
            if self._eager:
                await asyncio.gather(*map(asyncio.wrap_future, jobs), return_exceptions=True)
        return stored, fresh

    def _take(self, request: ApiRequest, inputs: Sequence[bytes]) -> int:
        """Return how many equal requests this engine has accepted; 0 where a seed fixes all."""
        if request.seed is not None:
            return 0
        digest = hashlib.sha256(request.dumps().encode())
        for data in inputs:
            digest.update(hashlib.sha256(data).digest())
        return next(self._takes.setdefault(digest.digest(), itertools.count()))

    def _seconds(self, request: ApiRequest) -> tuple[float, float]:
        """Return when a task leaves the queue and when it is done, in seconds from now."""
        rehearsal = REHEARSALS.get(request.model)
        if rehearsal is not None and rehearsal.seconds is not None:
            wait, length = rehearsal.seconds
        else:
            length = self._rng.uniform(*self._task_seconds)
            wait = length * _QUEUED_PART
        return wait * self._time_scale, length * self._time_scale

    async def pictures(self, generation: StoredGeneration, *, keep: bool) -> list[bytes]:
        """Return the bytes of all pictures of *generation*, painting those that are missing."""
        jobs = self._paint(generation, self.store.pictures(generation.id), urgent=True, keep=keep)
        return [await asyncio.wrap_future(job) for job in jobs]

    async def picture_data(self, id_: str) -> bytes | None:
        """Return the bytes of a picture that has not expired, painting it if need be."""
        picture = self.store.picture(id_)
        now = self.clock()
        if picture is None or now > picture.expires:
            return None
        generation = self.store.generation(picture.generation, now)
        if generation is None:
            return None
        (job,) = self._paint(generation, [picture], urgent=True, keep=True)
        data: bytes = await asyncio.wrap_future(job)
        return data

    def look(self, generation: StoredGeneration) -> State:
        """Return a task's state now; have it painted if it is due and nobody paints it.

        That nobody does: the process that took the task ended first.
        """
        now = self.clock()
        if now < generation.starts or generation.fate != "success":
            return state(generation, now, painted=False, begun=False)
        pictures = self.store.pictures(generation.id)
        missing = [picture.id for picture in pictures if not picture.painted]
        if not self._painters.has(missing):
            pictures = self.store.pictures(generation.id, fresh=True)
            unpainted = [picture for picture in pictures if not picture.painted]
            missing = [picture.id for picture in unpainted]
            if now >= generation.ends:
                self._paint(generation, unpainted, urgent=False, keep=True)
        begun = len(missing) < len(pictures) or self._painters.is_running(missing)
        return state(generation, now, painted=not missing, begun=begun)

    def _paint(
        self,
        generation: StoredGeneration,
        pictures: Sequence[StoredPicture],
        *,
        urgent: bool,
        keep: bool,
    ) -> list[Future[bytes]]:
        return [
            self._painters.submit(
                picture.id,
                lambda p=picture: self._painted(generation, p, keep=keep),  # type: ignore[misc]  # a default binds the loop's variable
                urgent=urgent,
            )
            for picture in pictures
        ]

    def _painted(
        self, generation: StoredGeneration, picture: StoredPicture, *, keep: bool
    ) -> bytes:
        """Return the bytes of *picture*, painted now unless they are kept; a painter's thread."""
        try:
            data = self.store.data(picture.id)
            if data is None:
                request = ApiRequest.loads(generation.request)
                inputs = self.store.inputs(generation.id)
                data = render(
                    self._painter,
                    request,
                    inputs,
                    picture.position,
                    recipes=self.store,
                    now=self.clock(),
                )
                if keep:
                    self.store.put_data(picture, data)
        except Exception as error:
            if not self.store.closed:  # else the interpreter ends, and it is painted another time
                _LOG.error("a picture could not be painted", exc_info=error)
                if generation.kind == "task":
                    self.store.end(generation.id, "failure")
            raise
        return data


def _check_repeat(generation: StoredGeneration, digest: str, dialect: str) -> None:
    before = ApiRequest.loads(generation.request).dialect
    if (generation.digest, before) != (digest, dialect):
        raise ApiError(
            "this Idempotency-Key was sent with another body",
            status=409,
            code="idempotency_key_reused",
        )


def _picture(generation: str, position: int, expires: float) -> StoredPicture:
    """Return a new picture whose signature is percent-encoded as a signed URL's is.

    A client that encodes a signed query again breaks it (platform.md 7).
    """
    signature = quote(b64encode(secrets.token_bytes(19) + b"\xff").decode(), safe="")
    return StoredPicture(
        id=secrets.token_hex(16),
        generation=generation,
        position=position,
        signature=f"Expires={int(expires)}&Signature={signature}",
        expires=expires,
        painted=False,
    )


def _id(dialect: str) -> str:
    """Return an id in the platform's form (platform.md 1.4) or in DashScope's (3.3)."""
    return f"image_{secrets.token_hex(12)}" if dialect == "openai" else str(uuid.uuid4())


def _gone(id_: str) -> bytes:
    what = "has expired" if id_ else "is not that of a picture"
    raise ApiError(f"the input image's URL {what}", code="InvalidURL", param="image")
