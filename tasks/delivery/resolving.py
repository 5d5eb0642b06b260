"""The addresses of a host that may be sent to."""

import socket

import httpcore

from tasks.delivery.addresses import address_block_reason, is_loopback


class ForbiddenAddressError(Exception):
    """No address that the endpoint's name has may be sent to; nothing was connected. Says which, and the way out."""


def addresses(host: str, port: int, *, private: bool) -> list[str]:
    """Return the addresses of a host that may be sent to, in the resolver's order.

    Args:
        host: As the endpoint names it.
        port: Its port.
        private: Whether private addresses may be used (`delivery.allow_private_endpoint`).

    Raises:
        ForbiddenAddressError: it has addresses, and none of them may be sent to.
        httpcore.ConnectError: it has none.
    """
    kinds = kinds_of_addresses(host, port, private=private)
    allowed = [address for address, kind in kinds.items() if kind is None]
    if kinds and not allowed:
        refused = ", ".join(f"{address} ({kind})" for address, kind in kinds.items())
        raise ForbiddenAddressError(f"it has no public address but {refused}, where nothing is sent")
    return allowed


def kinds_of_addresses(host: str, port: int, *, private: bool) -> dict[str, str | None]:
    """Return all addresses of a host in the resolver's order, each with the reason why nothing is sent there, or None.

    Args: see `addresses`.

    Raises:
        httpcore.ConnectError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:  # UnicodeError: no name that a resolver could be asked for
        raise httpcore.ConnectError(str(exc)) from exc
    every = dict.fromkeys(str(address[0]) for *_, address in found)
    return {address: address_block_reason(address, loopback=is_loopback(host), private=private) for address in every}
