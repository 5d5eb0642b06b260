"""A server, or the three nodes of a cluster, each of which has one of three streams."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.crc import key_slot

from bench.winback.running import LIVE
from state.keys import Keys
from tests.support.cluster_nodes import NODES, owner, three_nodes


@dataclass(frozen=True, slots=True)
class Place:
    """One server, or several that form a cluster."""

    url: str
    nodes: tuple[Any, ...]

    @property
    def env(self) -> dict[str, str]:
        return {**LIVE, "WINBACK_REDIS_URL": self.url, "WINBACK_BROKER_URL": "redis://127.0.0.1:1/0"}


def stream_nodes() -> tuple[int, ...]:
    """Return the node of each stream: the first stays where it is, the others are spread over the other nodes."""
    first = owner(key_slot(Keys().events.encode()))
    return tuple((first + number) % NODES for number in range(NODES))


@contextmanager
def cluster(directory: Path) -> Iterator[Place]:
    """Start a cluster whose slots are evenly distributed, except those of the streams."""
    with three_nodes(directory) as found:
        for number, node in enumerate(stream_nodes()):
            for client in found.clients:
                slot = key_slot(Keys().events_of(number).encode())
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", found.ids[node])
        yield Place(found.url, found.clients)
