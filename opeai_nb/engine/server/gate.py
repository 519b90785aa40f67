"""Who may ask, and from where: the engine's own host names, pages of other origins, a key."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from opeai_nb.engine.api.error_envelope import ApiError, unauthorized

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers

_GUARDED: Final = ("/v1/", "/aliyun/")
_MAX_AGE: Final = "43200"  # seconds that a browser remembers a preflight: the gateway's 12 hours


RawHeaders = tuple[tuple[bytes, bytes], ...]
"""Headers as ASGI has them: lower-case names and values in bytes."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Refuses what may not ask.

    *key*: the only Bearer token that is accepted; None accepts any. *hosts*: the names in `Host`
    that are answered; None answers all. *cors*: the origin whose pages may ask, `*` for every one
    (platform.md 2.5), None for none.
    """

    key: str | None
    hosts: Collection[str] | None
    cors: str | None
    _cors_headers: RawHeaders = field(init=False)

    def __post_init__(self) -> None:
        """Raise ValueError for a key that no request could bring."""
        object.__setattr__(self, "_cors_headers", _cors_headers(self.cors))
        if self.key is not None and not re.fullmatch(r"[!-~]+", self.key):
            raise ValueError(
                "the key must be visible ASCII characters without spaces: it travels in a header"
                if self.key
                else "the key is empty, so that nobody could ask: leave it out to accept any key"
            )

    def check_host(self, headers: Headers) -> None:
        """Raise ApiError 403 for a Host that is not the engine's own.

        A page whose name was made to resolve to 127.0.0.1 would be of the engine's own origin.
        """
        if self.hosts is None:
            return
        names = [_name(host) for host in headers.getlist("host")]  # none: HTTP/1.0, no browser
        if len(names) > 1 or any(name not in self.hosts for name in names):
            host = names[0][:100] or "without a name"
            raise ApiError(
                f"this server does not answer for the host {host}; "
                f"start it with --allow-host {host} to let it",
                status=403,
                type="new_api_error",
                code="access_denied",
            )

    def check_key(self, path: str, headers: Headers) -> None:
        """Raise ApiError 401 unless the request has a Bearer token, the right one if it matters."""
        if not path.startswith(_GUARDED):
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("未提供令牌 (no API key: send Authorization: Bearer <key>)")
        if self.key is not None and not hmac.compare_digest(token.encode(), self.key.encode()):
            raise unauthorized("无效的令牌 (this is not the API key of this server)")

    def cors_headers(self, path: str, headers: Headers) -> RawHeaders:
        """Return what lets a page read the answer.

        Of the API a request without an Origin is no page's. All else may be kept by a browser that
        asked without one, for a picture on a page, say, and read by a page later.
        """
        return () if path.startswith(_GUARDED) and "origin" not in headers else self._cors_headers

    def options(self, headers: Headers) -> Response:
        """Return the answer to OPTIONS: what a browser asks before a page's request."""
        answer = Response(status_code=204, headers={"Allow": "GET, HEAD, POST, OPTIONS"})
        if self.cors is not None:
            answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
            asked = ",".join(headers.getlist("access-control-request-headers"))
            answer.headers["Access-Control-Allow-Headers"] = asked or "*"
            answer.headers["Access-Control-Max-Age"] = _MAX_AGE
            # A page of the internet may ask the loopback only where this is said.
            answer.headers["Access-Control-Allow-Private-Network"] = "true"
        return answer


def _cors_headers(cors: str | None) -> RawHeaders:
    if cors is None:
        return ()
    exposed = b"X-Oneapi-Request-Id, X-Request-Id, Retry-After"
    return (
        (b"access-control-allow-origin", cors.encode()),
        (b"access-control-expose-headers", exposed),
        *(() if cors == "*" else ((b"vary", b"Origin"),)),
    )


# A name or an address and a port, as browsers write it: nothing that could be read in two ways.
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)


def _name(host: str) -> str:
    """Return the name in a Host header; one that is written in another way is no name."""
    known = _HOST.fullmatch(host.strip())
    return (known[1] or known[2]).lower() if known else ""
