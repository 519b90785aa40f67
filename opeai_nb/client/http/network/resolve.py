"""Which IP addresses a host has, and whether anybody but a proxy asks for them."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from opeai_nb.client.http.network.proxies import ProxyProblemError, proxy_for
from opeai_nb.client.protocol.steps import LOOKUP_TIMEOUT, Unsent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future


def addresses_of(host: str, seconds: float = LOOKUP_TIMEOUT) -> tuple[str, ...]:
    """Return the addresses of *host*; none when a proxy resolves it.

    Raises `Unsent` where there are none, or none in so many *seconds*.
    """
    if behind_proxy(host):
        return ()
    with _failures():
        return looked_up(host).result(seconds)


async def async_addresses_of(host: str, seconds: float = LOOKUP_TIMEOUT) -> tuple[str, ...]:
    """Return the addresses of *host*, as its twin."""
    import asyncio  # dear, and the synchronous client needs none

    if behind_proxy(host):
        return ()
    with _failures():
        return await asyncio.wait_for(asyncio.wrap_future(looked_up(host)), seconds)


def looked_up(host: str) -> Future[tuple[str, ...]]:
    """Look a name up in a thread: nothing else ends a name server that says nothing."""
    from opeai_nb.client.http.daemon_thread import begun_in_thread  # an address needs none

    def look_up() -> tuple[str, ...]:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return tuple(str(entry[4][0]) for entry in entries)

    return begun_in_thread(look_up)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Unsent("its name could not be looked up in time") from error
    except (OSError, UnicodeError) as error:
        raise Unsent(getattr(error, "strerror", None) or "the host is unknown") from error


def addresses_to_try(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return addresses as they are tried, each once: IPv4 first, for IPv6 is broken at times.

    Who has no IPv4 is told so at once, who has no IPv6 often after a long silence only.
    """
    return tuple(sorted(dict.fromkeys(addresses), key=lambda address: ":" in address))


@lru_cache(maxsize=256)
def is_address(host: str) -> bool:
    """Tell whether *host* is an IP address itself, and needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def behind_proxy(host: str) -> bool:
    """Tell whether requests to *host* go through a proxy."""
    name = f"[{host}]" if ":" in host else host
    try:
        return any(proxy_for(f"{scheme}://{name}") for scheme in ("http", "https"))
    except ProxyProblemError:
        return False  # the request itself will say what is wrong
