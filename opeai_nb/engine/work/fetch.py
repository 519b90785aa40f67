"""Input images by URL, fetched so that they can't be used to reach the machine's own network.

Bounded in time, bytes and redirects. A name is resolved once and the connection goes to the address
that was checked, so a name that changes its address in between gains nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from opeai_nb.engine.api.error_envelope import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 10.0  # of one input image: somebody waits for the answer
_REDIRECTS: Final = 3  # http to https to a store: more is a loop
_CHUNK: Final = 65_536  # bytes between two looks at the deadline and the size
_HTTP_OK: Final = 200
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
# IPv4 in the last 32 bits: compatible, mapped, translated (RFC 2765) and NAT64 (RFC 6052).
_CARRIERS: Final = tuple(
    ipaddress.IPv6Network(net)
    for net in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_LOCAL_NAT64: Final = ipaddress.ip_network("64:ff9b:1::/48")
_ISATAP: Final = 0x0000_5EFE  # before IPv4 in the last 32 bits, one bit aside (RFC 5214)
# Python's list leaves single addresses of the first out; at the second Azure answers its machines.
_OWN: Final = tuple(ipaddress.ip_network(net) for net in ("192.0.0.0/24", "168.63.129.16/32"))


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, IPv4 inside IPv6 included."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        is_isatap = int(ip) >> 32 & 0xFDFF_FFFF == _ISATAP
        if is_isatap or any(ip in net for net in _CARRIERS):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner)) and (ip.is_global or not is_isatap)
        if ip.is_site_local or ip in _LOCAL_NAT64:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _OWN)


def resolved(host: str) -> list[str]:
    """Return the addresses of *host*, as the system finds them. Raises `OSError`."""
    entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in entries]


class _Lookup(NamedTuple):
    """How a name becomes the address that is connected to."""

    allowed: Callable[[str], bool]
    resolve: Callable[[str], list[str]]

    def address(self, host: str, seconds: float) -> str:
        """Return the first address. ApiError where one of them is not allowed."""
        addresses = self._looked_up(host).result(seconds)
        if not addresses or not all(self.allowed(address) for address in addresses):
            raise _bad("the input image's host is not on the public internet")
        return addresses[0]

    def _looked_up(self, host: str) -> Future[list[str]]:
        """Ask in a daemon thread: nothing else ends a name server that says nothing."""
        found: Future[list[str]] = Future()

        def look_up() -> None:
            try:
                found.set_result(self.resolve(host))
            except Exception as error:  # noqa: BLE001  it is raised where it is awaited
                found.set_exception(error)

        threading.Thread(target=look_up, name="opeai_nb-engine-lookup", daemon=True).start()
        return found


def fetch(
    url: str,
    bytes_max: int,
    *,
    seconds: float = SECONDS,
    allowed: Callable[[str], bool] = is_public,
    resolve: Callable[[str], list[str]] = resolved,
) -> bytes:
    """Return what *url* holds. It blocks: call it in a thread.

    *allowed* judges each address that is about to be connected to, of those that *resolve* finds.
    ApiError 400 for whatever goes wrong: a refused address, a redirect too many, an error status,
    too many bytes or seconds.
    """
    deadline = time.monotonic() + seconds  # a real wait for a real network: not the engine's clock
    for _ in range(_REDIRECTS + 1):
        try:
            answer = _get(url, bytes_max, deadline, _Lookup(allowed, resolve))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise _bad("failed to download the input image") from error
        if isinstance(answer, bytes):
            return answer
        url = urljoin(url, answer)
    raise _bad("the input image redirects too often")


def _get(url: str, bytes_max: int, deadline: float, lookup: _Lookup) -> bytes | str:
    """Return the body, or the Location that the answer points to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad("only http and https image URLs are accepted")
    connection = _connection(parts, deadline, lookup)
    # A socket's timeout is for each read, so a server that trickles would never end.
    watchdog = threading.Timer(_left(deadline), _hang_up, (connection.sock,))
    watchdog.daemon = True
    watchdog.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Host": parts.netloc.rpartition("@")[2]})
        response = connection.getresponse()
        if response.status in _MOVED and (location := response.getheader("Location")):
            return location
        if response.status != _HTTP_OK:
            raise _bad(f"failed to download the input image: HTTP {response.status}")
        return _read(response, bytes_max, deadline)
    finally:
        watchdog.cancel()
        connection.close()


def _connection(parts: SplitResult, deadline: float, lookup: _Lookup) -> http.client.HTTPConnection:
    """Connect to an address of the URL's host that is allowed."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = lookup.address(host, _left(deadline))
    sock = socket.create_connection((address, port), timeout=_left(deadline))
    if parts.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    connection = http.client.HTTPConnection(host, port)
    connection.sock = sock
    return connection


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed in the meantime: nothing to hang up
        sock.shutdown(socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, bytes_max: int, deadline: float) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > bytes_max:
            raise _bad(f"an input image may have at most {bytes_max // 2**20} MB")
    _left(deadline)  # a body that the watchdog cut would look whole
    return bytes(body)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the input image took too long")
    return left


def _bad(message: str) -> ApiError:
    return ApiError(message, code="InvalidURL", param="image")
