"""The allowed addresses of a host."""

import socket

import httpcore

from tasks.delivery.addresses import address_block_reason, is_loopback


class ForbiddenAddressError(Exception):
    """The endpoint's name has no allowed address; nothing was connected. The message names them and the fix."""


def addresses(host: str, port: int, *, private: bool) -> list[str]:
    """Return the allowed addresses of a host, in the resolver's order.

    Args:
        host: As the endpoint names it.
        port: Its port.
        private: Whether private addresses are allowed (`delivery.allow_private_endpoint`).

    Raises:
        ForbiddenAddressError: It has addresses, and none of them is allowed.
        httpcore.ConnectError: It has none.
    """
    kinds = kinds_of_addresses(host, port, private=private)
    allowed = [address for address, kind in kinds.items() if kind is None]
    if kinds and not allowed:
        refused = ", ".join(f"{address} ({kind})" for address, kind in kinds.items())
        raise ForbiddenAddressError(f"it has no public address but {refused}, where nothing is sent")
    return allowed


def kinds_of_addresses(host: str, port: int, *, private: bool) -> dict[str, str | None]:
    """Return all addresses of a host in the resolver's order, each with the reason why it is forbidden, or None.

    Args: see `addresses`.

    Raises:
        httpcore.ConnectError: It has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:  # UnicodeError: the name isn't valid for a resolver
        raise httpcore.ConnectError(str(exc)) from exc
    every = dict.fromkeys(str(address[0]) for *_, address in found)
    return {address: address_block_reason(address, loopback=is_loopback(host), private=private) for address in every}
