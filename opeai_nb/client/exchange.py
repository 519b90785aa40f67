"""One HTTP exchange, as far as it is the same for both shells: headers, failures, replies."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from opeai_nb import __version__
from opeai_nb.client.hints import RequestWarning, hints
from opeai_nb.client.request import ImageRequest, build_request
from opeai_nb.client.steps import Cut, Reply, Unsent
from opeai_nb.client.task import Task
from opeai_nb.errors import without_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.sink import Sink
    from opeai_nb.client.steps import Call, Reader

CONNECT_TIMEOUT = 10.0
WRITE_TIMEOUT = 120.0
# What goes wrong before the request leaves. A broken proxy counts: it refuses the tunnel.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, Cut)
"""What an exchange raises that failed: httpx's errors, and a reader's own refusal."""

_NUMBERS = re.compile(r"\[Errno [-\d]+\]\s*|\s*\(_ssl\.c:\d+\)")
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~-._"

client_options: dict[str, Any] = {
    "follow_redirects": False,
    "headers": {
        # Pictures do not compress, and a compressed body could grow without limit.
        "Accept-Encoding": "identity",
        "Accept": "*/*",
        "User-Agent": f"opeai_nb/{__version__}",
    },
}


def exchange_options(call: Call, key: str | None) -> dict[str, Any]:
    """Return the keyword arguments of `httpx.Client.stream` for a call."""
    headers = dict(call.headers)
    if call.with_key and key:
        headers["Authorization"] = f"Bearer {key}"
    options: dict[str, Any] = {
        "method": call.method,
        "url": call.url,
        "headers": headers,
        "content": call.content,
        "timeout": httpx.Timeout(
            connect=CONNECT_TIMEOUT, read=call.read_timeout, write=WRITE_TIMEOUT, pool=None
        ),
    }
    if not call.with_key:
        # A signed query string must travel as it was written; httpx would encode it its own way.
        options["extensions"] = {"target": _target(call.url)}
    return options


def failure_of(error: Exception) -> Unsent | Cut:
    """Return what a failure of httpx means to a flow: whether anything may have left."""
    if isinstance(error, Cut):
        return error
    if isinstance(error, httpx.InvalidURL):
        return Unsent("the URL is not valid")
    if isinstance(error, httpx.ConnectTimeout):
        return Unsent("no connection could be made in time")
    if isinstance(error, _UNSENT):
        told = _NUMBERS.sub("", str(error)).strip()
        return Unsent(told[:200] or "no connection could be made")
    if isinstance(error, httpx.ReadTimeout):
        return Cut("the server stopped answering")
    if isinstance(error, httpx.DecodingError):
        return Cut("the body is not compressed as it says")
    return Cut("the connection broke")


def with_received(failure: Unsent | Cut, sink: Sink | None, status: int | None) -> Unsent | Cut:
    """Return the failure with the pictures that were complete before it."""
    if isinstance(failure, Cut) and sink is not None:
        failure.pictures = tuple(source for _, source in sorted(sink.complete.items()))
        failure.status = status
    return failure


def interrupted(error: BaseException, task: Task | None) -> None:
    """Hang the task that was waited for on an interrupt, so that its id is not lost."""
    if task is not None and not isinstance(error, (Exception, GeneratorExit)):
        error.task = task  # type: ignore[attr-defined]  # BaseException takes attributes
        error.add_note(f"The task goes on at the platform: client.wait({task.id!r}) fetches it.")


def as_task(task: Task | str) -> Task:
    """Return a task to ask about, also when only its id is known."""
    return Task(task) if isinstance(task, str) else task


def prepared(prompt: str | ImageRequest | None, fields: dict[str, Any]) -> ImageRequest:
    """Return the checked request; warn of what is known to speak against it."""
    if isinstance(prompt, ImageRequest) and not fields:
        return prompt
    request = build_request(prompt, fields)
    for hint in hints(request):
        warnings.warn(hint, RequestWarning, stacklevel=4)
    return request


def reply_of(
    response: httpx.Response, reader: Reader, sink: Sink, clock: float, key: str | None
) -> Reply:
    """Return the answer as a flow receives it, the API key removed wherever a server echoed it."""
    sink.take(reader.finish())
    rest = reader.rest()
    if key:
        rest = without_key(rest.decode("utf-8", "surrogateescape"), key).encode(
            "utf-8", "surrogateescape"
        )
    return Reply(
        status=response.status_code,
        headers={name.lower(): without_key(text, key) for name, text in response.headers.items()},
        body=reader.body(rest),
        pictures=sink.complete,
        clock=clock,
    )


def folder_for(response: httpx.Response, into: str | Path | None) -> Path | None:
    """Return where pictures of this answer go: an error's body is never kept as a file."""
    return None if into is None or not response.is_success else Path(into)


def behind_proxy(host: str) -> bool:
    """Tell whether requests to *host* go through a proxy, which resolves names by itself."""
    return bool(getproxies()) and not proxy_bypass(host)


def addresses(found: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    """Return the IP addresses in what `getaddrinfo` gives."""
    return tuple(str(item[4][0]) for item in found)


def _target(url: str) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe=_URL_SAFE).encode()
