"""A server, or several of this machine that make a cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.crc import key_slot

from bench.own.running import LIVE
from bench.waiting import wait_for
from state.keys import Keys
from worker.valkey import EmbeddedValkey, _free_port

NODES, SLOTS = 3, 16384


class Node(EmbeddedValkey):
    """One node of a cluster."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=0)
        self.bus = _free_port()

    def _options(self) -> dict[str, str]:
        return super()._options() | {"cluster-enabled": "yes", "cluster-port": str(self.bus), "databases": "1"}


@dataclass(frozen=True, slots=True)
class Place:
    """One server, or several that make a cluster."""

    url: str
    nodes: tuple[Any, ...]

    @property
    def env(self) -> dict[str, str]:
        return {**LIVE, "WINBACK_REDIS_URL": self.url, "WINBACK_BROKER_URL": "redis://127.0.0.1:1/0"}


def owner(slot: int, nodes: int = NODES) -> int:
    """Return which of so many nodes has a slot, when they are dealt out evenly."""
    return next(place for place in range(nodes) if slot < SLOTS * (place + 1) // nodes)


def stream_nodes() -> dict[int, int]:
    """Return the node of each stream's slot: the first lies where it does, the others are moved to one node each."""
    keys = Keys()
    first = owner(key_slot(keys.events.encode()))
    return {key_slot(keys.events_of(number).encode()): (first + number) % NODES for number in range(NODES)}


@contextmanager
def cluster(directory: Path) -> Iterator[Place]:
    """Start a cluster in which each node has one of three streams, and the slots are dealt out evenly otherwise."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Node(directory / f"node-{number}")) for number in range(NODES)]
        nodes: list[Any] = [Redis.from_url(server.url, protocol=2) for server in servers]
        ports = [server.url.rpartition(":")[2].partition("/")[0] for server in servers]
        moved = stream_nodes()
        slots: list[list[int]] = [[] for _ in nodes]
        for slot in range(SLOTS):
            slots[moved.get(slot, owner(slot))].append(slot)
        for place, node in enumerate(nodes):
            node.execute_command("CLUSTER SET-CONFIG-EPOCH", place + 1)
            node.execute_command("CLUSTER ADDSLOTS", *slots[place])
            if place:
                nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", ports[place], servers[place].bus)
        wait_for(lambda: all(_knows_all(node) for node in nodes))
        yield Place("redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports), tuple(nodes))


def _knows_all(node: Any) -> bool:  # noqa: ANN401 - the driver's
    about = node.execute_command("CLUSTER INFO")
    text = about.decode() if isinstance(about, bytes) else "\n".join(f"{k}:{v}" for k, v in about.items())
    return "cluster_state:ok" in text and f"cluster_known_nodes:{NODES}" in text
