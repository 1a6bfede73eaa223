"""Names to public addresses: a card's host must not lead into our own network, whatever its DNS says."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

type Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → addresses, as text. Raises OSError where there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out of IPv6. The rest is reserved, and some of it once meant addresses of IPv4 or of a site:
::127.0.0.1, ::ffff:0:127.0.0.1, fec0::1. Python takes those for global ones."""
_DOCUMENTATION = IPv6Network("3fff::/20")


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says, IPv4 first: Lambda outside a VPC has no IPv6."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found}, key=lambda address: (":" in address, address))


def is_public(address: str) -> bool:
    """Whether it is on the Internet proper: not private, loopback, link-local (so not the metadata service), shared,
    reserved or multicast; nor one of these inside an IPv6 address that carries an IPv4 one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        return _is_public_v6(ip)
    return _is_global(ip)


def _is_public_v6(ip: IPv6Address) -> bool:
    inner = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
    if inner:
        return _is_global(inner)
    return ip in _GLOBAL_UNICAST and ip not in _DOCUMENTATION and ip.scope_id is None and _is_global(ip)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast
