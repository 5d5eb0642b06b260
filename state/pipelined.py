"""Commands that are sent now and whose replies are read later: in between the caller works while the servers do.

The driver's pipeline for a cluster waits, and what was sent to a node that does not answer it sends once more, one
command after the other: a script that was carried out would be so again, and each would wait as long as the first.
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
    """Commands on their way to one server, on a connection of their own.

    `replies` or `drop` is called, or the connection never goes back to its pool.
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
        """Wait for the replies, once. A command that the server refused has its error for a reply."""
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
        """Do not wait any longer; nothing happens where that is over."""
        if self._connection is not None:
            # Replies may still be on their way: nobody else must read them.
            self._connection.disconnect()
            self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


class ClusterSentCommands:
    """Commands on their way to the nodes of a cluster that have their keys, on a connection to each of these nodes.

    `replies` is called, or the connections never go back to their pools.
    """

    def __init__(self, cluster: Cluster, commands: Sequence[Command]) -> None:
        self._cluster = cluster
        self._commands = commands
        self._replies: list[object] = [None] * len(commands)
        self._sent: list[tuple[Node, list[int], SentCommands]] = []
        self._failed = ""
        """The name of a node that did not answer."""
        for node, indexes in self._by_node().items():
            sent = self._try_node(node, indexes, partial(self._send, node, indexes))
            if sent is not None:
                self._sent.append((node, indexes, sent))

    def replies(self) -> list[object]:
        """Wait for all replies, once; they come in the order of the commands.

        What was refused has its error for a reply, and so has all that was sent to a node that does not answer. A
        command whose key another node has, and which was therefore not carried out, is sent to that.
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
        """Do something with a node. If it does not answer, that is the reply to all that is meant for it."""
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
        """Have the driver ask who has which slots, as it does for its own calls: another node may have taken over."""
        with suppress(RedisClusterException):  # no node answers: the replies say so
            self._cluster.nodes_manager.initialize(last_failed_node_name=self._failed or None)

    def _follow_moves(self, moved: Mapping[int, MovedError]) -> None:
        """Send again what another node has. Not what a slot on the move is asked for (ASK).

        A script's one key is a prefix, which no node holds: the driver would follow to where the rest is yet to come.
        """
        for index, error in moved.items():
            # What the nodes that were asked just now say of the slot may be older.
            self._cluster.nodes_manager.move_slot(error)
            node = self._cluster.get_node_from_key(_key(self._commands[index]))
            try:
                [self._replies[index]] = self._send(node, [index]).replies()
            except (RedisConnectionError, RedisTimeoutError) as exc:
                self._replies[index] = exc
                return  # the others would wait as long for nothing


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
