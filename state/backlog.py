"""How long the broker's queue has held dispatch back. Times are Unix ms of the server."""

from collections.abc import Mapping
from dataclasses import dataclass

from state.keys import BACKLOG_TTL_MS, Keys
from state.scripts import Scripts
from state.server_errors import translated

_LENGTH, _SINCE = "length", "since"


@dataclass(frozen=True, slots=True)
class Held:
    """Dispatch is held back, since when, and by how many messages."""

    length: int
    since_ms: int


class Backlog:
    """Records it; one for each process that dispatches."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._key = keys.backlog
        self._noted = True

    def note(self, length: int) -> None:
        """Record that a queue of this length holds dispatch back; 0: it doesn't.

        Raises:
            StateError: the server does not answer.
        """
        client = self._scripts.client
        with translated():
            if length:
                seconds, micros = client.time()
                pipe = client.pipeline(transaction=False)
                pipe.hsetnx(self._key, _SINCE, int(seconds) * 1000 + int(micros) // 1000)
                pipe.hset(self._key, _LENGTH, length)
                pipe.pexpire(self._key, BACKLOG_TTL_MS)
                pipe.execute()
            elif self._noted:
                client.hdel(self._key, _LENGTH, _SINCE)
            self._noted = length > 0


def read_held(stored: Mapping[str, str]) -> Held | None:
    """Read what holds dispatch back, from its hash; None: no message does."""
    length, since = stored.get(_LENGTH), stored.get(_SINCE)
    return None if length is None or since is None else Held(int(length), int(since))
