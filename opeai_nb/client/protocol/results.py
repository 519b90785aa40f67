"""From an answer to a generation whose pictures are all here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.protocol.steps import Flow, Reply, Together
from opeai_nb.client.values.generation import Generation
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.request import ImageRequest
from opeai_nb.client.wire.read_answer import Pictures
from opeai_nb.errors import NoPictureError, OpeaiError
from opeai_nb.fields import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.values.task import Task
    from opeai_nb.client.wire.endpoint import Endpoint


def assembled(found: Pictures, request: ImageRequest, task_id: str | None = None) -> Generation:
    """Return the generation of an answer; raise the items' error when none is a picture."""
    generation = Generation(
        pictures=found.pictures,
        request=request,
        usage=found.usage,
        task_id=task_id or None,
        created=found.created,
        model=found.model,
        request_id=found.request_id,
    )
    if not generation.good:
        raise _nothing_good(generation)
    return generation


def received(reply: Reply) -> tuple[Picture, ...]:
    """Return the pictures whose bytes came with an answer, for the error that it is."""
    return tuple(Picture(source=source) for _, source in sorted(reply.pictures.items()))


def _nothing_good(generation: Generation) -> OpeaiError:
    """Return the error for an answer without any picture: the items' own when they agree."""
    errors = [picture.error for picture in generation.failed if picture.error is not None]
    error = errors[0] if len({type(error) for error in errors}) == 1 else None
    if error is None or isinstance(error, NoPictureError):
        told = f": {errors[0].message}" if errors else "."
        error = NoPictureError(f"The platform answered without any picture{told}")
    error.request, error.pictures = generation.request, generation.pictures
    error.request_id, error.task_id = generation.request_id, generation.task_id
    return error


def fetch(endpoint: Endpoint, generation: Generation) -> Flow[Generation]:
    """Download what is not fetched yet. A picture that fails keeps its URL and says why.

    Raises the `DownloadError` when every picture failed; `error.pictures` keeps the URLs.
    """
    wanted = [i for i, p in enumerate(generation.pictures) if p.source is None and p.error is None]
    if not wanted:
        return generation
    from opeai_nb.client.protocol.download import (
        download,  # not needed for pictures that came as bytes
    )

    flows = tuple(download(endpoint, generation.pictures[i]) for i in wanted)
    results: Sequence[Picture] = yield Together(flows)
    pictures = list(generation.pictures)
    for place, picture in zip(wanted, results, strict=True):
        pictures[place] = picture
    fetched = replace(generation, pictures=tuple(pictures))
    if not fetched.good:
        raise _nothing_good(fetched)
    return fetched


def finished(task: Task) -> Generation:
    """Return the generation of a settled task (not downloaded yet); raise what it failed of."""
    request = task.request or _earlier(task)
    if task.error is not None:
        raise task.error
    if not task.pictures:
        raise NoPictureError(
            "The task succeeded, but no picture came with it.", task_id=task.id, request=request
        )
    found = Pictures(task.pictures, task.usage, task.created, task.model, task.request_id)
    return assembled(found, request, task.id)


def _earlier(task: Task) -> ImageRequest:
    """Return the request of a task of which only the id was known: what the platform echoes."""
    prompt = task.prompt if task.prompt and task.prompt.strip() else "an earlier task"
    return ImageRequest(prompt=prompt, model=task.model or DEFAULT_MODEL)
