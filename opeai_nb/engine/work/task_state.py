"""A task's life as arithmetic: times, clock and pictures in, status and progress out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.faults.rehearsal import FAILED_CODE, FAILED_PROGRESS, failed_message
from opeai_nb.engine.work.store import StoredGeneration

_BEGUN: Final = 5  # per cent: never 0 nor 100 while it is painted, so that each word
_NEARLY: Final = 95  # of the status has a progress of its own
_ENDS: Final = {"failure": "FAILURE", "expired": "EXPIRED"}


@dataclass(frozen=True, slots=True)
class State:
    """What one answer says about a task."""

    status: str
    """`QUEUED`, `IN_PROGRESS`, `SUCCESS`, `FAILURE` (platform.md 1.6), `CANCELED` (3.4), or
    `EXPIRED`, which no answer shows: the task is not found."""
    progress: int


def state(generation: StoredGeneration, now: float, *, painted: bool, begun: bool) -> State:
    """Return the state of a task at *now*.

    *painted*: all its pictures are there; *begun*: somebody paints them or has painted one.
    It succeeds when its time has come **and** it is painted; a queue of painters shows as QUEUED.
    """
    if generation.fate == "canceled":
        return State("CANCELED", 0)
    if now < generation.starts:
        return State("QUEUED", 0)
    if generation.fate != "success":
        if now >= generation.ends:
            return State(_ENDS[generation.fate], 100)
        return State("IN_PROGRESS", min(FAILED_PROGRESS, _progress(generation, now)))
    if painted and now >= generation.ends:
        return State("SUCCESS", 100)
    if not (painted or begun):
        return State("QUEUED", 0)
    return State("IN_PROGRESS", _progress(generation, now))


def _progress(generation: StoredGeneration, now: float) -> int:
    length = generation.ends - generation.starts
    part = (now - generation.starts) / length if length > 0 else 1.0
    return _BEGUN + int((_NEARLY - _BEGUN) * min(part, 1.0))


def submitted(generation: StoredGeneration, request: ApiRequest, edits: int) -> dict[str, Any]:
    """Return the answer to the POST that made a task (platform.md 1.4)."""
    return {
        "id": generation.id,
        "task_id": generation.id,
        "object": "image.generation.task",
        "status": "QUEUED",
        "created_at": int(generation.created),
        "model": MODELS[request.model].echo,
        "prompt": request.prompt,
        "size": request.size,
        "quality": request.quality,
        "mode": "edit" if edits else "generation",
    }


def task_body(
    generation: StoredGeneration, request: ApiRequest, now_state: State, *, edits: int
) -> dict[str, Any]:
    """Return the answer to a query, flat, the status in capitals.

    `result_fields` are those of its pictures.

    Best guess: platform.md 1.4 and 1.6 for the frame, 2.2 (async_image.go) for the rest.
    """
    body = submitted(generation, request, edits)
    body["status"] = now_state.status
    body["progress"] = now_state.progress
    if now_state.status == "SUCCESS":
        body["completed_at"] = int(generation.ends)
    elif now_state.status == "FAILURE":
        body["completed_at"] = int(generation.ends)
        body["fail_reason"] = failed_message(request.model)
        body["error"] = {"message": body["fail_reason"], "code": FAILED_CODE}
    return body


def result_fields(request: ApiRequest, urls: list[str], usage: dict[str, Any]) -> dict[str, Any]:
    """Return what the answer about a task that succeeded has besides."""
    items = [{"url": url, "b64_json": "", "revised_prompt": request.prompt} for url in urls]
    return {"data": items, "usage": usage}
