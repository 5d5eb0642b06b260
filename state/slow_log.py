"""The server's own logs of slow and large commands, which keep the beginning of each argument: names and numbers."""

from typing import Any

from redis import RedisCluster
from redis.exceptions import ResponseError

from state.scripts import Scripts, translated

LARGE = ("large-request", "large-reply")
"""Valkey's, from 8.1 on, besides the slow ones."""


def clear(scripts: Scripts) -> bool:
    """Empty these logs on every primary; return False where the server refuses it.

    Raises:
        StateError: the server doesn't answer.
    """
    client: Any = scripts.client
    with translated():
        if isinstance(client, RedisCluster):
            cluster: Any = client
            servers = [cluster.get_redis_connection(node) for node in cluster.get_primaries()]
        else:
            servers = [client]
        # Every one of them, also after a refusal.
        cleared = [_clear(server) for server in servers]
        return all(cleared)


def _clear(server: Any) -> bool:  # noqa: ANN401 - a server or a node
    try:
        server.execute_command("SLOWLOG", "RESET")
    except ResponseError:
        return False  # not allowed to this user, or not on this provider
    try:
        for kind in LARGE:
            server.execute_command("COMMANDLOG", "RESET", kind)
    except ResponseError as problem:
        return "unknown" in str(problem).lower()
    return True
