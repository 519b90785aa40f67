"""Where the platform is, and what every call to it has in common."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from opeai_nb.client.reader import JsonReader
from opeai_nb.client.steps import Call
from opeai_nb.errors import InputError

PLATFORM_URL: Final = "https://api-platform.ope.ai"
SUBMIT_TIMEOUT: Final = 300.0
"""Seconds without a byte; the gateway itself blocks for up to 205 s (platform.md 2.3)."""
QUERY_TIMEOUT: Final = 60.0

_API_PATHS = re.compile(r"(/aliyun)?(/v1)?(/images(/generations)?)?/?\Z")
_SENDABLE_KEY = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Endpoint:
    """The platform's base URL, without `/v1` and without a slash at the end.

    *allow_hosts* may be downloaded from although they are private. *submit_timeout* is the longest
    silence in seconds while a paid request is answered.
    """

    base_url: str = PLATFORM_URL
    allow_hosts: frozenset[str] = field(default_factory=frozenset)
    submit_timeout: float = SUBMIT_TIMEOUT

    @property
    def host(self) -> str:
        """The host name of the base URL."""
        return urlsplit(self.base_url).hostname or ""

    def at(self, path: str) -> str:
        """Return the URL of an API path such as `/v1/models`, or of a whole URL of this server."""
        return urljoin(self.base_url + "/", path) if "://" in path else self.base_url + path

    def query(self, path: str) -> Call:
        """Return a GET of JSON."""
        return Call("GET", self.at(path), JsonReader, read_timeout=QUERY_TIMEOUT)


def endpoint_at(base_url: str | None = None, **options: Any) -> Endpoint:
    """Return the endpoint for *base_url*, else `OPEAI_BASE_URL`, else the platform.

    The URL may end in `/v1`, in the whole path or in a slash. Raises `InputError` when it is no
    http(s) URL, holds a password, or is `engine:` (which `opeai_nb.connect` understands).
    """
    given = (base_url or os.environ.get("OPEAI_BASE_URL") or PLATFORM_URL).strip()
    if given.lower().startswith("engine:"):
        raise InputError(
            "A client alone cannot reach the embedded engine.",
            advice="Use opeai_nb.connect(…), opeai_nb.generate(…) or %%imagine: they know it.",
        )
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            "The base URL is not an http or https URL.",
            advice="Set OPEAI_BASE_URL to one such as https://api-platform.ope.ai.",
        )
    if parts.username or parts.password:
        raise InputError(
            "The base URL holds a user or a password.",
            advice="Give the key in OPEAI_API_KEY instead.",
        )
    path = _API_PATHS.sub("", parts.path)
    return Endpoint(f"{parts.scheme}://{parts.netloc}{path}", **options)


def checked_key(api_key: str | None) -> str | None:
    """Return the API key without white space around it, else `OPEAI_API_KEY`, else None.

    Raises `InputError` (which does not show it) when it holds what a header cannot carry.
    """
    key = (api_key if api_key is not None else os.environ.get("OPEAI_API_KEY", "")).strip()
    if key and not _SENDABLE_KEY.fullmatch(key):
        raise InputError(
            "The API key holds a character that no key has (a space, a line break or a letter "
            "outside ASCII).",
            advice="Copy it again from the platform.",
        )
    return key or None
