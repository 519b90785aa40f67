"""Answers as other gateways and proxies write them, of rehearsal models that act like these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.engine.api.error_envelope import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATES: Final = {
    "QUEUED": "waiting",
    "IN_PROGRESS": "generating",
    "SUCCESS": "success",
    "FAILURE": "fail",
}


def submission(model: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to the POST that made a task, *body* being the platform's."""
    if model == "rehearsal-no-task":
        return {"created": body["created_at"], "data": []}
    if model == "rehearsal-envelope":
        return {"code": 200, "msg": "success", "data": {"taskId": body["id"]}}
    return body


def task(model: str, body: dict[str, Any], polls: int) -> dict[str, Any]:
    """Return the answer to a query, *body* being the platform's, after *polls* earlier ones.

    Raises ApiError 400 once in mid-task for the model that does so.
    """
    if model == "rehearsal-hiccup" and polls == 1:
        raise ApiError(
            "bad response status code 400", type="upstream_error", code="bad_response_status_code"
        )
    if model == "rehearsal-envelope":
        urls = [item["url"] for item in body.get("data", ())]
        inner = {"taskId": body["id"], "state": _STATES[body["status"]]}
        if urls:
            inner["resultJson"] = json.dumps({"resultUrls": urls})
        return {"code": 200, "msg": "success", "data": inner}
    return body


def event_stream(pieces: Iterable[Iterable[bytes] | bytes]) -> bytes:
    """Return the answer in *pieces* as the stream that OpenAI sends where one was asked for."""
    body = json.loads(
        b"".join(piece if isinstance(piece, bytes) else b"".join(piece) for piece in pieces)
    )
    events = (
        {"type": "image_generation.completed", "created_at": body["created"], **item}
        for item in body["data"]
    )
    lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    return "".join([": keep-alive\n\n", *lines]).encode()
