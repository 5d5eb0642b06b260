"""Keeps a message that couldn't be acknowledged from occupying the prefetch window.

kombu's Redis transport logs the failure and keeps counting the message as in progress. Once there are as many of these
as the worker can prefetch (one, for the sweep), it takes no further message, but still sends heartbeats. This was seen
with kombu 5.7.0 when replies of the broker got lost. The message itself is still in the broker and is redelivered after
the visibility timeout; like every duplicate, it is recognised and dropped.
"""

import celery
from celery.worker import request
from kombu.transport import virtual

from tasks.kombu_types import KombuObject


class Request(request.Request):  # type: ignore[misc]
    """Celery's request for a task, which frees its slot even if the acknowledgement fails."""

    def acknowledge(self) -> None:
        """Acknowledge the message."""
        message = self.message
        qos: KombuObject = virtual.QoS
        try:
            super().acknowledge()
        finally:
            if not message.acknowledged and isinstance(message.channel, virtual.Channel):
                # The transport's own next step after the broker's answer.
                qos.ack(message.channel.qos, message.delivery_tag)


class Task(celery.Task):  # type: ignore[misc]
    """The base of all tasks."""

    Request = Request
