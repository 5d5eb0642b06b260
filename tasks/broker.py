"""The way to the workers: one connection to the broker, thrown away as soon as anything goes wrong with it.

Celery's own pools keep connections. One whose transport has ended half-way (kombu 5.7.0 with Redis, when replies get
lost) stays broken there for ever, and everything that is given it fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock

from celery import Celery, Task

from tasks.kombu_types import KombuConnection

NOT_FOUND = "404"
CONFIRM_S = 10.0
"""For so long a publisher waits until RabbitMQ confirms; other brokers don't look at it."""

_AT_ONCE = 100
_WAIT_S = 10
"""For so long RabbitMQ may take to answer anything; its client would wait for ever."""


def bounded(connection: KombuConnection) -> KombuConnection:
    """Return a connection, not used yet, that waits for no answer for ever. Not for one that consumes."""
    if connection.transport_cls in {"amqp", "pyamqp", "amqps"}:
        limits = {"read_timeout": _WAIT_S, "write_timeout": _WAIT_S, "connect_timeout": _WAIT_S}
        connection.transport_options = {**connection.transport_options, **limits}
    return connection


class BrokerUnavailableError(Exception):
    """The broker could not be asked or told; says by which kind of error. What was leased is due again in time."""


class Broker:
    """Looks how long a queue is, and puts messages there. For several threads, one after another."""

    def __init__(self, app: Celery, queue: str) -> None:
        self._app = app
        self._queue = queue
        self._connection: KombuConnection = None
        self._guard = Lock()

    def queued(self) -> int:
        """Return how many messages wait; 0 while no worker has ever listened.

        Raises:
            BrokerUnavailableError: it could not be asked.
        """
        with self._connected() as connection, connection.channel() as channel:
            try:
                return int(channel.queue_declare(self._queue, passive=True).message_count)
            except connection.channel_errors as exc:
                if str(exc.reply_code) != NOT_FOUND:
                    raise
                return 0

    def purge(self) -> int:
        """Remove all messages that wait, and return how many there were; those that a worker has in hand stay.

        Raises:
            BrokerUnavailableError: some may be left.
        """
        with self._connected() as connection, connection.channel() as channel:
            return int(channel.queue_purge(self._queue) or 0)

    def enqueue(self, task: Task, arguments: Sequence[str]) -> None:
        """Put one message for each argument into the queue that the task is routed to.

        Raises:
            BrokerUnavailableError: some of them may be missing.
        """
        with self._connected() as connection, connection.channel() as channel:
            producer = self._app.amqp.Producer(channel, auto_declare=False)
            # In few round trips where the broker is Redis; RabbitMQ, which confirms each message, has no such thing.
            with producer.batch(max_size=_AT_ONCE):
                for argument in arguments:
                    task.apply_async((argument,), producer=producer, confirm_timeout=CONFIRM_S)

    @contextmanager
    def _connected(self) -> Iterator[KombuConnection]:
        with self._guard:
            if self._connection is None:
                self._connection = bounded(self._app.connection_for_write())
            try:
                yield self._connection
            except Exception as exc:  # a broken transport raises whatever its insides happen to
                self._drop()
                raise BrokerUnavailableError(type(exc).__name__) from exc

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.release()
