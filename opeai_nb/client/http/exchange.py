"""One HTTP exchange, as far as it is the same for both shells: headers, failures, replies."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import httpx

from opeai_nb._version import __version__
from opeai_nb.client.http.network.deadline import ends_in
from opeai_nb.client.protocol.steps import CutAnswer, Damaged, Dripped, Reply, Unsent
from opeai_nb.client.wire.error.messages import LACKS_USER, PROXY_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opeai_nb.client.http.body_sink import Sink
    from opeai_nb.client.protocol.steps import Call, Reader, Source
    from opeai_nb.secret import Secret

CONNECT_TIMEOUT = 10.0
_CONNECT_LONGEST: Final = 30.0  # seconds for all addresses of a host, however many it names
WRITE_TIMEOUT = 120.0
# What goes wrong before the request leaves. A broken proxy counts: it refuses the tunnel.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
FAILURES = (httpx.HTTPError, httpx.InvalidURL, CutAnswer)
"""What an exchange raises that failed: httpx's errors, and a reader's own refusal."""

_NUMBERS = re.compile(r"\[Errno [-\d]+\]\s*|\s*\(_ssl\.c:\d+\)")
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~-._"

_HEADERS: Final = (
    # Pictures do not compress, and a compressed body could grow without limit.
    ("Accept-Encoding", "identity"),
    ("Accept", "*/*"),
    ("Connection", "keep-alive"),
    ("User-Agent", f"opeai_nb/{__version__}"),
)


@lru_cache(maxsize=64)
def _url(text: str) -> tuple[httpx.URL, bytes]:
    """Return a URL and its host and port, as `Host` names them.

    Raises `httpx.InvalidURL`, also for a host that httpx itself cannot show.
    """
    try:
        url = httpx.URL(text)
        url.host  # noqa: B018  a request asks for it, outside every `except` of httpx
    except UnicodeError as error:  # `xn--` before what is no name, or half a letter
        raise httpx.InvalidURL(str(error)) from error
    return url, url.netloc


def request_of(call: Call, key: Secret | None) -> httpx.Request:
    """Return the HTTP request for a call, ready for `httpx.Client.send`.

    Made without the client's help: it would add cookies, and costs a fifth of a small exchange. The
    time that the call allows begins now.
    """
    seconds = call.seconds
    extensions: dict[str, Any] = {
        "timeout": {
            "connect": ends_in(CONNECT_TIMEOUT, min(_CONNECT_LONGEST, seconds or _CONNECT_LONGEST)),
            "read": ends_in(call.read_timeout, seconds),
            "write": WRITE_TIMEOUT,
            "pool": None,
        }
    }
    if call.addresses:
        extensions["addresses"] = call.addresses
    if call.as_written:
        # A signed query string must travel as it was written; httpx would encode it its own way.
        extensions["target"] = _target(call.url)
    url, host = _url(call.url)
    own = [(name.encode(), text.encode()) for name, text in call.headers.items()]
    if call.content is not None:
        own.append((b"Content-Length", b"%d" % len(call.content)))
    request = httpx.Request(
        call.method,
        url,
        headers=httpx.Headers([*_headers(host, key if call.with_key else None).raw, *own]),
        stream=httpx.ByteStream(call.content or b""),
        extensions=extensions,
    )
    request.read()  # a transport may look at its content
    return request


@lru_cache(maxsize=64)
def _headers(host: bytes, key: Secret | None) -> httpx.Headers:
    """Return what all requests to a host have: in httpx's own form, whose repr hides Authorization.

    Kept, and copied for each request as bytes: httpx spells and looks up what is set as text.
    """
    own = [("Authorization", key.bearer())] if key else []
    return httpx.Headers([("Host", host.decode("ascii")), *_HEADERS, *own])


def begun(call: Call, waited: float) -> Call:
    """Return a call that had to wait for its turn: with less patience, and as much time."""
    return call if call.patience is None else replace(call, patience=call.patience - waited)


def check_pace(call: Call, seconds: float) -> None:
    """Raise `Dripped` for an exchange that is under way for longer than its call allows.

    No read timeout ends an answer that comes byte by byte. Over sockets of our own `deadline.py`
    ends it to the second, in its head as well; over any other transport this does, between chunks.
    """
    if call.seconds is not None and seconds > call.seconds:
        raise Dripped(_TOO_SLOW)


def late_or(failure: Exception, call: Call, seconds: float) -> Exception:
    """Return `Dripped` for a read that timed out because the whole exchange took too long."""
    is_over = call.seconds is not None and seconds >= call.seconds
    return Dripped(_TOO_SLOW) if is_over and isinstance(failure, httpx.ReadTimeout) else failure


_TOO_SLOW: Final = "it came too slowly, and was not read further"


def failure_of(error: Exception) -> Unsent | CutAnswer:
    """Return what a failure of httpx means to a flow: whether anything may have left."""
    if isinstance(error, CutAnswer):
        return error
    if isinstance(error, httpx.InvalidURL):
        return Unsent("the URL is not valid")
    if isinstance(error, httpx.ConnectTimeout):
        return Unsent("no connection could be made in time")
    if isinstance(error, _UNSENT):
        told = _NUMBERS.sub("", _told_by(error)).strip()
        return Unsent(told[:300] or "no connection could be made", _way_out(error, told))
    if isinstance(error, httpx.ReadTimeout):
        return CutAnswer("the server stopped answering")
    return CutAnswer("the connection broke")


def _told_by(error: Exception) -> str:
    """Return what an error says; of anyio's, which says nothing, what the system said."""
    text, inner = str(error), error.__cause__
    while inner is not None and _SAYS_NOTHING in text:
        if isinstance(inner, OSError) and inner.errno is not None and inner.errno > 0:
            text = text.replace(_SAYS_NOTHING, os.strerror(inner.errno))
        inner = inner.__cause__ or inner.__context__
    return text


