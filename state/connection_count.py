"""Counts the connections that a client makes.

A server loses acknowledged writes only by a restart, a failover or a restore. Each of them ends its connections, and
the driver makes the next one without an error where the old one was idle. So a process can rely on what it has written
only while this number stays the same.
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
        """Count a new connection. Called by the driver, which for a single server leaves the introduction to us."""
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
