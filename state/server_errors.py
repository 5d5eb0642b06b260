"""Maps the driver's errors to this package's: those that can be retried and those that can't."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    MovedError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from state.errors import ServerFullError, ServerUnavailableError, StateError

# A failed save, too few replicas, a primary that has become a replica, a reconfiguring cluster, a long-running script.
# The driver removes the first word of errors that it knows, so some are matched by type.
_PASSING = (
    "MISCONF",
    "NOREPLICAS",
    "READONLY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "LOADING",
    "UNBLOCKED",
    "BUSY ",
)
# A script met a key of its slot that has moved to another node, while others haven't.
_BEING_MOVED = "non local key in a cluster node"
_PASSING_TYPES = (ReadOnlyError, ClusterDownError, TryAgainError, AskError, MovedError)


@contextmanager
def driver_errors() -> Iterator[None]:
    """Raise this package's errors in place of the driver's."""
    try:
        yield
    except (AuthenticationError, AuthorizationError) as exc:
        raise ServerUnavailableError("the state server refuses the user or password in redis_url") from exc
    except (RedisConnectionError, RedisTimeoutError) as exc:
        raise ServerUnavailableError(f"the state server does not answer ({type(exc).__name__})") from exc
    except OutOfMemoryError as exc:
        raise ServerFullError("the state server is full (maxmemory reached) and refuses writes") from exc
    except ResponseError as exc:
        if "OOM" in str(exc):
            raise ServerFullError("the state server is full (maxmemory reached) and refuses writes") from exc
        if isinstance(exc, _PASSING_TYPES) or str(exc).startswith(_PASSING) or _BEING_MOVED in str(exc):
            raise ServerUnavailableError(f"the state server takes no writes at the moment ({exc})") from exc
        raise StateError(f"the state server refused a command: {exc}") from exc
    except (RedisError, RedisClusterException) as exc:  # the second isn't a RedisError: no node of a cluster answers
        raise ServerUnavailableError(f"the state server failed ({type(exc).__name__}: {exc})") from exc
