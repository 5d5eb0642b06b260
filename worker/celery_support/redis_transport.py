"""kombu's Redis transport, without reading messages that would end the worker.

A queue is a list to which any client can push anything. kombu 5.7.0 reads its items as JSON with certain fields, and
raises any resulting error. By that time the message is out of the queue, or restored to end the next worker.
"""

from collections.abc import Callable
from queue import Empty

import kombu.transport
from kombu import compression
from kombu.transport import redis
from redis.exceptions import DataError, RedisError

from tasks.kombu_types import KombuObject
from worker.celery_support.message_filter import envelope_is_sound
from worker.celery_support.refusal_counter import refused

_SERVER_ERRORS = (Empty, RedisError, OSError)


class QoS(redis.QoS):
    """Delivered and unacknowledged messages; those of dead workers are restored from it."""

    def restore_by_tag(self, tag: object, client: object = None, leftmost: bool = False) -> None:  # noqa: FBT001, FBT002
        """Restore a message; remove an unreadable one, or none behind it would ever be restored."""
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except Exception as problem:
            # The driver's DataError also concerns the data.
            if isinstance(problem, _SERVER_ERRORS) and not isinstance(problem, DataError):
                raise
            refused.count("unreadable")
            self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]


class Channel(redis.Channel):
    """Reads from queues and from the fanout of remote control."""

    QoS = QoS

    def _brpop_read(self, **options: object) -> object:
        return self._guarded(super()._brpop_read, **options)

    def _receive_one(self, c: object) -> object:
        return self._guarded(super()._receive_one, c)

    def _guarded(self, read: Callable[..., object], *args: object, **options: object) -> object:
        """Read one message; an unreadable one is counted and dropped."""
        transport: Transport = self.connection
        transport.was_read = False
        try:
            return read(*args, **options)
        except _SERVER_ERRORS:
            raise
        except Exception:
            if transport.was_read:
                raise
            refused.count("unreadable")
            return True


class Transport(redis.Transport):
    """The connection with its channels."""

    Channel = Channel
    was_read = False
    """Whether the message under delivery is JSON; later errors aren't the message's fault."""

    def _deliver(self, message: object, queue: object) -> None:
        """Pass a message to its consumer, if it can be unpacked."""
        self.was_read = True
        if envelope_is_sound(message):
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        else:
            refused.count("unreadable")


def install() -> None:
    """Use this transport for `redis://` and `rediss://`, without decompression: a small message can hold gigabytes."""
    for scheme in ("redis", "rediss"):
        kombu.transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
    kinds: KombuObject = compression
    for kind in kinds.encoders():
        kinds.register(kinds.get_encoder(kind)[0], _no_decompression, kind)


def _no_decompression(_body: bytes) -> bytes:
    raise ValueError("compressed messages are refused")
