"""One client for the state server, from its URL: standalone, TLS, Sentinel or Cluster."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from redis import Redis, RedisCluster

from state.connection_count import Connects, counted
from state.driver import Options, cluster_client, infos, sentinel_client, single_client
from state.errors import ServerUnsuitableError
from state.replication import NONE, Replicas, majority
from state.server_errors import driver_errors

SOCKET_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3.0
OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (8, 0)

# No retries in the driver: it would repeat a command whose answer was lost but which was carried out. The callers
# decide what can be repeated, and when.
_OPTIONS = {
    "socket_timeout": SOCKET_TIMEOUT_S,
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "health_check_interval": 30,
    "protocol": 2,
}

_SENTINEL_OPTIONS = {"socket_timeout": CONNECT_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}


def connect(url: str, *, max_connections: int = 128, timeout_s: float = 0) -> Redis | RedisCluster:
    """Return a client for `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`; it connects on first use.

    `timeout_s`: how long it waits for an answer and for a connection; 0: the usual times.

    Raises:
        ServerUnsuitableError: The URL has another scheme, or a Sentinel URL names no service.
    """
    parts = urlsplit(url)
    connects = Connects(cluster=parts.scheme == "redis+cluster")
    waits = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s} if timeout_s else {}
    options = {**_OPTIONS, **waits, "redis_connect_func": connects}
    return counted(_connect(url, parts, max_connections, options), connects)


def _connect(url: str, parts: SplitResult, max_connections: int, options: Options) -> Redis | RedisCluster:
    if parts.scheme in {"redis", "rediss"}:
        return single_client(url, {**options, "max_connections": max_connections})
    if parts.scheme == "redis+cluster":
        # Any node knows the others. Several names help if one of them is down at the start.
        login, at, nodes = parts.netloc.rpartition("@")
        first, *more = nodes.split(",")
        plain = parts._replace(scheme="redis", netloc=f"{login}{at}{first}").geturl()
        with driver_errors():
            others = [_host(item, 6379) for item in more]
            return cluster_client(plain, others, {**options, "max_connections": max_connections})
    if parts.scheme == "redis+sentinel":
        service, _, database = parts.path.strip("/").partition("/")
        if not service:
            raise ServerUnsuitableError("redis_url: a Sentinel URL is redis+sentinel://host:port,host:port/service/db")
        hosts = [_host(item, 26379) for item in parts.netloc.rpartition("@")[2].split(",")]
        login_options = {
            "db": int(database or 0),
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
        }
        return sentinel_client(hosts, service, _SENTINEL_OPTIONS, {**options, **login_options})
    raise ServerUnsuitableError(
        f"redis_url: {parts.scheme}:// isn't supported; use redis://, rediss://, redis+sentinel:// or redis+cluster://"
    )


def require_suitable(client: Redis | RedisCluster) -> str:
    """Return the server's name and version, like `valkey 9.1.2`.

    Raises:
        ServerUnsuitableError: It is older than Redis 7.0 or Valkey 8.0.
        ServerUnavailableError: It doesn't answer.
    """
    with driver_errors():
        info = client.info("server")
    first = info if "redis_version" in info else next(iter(info.values()))
    if first.get("valkey_version"):
        name, version, oldest = "valkey", str(first["valkey_version"]), OLDEST_VALKEY
    else:
        name, version, oldest = "redis", str(first["redis_version"]), OLDEST_REDIS
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        wanted = ".".join(map(str, oldest))
        raise ServerUnsuitableError(f"redis_url: the server is {name} {version}; {wanted} or newer is needed")
    return f"{name} {version}"


def replicas_of(client: Redis | RedisCluster, wanted: int | None = None) -> Replicas:
    """Return how many replicas must acknowledge a write: `wanted`, or a majority of the current replicas.

    Raises:
        ServerUnavailableError: The server doesn't answer.
    """
    if wanted is not None:
        return Replicas(wanted)
    with driver_errors():
        if isinstance(client, RedisCluster):
            client.nodes_manager.initialize()
            owners = client.nodes_manager.slots_cache
            needed = {slot: majority(len(nodes) - 1) for slot, nodes in owners.items()}
            return Replicas(by_slot=needed) if any(needed.values()) else NONE
        (about,) = infos(client, "replication")
    # Clients that copy the data without being replicas, such as backups, have no port.
    listed = [found for name, found in about.items() if re.fullmatch(r"slave\d+", name) and isinstance(found, Mapping)]
    online = [found for found in listed if found.get("state") == "online" and int(found.get("port", 0))]
    return Replicas(majority(len(online)))


def _host(item: str, usual_port: int) -> tuple[str, int]:
    host, _, port = item.rpartition(":")
    return (host, int(port)) if host else (port, usual_port)
