"""The gateway's error envelope (platform.md 1.5, 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.families import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


INVALID: Final = "invalid_image_request"  # the code of the platform's own example, platform.md 1.5


class ApiError(Exception):
    """An answer that is an error: HTTP *status* and what stands in its envelope.

    *documented* errors are OPE.AI's own text to the letter; all others are a relay's and end with
    `(request id: …)`, as the gateway's do (platform.md 2.5).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002  the envelope's own word
        code: str | None = INVALID,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        documented: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.documented = documented


def envelope(error: ApiError, request_id: str) -> dict[str, Any]:
    """Return the JSON body of *error*.

    `param` and `code` are null where they say nothing, as OpenAI's schema wants; they are left out
    where the platform's own example leaves them out.
    """
    if not error.documented:
        message = f"{error.message} (request id: {request_id})"
        body = {"message": message, "type": error.type, "param": error.param, "code": error.code}
        return {"error": body}
    body = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return {"error": {name: value for name, value in body.items() if value is not None}}


def envelope_for(path: str) -> Callable[[ApiError, str], dict[str, Any]]:
    """Return what makes the body of an error for a request to *path*."""
    return flat_envelope if path.startswith("/aliyun/") else envelope


def flat_envelope(error: ApiError, request_id: str) -> dict[str, Any]:
    """Return DashScope's JSON body of *error* (platform.md 3.3, 3.6)."""
    code = _NATIVE_CODES.get(error.status) or _NATIVE_CODES.get(error.code, "InvalidParameter")
    return {"code": code, "message": error.message, "request_id": request_id}


_NATIVE_CODES: Final[dict[int | str | None, str]] = {  # by status, else by the gateway's code
    401: "InvalidApiKey",
    403: "AccessDenied",
    429: "Throttling",
    500: "InternalError",
    "do_request_failed": "InternalError",
    "model_not_found": "ModelNotFound",
    "moderation_blocked": "DataInspectionFailed",
    "InvalidURL": "InvalidURL",
    "UnsupportedOperation": "UnsupportedOperation",
}


# What a vendor's refusal looks like behind the gateway: type and code (platform.md 3.6, 4.1, 4.2).
_REFUSALS: Final = {
    "aliyun": ("ali_error", "InvalidParameter"),
    "ark": ("upstream_error", "InvalidParameter"),
    "openai": ("invalid_request_error", "invalid_value"),
    "engine": ("invalid_request_error", INVALID),
}


def refusal(family: Family, message: str, param: str) -> ApiError:
    """Return the 400 with which the vendor behind *family* refuses a value of *param*."""
    type_, code = _REFUSALS[family.vendor]
    return ApiError(message, type=type_, code=code, param=param)


def unauthorized(message: str) -> ApiError:
    """Return the 401 of the gateway's middleware, which has no `param` (platform.md 2.5)."""
    return ApiError(message, status=401, type="new_api_error", code="")


def no_channel(model: str) -> ApiError:
    """Return the 503 for an unknown model, permanent all the same (platform.md 2.5)."""
    return ApiError(
        f"No available channel for model {model[:100]} under group default (distributor)",
        status=503,
        type="new_api_error",
        code="model_not_found",
    )


def task_not_found() -> ApiError:
    """Return the 404 for an unknown, foreign or expired task (platform.md 1.5)."""
    return ApiError(
        "image not found",
        status=404,
        type="NotFound",
        code="ResourceNotFound",
        param="",
        documented=True,
    )
