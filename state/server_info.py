"""The server's INFO: memory, eviction, persistence and role."""

from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis, RedisCluster

from state.driver import Info, infos
from state.errors import ServerUnavailableError, StateError
from state.scripts import Scripts
from state.server_errors import driver_errors

NO_EVICTION = "noeviction"


@dataclass(frozen=True, slots=True)
class Server:
    """The server's INFO; for a cluster, that of its fullest primary. None: the server doesn't report it."""

    used_bytes: int
    max_bytes: int
    """0: no limit."""
    eviction: str | None
    append_only: bool | None
    writes_fail: bool
    """The last write to its append-only file failed."""
    replica: bool = False
    """It is a replica, and so takes no writes."""

    @property
    def used_share(self) -> float:
        """The used share of its memory; 0 without a limit."""
        return self.used_bytes / self.max_bytes if self.max_bytes else 0.0


def read_server(driver: Redis | RedisCluster) -> Server:
    """Return the server's INFO."""
    every = infos(driver, "memory", "persistence", "replication")
    fullest = max(every, key=lambda info: (_share(info), _number(info, "used_memory")))
    policies = [info.get("maxmemory_policy") for info in every]
    kept = [info.get("aof_enabled") for info in every]
    eviction = next((policy for policy in policies if policy != NO_EVICTION), NO_EVICTION)
    return Server(
        used_bytes=_number(fullest, "used_memory"),
        max_bytes=_number(fullest, "maxmemory"),
        eviction=None if eviction is None else str(eviction),
        append_only=None if None in kept else all(kept),
        writes_fail=any(info.get("aof_last_write_status", "ok") != "ok" for info in every),
        replica=any(info.get("role") == "slave" for info in every),
    )


def listpack_bytes(scripts: Scripts) -> int | None:
    """Return the longest field that a hash keeps in its compact form; None if the server doesn't report it."""
    try:
        with driver_errors():
            found: Mapping[str, str] = scripts.client.config_get("hash-max-listpack-value")
    except ServerUnavailableError:
        raise
    except StateError:
        return None  # managed servers forbid CONFIG
    return int(found["hash-max-listpack-value"]) if found else None


def _share(info: Info) -> float:
    return _number(info, "used_memory") / (_number(info, "maxmemory") or float("inf"))


def _number(info: Info, name: str) -> int:
    found = info.get(name, 0)
    return 0 if isinstance(found, Mapping) else int(found)
