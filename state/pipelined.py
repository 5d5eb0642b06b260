"""Commands that are sent now and whose replies are read later, so that the caller works while the servers do.

The driver's pipeline for a cluster blocks, and repeats commands to a node that doesn't answer, one after the other. A
script could then run twice, and each command would wait as long as the first.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from redis.exceptions import (
    ClusterDownError,
    MovedError,
    RedisClusterException,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from state.driver import Cluster, Command, Connection, Node, Pool, Word

Found = TypeVar("Found")


class SentCommands:
    """Commands in flight to one server, on their own connection.

    Call `replies` or `drop`, or the connection never returns to its pool.
    """

    def __init__(self, pool: Pool, commands: Sequence[Command]) -> None:
        self._pool = pool
        self._number = len(commands)
        connection = pool.get_connection()
        self._connection: Connection | None = connection
        try:
            connection.send_packed_command(connection.pack_commands(commands))
        except BaseException:
            self.drop()
            raise

    def replies(self) -> list[object]:
        """Return the replies after waiting for them, once. The reply to a refused command is its error."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("the replies were read before")
        try:
            found = [_reply(connection) for _ in range(self._number)]
        except BaseException:
            self.drop()
            raise
        self._release()
        return found

    def drop(self) -> None:
        """Stop waiting; does nothing if the replies were read."""
        if self._connection is not None:
            # Replies can still arrive on it, and no other command must read them.
            self._connection.disconnect()
            self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


class ClusterSentCommands:
    """Commands in flight to the nodes of a cluster that have their keys, on one connection to each node.

    Call `replies`, or the connections never return to their pools.
    """

    def __init__(self, cluster: Cluster, commands: Sequence[Command]) -> None:
        self._cluster = cluster
        self._commands = commands
        self._replies: list[object] = [None] * len(commands)
        self._sent: list[tuple[Node, list[int], SentCommands]] = []
        self._failed = ""
        """The name of a node that didn't answer."""
        for node, indexes in self._by_node().items():
            sent = self._try_node(node, indexes, partial(self._send, node, indexes))
            if sent is not None:
                self._sent.append((node, indexes, sent))

    def replies(self) -> list[object]:
        """Return all replies in the order of the commands, after waiting for them, once.

        The reply to a refused command is its error; so is the reply to each command for a node that doesn't answer. A
        command whose key another node has wasn't carried out, and is sent to that node.
        """
        for node, indexes, sent in self._sent:
            found = self._try_node(node, indexes, sent.replies)
            for index, reply in zip(indexes, found or (), strict=found is not None):
                self._replies[index] = reply
        moved = {index: reply for index, reply in enumerate(self._replies) if isinstance(reply, MovedError)}
        if moved or self._failed or any(isinstance(reply, ClusterDownError) for reply in self._replies):
            self._refresh_nodes()
        self._follow_moves(moved)
        return self._replies

    def _by_node(self) -> dict[Node, list[int]]:
        found: dict[Node, list[int]] = {}
        for index, command in enumerate(self._commands):
            found.setdefault(self._cluster.get_node_from_key(_key(command)), []).append(index)
        return found

    def _send(self, node: Node, indexes: Sequence[int]) -> SentCommands:
        pool = self._cluster.get_redis_connection(node).connection_pool
        return SentCommands(pool, [self._commands[index] for index in indexes])

    def _try_node(self, node: Node, indexes: Sequence[int], act: Callable[[], Found]) -> Found | None:
        """Return the result of `act`. If the node doesn't answer, the error is the reply to all its commands."""
        try:
            return act()
        except (RedisConnectionError, RedisTimeoutError) as exc:
            self._failed = node.name
            for index in indexes:
                self._replies[index] = exc
        except BaseException:
            for _, _, sent in self._sent:
                sent.drop()
            raise
        return None

    def _refresh_nodes(self) -> None:
        """Have the driver refresh the slots, as it does for its own calls: another node could have taken over."""
        with suppress(RedisClusterException):  # no node answers: the replies carry the error
            self._cluster.nodes_manager.initialize(last_failed_node_name=self._failed or None)

    def _follow_moves(self, moved: Mapping[int, MovedError]) -> None:
        """Send commands again whose slot moved. Not those that get ASK while a slot is moving.

        A script's only key is a prefix, which no node holds, so the driver would follow to a node that lacks the rest.
        """
        for index, error in moved.items():
            # Another node's view of the slot can be outdated.
            self._cluster.nodes_manager.move_slot(error)
            node = self._cluster.get_node_from_key(_key(self._commands[index]))
            try:
                [self._replies[index]] = self._send(node, [index]).replies()
            except (RedisConnectionError, RedisTimeoutError) as exc:
                self._replies[index] = exc
                return  # the others would wait as long without success


def _key(command: Command) -> Word:
    """Return the key of a script, a new entry or a read from a stream; the driver would ask a node for it."""
    if command[0] == "XADD":
        return command[1]
    return command[3] if command[0] in {"EVALSHA", "EVAL"} else command[command.index("STREAMS") + 1]


def _reply(connection: Connection) -> object:
    try:
        return connection.read_response()
    except ResponseError as exc:
        return exc
