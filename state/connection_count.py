"""Counts the connections that a client makes.

A server only loses acknowledged writes in a restart, a failover or a restore. Each of them ends its connections, and
the driver replaces an idle connection without an error. So a process can rely on its writes only while this number
stays the same.
"""

from typing import TypeVar
from weakref import WeakKeyDictionary

from state.driver import Connection

Client = TypeVar("Client")


class Connects:
    """The number of connections that one client has made."""

    def __init__(self, *, cluster: bool) -> None:
        self.made = 0
        self._cluster = cluster

    def __call__(self, connection: Connection) -> None:
        """Count a new connection. The driver calls this, and leaves the handshake with a single server to it."""
        self.made += 1
        if not self._cluster:
            connection.on_connect()


_COUNTED: WeakKeyDictionary[object, Connects] = WeakKeyDictionary()


def counted(client: Client, connects: Connects) -> Client:
    """Return a client whose connections are counted by `connects`."""
    _COUNTED[client] = connects
    return client


def connects_of(client: object) -> int:
    """Return how many connections a client of `state.connection.connect` has made; 0 for any other."""
    found = _COUNTED.get(client)
    return found.made if found else 0
