"""A consumer that only takes Winback's hints, retries its broker patiently, and sends events in batches.

Flower gets its data several times a second, not once for each change.

Celery 5.7 publishes the events of tasks in batches, but starts each batch at the next turn of its loop. Under load,
each has one or two events, three times per attempt.
"""

from collections.abc import Callable
from math import inf
from time import monotonic, sleep

import structlog
from celery.concurrency import thread
from celery.worker import consumer
from celery.worker.state import maybe_shutdown
from kombu.asynchronous import Hub

from tasks.celery_tasks import TASKS
from tasks.kombu_types import KombuMessage
from worker.celery_support import message_filter
from worker.celery_support.refusal_counter import refused

EVENTS_EVERY_S = 0.25
"""The largest delay of Flower's data; up to 24 events are sent at once."""


LONGEST_PAUSE_S = 10.0
CALM_S = 60.0
"""The time without a refusal after which the pauses start small again."""
_STEP_S = 0.2
_DELAYED_DELIVERY = "celery.worker.consumer.delayed_delivery:DelayedDelivery"

log = structlog.stdlib.get_logger("winback.messages")


def has_threads(pool: object) -> bool:
    """Return whether a pool runs its tasks in threads of this process, in which it enforces no limits."""
    return isinstance(pool, thread.TaskPool)


class Consumer(consumer.Consumer):  # type: ignore[misc]
    """Celery's consumer."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        """Its steps except one, which would declare 28 queues in RabbitMQ for delayed messages. Winback has none."""

        default_steps = tuple(step for step in consumer.Consumer.Blueprint.default_steps if step != _DELAYED_DELIVERY)

    restart_count = 0
    """Celery begins at -1, and ends a worker if a process of its pool dies (of memory, for example) before its first
    turn."""
    _refusals = 0
    _refused = -inf

    def create_task_handler(self) -> Callable[[KombuMessage], object]:
        """Return the handler of each message of a queue: only Winback's hints reach Celery."""
        handle: Callable[[KombuMessage], object] = super().create_task_handler()
        tasks = {task for queue in self.app.amqp.queues.consume_from for task in TASKS.get(queue, ())}

        def take(message: KombuMessage) -> None:
            try:
                message_filter.clean(message, tasks)
            except message_filter.RefusedError as refusal:
                refused.count(refusal.reason)
                message.reject_log_error(log, self.connection_errors)
            else:
                handle(message)

        return take

    def on_decode_error(self, message: KombuMessage, exc: Exception) -> None:
        """Refuse messages that kombu can't decode; Celery would log all of them."""
        del exc
        refused.count("unreadable")
        message.ack_log_error(log, self.connection_errors)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Log it and pause."""
        super().on_connection_error_before_connected(exc)
        self._pause(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Log it, close open resources and pause."""
        super().on_connection_error_after_connected(exc)
        self._pause(exc)

    def _pause(self, exc: Exception) -> None:
        """Wait before the next try if the broker answers and refuses: Celery would try five times a second."""
        if not isinstance(exc, self.channel_errors):
            return
        now = monotonic()
        self._refusals = 0 if now - self._refused > CALM_S else self._refusals + 1
        ends = now + min(LONGEST_PAUSE_S, 0.5 * 2.0 ** min(self._refusals, 10))
        while monotonic() < ends:
            maybe_shutdown()
            sleep(_STEP_S)
        self._refused = monotonic()

    def register_with_event_loop(self, hub: Hub) -> None:
        """Start to send events. After a lost connection, Celery ends this and calls it again."""
        super().register_with_event_loop(hub)
        if has_threads(self.pool):
            # Threads only store events. py-amqp's connections aren't thread-safe, so this one sends all of them.
            self.event_dispatcher.buffer_limit = inf
        hub.call_repeatedly(EVENTS_EVERY_S, self._flush_events)  # type: ignore[no-untyped-call]

    def on_send_event_buffered(self) -> None:
        """Leave it to the next interval."""

    def shutdown(self) -> None:
        """Send the last events, and end."""
        self._flush_events()
        super().shutdown()
