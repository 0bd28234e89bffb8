"""The address that a request came from, as far as it can be believed."""

import ipaddress

from fastapi import Request

_NEAR = [
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]
"""Where a proxy of ours can be: nobody outside has such an address."""


def network(request: Request) -> str:
    """The address; of a home's many IPv6 addresses it is the same; "" where it is none.

    What a proxy of ours (on this machine, or beside it) has put last into X-Forwarded-For is what it saw itself; all
    that stands before may be made up, and from anybody else so may all of it.
    """
    peer = _address(request.client.host if request.client else "")
    if peer is not None and any(peer in network for network in _NEAR):
        told = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        peer = _address(told) or peer
    if peer is None:
        return ""
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, 64), strict=False))
    return str(peer)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
