"""The connection to the broker, which is discarded after any error.

Celery's own pools keep connections. One whose transport has ended half-way (kombu 5.7.0 with Redis, after lost replies)
stays broken in the pool indefinitely, and every use of it fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock

from celery import Celery, Task

from tasks.kombu_types import KombuConnection

NOT_FOUND = "404"
CONFIRM_S = 10.0
"""How long a publisher waits for RabbitMQ's confirmation; other brokers ignore it."""

_AT_ONCE = 100
_WAIT_S = 10
"""How long RabbitMQ can take to answer; by default, its client would wait indefinitely."""


def bounded(connection: KombuConnection) -> KombuConnection:
    """Return an unused connection with a limit on each answer. Not for consumers."""
    if connection.transport_cls in {"amqp", "pyamqp", "amqps"}:
        limits = {"read_timeout": _WAIT_S, "write_timeout": _WAIT_S, "connect_timeout": _WAIT_S}
        connection.transport_options = {**connection.transport_options, **limits}
    return connection


class BrokerUnavailableError(Exception):
    """The broker couldn't be reached; the message names the kind of error. Leased outreaches become due again."""


class Broker:
    """Measures and fills a queue. Thread-safe; threads take turns."""

    def __init__(self, app: Celery, queue: str) -> None:
        self._app = app
        self._queue = queue
        self._connection: KombuConnection = None
        self._guard = Lock()

    def queued(self) -> int:
        """Return how many messages wait; 0 if no worker has ever listened.

        Raises:
            BrokerUnavailableError: The broker didn't answer.
        """
        with self._connected() as connection, connection.channel() as channel:
            try:
                return int(channel.queue_declare(self._queue, passive=True).message_count)
            except connection.channel_errors as exc:
                if str(exc.reply_code) != NOT_FOUND:
                    raise
                return 0

    def purge(self) -> int:
        """Remove all waiting messages and return how many there were. Messages that a worker holds stay.

        Raises:
            BrokerUnavailableError: Some might be left.
        """
        with self._connected() as connection, connection.channel() as channel:
            return int(channel.queue_purge(self._queue) or 0)

    def enqueue(self, task: Task, arguments: Sequence[str]) -> None:
        """Put one message for each argument into the task's queue.

        Raises:
            BrokerUnavailableError: Some might be missing.
        """
        with self._connected() as connection, connection.channel() as channel:
            producer = self._app.amqp.Producer(channel, auto_declare=False)
            # In few round trips if the broker is Redis. RabbitMQ confirms each message and has no batches.
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
            except Exception as exc:  # a broken transport can raise anything
                self._drop()
                raise BrokerUnavailableError(type(exc).__name__) from exc

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.release()
