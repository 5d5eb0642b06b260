"""kombu's Redis transport, which takes nothing from a queue that would end the worker.

A queue is a list that any client may push anything to. kombu 5.7.0 reads what is there as JSON with certain fields, and
raises whatever happens then; by that time the message is out of the queue, or restored to end the next worker.
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
    """What was delivered and is not acknowledged; messages of dead workers come back from it."""

    def restore_by_tag(self, tag: object, client: object = None, leftmost: bool = False) -> None:  # noqa: FBT001, FBT002
        """Put a message back; one that can't be read is removed, or none behind it would ever be put back."""
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except Exception as problem:
            # The driver's own DataError is about what was read, too.
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
        """Read one message; what can't be read is counted and gone."""
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
    """Whether the message that is being delivered is JSON; what goes wrong after that is not its own fault."""

    def _deliver(self, message: object, queue: object) -> None:
        """Hand a message to its consumer, if it can be taken apart."""
        self.was_read = True
        if envelope_is_sound(message):
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        else:
            refused.count("unreadable")


def install() -> None:
    """Use this transport for `redis://` and `rediss://`, and decompress nothing: a small message may hold gigabytes."""
    for scheme in ("redis", "rediss"):
        kombu.transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
    kinds: KombuObject = compression
    for kind in kinds.encoders():
        kinds.register(kinds.get_encoder(kind)[0], _no_decompression, kind)


def _no_decompression(_body: bytes) -> bytes:
    raise ValueError("compressed messages are refused")
