"""What the server refused lately: logins with a wrong user or password, and events that a user can't add."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import RedisCluster
from redis.exceptions import ResponseError

from state.driver import Client, cluster_of
from state.scripts import Scripts
from state.server_errors import driver_errors

_REASONS = frozenset({"auth", "key"})
"""Of refused commands only XADD counts: drivers and `winback doctor` try some that a user needn't be allowed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One sort of refusal, as the server counts it."""

    user: str
    """As the client wrote it; can be anything, also a password."""
    is_login: bool
    """Whether the login was refused, or else a command, key or channel."""
    times: int
    ago_ms: int
    """How long ago the last one was."""


def refused_logins(scripts: Scripts) -> list[Refused] | None:
    """Return the refusals that the server remembers; None if this user can't read them.

    Raises:
        StateError: the server doesn't answer.
    """
    servers: list[Client] = [scripts.client]
    with driver_errors():
        if isinstance(scripts.driver, RedisCluster):
            cluster = cluster_of(scripts.driver)
            servers = [cluster.get_redis_connection(node) for node in cluster.get_primaries()]
        try:
            found = [row for server in servers for row in server.execute_command("ACL", "LOG")]
        except ResponseError:
            return None  # not allowed to this user, or not on this provider
    rows = [_named(row) for row in found]
    return [_read(row) for row in rows if row.get("reason") in _REASONS or row.get("object") == "xadd"]


def _named(row: Mapping[object, object] | Sequence[object]) -> dict[str, str]:
    # The shape differs with the protocol and the driver's version.
    pairs = row.items() if isinstance(row, Mapping) else zip(row[::2], row[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def _read(named: Mapping[str, str]) -> Refused:
    ago_ms = int(float(named.get("age-seconds", "0")) * 1000)
    return Refused(named.get("username", ""), named.get("reason") == "auth", int(named.get("count", "1")), ago_ms)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
