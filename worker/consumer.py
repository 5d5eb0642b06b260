"""What Flower shows is told several times a second, not once for each change.

Celery 5.7 publishes the events of tasks in batches, yet begins with that at the next turn of its loop: under load each
has one or two events, three times an attempt.
"""

from celery.worker import consumer
from kombu.asynchronous import Hub

EVENTS_EVERY_S = 0.25
"""How late Flower may learn of something; 24 events are told at once."""


class Consumer(consumer.Consumer):  # type: ignore[misc]
    """Celery's consumer, which tells of tasks at even intervals."""

    def register_with_event_loop(self, hub: Hub) -> None:
        """Begin to tell; when the connection is lost, Celery ends what was begun here, and calls this again."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(EVENTS_EVERY_S, self._flush_events)  # type: ignore[no-untyped-call]

    def on_send_event_buffered(self) -> None:
        """Leave it to the next interval."""

    def shutdown(self) -> None:
        """Tell the last of it, and end."""
        self._flush_events()
        super().shutdown()
