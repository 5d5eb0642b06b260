"""Runs the Lua scripts of `state/lua/` by their digest.

Each script has one declaration in `state/calls/`, which reads its reply. No other module evaluates scripts.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha1
from typing import Generic, NamedTuple, TypeVar, cast

from redis import Redis, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError, NoPermissionError, NoScriptError
from redis.exceptions import TimeoutError as RedisTimeoutError

from state.driver import Client, Command, cluster_of, pool_of, typed
from state.lua_loader import assembled
from state.pending import Pending
from state.pipelined import ClusterSentCommands, SentCommands
from state.replication import NONE, WAIT_MS, Replicas
from state.script import Call, NamedCall
from state.server_errors import driver_errors

Reply = TypeVar("Reply")
Other = TypeVar("Other")
Third = TypeVar("Third")


@cache
def source(name: str) -> str:
    """Return the script's source as it is sent to the server."""
    return assembled(name)


class Confirmed(NamedTuple, Generic[Reply]):
    """A reply, and whether enough replicas acknowledged the write."""

    reply: Reply
    replicated: bool


class Scripts:
    """Calls scripts by digest, on a single server or a cluster. Every script takes one key, which routes it.

    `replicas`: how many of them must acknowledge what `run_confirmed` writes.
    """

    def __init__(self, client: Redis | RedisCluster, replicas: Replicas = NONE) -> None:
        self.driver = client
        self.client: Client = typed(client)
        self._replicas = replicas
        self._digests: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return the script's source as it is sent to the server."""
        return source(name)

    def run(self, call: Call[Reply]) -> Reply:
        """Carry out one call and return its reply."""
        with driver_errors():
            try:
                reply = self._call(self._evalsha(call))
            except NoScriptError:
                reply = self._call(self._eval(call))
        return call.parse(reply)

    def run_confirmed(self, call: Call[Reply]) -> Confirmed[Reply]:
        """Carry out one call; return its reply, and whether enough replicas acknowledged all writes so far.

        Waits up to 1 s for them. If none is needed, no replica is asked.

        Raises:
            StateError: The script might have been carried out, on an unknown number of servers.
        """
        needed = self._replicas.needed(call.key)
        if not needed:
            return Confirmed(self.run(call), replicated=True)
        with driver_errors():
            reply, acknowledged = self._followed_by_wait(self._evalsha(call), needed)
            if isinstance(reply, NoScriptError):
                reply, acknowledged = self._followed_by_wait(self._eval(call), needed)
            if isinstance(acknowledged, NoPermissionError):
                raise acknowledged  # a misconfigured user, and not a replica's fault
            # A primary that becomes a replica in the meantime ends the wait with an error.
            replicated = isinstance(acknowledged, int) and acknowledged >= needed
            return Confirmed(call.parse(unwrap(reply)), replicated)

    def run_many(self, calls: Iterable[Call[Reply]]) -> list[Reply]:
        """Carry out calls in one round trip per server; return the replies in the same order.

        Raises the first error after every call was tried. The other calls stay carried out.
        """
        calls = list(calls)
        if not calls:
            return []
        if len(calls) == 1:
            return [self.run(calls[0])]
        return self.send_calls(calls).result()

    def send_calls(self, calls: Sequence[Call[Reply]], also: Sequence[NamedCall] = ()) -> Pending[list[Reply]]:
        """Send the calls of `run_many` and return their replies as a pending result.

        `also`: calls whose replies are ignored.
        """
        every = [*calls, *also]
        replies = self.send([self._evalsha(call) for call in every])

        def wait() -> list[Reply]:
            with driver_errors():
                found = self._retry_noscript(every, replies.result())
            return [call.parse(reply) for call, reply in zip(calls, found, strict=False)]

        return Pending(wait)

    def send_groups(
        self, first: Sequence[Call[Reply]], second: Sequence[Call[Other]], third: Sequence[Call[Third]]
    ) -> Pending[tuple[list[Reply], list[Other], list[Third]]]:
        """Send calls of several scripts, as `send_calls` does; each group's replies are in their own list."""
        calls: list[NamedCall] = [*first, *second, *third]

        def grouped(replies: Sequence[object]) -> tuple[list[Reply], list[Other], list[Third]]:
            found = iter(replies)
            return (
                cast("list[Reply]", [next(found) for _ in first]),
                cast("list[Other]", [next(found) for _ in second]),
                cast("list[Third]", [next(found) for _ in third]),
            )

        return self.send_calls(calls).then(grouped)

    def send(self, commands: Sequence[Command]) -> Pending[list[object]]:
        """Send commands on their own connection; return their replies as a pending result.

        On a cluster, each node has its own connection; the commands are scripts or stream reads. The reply to a refused
        command is its error, and so is the reply of a node that doesn't answer. A mock server has replied before this
        returns.
        """
        replies: Callable[[], list[object]]
        with driver_errors():
            if isinstance(self.driver, RedisCluster):
                replies = ClusterSentCommands(cluster_of(self.driver), commands).replies
            elif type(self.driver) is Redis and commands:
                replies = SentCommands(pool_of(self.driver), commands).replies
            else:
                found = self._pipelined(commands)
                return Pending(lambda: found)

        def wait() -> list[object]:
            with driver_errors():
                return replies()

        return Pending(wait)

    def _evalsha(self, call: NamedCall) -> Command:
        return ("EVALSHA", self._digest(call.name), 1, call.key, *call.arguments)

    def _eval(self, call: NamedCall) -> Command:
        return ("EVAL", self.text(call.name), 1, call.key, *call.arguments)

    def _call(self, command: Command) -> object:
        if isinstance(self.driver, RedisCluster):
            return unwrap(ClusterSentCommands(cluster_of(self.driver), [command]).replies()[0])
        reply: object = self.client.execute_command(*command)
        return reply

    def _followed_by_wait(self, command: Command, needed: int) -> list[object]:
        """Send a command and WAIT, which only counts writes of the same connection; return both replies."""
        if not isinstance(self.driver, RedisCluster):
            return _with_wait(self.client, command, needed)
        cluster = cluster_of(self.driver)
        nodes = cluster.nodes_manager
        for last in (False, True):
            node = cluster.get_node_from_key(command[3])
            try:
                replies = _with_wait(cluster.get_redis_connection(node), command, needed)
            except (RedisConnectionError, RedisTimeoutError):
                # The driver does this for its own calls: another node could have taken over.
                nodes.initialize(last_failed_node_name=node.name)
                raise
            if last or not isinstance(replies[0], MovedError):
                break
            nodes.move_slot(replies[0])
        return replies

    def _pipelined(self, commands: Sequence[Command]) -> list[object]:
        pipe = self.client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        found: list[object] = pipe.execute(raise_on_error=False)
        return found

    def _retry_noscript(self, calls: Sequence[NamedCall], replies: list[object]) -> list[object]:
        """Repeat calls whose script the server didn't know, and raise the first error."""
        for index, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                replies[index] = self._call(self._eval(calls[index]))
        return [unwrap(reply) for reply in replies]

    def _digest(self, name: str) -> str:
        digest = self._digests.get(name)
        if digest is None:
            text = self.text(name)
            digest = self._digests[name] = sha1(text.encode(), usedforsecurity=False).hexdigest()
        return digest


def unwrap(reply: Other | Exception) -> Other:
    """Return a reply, or raise it if it is an error."""
    if isinstance(reply, Exception):
        raise reply
    return reply


def _with_wait(client: Client, command: Command, needed: int) -> list[object]:
    pipe = client.pipeline(transaction=False)
    pipe.execute_command(*command)
    pipe.execute_command("WAIT", needed, WAIT_MS)
    found: list[object] = pipe.execute(raise_on_error=False)
    return found
