"""Runs the Lua scripts of `state/lua/`, called by their digest.

Each script has one typed function, in the module of what it is about; nothing else evaluates scripts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha1
from typing import Any

from redis import Redis, RedisCluster
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
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
from state.lua_loader import assembled
from state.pending import Pending
from state.pipelined import Begun, BegunOnCluster, Command
from state.replication import NONE, WAIT_MS, Replicas

Argument = str | bytes | int | float
Call = tuple[str, Sequence[Argument]]
"""The key and the arguments of a script."""
NamedCall = tuple[str, str, Sequence[Argument]]
"""A script's name, its key and its arguments."""
# A failed save, too few replicas, a primary that has become a replica, a cluster that is sorting itself out, a script
# that runs for too long. The driver takes the word off an error that it knows, so some are told by their type.
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
# A script met a key of its slot that has been moved to another node already, while others have not.
_BEING_MOVED = "non local key in a cluster node"
_PASSING_TYPES = (ReadOnlyError, ClusterDownError, TryAgainError, AskError, MovedError)


@cache
def source(name: str) -> str:
    """Return what is sent to the server for a script."""
    return assembled(name)


@contextmanager
def translated() -> Iterator[None]:
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
    except (RedisError, RedisClusterException) as exc:  # the second is no RedisError: no node of a cluster answers
        raise ServerUnavailableError(f"the state server failed ({type(exc).__name__}: {exc})") from exc


class Scripts:
    """Calls scripts by digest, on a single server or a cluster. Every script takes one key, which routes it.

    `replicas`: how many of them must have what `run_confirmed` writes.
    """

    def __init__(self, client: Redis | RedisCluster, replicas: Replicas = NONE) -> None:
        self.client: Any = client
        self._replicas = replicas
        self._digests: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return what is sent to the server for a script."""
        return source(name)

    def run(self, name: str, key: str, *args: Argument) -> Any:  # noqa: ANN401 - each caller knows its reply
        """Call one script and return its reply as the driver reads it (bytes, ints, lists, None)."""
        with translated():
            try:
                return self._called("EVALSHA", self._digest(name), 1, key, *args)
            except NoScriptError:
                return self._called("EVAL", self.text(name), 1, key, *args)

    def run_confirmed(self, name: str, key: str, *args: Argument) -> tuple[Any, bool]:
        """Call one script; return its reply, and whether enough replicas have all that was written until then.

        Waits up to 1 s for them. Where none is needed, nothing is asked.

        Raises:
            StateError: as ever; the script may have been carried out, and nobody knows where.
        """
        needed = self._replicas.needed(key)
        if not needed:
            return self.run(name, key, *args), True
        with translated():
            reply, acknowledged = self._followed_by_wait(("EVALSHA", self._digest(name), 1, key, *args), needed)
            if isinstance(reply, NoScriptError):
                reply, acknowledged = self._followed_by_wait(("EVAL", self.text(name), 1, key, *args), needed)
            if isinstance(acknowledged, NoPermissionError):
                raise acknowledged  # a mistake of whoever set up the user, and no replica's
            # A primary that becomes a replica meanwhile ends the waiting with an error.
            return raised(reply), isinstance(acknowledged, int) and acknowledged >= needed

    def run_many(self, name: str, calls: Iterable[Call]) -> list[Any]:
        """Call one script once per (key, arguments), in one round trip per server; replies in the same order.

        Raises the first error after every call was tried: what the others did stands.
        """
        calls = list(calls)
        if not calls:
            return []
        if len(calls) == 1:
            return [self.run(name, calls[0][0], *calls[0][1])]
        return self.begin_many(name, calls).result()

    def begin_many(self, name: str, calls: Iterable[Call]) -> Pending[list[Any]]:
        """Send the calls of `run_many` and return their replies as a pending result."""
        return self.begin_calls([(name, key, args) for key, args in calls])

    def begin_calls(self, calls: Sequence[NamedCall]) -> Pending[list[Any]]:
        """As `begin_many`, of several scripts."""
        replies = self.begin([("EVALSHA", self._digest(name), 1, key, *args) for name, key, args in calls])

        def wait() -> list[Any]:
            with translated():
                return self._settled(calls, replies.result())

        return Pending(wait)

    def begin(self, commands: Sequence[Command]) -> Pending[list[Any]]:
        """Send commands on a connection of their own; return their replies as a pending result.

        On a cluster each node has its own; the commands are scripts, or reads from a stream. A command that was refused
        has its error for a reply, and of a cluster also one whose node does not answer. A stand-in for a server has
        replied already when this returns.
        """
        replies: Callable[[], list[Any]]
        with translated():
            if isinstance(self.client, RedisCluster):
                replies = BegunOnCluster(self.client, commands).replies
            elif type(self.client) is Redis and commands:
                replies = Begun(self.client.connection_pool, commands).replies
            else:
                found = self._pipelined(commands)
                return Pending(lambda: found)

        def wait() -> list[Any]:
            with translated():
                return replies()

        return Pending(wait)

    def _called(self, *command: Argument) -> Any:  # noqa: ANN401 - as above
        if isinstance(self.client, RedisCluster):
            return raised(BegunOnCluster(self.client, [command]).replies()[0])
        return self.client.execute_command(*command)

    def _followed_by_wait(self, command: Command, needed: int) -> list[Any]:
        """Send a command and WAIT, which counts what this very connection has written; return both replies."""
        if not isinstance(self.client, RedisCluster):
            return _with_wait(self.client, command, needed)
        cluster: Any = self.client
        nodes = cluster.nodes_manager
        for last in (False, True):
            node = cluster.get_node_from_key(command[3])
            try:
                replies = _with_wait(cluster.get_redis_connection(node), command, needed)
            except (RedisConnectionError, RedisTimeoutError):
                # The driver does so for its own calls: another node may have taken over.
                nodes.initialize(last_failed_node_name=node.name)
                raise
            if last or not isinstance(replies[0], MovedError):
                break
            nodes.move_slot(replies[0])
        return replies

    def _pipelined(self, commands: Sequence[Command]) -> list[Any]:
        pipe = self.client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        found: list[Any] = pipe.execute(raise_on_error=False)
        return found

    def _settled(self, calls: Sequence[NamedCall], replies: list[Any]) -> list[Any]:
        """Call again what the server did not know the script for, and raise the first error."""
        for index, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                name, key, args = calls[index]
                replies[index] = self._called("EVAL", self.text(name), 1, key, *args)
        return [raised(reply) for reply in replies]

    def _digest(self, name: str) -> str:
        digest = self._digests.get(name)
        if digest is None:
            text = self.text(name)
            digest = self._digests[name] = sha1(text.encode(), usedforsecurity=False).hexdigest()
        return digest


def raised(reply: Any) -> Any:  # noqa: ANN401 - of any command
    """Return a reply, or raise it when it is an error."""
    if isinstance(reply, Exception):
        raise reply
    return reply


def _with_wait(client: Any, command: Command, needed: int) -> list[Any]:  # noqa: ANN401 - of a server or a node
    pipe = client.pipeline(transaction=False)
    pipe.execute_command(*command)
    pipe.execute_command("WAIT", needed, WAIT_MS)
    found: list[Any] = pipe.execute(raise_on_error=False)
    return found
