"""Which addresses of the network a site may not lead us to: those of the machine, its neighbours, its cloud."""

from __future__ import annotations

import ipaddress

from scrapy.exceptions import IgnoreRequest

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Of public networks, but answered by the cloud that a machine runs in, with its secrets.
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "169.254.169.254", "fd00:ec2::254")))
# Such an address is another way to write the IPv4 address in its last bytes (RFC 6052, 4291).
_WRAPPED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
_KINDS = (
    ("unspecified", lambda address: address.is_unspecified),
    ("loopback", lambda address: address.is_loopback),
    ("metadata", lambda address: address in _METADATA),
    ("link-local", lambda address: address.is_link_local),
    ("multicast", lambda address: address.is_multicast),
    ("private", lambda address: not address.is_global),
)


class SpecialAddressError(IgnoreRequest):
    """Raised for a request that would go to an address to which nobody outside can send one."""


def plain(address: str) -> _Address:
    """An address as the network takes it: an IPv4 address in the clothes of IPv6 is that IPv4 address.

    >>> plain("::ffff:127.0.0.1"), plain("64:ff9b::a00:1"), plain("2002:7f00:1::"), plain("fe80::1%eth0")
    (IPv4Address('127.0.0.1'), IPv4Address('10.0.0.1'), IPv4Address('127.0.0.1'), IPv6Address('fe80::1%eth0'))
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
    if inner is None and any(parsed in network for network in _WRAPPED) and int(parsed) > 1:
        inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return inner or parsed


def kind_of(address: str) -> str | None:
    """What makes an address special; None if it is one of the public network.

    >>> [kind_of(text) for text in ("93.184.215.14", "10.1.2.3", "100.100.100.200", "::1", "224.0.0.1", "0.0.0.0")]
    [None, 'private', 'private', 'loopback', 'multicast', 'unspecified']
    """
    parsed = plain(address)
    return next((kind for kind, is_kind in _KINDS if is_kind(parsed)), None)


def allowed(addresses: list[str], host: str, *, own: list[str]) -> list[str]:
    """Those of a host's addresses that a site may lead us to: public ones, and those at which it is itself (`own`).

    Raises SpecialAddressError if there is none.
    """
    at_home = {plain(address) for address in own}
    good = [address for address in addresses if kind_of(address) is None or plain(address) in at_home]
    if addresses and not good:
        where = host if host == addresses[0] else f"{host} ({addresses[0]})"
        raise SpecialAddressError(
            f"it leads to {where}, a {kind_of(addresses[0])} address, which no site may lead us to"
        )
    return good
