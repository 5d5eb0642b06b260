"""Which kind of server answers on a port, for a URL whose server can't be used. Sends one harmless line."""

import socket
import ssl
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

Protocol = Literal["redis", "redis over TLS", "HTTP", "HTTPS", "AMQP", "SSH", "unknown", "nothing"]

_PATIENCE_S = 1.0
_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}
_REDIS = (b"+PONG", b"-NOAUTH", b"-ERR", b"-LOADING", b"-DENIED", b"-MASTERDOWN", b"-NOPERM")
_OTHERS: tuple[tuple[bytes, Protocol], ...] = ((b"HTTP/", "HTTP"), (b"<", "HTTP"), (b"AMQP", "AMQP"), (b"SSH-", "SSH"))


def protocol_of(url: str) -> Protocol:
    """Return what answers at the host and port of a URL; `nothing` when it can't be connected to.

    It takes 2 s at most after the name is resolved, if the server says nothing.
    """
    try:
        parts = urlsplit(url)
        where = (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 6379))
    except ValueError:
        return "nothing"
    try:
        plain = _first_line(where, tls=False)
    except OSError:
        return "nothing"
    found = _named(plain)
    if found not in {"unknown", "HTTP"}:
        return found
    with suppress(OSError):
        over_tls = _named(_first_line(where, tls=True))
        return "redis over TLS" if over_tls == "redis" else "HTTPS" if over_tls == "HTTP" else found
    return found


def _named(line: bytes) -> Protocol:
    if line.startswith(_REDIS):
        return "redis"
    return next((name for start, name in _OTHERS if line.startswith(start)), "unknown")


def _first_line(where: tuple[str, int], *, tls: bool) -> bytes:
    """Return how the server answers `PING`; empty when it closes the connection or says nothing.

    Raises:
        OSError: It can't be connected to, or not with TLS.
    """
    with socket.create_connection(where, timeout=_PATIENCE_S) as connection:
        if not tls:
            return _exchange(connection)
        # The certificate doesn't matter: no secret is sent, and only the kind of server is asked for.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(connection, server_hostname=where[0]) as wrapped:
            return _exchange(wrapped)


def _exchange(connection: socket.socket) -> bytes:
    with suppress(OSError):
        connection.sendall(b"PING\r\n\r\n")
        return connection.recv(16)
    return b""
