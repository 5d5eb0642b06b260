"""Whether a server could have read a request before it closed the connection, according to TCP.

A server can close a kept connection while the next request is in flight. To the application, this looks like a server
that reads the request and crashes: the connection ends without a reply. TCP shows the difference in one case. The end
of the stream (FIN) acknowledges what the server's host had received when its program closed the socket. If that
includes nothing of the request, and the host then answers the request with a reset, no socket was left from which a
program could have read it.

Nothing less is proof. A reset without an end of stream can come from a program that read the request and was killed
before its host acknowledged anything. After a half-close, the host still acknowledges what arrives. Both count as read.
"""

import socket
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

LONGEST_S = 1.0
"""How long to wait for the reset, which takes a round trip."""
_EVERY_S = 0.002
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_CLOSED = 7
"""TCP_CLOSE in Linux's <netinet/tcp.h>."""
_ACKED_AT = 120
"""The offset of `tcpi_bytes_acked` in `struct tcp_info` of <linux/tcp.h>, 64 bits wide, since Linux 4.1."""
_LENGTH = _ACKED_AT + 8


class TcpState(NamedTuple):
    """The TCP state of a connection, as its peer reported it."""

    is_over: bool
    """Neither side sends any more."""
    acknowledged: int
    """Bytes that the peer has acknowledged since the connection was made."""


def tcp_state(sock: object) -> TcpState | None:
    """Return the TCP state; None if the system doesn't report it."""
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
    """Return the TCP state before a request; None if it can't prove anything later.

    `sent`: bytes written earlier. On a connection without any, it isn't clear whether the system counts at all: some
    systems that imitate Linux report zeros.
    """
    found = tcp_state(sock)
    return found if found is not None and 0 < sent <= found.acknowledged else None


def is_unread(sock: object, earlier: TcpState, within_s: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Return whether certainly nothing written since `earlier` was read. Only call it at the end of the stream."""
    for _ in range(max(1, int(min(within_s, LONGEST_S) / _EVERY_S))):
        now = tcp_state(sock)
        if now is None or now.acknowledged != earlier.acknowledged:
            return False
        if now.is_over:
            return True
        sleep(_EVERY_S)
    return False
