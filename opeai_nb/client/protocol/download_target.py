"""Where the URL of a picture leads: as it is meant, and only where it may lead.

A URL that can be read in two ways is none; no private network is entered that the platform itself
does not lie in; and the connection goes to an address that was looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.addresses import private_nets
from opeai_nb.client.protocol.download_deadline import ATTEMPTS, pause_before, time_left
from opeai_nb.client.protocol.steps import LOOKUP_TIMEOUT, Flow, Resolve, Unsent
from opeai_nb.errors import DownloadError, RefusedDownloadError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.wire.endpoint import Endpoint

OWN_DISK = re.compile(
    r"(?:file:|[A-Za-z]:[\\/]|/(?:home|root|tmp|var|mnt|opt|Users|workspace|content|srv|app|usr)/)"
)
ON_ITS_DISK: Final = (
    "It is a path on the server's own disk, which nobody else can read: ask with "
    'response_format="b64_json".'
)


_IN_A_STORE: Final = (
    "What {}: names, only programs with an account there can read: ask with "
    'response_format="b64_json".'
)


ESCAPED = re.compile(r"&amp;|&#38;|&#x26;", re.IGNORECASE)


def as_meant(url: str) -> str:
    """Return a URL without the escapes of HTML, where it has them wherever it has an `&`.

    Where it has some, it is asked for as it stands, and without them when that is refused.
    """
    undone = ESCAPED.sub("&", url)
    return undone if len(ESCAPED.findall(url)) == undone.count("&") else url


def joined(base: str, url: str) -> str:
    """Return a URL as it stands at *base*. Raises `RefusedDownloadError` for what is none."""
    try:
        return _joined(base, url)
    except ValueError as error:
        raise RefusedDownloadError(
            "The picture's URL is not a valid URL.", url=url, advice=""
        ) from error


def _joined(base: str, url: str) -> str:
    whole = urljoin(base, url)
    parts = urlsplit(whole)
    parts.port  # noqa: B018  raises for what only looks like a URL
    if parts.netloc and _AUTHORITY.fullmatch(parts.netloc) is None:
        raise ValueError("its host can be read in two ways")
    return whole


_AUTHORITY: Final = re.compile(
    r"(?:[^\[\]\\\s]*@)?(?:\[[0-9A-Fa-f:.]+(?:%[\w.%-]+)?\]|[^\[\]\\@:\s]*)(?::\d*)?"
)
"""Where Python and httpx read the same host. Beyond it one may check a host and ask another."""


def check(endpoint: Endpoint, url: str, until: float | None) -> Flow[tuple[str, ...]]:
    """Return the addresses that a URL may be fetched from; none where nobody has to check.

    The connection goes to one of these: a name that is asked for again may lead elsewhere. Raises
    `RefusedDownloadError` for one that must not be fetched, `DownloadError` where its host is not
    found.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise RefusedDownloadError(
            "The picture's URL is not an http or https URL.",
            url=url,
            advice=ON_ITS_DISK
            if OWN_DISK.match(url)
            else _IN_A_STORE.format(parts.scheme)
            if "://" in url
            else "",
        )
    if host == endpoint.host or host in endpoint.allow_hosts:
        return ()
    addresses: tuple[str, ...] = yield from _addresses(host, url, until)
    there = _nets_of(addresses)
    if there and not there <= _nets_of((yield from _addresses(endpoint.host, url, until))):
        raise RefusedDownloadError(
            f"The picture's URL leads to the private address of {host}.", url=url
        )
    return addresses


def _nets_of(addresses: Iterable[str]) -> set[str]:
    return set().union(*(private_nets(address) or () for address in addresses))


def _addresses(host: str, url: str, until: float | None) -> Flow[tuple[str, ...]]:
    """Return the addresses of a host; an address speaks for itself. Raises `DownloadError`."""
    if private_nets(host) is not None:
        return (host,)
    for attempt in range(1, ATTEMPTS + 1):
        left = yield from time_left(until, url)
        try:
            look = Resolve(host) if left is None else Resolve(host, min(left, LOOKUP_TIMEOUT))
            return (yield look)  # type: ignore[no-any-return]  # what the step is answered
        except Unsent as failure:
            error = DownloadError(f"The picture could not be downloaded: {failure}.", url=url)
            error.__cause__ = failure
        if attempt == ATTEMPTS:
            raise error
        yield from pause_before(schedule.backoff(attempt, 0.5), until, error)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover
