"""The body of a request, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.engine.api.error_envelope import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_MAX: Final = 64 * 1024 * 1024  # two input images of 20 MB in base64, and some room
_DRAIN_MAX: Final = 256 * 1024 * 1024  # read and dropped, so that the client hears the 413


async def read_body(http: Request) -> bytes:
    """Return the body of *http*; ApiError 413 above 64 MB, of which no more is held in memory."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in http.stream():
        size += len(chunk)
        if size <= BODY_MAX:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > _DRAIN_MAX:
            break
    if size > BODY_MAX:
        raise ApiError(
            "request body too large",
            status=413,
            type="new_api_error",
            code="read_request_body_failed",
        )
    return b"".join(chunks)
