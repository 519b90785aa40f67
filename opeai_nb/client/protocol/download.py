"""Fetching one picture from its URL: where we go, where we do not, and what counts as a picture."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from opeai_nb.client.http.picture_reader import PictureReader
from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.steps import Call, CutAnswer, Dripped, Flow, Resolve, Sleep, Unsent
from opeai_nb.client.wire.read_error import first_line, problem_of
from opeai_nb.client.wire.redact import without_key
from opeai_nb.errors import DownloadError, OpeaiError, RefusedDownloadError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.protocol.steps import Reply, Source
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.wire.endpoint import Endpoint

_ATTEMPTS: Final = 4  # pauses of 0.5, 1 and 2 s: an object store that is not there yet
_HOPS: Final = 5  # a short link, a store, its CDN; browsers allow 20, and none needs them
_READ_TIMEOUT: Final = 60.0  # seconds of silence
_LONGEST: Final = 600.0
"""Seconds for one picture: 10 MB at 17 KB/s."""

# Written out instead of `is_private`: 198.18/15 counts as private there, and proxies that answer
# with fake addresses put every public host into it.
_PRIVATE: Final = tuple(
    (name, ipaddress.ip_network(net))
    for name, nets in {
        "loopback": ("127.0.0.0/8", "::1/128"),
        "unspecified": ("0.0.0.0/8", "::/128"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "shared": ("100.64.0.0/10",),
        "local": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
        "multicast": ("224.0.0.0/4", "240.0.0.0/4", "ff00::/8"),
    }.items()
    for net in nets
)


def download(endpoint: Endpoint, picture: Picture) -> Flow[Picture]:
    """Return *picture* with its bytes, or with the error that says why they could not be had.

    Without the Authorization header, over http(s) only, redirects followed by the same rules, the
    URL's signature untouched, tried again when the network or the server fails in passing. What
    came decides what it is; an HTML or XML page is no picture (platform.md 7). Never raises.
    """
    try:
        return (yield from _download(endpoint, picture))
    except OpeaiError as error:
        return replace(picture, error=error)


def _download(endpoint: Endpoint, picture: Picture) -> Flow[Picture]:
    url = _joined(endpoint.base_url + "/", picture.url or "")
    for _ in range(_HOPS):
        yield from _check(endpoint, url)
        reply: Reply = yield from _get(url)
        target = reply.headers.get("location")
        if 300 <= reply.status < 400 and target:  # noqa: PLR2004  a redirect
            url = _joined(url, target)
            continue
        return replace(picture, source=_picture_in(reply, url))
    raise DownloadError("The picture's URL redirects too many times.", url=url)


def _get(url: str) -> Flow[Reply]:
    call = Call(
        "GET", url, PictureReader, with_key=False, read_timeout=_READ_TIMEOUT, longest=_LONGEST
    )
    for attempt in range(1, _ATTEMPTS + 1):
        asked = None
        try:
            reply: Reply = yield call
        except (Unsent, CutAnswer) as failure:
            error = DownloadError(f"The picture could not be downloaded: {failure}.", url=url)
            error.__cause__ = failure
            if isinstance(failure, Dripped):  # from the start again, it would be no quicker
                raise error from failure
        else:
            if reply.status != 429 and reply.status < 500:  # noqa: PLR2004  passing failures
                return reply
            asked = schedule.retry_after(reply.headers)
            error = _refused_by_server(reply, url)
        if attempt == _ATTEMPTS:
            raise error
        yield Sleep(
            min(schedule.LONGEST_PAUSE, schedule.backoff(attempt, 0.5) if asked is None else asked)
        )
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _picture_in(reply: Reply, url: str) -> Source:
    if reply.status >= 300:  # noqa: PLR2004  HTTP success
        raise _refused_by_server(reply, url)
    if 0 in reply.pictures:
        return reply.pictures[0]
    told = without_key(first_line(reply.body), reply.key)
    if not told:
        raise DownloadError("The picture's URL returned nothing.", url=url)
    raise DownloadError(f"A web page came instead of the picture: {told}.", url=url)


def _refused_by_server(reply: Reply, url: str) -> DownloadError:
    told = without_key(problem_of(first_line(reply.body)).message, reply.key)
    gone = reply.status in {403, 404, 410}
    return DownloadError(
        f"The picture's URL was refused{': ' + told if told else ''}.",
        url=url,
        status_code=reply.status,
        advice="It has expired: such URLs last for 24 hours at most." if gone else None,
    )


def _joined(base: str, url: str) -> str:
    try:
        joined = urljoin(base, url)
        urlsplit(joined).port  # noqa: B018  raises for what only looks like a URL
    except ValueError as error:
        raise RefusedDownloadError(
            "The picture's URL is not a valid URL.", url=url, advice=""
        ) from error
    return joined


def _check(endpoint: Endpoint, url: str) -> Flow[None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise RefusedDownloadError(
            "The picture's URL is not an http or https URL.", url=url, advice=""
        )
    if host == endpoint.host or host in endpoint.allow_hosts:
        return
    there: set[str] = yield from _private_nets(host)
    if there and not there <= (yield from _private_nets(endpoint.host)):
        raise RefusedDownloadError(
            f"The picture's URL leads to the private address of {host}.", url=url
        )


def _private_nets(host: str) -> Flow[set[str]]:
    """Return which private networks a host has an address in; an address speaks for itself."""
    literal = _net_of(host)
    if literal is not None:
        return literal
    addresses: Iterable[str] = yield Resolve(host)
    return set().union(*(_net_of(address) or set() for address in addresses))


def _net_of(address: str) -> set[str] | None:
    """Return the private networks of an IP address, by name; None for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return {name for name, net in _PRIVATE if ip.version == net.version and ip in net}