_SAYS_NOTHING: Final = "All connection attempts failed"


def _way_out(error: Exception, told: str) -> str | None:
    """Return what helps where the environment is to blame, not the network."""
    if "CERTIFICATE_VERIFY_FAILED" in told:
        if "mismatch" in told:
            return f"{UNPAID} The server has the certificate of another: check OPEAI_BASE_URL."
        if "has expired" in told or "not yet valid" in told:
            return (
                f"{UNPAID} Set this machine's clock, where it is wrong; else whoever runs the "
                "server has to renew the certificate."
            )
        return (
            f"{UNPAID} Its certificate is not trusted here. In a network with certificates of its "
            "own, set SSL_CERT_FILE to the file that holds them."
        )
    if "certificates for TLS" in told:
        return f"{UNPAID} Set that variable to a file of certificates, or unset it."
    if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER_FAILURE" in told:
        return f"{UNPAID} The server speaks no TLS there: its base URL may begin with http://."
    if LACKS_USER in told:
        return f"{UNPAID} {PROXY_USER}"
    if isinstance(error, httpx.ProxyError):
        return f"{UNPAID} Start that proxy, mend or unset its variable, or extend NO_PROXY."
    return None


UNPAID: Final = "Nothing was sent, so nothing was paid."


def failure_with(
    error: Exception,
    response: httpx.Response | None,
    reader: Reader | None,
    sink: Sink | None,
    key: Secret | None,
) -> Unsent | CutAnswer:
    """Return what a failure means, with what had arrived before it."""
    failure = failure_of(error)
    if isinstance(failure, CutAnswer) and response is not None:
        failure.status = response.status_code
        if reader is not None and sink is not None:
            sink.leave_out(reader.drafts())
        failure.pictures = _sources(sink)
        if reader is not None and sink is not None:
            arrived = Reply(response.status_code, {}, None, key=key, raw=_raw_of(reader, sink))
            failure.answer = arrived.answer
            if failure is not error or isinstance(failure, Damaged):
                failure.reply = _arrived(response, reader, sink, 0.0, key)
    return failure


def _sources(sink: Sink | None) -> tuple[Source, ...]:
    return () if sink is None else tuple(source for _, source in sorted(sink.complete.items()))


def reply_of(
    response: httpx.Response, reader: Reader, sink: Sink, clock: float, key: Secret | None
) -> Reply:
    """Return the answer as a flow receives it."""
    sink.take(reader.finish())
    sink.leave_out(reader.drafts())
    return _arrived(response, reader, sink, clock, key)


def _arrived(
    response: httpx.Response, reader: Reader, sink: Sink, clock: float, key: Secret | None
) -> Reply:
    raw = response.headers.raw
    headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in raw}
    return Reply(
        status=response.status_code,
        headers=headers,
        body=reader.body(_charset(response, headers)),
        pictures=sink.complete,
        clock=clock,
        key=key,
        raw=_raw_of(reader, sink),
    )


def _charset(response: httpx.Response, headers: Mapping[str, str]) -> str | None:
    """Return the charset that an answer declares; looked for only where it speaks of one."""
    speaks = "charset" in headers.get("content-type", "").lower()
    return response.charset_encoding if speaks else None


def _raw_of(reader: Reader, sink: Sink) -> Callable[[], bytes]:
    """Return what gives the body back: made when it is asked for, which is seldom."""
    partial = sink.partial()
    return lambda: reader.raw({**partial, **sink.complete})


def folder_for(response: httpx.Response, into: Path | None) -> Path | None:
    """Return where pictures of this answer go: an error's body is never kept as a file."""
    return into if response.is_success else None


def _target(url: str) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe=_URL_SAFE, errors="surrogatepass").encode()
