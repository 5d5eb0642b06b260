"""redis-py as this package uses it, with types. Only this module sees untyped replies.

The driver's own annotations join the replies of its synchronous and asynchronous clients, of both protocols, with and
without decoding. These are its methods as `state.connection.connect` configures it: synchronous, RESP2, bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, cast, overload

from redis import Redis, RedisCluster, Sentinel
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import MovedError
from redis.retry import Retry

Word = str | bytes | int | float
"""One word of a command."""
Command = Sequence[Word]
Options = Mapping[str, object]
"""Named arguments of a client."""
Host = tuple[str, int]
Info = Mapping[str, int | float | str | Mapping[str, int | str]]
"""The server's INFO."""


class Pipeline(Protocol):
    """Commands that are sent together. Each queues one; `execute` returns their replies in the same order."""

    def execute(self, raise_on_error: bool = True) -> list[Any]: ...  # noqa: FBT001, FBT002 - the driver's name

    def execute_command(self, *words: Word) -> object: ...

    def exists(self, key: str) -> object: ...

    def hget(self, key: str, name: str) -> object: ...

    def hgetall(self, key: str) -> object: ...

    def hmget(self, key: str | bytes, *names: str) -> object: ...

    def hkeys(self, key: str) -> object: ...

    def hlen(self, key: str) -> object: ...

    def hset(self, key: str, name: str, value: Word) -> object: ...

    def hsetnx(self, key: str, name: str, value: Word) -> object: ...

    def hdel(self, key: str, *names: str) -> object: ...

    def hincrby(self, key: str, name: str, amount: int) -> object: ...

    def pexpire(self, key: str, ttl_ms: int) -> object: ...

    def type(self, key: bytes) -> object: ...

    def xadd(self, key: str, fields: Mapping[str, Word], **bounds: int) -> object: ...

    def xlen(self, key: str) -> object: ...

    def zcard(self, key: str) -> object: ...

    def zrange(
        self,
        key: str,
        start: int | str,
        end: int,
        *,
        byscore: bool = False,
        offset: int | None = None,
        num: int | None = None,
        withscores: bool = False,
    ) -> object: ...

    def zscore(self, key: str, member: str) -> object: ...


class Client(Protocol):
    """A client of a single server or a cluster."""

    def pipeline(self, *, transaction: bool) -> Pipeline: ...

    def execute_command(self, *words: Word) -> Any: ...  # noqa: ANN401 - of any command

    def config_get(self, pattern: str) -> Mapping[str, str]: ...

    def dbsize(self) -> int: ...

    def delete(self, key: str) -> int: ...

    def exists(self, key: str) -> int: ...

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: Word, *, px: int) -> object: ...

    def hget(self, key: str, name: str) -> bytes | None: ...

    def hgetall(self, key: str) -> Mapping[bytes, bytes]: ...

    def hmget(self, key: str, *names: str | Sequence[str]) -> list[bytes | None]: ...

    def hkeys(self, key: str) -> list[bytes]: ...

    def hset(
        self, key: str, name: str | bytes | None = None, value: Word | None = None, *, mapping: Mapping[str, Word] = ...
    ) -> int: ...

    def hsetnx(self, key: str, name: str, value: Word) -> bool: ...

    def hdel(self, key: str, *names: str | bytes) -> int: ...

    def hincrby(self, key: str, name: str, amount: int) -> int: ...

    def lrange(self, key: bytes, start: int, end: int) -> list[bytes]: ...

    def persist(self, key: str) -> bool: ...

    def pexpire(self, key: str, ttl_ms: int) -> bool: ...

    def pttl(self, key: str) -> int: ...

    def scan_iter(self, pattern: str, count: int) -> Iterator[bytes]: ...

    def sscan_iter(self, key: bytes, *, count: int) -> Iterator[bytes]: ...

    def time(self) -> tuple[int, int]: ...

    def type(self, key: str) -> bytes: ...

    def xack(self, key: str, group: str, entry_id: bytes) -> int: ...

    def xautoclaim(
        self, key: str, group: str, consumer: str, min_idle_time: int, start: str, *, count: int, justid: bool
    ) -> list[bytes]: ...

    def xdel(self, key: str, entry_id: bytes) -> int: ...

    def xpending_range(  # noqa: PLR0917 - the driver's
        self, key: str, group: str, start: str, end: str, count: int, consumer: str
    ) -> list[Mapping[str, int]]: ...

    def zcount(self, key: str, least: int | str, most: int | str) -> int: ...

    @overload
    def zrange(self, key: str, start: int, end: int) -> list[bytes]: ...

    @overload
    def zrange(self, key: str, start: int, end: int, *, withscores: Literal[True]) -> list[tuple[bytes, float]]: ...

    def zrem(self, key: str, *members: str) -> int: ...

    def zscan_iter(self, key: bytes, *, count: int) -> Iterator[tuple[bytes, float]]: ...


