"""Answers as other gateways and proxies write them, of rehearsal models that act like these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from opeai_nb.engine.api.error_envelope import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX: Final = b"data:image/png;base64,"
_STATES: Final = {
    "QUEUED": "waiting",
    "IN_PROGRESS": "generating",
    "SUCCESS": "success",
    "FAILURE": "fail",
}


def submission(model: str, body: dict[str, Any]) -> Response:
    """Return the answer to the POST that made a task, *body* being the platform's."""
    if model == "rehearsal-location":
        where = f"/v1/images/generations/{body['id']}"
        return Response(status_code=202, headers={"Location": where})
    if model == "rehearsal-no-task":
        return JSONResponse({"created": body["created_at"], "data": []})
    if model == "rehearsal-envelope":
        return JSONResponse({"code": 200, "msg": "success", "data": {"taskId": body["id"]}})
    return JSONResponse(body)


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


def whole(pieces: Iterable[Iterable[bytes] | bytes]) -> bytes:
    """Return the answer in *pieces* as one."""
    return b"".join(piece if isinstance(piece, bytes) else b"".join(piece) for piece in pieces)


def spelt_oddly(answer: bytes) -> bytes:
    """Return *answer* with its pictures' prefix written twice and a raw line break in its text."""
    answer = answer.replace(b'"b64_json": "', b'"b64_json": "' + _PREFIX * 2)
    return answer.replace(b'"revised_prompt": "', b'"revised_prompt": "in other words:\n')


def event_stream(answer: bytes) -> bytes:
    """Return *answer* as the stream that OpenAI sends where one was asked for."""
    body = json.loads(answer)
    events = (
        {"type": "image_generation.completed", "created_at": body["created"], **item}
        for item in body["data"]
    )
    lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    return "".join([": keep-alive\n\n", *lines]).encode()
