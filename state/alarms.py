"""Alarms that all processes of a deployment share, so that each is told once, whoever finds it."""

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
    """Something to be told of an alarm."""

    name: str
    event: AlarmEvent
    since_ms: int
    """When it began (Unix ms of the server)."""


class Alarms:
    """What is wrong, and when it was last told. Works on a full server too."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def take_monitor_lock(self, process: str, for_ms: int) -> bool:
        """Whether this process is the one to look now; a turn that its owner does not survive is over after `for_ms`.

        Raises:
            StateError: the server does not answer.
        """
        return self._scripts.run(lua.monitor_lock(self._keys.monitor_lock, process, for_ms))

    def require_writes(self) -> None:
        """Write nothing, as a write: a server that answers may be a replica, or out of disk space.

        Raises:
            StateError: the server doesn't answer or takes no writes.
        """
        with driver_errors():
            self._scripts.client.hdel(self._keys.alarms, "")

    def begins(self, about: str, level: int) -> bool:
        """Record one thing that was found wrong between two looks at everything; whether it was not recorded before.

        Raises:
            StateError: the server does not answer.
        """
        with driver_errors():
            seconds, micros = self._scripts.client.time()
            now_ms = int(seconds) * 1000 + int(micros) // 1000
            pipe = self._scripts.client.pipeline(transaction=False)
            pipe.hsetnx(self._keys.alarms, about, f"{now_ms} {now_ms} {level}")
            pipe.pexpire(self._keys.alarms, ALARMS_TTL_MS)
            return bool(pipe.execute()[0])

    def update(self, wrong: Mapping[str, int], *, repeat_ms: int, checked_ms: int | None = None) -> list[AlarmChange]:
        """Record everything that is wrong now, by level (higher is worse), and return what is to be told of it.

        `checked_ms`: when it was looked (Unix ms of the server; None: now); something may have begun since (`begins`).
        That is what begins, has become worse, was told `repeat_ms` ago, or was wrong before and is not any more.

        Raises:
            StateError: the server does not answer; nothing is recorded.
        """
        levels = [word for about, level in wrong.items() for word in (about, level)]
        checked_ms = _NOW if checked_ms is None else checked_ms
        reply = self._scripts.run(lua.alarms(self._keys.alarms, repeat_ms, ALARMS_TTL_MS, checked_ms, *levels))
        return [AlarmChange(one.about, cast("AlarmEvent", one.event), one.since_ms) for one in reply.changes]
