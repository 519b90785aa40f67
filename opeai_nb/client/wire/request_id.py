"""The id of an exchange, which the platform's support asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID_HEADERS: Final = (
    *("x-oneapi-request-id", "x-request-id", "x-dashscope-request-id", "x-litellm-call-id"),
    *("request-id", "x-ms-request-id", "x-amzn-requestid", "x-amz-request-id", "x-tt-logid"),
    *("x-portkey-trace-id", "x-trace-id", "x-correlation-id", "apim-request-id", "cf-ray"),
    "nvcf-reqid",
)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the id that the headers of an answer give it, in whichever of them."""
    return next((headers[name] for name in _ID_HEADERS if headers.get(name)), None)
