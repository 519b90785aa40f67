"""An answer as it is written down: what came, and what is still to be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opeai_nb import errors
from opeai_nb.client.values.generation import Generation
from opeai_nb.client.values.picture import Picture
from opeai_nb.library.disk.files import is_inside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest


def write_answer(
    generation: Generation, pictures: Sequence[Picture], folder: Path | None
) -> dict[str, Any]:
    """Return an answer as JSON; files are named as they lie in *folder*."""
    return {
        "pictures": [_write_item(picture, folder) for picture in pictures],
        "usage": dict(generation.usage) if generation.usage is not None else None,
        "created": generation.created,
        "model": generation.model,
        "request_id": generation.request_id,
        "task_id": generation.task_id,
    }


def read_answer(
    answer: Mapping[str, Any] | None,
    request: ImageRequest,
    received: Mapping[int, Path],
    task_id: str | None,
) -> Generation | None:
    """Return the generation that an answer and the received files make, or None without either.

    A picture that failed to be downloaded has its URL and no error: it can be fetched again.
    """
    if answer is None:
        if not received:
            return None
        return Generation(tuple(Picture(source=path) for path in received.values()), request)
    return Generation(
        pictures=tuple(
            _read_item(item, received.get(n)) for n, item in enumerate(answer["pictures"])
        ),
        request=request,
        usage=answer.get("usage"),
        task_id=answer.get("task_id") or task_id,
        created=answer.get("created"),
        model=answer.get("model"),
        request_id=answer.get("request_id"),
    )


def write_error(error: errors.OpeaiError) -> dict[str, Any]:
    """Return why an item has no picture, as JSON."""
    told = {"type": type(error).__name__, "message": error.message, "code": error.code}
    return {name: value for name, value in told.items() if value is not None}


def read_error(written: Mapping[str, Any]) -> errors.OpeaiError:
    """Return the error again; a kind that we do not know is an `OpeaiError`."""
    kind = getattr(errors, str(written.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, errors.OpeaiError)):
        kind = errors.OpeaiError
    error: errors.OpeaiError = kind(str(written.get("message", "")), code=written.get("code"))
    return error


def _write_item(picture: Picture, folder: Path | None) -> dict[str, Any]:
    error, path = picture.error, picture.path
    inside = folder is not None and path is not None and is_inside(path, folder)
    item = {
        "url": picture.url,
        "revised_prompt": picture.revised_prompt,
        "file": path.relative_to(folder).as_posix() if inside and path and folder else None,
        "error": None if error is None else write_error(error),
    }
    return {name: value for name, value in item.items() if value is not None}


def _read_item(item: Mapping[str, Any], path: Path | None) -> Picture:
    error = None
    if path is None and "error" in item:
        error = read_error(item["error"])
        if isinstance(error, errors.DownloadError) and item.get("url"):
            error = None
    return Picture(
        source=path, url=item.get("url"), revised_prompt=item.get("revised_prompt"), error=error
    )