class Connection(Protocol):
    """A connection of a pool."""

    def pack_commands(self, commands: Sequence[Command]) -> list[bytes]: ...

    def send_packed_command(self, command: Sequence[bytes]) -> object: ...

    def read_response(self) -> object: ...

    def disconnect(self) -> None: ...

    def on_connect(self) -> None: ...


class Pool(Protocol):
    """The connections to one server."""

    def get_connection(self) -> Connection: ...

    def release(self, connection: Connection) -> None: ...


class Node(Protocol):
    """A node of a cluster."""

    name: str


class NodeClient(Client, Protocol):
    """The client of one node."""

    connection_pool: Pool


class NodesManager(Protocol):
    """The cluster client's view of the nodes."""

    slots_cache: Mapping[int, Sequence[Node]]

    def initialize(self, *, last_failed_node_name: str | None = None) -> None: ...

    def move_slot(self, error: MovedError) -> None: ...


class Cluster(Protocol):
    """The parts of a cluster's client that concern its nodes."""

    nodes_manager: NodesManager

    def get_node_from_key(self, key: Word) -> Node: ...

    def get_primaries(self) -> list[Node]: ...

    def get_redis_connection(self, node: Node) -> NodeClient: ...


def typed(client: Redis | RedisCluster) -> Client:
    """Return a client with the types of its replies."""
    return cast("Client", client)


def cluster_of(client: RedisCluster) -> Cluster:
    """Return a cluster's client with the types of its node functions."""
    return cast("Cluster", client)


def pool_of(client: Redis) -> Pool:
    """Return the connections of a single server's client."""
    return cast("Pool", client.connection_pool)


def infos(client: Redis | RedisCluster, *sections: str) -> list[Info]:
    """Return the server's INFO, or that of each primary of a cluster."""
    nodes = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(client, RedisCluster) else {}
    found: dict[str, Any] = cast("Any", client).info(*sections, **nodes)
    # A cluster of several primaries answers by node. With one primary, it answers like a single server.
    return list(found.values()) if found and all(isinstance(one, dict) for one in found.values()) else [found]


def single_client(url: str, options: Options) -> Redis:
    """Return a client of a single server. None of these clients repeats a command."""
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **cast("dict[str, Any]", options))


def cluster_client(url: str, others: Sequence[Host], options: Options) -> RedisCluster:
    """Return a client of a cluster. `others`: further nodes. It connects at once."""
    nodes = [ClusterNode(*host) for host in others]  # type: ignore[no-untyped-call]
    retry = Retry(NoBackoff(), 0)  # it still follows a moved slot
    return RedisCluster.from_url(url, startup_nodes=nodes, retry=retry, **cast("dict[str, Any]", options))


def sentinel_client(hosts: Sequence[Host], service: str, to_sentinel: Options, options: Options) -> Redis:
    """Return a client of the primary that Sentinels know of."""
    sentinel: Any = Sentinel(hosts, sentinel_kwargs=to_sentinel)  # type: ignore[no-untyped-call]
    return cast("Redis", sentinel.master_for(service, retry=Retry(NoBackoff(), 0), **options))
