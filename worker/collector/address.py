"""The address that a request comes from, behind proxies too."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import Scope


class Addresses:
    """Finds the address of the client. A header counts only if a trusted proxy wrote it."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        """`trusted_proxies`: addresses or networks such as `10.0.0.0/8`."""
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(text) for text in trusted_proxies]

    def of(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Return the last address that no trusted proxy has; an IPv6 client counts by its network of 64 bits."""
        client = scope.get("client")
        found = client[0] if client else ""
        if self._trusted:
            for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
                if not self._is_trusted(found) or not hop.strip():
                    break
                found = hop.strip()
        return _grouped(found)

    def _is_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _grouped(text: str) -> str:
    if ":" not in text:
        return text[:64]
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    return str(ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)  # noqa: PLR2004
