"""The addresses to which the request can be sent. Pure.

The endpoint is a setting, and a name can resolve to anything. The request carries keys and personal data, and the
server at the address might trust every client (a cloud's metadata service, an admin page). So the address of the
connection must be public, whatever its name.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
# Addresses of private links and egress proxies. Some clouds use shared space (RFC 6598) for them.
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
# IETF assignments; Python treats most of them as global.
_PROTOCOLS = ip_network("192.0.0.0/24")
# Metadata services with private addresses: AWS (IPv6) and Alibaba. The others are link-local.
_METADATA = tuple(map(ip_address, ("fd00:ec2::254", "100.100.100.200")))


def is_loopback(host: str) -> bool:
    """Return whether a host is literally a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address_block_reason(address: str, *, loopback: bool = False, private: bool = False) -> str | None:
    """Return why an address can't be used as a destination, like `private`; None: it can.

    Args:
        address: As the resolver gives it; IPv6 can have a zone.
        loopback: The endpoint names this machine: only loopback is allowed.
        private: Private addresses are allowed too; metadata services are not.
    """
    found = _embedded(ip_address(address.partition("%")[0]))
    if loopback:
        return None if found.is_loopback else "not loopback"
    kind = _kind(found)
    return None if kind == "private" and private and found not in _METADATA else kind


def _kind(address: IPv4Address | IPv6Address) -> str | None:
    for kind in ("loopback", "link_local", "multicast", "unspecified"):
        if getattr(address, f"is_{kind}"):
            return kind.replace("_", "-")
    if any(address in network for network in _PRIVATE):
        return "private"
    public = address.is_global and not address.is_reserved and address not in _PROTOCOLS
    return None if public and not getattr(address, "is_site_local", False) else "reserved"


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv6 address, if there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
