"""Debian's Redis: a single one, one with Sentinel, and a cluster, each of which can lose a primary."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from state.connection import connect
from state.errors import StateError
from state.keys import Keys
from state.server_errors import driver_errors
from tests.servers.programs import Program, found
from tests.support.waiting import eventually
from worker.supervision.valkey_process import free_port

NODE_TIMEOUT_MS = 2000
SERVICE = "shop"
EVENTS = Keys("winback").events


class RedisServer(Program):
    """One server with an append-only file, as in `deploy/valkey.conf`."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        everywhere = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""]
        everywhere += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        everywhere += ["--hash-max-listpack-entries", "512", "--hash-max-listpack-value", "1024"]
        super().__init__(directory, [found("redis-server"), *everywhere, *options])
        self.client: Any = Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=5, protocol=2)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        super().start()
        eventually(self.answers, 20)

    def answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.client.ping())
        return False

    def is_primary(self) -> bool:
        with suppress(RedisError):
            return bool(self.client.info("replication")["role"] == "master")
        return False

    def follows(self) -> bool:
        """Return whether it is a replica with all data."""
        with suppress(RedisError):
            return bool(self.client.info("replication").get("master_link_status") == "up")
        return False

    def is_followed(self) -> bool:
        """Return whether a replica has all writes up to now."""
        about = self.client.info("replication")
        replicas = [value for value in about.values() if isinstance(value, dict) and "offset" in value]
        return any(replica["offset"] >= about["master_repl_offset"] for replica in replicas)

    def online_replicas(self) -> int:
        about = self.client.info("replication")
        return sum(isinstance(value, dict) and value.get("state") == "online" for value in about.values())


@dataclass
class Replicated:
    """Servers, one of which can be lost while another takes over."""

    url: str
    nodes: list[RedisServer]
    needs_the_lost: bool
    """Whether there are too few replicas without the lost one."""

    def primary(self, key: str) -> RedisServer:
        """Return the primary of a key: with Sentinel, and so three servers, there is only one."""
        if len(self.nodes) == 3:
            return next(node for node in self.nodes if node.is_primary())
        reply = next(node for node in self.nodes if node.answers()).client.execute_command("CLUSTER SLOTS")
        slot = key_slot(key.encode())
        port = next(int(owner[1]) for first, last, owner, *_ in reply if first <= slot <= last)
        return next(node for node in self.nodes if node.port == port)

    def fail_over(self, key: str = EVENTS) -> float:
        """Kill the primary of a key; return after how long (s) another had taken over and clients were notified.

        Then the lost one is restarted, as its operator would.
        """
        lost = self.primary(key)
        eventually(lambda: lost.online_replicas() > 0, 60)
        others = [node for node in self.nodes if node is not lost and not node.is_primary()]
        began = monotonic()
        lost.kill()
        eventually(lambda: any(node.is_primary() for node in others), 30)
        eventually(self._can_be_written, 30)
        took_s = monotonic() - began
        lost.start()
        if self.needs_the_lost:
            eventually(lost.follows, 30)
            eventually(lambda: all(_cluster_info(node, "cluster_state") == "ok" for node in self.nodes), 30)
        return took_s

    def _can_be_written(self) -> bool:
        try:
            with connect(self.url) as client, driver_errors():
                return bool(client.exists(EVENTS) >= 0)
        except StateError:
            return False


@contextmanager
def standalone(directory: Path) -> Iterator[RedisServer]:
    with RedisServer(directory) as server:
        yield server


@contextmanager
def with_replicas(directory: Path, number: int) -> Iterator[list[RedisServer]]:
    """Yield a primary and its replicas, which have all data."""
    fast = ("--repl-diskless-sync-delay", "0", "--repl-timeout", "5", "--repl-ping-replica-period", "1")
    with ExitStack() as stack:
        nodes = [stack.enter_context(RedisServer(directory / "primary", *fast))]
        for index in range(number):
            follow = ("--replicaof", "127.0.0.1", str(nodes[0].port))
            nodes.append(stack.enter_context(RedisServer(directory / f"replica-{index}", *fast, *follow)))
        eventually(lambda: nodes[0].online_replicas() == number, 30)
        yield nodes


@contextmanager
def sentinel(directory: Path) -> Iterator[Replicated]:
    """Yield a primary with two replicas and three sentinels, two of which must agree."""
    with with_replicas(directory, 2) as nodes, ExitStack() as stack:
        ports = []
        for index in range(3):
            ports.append(port := free_port())
            place = directory / f"sentinel-{index}"
            place.mkdir()
            config = place / "sentinel.conf"  # the sentinel rewrites it
            config.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {place}\n"
                f"sentinel monitor {SERVICE} 127.0.0.1 {nodes[0].port} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} {NODE_TIMEOUT_MS}\n"
                f"sentinel failover-timeout {SERVICE} 10000\nsentinel parallel-syncs {SERVICE} 2\n"
            )
            stack.enter_context(Program(place, [found("redis-sentinel"), str(config)]))
        eventually(lambda: all(_knows_all(port) for port in ports), 30)
        addresses = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield Replicated(f"redis+sentinel://{addresses}/{SERVICE}/0", nodes, needs_the_lost=False)


def _knows_all(port: int) -> bool:
    with suppress(RedisError), Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0)) as client:
        about: Any = client.execute_command("SENTINEL MASTER", SERVICE)
        pairs = about if isinstance(about, dict) else dict(zip(about[::2], about[1::2], strict=True))
        facts = {_text(name): _text(value) for name, value in pairs.items()}
        return (facts["num-slaves"], facts["num-other-sentinels"]) == ("2", "2")
    return False


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@contextmanager
def cluster(directory: Path) -> Iterator[Replicated]:
    """Yield a cluster of three primaries, each with a replica."""
    with ExitStack() as stack:
        nodes, buses = [], []
        for index in range(6):
            buses.append(bus := free_port())
            options = ("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout")
            more = ("--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0")
            node = RedisServer(directory / f"node-{index}", *options, str(NODE_TIMEOUT_MS), *more)
            nodes.append(stack.enter_context(node))
        for index, node in enumerate(nodes):
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            nodes[0].client.execute_command("CLUSTER MEET", "127.0.0.1", node.port, buses[index])
        for index, node in enumerate(nodes[:3]):
            first, last = 16384 * index // 3, 16384 * (index + 1) // 3 - 1
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        eventually(lambda: all(_cluster_info(node, "cluster_known_nodes") == "6" for node in nodes), 30)
        for index, node in enumerate(nodes[3:]):
            node.client.execute_command("CLUSTER REPLICATE", _text(nodes[index].client.execute_command("CLUSTER MYID")))
        eventually(lambda: all(_cluster_info(node, "cluster_state") == "ok" for node in nodes), 30)
        for node in nodes[3:]:
            eventually(node.follows, 30)
        # A client that reads the nodes must get all replicas, or it wouldn't wait for them.
        eventually(lambda: all(_replicas_known(node) == 3 for node in nodes), 30)
        addresses = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        yield Replicated(f"redis+cluster://{addresses}", nodes, needs_the_lost=True)


def _replicas_known(node: RedisServer) -> int:
    return sum(len(owners) - 1 for _, _, *owners in node.client.execute_command("CLUSTER SLOTS"))


def _cluster_info(node: RedisServer, name: str) -> str:
    about: Any = node.client.execute_command("CLUSTER INFO")
    if isinstance(about, dict):
        return _text(about[name])
    return next(line.partition(":")[2] for line in _text(about).splitlines() if line.startswith(f"{name}:"))
