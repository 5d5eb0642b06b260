"""The controls shared by all workers: whether, and how fast, outreaches are dispatched."""

from dataclasses import dataclass
from math import inf
from typing import Literal, cast

from state import lua_constants
from state.calls import sending as lua
from state.calls.sending import SetPauseReply
from state.errors import StateError
from state.keys import FOREIGN_TTL_MS, Keys
from state.outbox import Taken
from state.scripts import Scripts
from state.sending_status import SendingState
from state.server_errors import driver_errors
from state.session_record import RANK_SPAN

Blocked = Literal["paused", "mixed", "orders_stopped", "another_mode", "stopped", "full", "missed"]
"""`another_mode`: the deployment sends in another mode than this worker was started for.

`missed`: neither now nor later, because orders from the time of its silence might be missing.
"""
Health = Literal["works", "failing", "refused"]

CLOCKS_DIFFER_MS = lua_constants.CLOCKS_DIFFER_MS
CHECK_INTERVAL_S = 0.25
"""The interval at which a process without failures checks for failures of others, which its success then ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of dispatch."""

    attempt_ms: int
    """How long an attempt can take, from its dispatch to its end."""
    interval_us: int = 0
    """Time between two requests; 0: no limit."""
    burst: int = 1
    """How many requests can follow at once after a pause."""
    max_per_day: int = 0
    """Contacts a day (UTC); 0: no limit."""
    failures: int = 0
    """Failures in a row that stop all sending; 0: no limit."""
    pause_ms: int = 60_000
    """How long it then stops before one probe."""
    longest_pause_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Permits:
    """How many outreaches can be leased now."""

    granted: int
    sending_state: SendingState
    changed: bool
    """Whether this has changed since a process last asked."""
    why: str
    next_ms: int
    """When sending is probed or resumes (Unix ms of the server); 0: unknown."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An attempt can make its request."""

    day: str
    """The day of its slot among the daily contacts; empty without such a limit."""
    watched: bool
    """Whether a success must be recorded in any case, because there were failures."""


class Control:
    """The control keys; one instance for each process, shared by its threads."""

    def __init__(self, scripts: Scripts, keys: Keys, limits: Limits, sending_mode: str = "") -> None:
        """`sending_mode`: as this worker declares it; empty: it isn't compared with the record."""
        self._scripts = scripts
        self._keys = keys
        self._key = keys.control
        self.limits = limits
        self._sending_mode = sending_mode
        self._checked_s = -inf

    def put_back_ms(self) -> int:
        """Return how far the clock was put back since a dispatch last asked (ms); 0: it wasn't."""
        return self._scripts.run(lua.clock_put_back(self._key, CLOCKS_DIFFER_MS))

    def put_back(self, by_ms: int) -> None:
        """Move stored times in the future back to now. Until then, `put_back_ms` returns the same."""
        self._scripts.run(lua.put_back_control(self._key, by_ms))

    def permits(self, wanted: int, *, in_flight: int) -> Permits:
        """Take up to `wanted` permits. Unused ones must be returned."""
        limits = self.limits
        call = lua.permits(
            self._key,
            wanted=wanted,
            in_flight=in_flight,
            interval_us=limits.interval_us,
            burst=limits.burst,
            most_a_day=limits.max_per_day,
            probe_ms=limits.attempt_ms,
        )
        found = self._scripts.run(call)
        return Permits(found.granted, cast("SendingState", found.state), found.changed, found.why, found.next_ms)

    def gate(self, taken: Taken) -> Admitted | Blocked:
        """Make the last check before an attempt's fence, and take its slot among the daily contacts."""
        call = lua.sending_gate(
            self._key,
            outreach=taken.outreach,
            token=taken.token,
            most_a_day=self.limits.max_per_day,
            attempt_ms=self.limits.attempt_ms,
            silent_from=taken.last // RANK_SPAN,
            sending_mode=self._sending_mode,
        )
        found = self._scripts.run(call)
        return Admitted(found.day, found.is_watched) if found.verdict == "go" else cast("Blocked", found.verdict)

    def agreed(self) -> bool:
        """Return whether the deployment uses this worker's mode.

        Otherwise the worker must neither send nor end an outreach.

        Raises:
            StateError: The server doesn't answer.
        """
        if not self._sending_mode:
            return True
        with driver_errors():
            sending_mode, mixed = self._scripts.client.hmget(f"{self._key}sending", "sending_mode", "mixed")
        return mixed is None and sending_mode == self._sending_mode.encode()

    def is_foreign(self, outreach: str) -> bool:
        """Return whether an outreach is missing from this namespace; if so, record that workers get such ones.

        Raises:
            StateError: The server doesn't answer.
        """
        client, keys = self._scripts.client, self._keys
        with driver_errors():
            if client.exists(keys.outreach(outreach)):
                return False
            seconds, micros = client.time()
            client.hset(keys.foreign, "at", seconds * 1000 + micros // 1000)
            client.pexpire(keys.foreign, FOREIGN_TTL_MS)
        return True

    def return_permits(self, taken: Taken, *, requests: int, day: str = "") -> None:
        """Return the permit of a request that wasn't made, and the slot of a contact that wasn't (if `day` names one).

        Not repeated if the server is down: a permit returns with time, a slot at the end of the day.
        """
        self._return_unused(taken.outreach, taken.token, day, requests)

    def not_leased(self, permits: int) -> None:
        """Return permits that no outreach used."""
        self._return_unused("", 0, "", permits)

    def report_outcome(self, taken: Taken, health: Health, why: str, *, pause_ms: int = 0) -> None:
        """Record the result of a request; `pause_ms` is the pause that the reply asked for. Errors are ignored."""
        call = lua.report_outcome(
            self._key,
            outreach=taken.outreach,
            health=health,
            why=why,
            row=self.limits.failures,
            first_pause_ms=self.limits.pause_ms,
            longest_pause_ms=self.limits.longest_pause_ms,
            asked_ms=pause_ms,
        )
        try:
            self._scripts.run(call)
        except StateError:
            return  # the next request reports the same

    def report_success(self, taken: Taken, admitted: Admitted, *, now_s: float) -> None:
        """Record a success if it might change the state; `now_s` is a monotonic clock.

        Without failures, nothing needs to be recorded. If another attempt has failed since this one passed the gate,
        some process notices within `CHECK_INTERVAL_S`.
        """
        if admitted.watched or now_s - self._checked_s >= CHECK_INTERVAL_S:
            self._checked_s = now_s
            self.report_outcome(taken, "works", "")

    def pause(self, reason: str, *, for_ms: int = 0) -> SetPauseReply:
        """Pause all sending; return the state before and the end of the pause.

        `for_ms` 0: until an operator resumes it.
        """
        return self._scripts.run(lua.set_pause(self._key, "pause", reason, for_ms))

    def resume(self) -> SetPauseReply:
        """End a pause, and probe at once if sending had stopped automatically; return the state before.

        If no orders arrive, sending still continues for an hour.
        """
        return self._scripts.run(lua.set_pause(self._key, "resume", "", 0))

    def _return_unused(self, outreach: str, token: int, day: str, requests: int) -> None:
        if not requests and not day:
            return
        try:
            self._scripts.run(lua.return_permits(self._key, outreach, token, day, requests, self.limits.interval_us))
        except StateError:
            return  # lost, on the safe side
