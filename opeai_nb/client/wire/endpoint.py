"""Where the platform is, and what every call to it has in common."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.protocol.steps import Call, Reply
from opeai_nb.errors import InputError
from opeai_nb.secret import bare

PLATFORM_URL: Final = "https://api-platform.ope.ai"
SUBMIT_TIMEOUT: Final = 300.0
"""Seconds without a byte; the gateway itself blocks for up to 205 s (platform.md 2.3)."""
QUERY_TIMEOUT: Final = 60.0
QUERY_LONGEST: Final = 120.0
"""Seconds for the body of a query: a poll that drips would outlast the deadline of its task."""

# What people paste as a base URL: with `/v1` or not, or the whole path of some endpoint.
_API_PATHS = re.compile(
    r"(?:/aliyun)?(?:/v1)*(?:/(?:images(?:/(?:generations|edits|variations)(?:/[^/]*)?)?|models(?:/.*)?"
    r"|chat/completions|completions|responses|embeddings|files|batches|tasks(?:/.*)?))?/?\Z",
    re.IGNORECASE,
)
_TWICE = re.compile(r"\s*(?:https?://)+(?=https?://)", re.IGNORECASE)
_NO_HOST = re.compile(r"[\s\\<>{}$|^`\"'%]")  # what is left where a name should have been put in
_ABSOLUTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")


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
        """Return the URL of an API path such as `/v1/models`; a whole URL stays as it is."""
        return self.base_url + path if path.startswith("/") else path

    def own_path(self, link: str) -> str | None:
        """Return a path for `at` from a link of the server; None when it leads elsewhere.

        The key is sent to nobody else.
        """
        try:
            url = urljoin(self.base_url + "/", link.strip())
            there, here = urlsplit(url), urlsplit(self.base_url)
        except ValueError:
            return None
        if there.hostname != here.hostname or there.scheme not in {"http", "https"}:
            return None
        if not self.is_own(url):
            if there.port is not None:
                return None
            # Behind a proxy that ends TLS a server takes itself for http: the path is what counts.
            url = there._replace(scheme=here.scheme, netloc=here.netloc).geturl()
        return url.removeprefix(self.base_url) if url.startswith(self.base_url + "/") else url

    def is_own(self, url: str) -> bool:
        """Tell whether *url* has the very origin of the base URL: scheme, host and port."""
        try:
            return _origin(url) == _origin(self.base_url)
        except ValueError:
            return False

    def moved_to(self, url: str, reply: Reply) -> str | None:
        """Return where a redirect leads that keeps method and body, inside the base URL's origin.

        None for any other answer: the key and a paid request follow nobody elsewhere.
        """
        target = reply.headers.get("location")
        if reply.status not in {307, 308} or not target:
            return None
        try:
            joined = urljoin(url, target)
        except ValueError:
            return None
        return joined if self.is_own(joined) else None

    def at_home(self, reply: Reply) -> Reply:
        """Return an answer whose Location is a path where it names this server in full.

        One that leads from http to https stays: it says what is wrong with the base URL.
        """
        target = reply.headers.get("location", "")
        if not _ABSOLUTE.match(target) or (target[:6] == "https:" and not self.is_own(target)):
            return reply
        own = self.own_path(target) or ""
        is_path = own.startswith("/")
        return replace(reply, headers={**reply.headers, "location": own}) if is_path else reply

    def query(self, path: str) -> Call:
        """Return a GET of JSON."""
        return Call(
            "GET",
            self.at(path),
            JsonReader,
            read_timeout=QUERY_TIMEOUT,
            longest=QUERY_LONGEST,
        )


def path_in(link: str) -> str:
    """Return the path and the query of a link to anywhere, for `Endpoint.at`; "" for neither."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return ""
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if re.match(r"/(?!/)", path) and parts.path != "/" else ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    return parts.scheme, parts.hostname, parts.port or ports.get(parts.scheme)


def endpoint_at(base_url: str | None = None, **options: Any) -> Endpoint:
    """Return the endpoint for *base_url*, else `OPEAI_BASE_URL`, else the platform.

    The URL may end in `/v1`, in the whole path or in a slash. Raises `InputError` when it is no
    http(s) URL, holds a password or a query, or is `engine:`, which `opeai_nb.connect` understands.
    """
    given = base_url or os.environ.get("OPEAI_BASE_URL") or PLATFORM_URL
    if isinstance(given, str) and given.strip().lower().startswith("engine:"):
        raise InputError(
            "A client alone cannot reach the embedded engine.",
            advice="Use opeai_nb.generate(…), opeai_nb.connect.client() or %%imagine.",
        )
    given = bare(given) if isinstance(given, str) else given
    try:
        parts = urlsplit(_TWICE.sub("", given))
        host = (parts.hostname or "").partition("%")[0]
        known = parts.scheme in {"http", "https"} and host != "" and parts.port != 0
        known = known and not _NO_HOST.search(host)
    except (AttributeError, TypeError, ValueError):
        known = False
    if not known:
        raise InputError(
            "The base URL is not an http or https URL.",
            advice="Set OPEAI_BASE_URL to one such as https://api-platform.ope.ai.",
        )
    if parts.username or parts.password:
        raise InputError(
            "The base URL holds a user or a password.",
            advice="Give the key in OPEAI_API_KEY instead.",
        )
    if parts.query:
        raise InputError(
            "The base URL holds a query, which would be sent with no request.",
            advice="Leave off what stands from its question mark on.",
        )
    path = _API_PATHS.sub("", _SLASHES.sub("/", parts.path)).rstrip("/")
    host = parts.netloc.rpartition("@")[2].removesuffix(":")
    return Endpoint(f"{parts.scheme}://{host}{path}", **options)
