"""`python -m tests.support.hostile_clients PORT KEY`: slow, broken and hostile HTTP clients, until they are killed."""

import gzip
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MB = 1024 * 1024
HUGE = 100 * MB
PAUSE_S = 0.005
"""Between two pieces: the clients have less than half of this machine's time."""
BOMB = gzip.compress(bytes(HUGE), 9)
HEAD = b"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n" % sys.argv[-1].encode()
Client = Callable[[socket.socket], None]


def drips(connection: socket.socket) -> None:
    """Send a body byte by byte."""
    connection.sendall(HEAD + b"content-length: 10000\r\n\r\n")
    while True:
        time.sleep(0.05)  # its pace is what it is for
        connection.sendall(b" ")


def drips_headers(connection: socket.socket) -> None:
    """Send headers byte by byte, without an end."""
    connection.sendall(HEAD + b"x: ")
    while True:
        time.sleep(0.05)  # its pace is what it is for
        connection.sendall(b"x")


def leaves(connection: socket.socket) -> None:
    """Close half-way through a body."""
    connection.sendall(HEAD + b"content-length: 100000\r\n\r\n" + b"[" * 50_000)
    time.sleep(0.1)


def huge(connection: socket.socket) -> None:
    """Send 100 MB in pieces."""
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(HUGE // MB):
        time.sleep(PAUSE_S)
        connection.sendall(b"100000\r\n" + b"[" * MB + b"\r\n")


def announces(connection: socket.socket) -> None:
    """Announce a body of 100 MB."""
    connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % HUGE)
    while True:
        time.sleep(PAUSE_S)
        connection.sendall(b"[" * MB)


def bombs(connection: socket.socket) -> None:
    """Send gzip that inflates to 100 MB, again and again."""
    head = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB)
    connection.sendall(head + BOMB)
    time.sleep(0.1)


def speaks_nonsense(connection: socket.socket) -> None:
    """Send what isn't HTTP."""
    connection.sendall(b"\x16\x03\x01\x00" * 1000 + b"\r\n\r\n")
    time.sleep(0.1)


CLIENTS: tuple[tuple[Client, int], ...] = (
    (drips, 20),
    (drips_headers, 20),
    (leaves, 4),
    (huge, 2),
    (announces, 2),
    (bombs, 2),
    (speaks_nonsense, 2),
)


def _repeat(client: Client, port: int) -> None:
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            client(connection)
        time.sleep(PAUSE_S)


def main() -> None:
    """Run all clients."""
    for client, number in CLIENTS:
        for _ in range(number):
            threading.Thread(target=_repeat, args=(client, int(sys.argv[1]))).start()


if __name__ == "__main__":
    main()
