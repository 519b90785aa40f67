"""From an answer to a generation whose pictures are all here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.answer import Pictures
from opeai_nb.client.download import download
from opeai_nb.client.generation import Generation
from opeai_nb.client.steps import Flow, Together
from opeai_nb.errors import NoPictureError, OpeaiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.endpoint import Endpoint
    from opeai_nb.client.picture import Picture
    from opeai_nb.client.request import ImageRequest
    from opeai_nb.client.task import Task


def assembled(found: Pictures, request: ImageRequest) -> Generation:
    """Return the generation of an answer; raise the items' error when none is a picture."""
    generation = Generation(
        pictures=found.pictures,
        request=request,
        usage=found.usage,
        created=found.created,
        model=found.model,
        request_id=found.request_id,
    )
    if not generation.good:
        raise _nothing_good(generation)
    return generation


def _nothing_good(generation: Generation) -> OpeaiError:
    """Return the error for an answer without any picture: the items' own when they agree."""
    errors = [picture.error for picture in generation.failed if picture.error is not None]
    if errors and len({type(error) for error in errors}) == 1:
        error = errors[0]
    else:
        error = NoPictureError("The platform answered without any picture.")
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
    flows = tuple(download(endpoint, generation.pictures[i]) for i in wanted)
    results: Sequence[Picture] = yield Together(flows)
    pictures = list(generation.pictures)
    for place, picture in zip(wanted, results, strict=True):
        pictures[place] = picture
    fetched = replace(generation, pictures=tuple(pictures))
    if not fetched.good:
        error = _nothing_good(fetched)
        error.task_id = generation.task_id
        raise error
    return fetched


def finished(task: Task) -> Generation:
    """Return the generation of a settled task (not downloaded yet); raise what it failed of."""
    if task.request is None:
        raise ValueError("a task that is finished knows its request")
    if task.error is not None:
        raise task.error
    if not task.pictures:
        raise NoPictureError(
            "The task succeeded, but no picture came with it.",
            task_id=task.id,
            request=task.request,
        )
    found = Pictures(task.pictures, task.usage, task.created, task.model, task.request_id)
    return replace(assembled(found, task.request), task_id=task.id)
