"""How long the broker's backlog has blocked dispatch. Times are Unix ms of the server."""

from collections.abc import Mapping
from dataclasses import dataclass

from state.keys import BACKLOG_TTL_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

_LENGTH, _SINCE = "length", "since"


@dataclass(frozen=True, slots=True)
class DispatchHold:
    """Dispatch is blocked: since when, and by how many messages."""

    length: int
    since_ms: int


class Backlog:
    """Records the block; one instance for each dispatching process."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._key = keys.backlog
        self._is_recorded = True

    def note(self, length: int) -> None:
        """Record that a backlog of this length blocks dispatch; 0: it doesn't.

        Raises:
            StateError: The server doesn't answer.
        """
        client = self._scripts.client
        with driver_errors():
            if length:
                seconds, micros = client.time()
                pipe = client.pipeline(transaction=False)
                pipe.hsetnx(self._key, _SINCE, int(seconds) * 1000 + int(micros) // 1000)
                pipe.hset(self._key, _LENGTH, length)
                pipe.pexpire(self._key, BACKLOG_TTL_MS)
                pipe.execute()
            elif self._is_recorded:
                client.hdel(self._key, _LENGTH, _SINCE)
            self._is_recorded = length > 0


def read_dispatch_hold(stored: Mapping[str, str]) -> DispatchHold | None:
    """Return the block of dispatch from its hash; None if there is none."""
    length, since = stored.get(_LENGTH), stored.get(_SINCE)
    return None if length is None or since is None else DispatchHold(int(length), int(since))
