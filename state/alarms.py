"""Alarms that all processes of a deployment share, so that each change is logged once, by any process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from state.calls import monitoring as lua
from state.keys import ALARMS_TTL_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

_NOW = 2**52
AlarmEvent = Literal["begins", "lasts", "over"]


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A change of an alarm that must be logged."""

    name: str
    event: AlarmEvent
    since_ms: int
    """When the alarm began (Unix ms of the server)."""


class Alarms:
    """The firing alarms, and when each was last logged. Also works when the server is out of memory."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def take_monitor_lock(self, process: str, for_ms: int) -> bool:
        """Return whether this process holds the monitor lock; a lock whose owner crashed expires after `for_ms`.

        Raises:
            StateError: The server doesn't answer.
        """
        return self._scripts.run(lua.monitor_lock(self._keys.monitor_lock, process, for_ms))

    def require_writes(self) -> None:
        """Check that the server takes writes: it can be a replica or out of disk space. Nothing is stored.

        Raises:
            StateError: The server doesn't answer or takes no writes.
        """
        with driver_errors():
            self._scripts.client.hdel(self._keys.alarms, "")

    def begins(self, about: str, level: int) -> bool:
        """Record a problem found between two full checks; return whether it is new.

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            seconds, micros = self._scripts.client.time()
            now_ms = int(seconds) * 1000 + int(micros) // 1000
            pipe = self._scripts.client.pipeline(transaction=False)
            pipe.hsetnx(self._keys.alarms, about, f"{now_ms} {now_ms} {level}")
            pipe.pexpire(self._keys.alarms, ALARMS_TTL_MS)
            return bool(pipe.execute()[0])

    def update(self, wrong: Mapping[str, int], *, repeat_ms: int, checked_ms: int | None = None) -> list[AlarmChange]:
        """Record all current problems by level (higher is worse), and return the changes to log.

        These are alarms that began, got worse, were last logged `repeat_ms` ago, or are resolved. `checked_ms`: when
        the check ran (Unix ms of the server; None: now). A problem can have begun since (`begins`).

        Raises:
            StateError: The server doesn't answer; nothing is recorded.
        """
        levels = [word for about, level in wrong.items() for word in (about, level)]
        checked_ms = _NOW if checked_ms is None else checked_ms
        reply = self._scripts.run(lua.alarms(self._keys.alarms, repeat_ms, ALARMS_TTL_MS, checked_ms, *levels))
        return [AlarmChange(one.about, cast("AlarmEvent", one.event), one.since_ms) for one in reply.changes]
