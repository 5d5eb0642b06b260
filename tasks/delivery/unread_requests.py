"""Whether a server can have read a request before it closed the connection, as far as TCP shows it.

A server can close a kept connection while the next request is on its way. The application sees the same as when a
server reads the request and dies: a connection that ends without a reply. TCP shows the difference in one case. The end
of the stream (FIN) acknowledges what the server's host had received when its program closed the socket. If that is
nothing of the request, and the host then refuses the request with a reset, no socket was left from which a program
could have read it.

Nothing less is a proof. A reset without an end of the stream can come from a program that read the request and was
killed, before its host acknowledged anything. After a half-close the host still acknowledges what arrives. Both count
as read.
"""

import socket
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

LONGEST_S = 1.0
"""How long the reset is waited for: it takes a round trip."""
_EVERY_S = 0.002
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_CLOSED = 7
"""TCP_CLOSE in Linux's <netinet/tcp.h>."""
_ACKED_AT = 120
"""Where `struct tcp_info` of <linux/tcp.h> has `tcpi_bytes_acked`, 64 bits wide, since Linux 4.1."""
_LENGTH = _ACKED_AT + 8


class TcpState(NamedTuple):
    """What the server's host has told of a connection."""

    is_over: bool
    """Neither side sends any more."""
    acknowledged: int
    """Bytes that it has acknowledged since the connection was made."""


def tcp_state(sock: object) -> TcpState | None:
    """Return what the host has said; None where the system does not tell."""
    if _TCP_INFO is None or not hasattr(sock, "getsockopt"):
        return None
    try:
        found = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 256)
    except OSError:
        return None
    if len(found) < _LENGTH:
        return None
    return TcpState(found[0] == _CLOSED, struct.unpack_from("=Q", found, _ACKED_AT)[0])


def before(sock: object, sent: int) -> TcpState | None:
    """Return what the host has said before a request; None where that cannot prove anything later.

    `sent`: bytes that were written before. On a connection without any there is nothing to see whether the system
    counts at all: some that imitate Linux fill in zeros.
    """
    found = tcp_state(sock)
    return found if found is not None and 0 < sent <= found.acknowledged else None


def is_unread(sock: object, earlier: TcpState, within_s: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Whether it is certain that nothing written since `earlier` was read. Call it at the end of the stream only."""
    for _ in range(max(1, int(min(within_s, LONGEST_S) / _EVERY_S))):
        now = tcp_state(sock)
        if now is None or now.acknowledged != earlier.acknowledged:
            return False
        if now.is_over:
            return True
        sleep(_EVERY_S)
    return False
