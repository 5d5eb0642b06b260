"""A message that could not be acknowledged must not keep its place in the prefetch window.

kombu's Redis transport logs the failure and goes on counting the message as being worked on. As soon as there are as
many of these as the worker may have in hand (one, for the sweep), it never takes another message, says that it lives,
and does nothing: seen with kombu 5.7.0 when replies of the broker get lost. The message itself is still in the broker
and comes back after the visibility timeout; like every message that comes twice, it is recognised and dropped.
"""

import celery
from celery.worker import request
from kombu.transport import virtual

from tasks.kombu_types import KombuObject


class Request(request.Request):  # type: ignore[misc]
    """Celery's request for a task, whose place is given back whether the broker hears of it or not."""

    def acknowledge(self) -> None:
        """Acknowledge the message."""
        message = self.message
        qos: KombuObject = virtual.QoS
        try:
            super().acknowledge()
        finally:
            if not message.acknowledged and isinstance(message.channel, virtual.Channel):
                # What the transport's own would do after the broker's answer.
                qos.ack(message.channel.qos, message.delivery_tag)


class Task(celery.Task):  # type: ignore[misc]
    """The base of all tasks."""

    Request = Request
