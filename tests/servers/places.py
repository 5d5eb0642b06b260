"""The places of the end-to-end suite: a state server, a broker, and a way to force a failover."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.rabbitmq import rabbitmq
from tests.servers.redis_servers import cluster, sentinel, standalone
from tests.support.running_shop import in_redis


@dataclass
class Place:
    """The state server, the broker, and a function that forces a failover."""

    redis_url: str
    broker_url: str
    broker: Callable[[], Mapping[str, bytes]]
    fail_over: Callable[..., float] = lambda _key="": 0.0
    streams: int = 1


@contextmanager
def redis_7(directory: Path) -> Iterator[Place]:
    with standalone(directory) as server:
        broker = server.url.replace("/0", "/1")
        yield Place(server.url, broker, lambda: in_redis(broker))


@contextmanager
def cluster_and_rabbitmq(directory: Path) -> Iterator[Place]:
    with rabbitmq(directory / "rabbitmq") as broker, cluster(directory) as state:
        yield Place(state.url, broker.url, lambda: {"RabbitMQ": broker.written()}, state.fail_over, streams=3)
        kinds = {name: kind for name, (kind, _) in broker.queues().items() if name.startswith("winback")}
        assert kinds == {"winback.sweep": "quorum", "winback.recover": "quorum"}
        assert not [name for name in broker.queues() if "delayed" in name]


@contextmanager
def sentinel_and_redis(directory: Path) -> Iterator[Place]:
    with standalone(directory / "broker") as broker, sentinel(directory) as state:
        yield Place(state.url, broker.url, lambda: in_redis(broker.url), state.fail_over)
