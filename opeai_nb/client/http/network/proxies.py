"""Which proxy the environment names for a URL, in every form in which people write it.

Read here, not by httpx: that takes IPv6 in NO_PROXY for a bad URL, knows no CIDR, and fails in the
constructor for a setting that has nothing to do with the request.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from opeai_nb.secret import bare

if TYPE_CHECKING:
    from collections.abc import Mapping

_HAS_SETTINGS: Final = getproxies is not getproxies_environment
"""Whether the system has settings besides the variables, as macOS and Windows have."""
_PORTS: Final = {"http": 80, "https": 443}
_KINDS: Final = ("http", "https", "socks5", "socks5h")
_SAME: Final = {"socks": "socks5", "socks4a": "socks5h", "tunnel": "http"}


@dataclass(frozen=True)
class Proxy:
    """A proxy that is in use. *url* may hold a password; *variable* is what names it."""

    url: str
    variable: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"the proxy of {self.variable} ({parts.hostname}:{parts.port or 80})"

    __repr__ = __str__


class ProxyProblemError(Exception):
    """A variable that names no proxy that can be understood; says which, and what to do."""


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for *url*; None for none. Raises `ProxyProblemError`.

    Lower case counts before upper case, the URL's own scheme before `ALL_PROXY`. This machine
    itself is never reached through a proxy.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    environ = os.environ if environ is None else environ
    named = named_proxy(parts.scheme, environ)
    if named is None or is_loopback(host) or is_exempt(host, port, environ):
        return None
    variable, text = named
    return Proxy(_url(text, variable), variable)


def named_proxy(scheme: str, environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """Return the variable that names a proxy for *scheme*, and what it says; None for none."""
    environ = os.environ if environ is None else environ
    for name in (f"{scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            # A CGI script's client may set HTTP_PROXY by a header of its own.
            is_header = variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ
            if (text := environ.get(variable, "").strip()) and not is_header:
                return variable, text
    if not _HAS_SETTINGS or environ is not os.environ or _names_any(environ):
        return None
    system = getproxies()
    text = system.get(scheme) or system.get("all") or ""
    return ("the system's settings", text) if text else None


def _names_any(environ: Mapping[str, str]) -> bool:
    return any(name.lower().endswith("_proxy") for name in environ)


def _url(text: str, variable: str) -> str:
    text = bare(text)
    kind, colon, rest = text.partition("://")
    if not colon:
        kind, rest = "http", text
    kind = _SAME.get(kind.lower(), kind.lower())
    try:
        parts = urlsplit(f"{kind}://{rest}")
        whole = bool(parts.hostname) and parts.port != 0
        whole = whole and not _NO_HOST.search(parts.netloc.rpartition("@")[2])
    except ValueError:
        whole = False
    if kind not in _KINDS or not whole:
        raise ProxyProblemError(
            f"{variable} is no proxy that can be used: give one such as http://127.0.0.1:7890 or "
            "socks5://127.0.0.1:7890 (with %23 for a # in a password), or add the host to NO_PROXY"
        )
    return f"{kind}://{rest}"


# What no address has, and what a scheme written twice leaves.
_NO_HOST = re.compile(r"[\s<>{}|^`\"]|:\Z")


def is_loopback(host: str) -> bool:
    """Tell whether *host* is this machine, also as `0.0.0.0`, which servers say they listen on."""
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_exempt(host: str, port: int | None, environ: Mapping[str, str]) -> bool:
    """Tell whether NO_PROXY exempts *host*: names, suffixes, `*`, addresses, networks, ports."""
    entries = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    name = _in_ascii(host.lower().rstrip("."))
    if any(_matches(entry, name, port) for entry in re.split(r"[\s,;|\\]+", entries)):
        return True
    uses_system = environ is os.environ and not _names_any(environ)
    return uses_system and bool(proxy_bypass(host))


def _matches(entry: str, host: str, port: int | None) -> bool:
    entry = re.sub(r"^\w+://([^/]*).*", r"\1", entry.strip("\"'").lower()).rstrip("/.")
    if not entry:
        return False
    if entry == "<local>":  # Windows: names without a dot
        return "." not in host and _address(host) is None
    address = _address(host)
    network = _network(entry)
    if network is not None:
        return address is not None and address.version == network.version and address in network
    name, colon, wanted = entry.rpartition(":")
    if colon and (wanted.isdigit() or wanted in {"", "*"}):
        return (not wanted.isdigit() or int(wanted) == port) and _matches(name, host, None)
    name = _in_ascii(entry.partition("/")[0].removeprefix("*.").lstrip("."))
    if _PART_OF_ADDRESS.fullmatch(name):
        return address is not None and host.startswith(f"{name}.")
    return host == name or host.endswith(f".{name}") or ("*" in name and fnmatchcase(host, name))


_PART_OF_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,2}")  # `192.168.`, as some tools take it


def _in_ascii(host: str) -> str:
    """Return a name as it is asked for: `xn--mnchen-3ya` for `münchen`."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:  # no name of a host: it is like nothing but itself
        return host


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    text, slash, bits = entry.partition("/")
    try:
        return ipaddress.ip_network(f"{text.strip('[]')}{slash}{bits.strip(']')}", strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
