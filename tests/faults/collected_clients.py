"""Fault 32, continued: clients that are slow, idle, hostile or gone, next to the usual traffic."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.faults.collected import collector_fault, works_again
from tests.faults.collector_hosts import KEY, memory_mb
from tests.faults.fault import Fault, Scene
from tests.faults.web_shop import OK, WebShop

MB = 1024 * 1024
HUGE = 100 * MB
IDLE = 100
FOR_S = 8.0
PAUSE_S = 0.005
"""Between two pieces: the clients have less than half of this machine's time."""
GROWTH_MB = 160
"""The limit of all bodies together, and some room."""
HEAD = f"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()
BOMB = gzip.compress(bytes(HUGE), 9)
Client = Callable[[socket.socket, threading.Event], None]


def drips(connection: socket.socket, ended: threading.Event) -> None:
    """Send a body byte by byte."""
    connection.sendall(HEAD + b"content-length: 10000\r\n\r\n")
    while not ended.wait(0.05):
        connection.sendall(b" ")


def drips_headers(connection: socket.socket, ended: threading.Event) -> None:
    """Send headers byte by byte, without an end."""
    connection.sendall(HEAD + b"x: ")
    while not ended.wait(0.05):
        connection.sendall(b"x")


def leaves(connection: socket.socket, ended: threading.Event) -> None:
    """Close half-way through a body."""
    connection.sendall(HEAD + b"content-length: 100000\r\n\r\n" + b"[" * 50_000)
    ended.wait(0.1)


def huge(connection: socket.socket, ended: threading.Event) -> None:
    """Send 100 MB in pieces."""
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(HUGE // MB):
        if ended.wait(PAUSE_S):
            return
        connection.sendall(b"100000\r\n" + b"[" * MB + b"\r\n")


def announces(connection: socket.socket, ended: threading.Event) -> None:
    """Announce a body of 100 MB."""
    connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % HUGE)
    while not ended.wait(PAUSE_S):
        connection.sendall(b"[" * MB)


def bombs(connection: socket.socket, ended: threading.Event) -> None:
    """Send gzip that inflates to 100 MB, again and again."""
    head = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB)
    connection.sendall(head + BOMB)
    ended.wait(0.1)


def speaks_nonsense(connection: socket.socket, ended: threading.Event) -> None:
    """Send what isn't HTTP."""
    connection.sendall(b"\x16\x03\x01\x00" * 1000 + b"\r\n\r\n")
    ended.wait(0.1)


CLIENTS: tuple[tuple[Client, int], ...] = (
    (drips, 20),
    (drips_headers, 20),
    (leaves, 4),
    (huge, 2),
    (announces, 2),
    (bombs, 2),
    (speaks_nonsense, 2),
)


def hostile_clients(scene: Scene) -> None:
    """Let all kinds of clients do their worst while shoppers arrive: others are served, and memory stays bounded."""
    system, shop = scene.system, scene.shop
    assert isinstance(shop, WebShop)
    pid, port = system.pid("collect"), shop.hosts[0].port
    before_mb = memory_mb(pid)
    idle = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(IDLE)]
    most_mb = 0.0
    try:
        with _all_clients(port):
            scene.open(40, over_s=FOR_S)
            ends = time.monotonic() + FOR_S
            while time.monotonic() < ends:
                most_mb = max(most_mb, memory_mb(pid))
                time.sleep(0.02)
    finally:
        for connection in idle:
            connection.close()
    works_again(scene)
    scene.expect(system.pid("collect") == pid, "a client ended the collector")
    scene.expect(most_mb - before_mb < GROWTH_MB, f"memory grew from {before_mb:.0f} MB to {most_mb:.0f} MB")
    # A busy machine can take longer than a client waits; then it sends again.
    scene.expect(shop.answers.keys() <= {OK, 0}, f"shoppers' requests were refused: {shop.answers}")
    scene.expect(shop.answers[OK] > 4 * shop.answers.get(0, 0), f"shoppers' requests had no answer: {shop.answers}")


@contextmanager
def _all_clients(port: int) -> Iterator[None]:
    ended = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(client, port, ended), daemon=True)
        for client, number in CLIENTS
        for _ in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)


def _repeat(client: Client, port: int, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            client(connection, ended)


FAULTS: tuple[Fault, ...] = (
    collector_fault("32o", "slow, idle and hostile clients, 100 MB bodies, gzip bombs", hostile_clients),
)
