"""Which IP addresses a host has, and whether anybody but a proxy asks for them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from opeai_nb.client.http.proxies import ProxyProblemError, proxy_for
from opeai_nb.client.protocol.steps import Unsent

if TYPE_CHECKING:
    from collections.abc import Iterable


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the addresses of *host*; none when a proxy resolves it. Raises `Unsent`."""
    if behind_proxy(host):
        return ()
    try:
        return _addresses(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError) as error:
        raise Unsent(getattr(error, "strerror", None) or "the host is unknown") from error


async def async_addresses_of(host: str) -> tuple[str, ...]:
    """Return the addresses of *host*; none when a proxy resolves it. Raises `Unsent`."""
    import asyncio  # dear, and the synchronous client needs none

    if behind_proxy(host):
        return ()
    try:
        return _addresses(await asyncio.get_running_loop().getaddrinfo(host, None))
    except (OSError, UnicodeError) as error:
        raise Unsent(getattr(error, "strerror", None) or "the host is unknown") from error


def behind_proxy(host: str) -> bool:
    """Tell whether requests to *host* go through a proxy."""
    name = f"[{host}]" if ":" in host else host
    try:
        return any(proxy_for(f"{scheme}://{name}") for scheme in ("http", "https"))
    except ProxyProblemError:
        return False  # the request itself will say what is wrong


def _addresses(found: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    return tuple(str(item[4][0]) for item in found)
