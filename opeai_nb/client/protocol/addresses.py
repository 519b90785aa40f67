"""Which private networks an IP address belongs to, whatever it is wrapped in."""

from __future__ import annotations

import ipaddress
from typing import Final

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Written out instead of `is_private`: 198.18/15 counts as private there, and proxies that answer
# with fake addresses put every public host into it.
_PRIVATE: Final = tuple(
    (name, ipaddress.ip_network(net))
    for name, nets in {
        # With 0.0.0.0, which servers that listen on it write into their URLs: it leads to oneself.
        "loopback": ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"),
        # The last is where Azure answers its machines: their own, although it looks public.
        "link-local": ("169.254.0.0/16", "fe80::/10", "168.63.129.16/32"),
        "shared": ("100.64.0.0/10",),
        "local": (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/24"),
            *("fc00::/7", "fec0::/10", "64:ff9b:1::/48"),
        ),
        "multicast": ("224.0.0.0/4", "240.0.0.0/4", "ff00::/8"),
    }.items()
    for net in nets
)
# IPv4 in the last 32 bits: compatible, mapped, translated (RFC 2765) and NAT64 (RFC 6052).
_CARRIERS: Final = tuple(
    ipaddress.IPv6Network(net)
    for net in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_ISATAP: Final = 0x0000_5EFE
"""What stands before the last 32 bits where they are IPv4 (RFC 5214), one bit aside."""


def private_nets(address: str) -> set[str] | None:
    """Return the private networks of an IP address, by name; None for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    inner = _inside(ip)
    return _nets(ip) | (_nets(inner) if inner is not None else set())


def _nets(ip: _Address) -> set[str]:
    return {name for name, net in _PRIVATE if ip.version == net.version and ip in net}


def _inside(ip: _Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to, by any of the ways to carry one."""
    if isinstance(ip, ipaddress.IPv4Address) or int(ip) <= 1:  # `::` and `::1` are their own
        return None
    is_isatap = int(ip) >> 32 & 0xFDFF_FFFF == _ISATAP
    if is_isatap or any(ip in net for net in _CARRIERS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
