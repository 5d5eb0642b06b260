"""The server's logs of slow and large commands, which keep the start of each argument, and so names and numbers."""

from redis import RedisCluster
from redis.exceptions import ResponseError

from state.driver import Client, cluster_of
from state.scripts import Scripts
from state.server_errors import driver_errors

LARGE = ("large-request", "large-reply")
"""Valkey's logs from 8.1 on, in addition to the slow log."""


def clear(scripts: Scripts) -> bool:
    """Empty these logs on every primary; return False if the server refuses.

    Raises:
        StateError: The server doesn't answer.
    """
    servers: list[Client] = [scripts.client]
    with driver_errors():
        if isinstance(scripts.driver, RedisCluster):
            cluster = cluster_of(scripts.driver)
            servers = [cluster.get_redis_connection(node) for node in cluster.get_primaries()]
        # Every one of them, even after a refusal.
        cleared = [_clear(server) for server in servers]
        return all(cleared)


def _clear(server: Client) -> bool:
    try:
        server.execute_command("SLOWLOG", "RESET")
    except ResponseError:
        return False  # forbidden for this user or by this provider
    try:
        for kind in LARGE:
            server.execute_command("COMMANDLOG", "RESET", kind)
    except ResponseError as problem:
        return "unknown" in str(problem).lower()
    return True
