"""Alarms about roles that don't run, from the supervisor: if no role runs, no other process monitors them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final, Literal

ABOUT: Final = "roles"
LOGGER: Final = "winback.up"


@dataclass(slots=True)
class _Role:
    """One role; times in monotonic seconds."""

    down_since: float | None = None
    ends: int = 0
    """How often it has ended since then."""
    started: float | None = None
    why: str = ""
    logged_at: float | None = None


@dataclass(frozen=True, slots=True)
class RoleAlarm:
    """One line of the log."""

    event: Literal["alarm", "alarm_firing", "alarm_resolved"]
    text: str
    for_s: int

    def line(self) -> str:
        """Return it as one JSON object, in the form of the roles' own alarms."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        level = "info" if self.event == "alarm_resolved" else "error"
        return json.dumps(
            {
                "timestamp": now,
                "level": level,
                "event": self.event,
                "logger": LOGGER,
                "alarm": ABOUT,
                "text": self.text,
                "for_s": self.for_s,
                "role": "winback",
            }
        )


class RoleAlarms:
    """Roles that have been down for `after_s`; a role that is still down is logged again every `again_s`.

    A role that starts and ends again is down. It is up once it has run for `steady_s`. All times are seconds.
    Thread-safe.
    """

    def __init__(self, *, after_s: float, steady_s: float, again_s: float) -> None:
        self._after_s = after_s
        self._steady_s = steady_s
        self._repeat_s = again_s
        self._roles: dict[str, _Role] = {}
        self._guard = Lock()

    def started(self, name: str, now: float) -> None:
        """Record that a role was started."""
        with self._guard:
            self._roles.setdefault(name, _Role()).started = now

    def ended(self, name: str, now: float, why: str) -> None:
        """Record that a role ended, and why."""
        with self._guard:
            role = self._roles.setdefault(name, _Role())
            if role.down_since is None or self._is_steady(role, now):
                role.down_since, role.ends, role.logged_at = now, 0, None
            role.started, role.why = None, why
            role.ends += 1

    def due_alarms(self, now: float) -> list[RoleAlarm]:
        """Return the alarms to log now."""
        with self._guard:
            return [logged_at for name, role in self._roles.items() if (logged_at := self._of(name, role, now))]

    def _is_steady(self, role: _Role, now: float) -> bool:
        return role.started is not None and now - role.started >= self._steady_s

    def _of(self, name: str, role: _Role, now: float) -> RoleAlarm | None:
        if role.down_since is None:
            return None
        for_s = round(now - role.down_since)
        if self._is_steady(role, now):
            was_logged, role.down_since, role.logged_at = role.logged_at is not None, None, None
            return RoleAlarm("alarm_resolved", f"{name} runs again", for_s) if was_logged else None
        if role.started is not None and role.ends == 1:
            return None  # it was restarted, and might keep running
        if now - role.down_since < self._after_s or (
            role.logged_at is not None and now - role.logged_at < self._repeat_s
        ):
            return None
        event: Literal["alarm", "alarm_firing"] = "alarm" if role.logged_at is None else "alarm_firing"
        role.logged_at = now
        text = f"{name} has not run for {for_s} s ({role.why}): it is started again periodically"
        return RoleAlarm(event, text, for_s)
