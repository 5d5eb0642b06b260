"""Adds events to the activity stream, like a shop's own XADD."""

from collections.abc import Sequence

from redis import Redis, RedisCluster

from state.driver import typed
from state.event_stream import FIELD
from state.server_errors import driver_errors


class Producer:
    """Adds events to one stream."""

    def __init__(self, client: Redis | RedisCluster, stream: str) -> None:
        self._client = typed(client)
        self._stream = stream

    def send(self, events: Sequence[bytes]) -> list[str]:
        """Add events, each one a JSON object, in one round trip; return the ids of their entries in the same order.

        Raises:
            StateError: Some of them may have been added. Adding them again is safe.
        """
        with driver_errors():
            pipe = self._client.pipeline(transaction=False)
            for event in events:
                pipe.xadd(self._stream, {FIELD.decode(): event})
            ids: list[bytes] = pipe.execute()
        return [entry_id.decode() for entry_id in ids]
