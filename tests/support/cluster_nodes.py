"""A cluster of three primaries on this machine, without replicas, with evenly distributed slots."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.waiting import eventually
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import free_port

NODES, SLOTS = 3, 16384


class ClusterNode(EmbeddedValkey):
    """A server in cluster mode, which checks the slots of keys. It starts without slots."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=0)
        # The default is a port 10,000 higher than its own, which might not exist.
        self.bus = free_port()

    @property
    def port(self) -> int:
        return self._port

    def _options(self) -> dict[str, str]:
        return super()._options() | {"cluster-enabled": "yes", "cluster-port": str(self.bus), "databases": "1"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The servers in slot order, a client of each, and their names in the cluster."""

    servers: tuple[ClusterNode, ...]
    clients: tuple[Any, ...]
    ids: tuple[str, ...]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)


def owner(slot: int, nodes: int = NODES) -> int:
    """Return which of `nodes` nodes has an evenly distributed slot."""
    return next(place for place in range(nodes) if slot < SLOTS * (place + 1) // nodes)


@contextmanager
def three_nodes(directory: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        servers = [stack.enter_context(ClusterNode(directory / f"node-{number}")) for number in range(NODES)]
        clients: list[Any] = [
            stack.enter_context(Redis.from_url(server.url, protocol=2, retry=Retry(NoBackoff(), 0)))
            for server in servers
        ]
        for place, client in enumerate(clients):
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", place + 1)
            first, last = SLOTS * place // NODES, SLOTS * (place + 1) // NODES - 1
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            if place:
                clients[0].execute_command("CLUSTER MEET", "127.0.0.1", servers[place].port, servers[place].bus)
        eventually(lambda: all(_knows_all(client) for client in clients))
        ids = [client.execute_command("CLUSTER MYID").decode() for client in clients]
        yield Cluster(tuple(servers), tuple(clients), tuple(ids))


def _knows_all(client: Any) -> bool:  # noqa: ANN401 - the driver's
    about = client.execute_command("CLUSTER", "INFO")
    return b"cluster_state:ok" in about and b"cluster_known_nodes:%d" % NODES in about
