"""What decides for all workers together whether, and how fast, outreaches are dispatched."""

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
"""`another_mode`: the deployment sends in another way than this worker was started for.

`missed`: not now and not later, because orders from the time of its silence may be missing."""
Health = Literal["works", "failing", "refused"]

CLOCKS_DIFFER_MS = lua_constants.CLOCKS_DIFFER_MS
CHECK_INTERVAL_S = 0.25
"""So often a process that knows of no failure looks whether there was one meanwhile, which its success then ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds within which everything is dispatched."""

    attempt_ms: int
    """How long an attempt may take, from its dispatch to its end."""
    interval_us: int = 0
    """Time between two requests; 0: no limit."""
    burst: int = 1
    """How many may follow at once on a time without any."""
    max_per_day: int = 0
    """Contacts a day (UTC); 0: no limit."""
    failures: int = 0
    """Failures in a row that stop all sending; 0: none do."""
    pause_ms: int = 60_000
    """How long it then stops, before one outreach is tried."""
    longest_pause_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Permits:
    """How many outreaches may be leased now."""

    granted: int
    sending_state: SendingState
    changed: bool
    """Whether that has changed since anybody asked last."""
    why: str
    next_ms: int
    """When sending is tried again, or goes on (Unix ms of the server); 0: open."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An attempt may make its request."""

    day: str
    """The day among whose contacts it has its place; empty without such a limit."""
    watched: bool
    """Whether a success is to be recorded at any rate: there were failures."""


class Control:
    """The control keys; one for each process, used by all its threads."""

    def __init__(self, scripts: Scripts, keys: Keys, limits: Limits, sending_mode: str = "") -> None:
        """`sending_mode`: as this worker declares it; empty: that isn't compared with the record."""
        self._scripts = scripts
        self._keys = keys
        self._key = keys.control
        self.limits = limits
        self._sending_mode = sending_mode
        self._checked_s = -inf

    def put_back_ms(self) -> int:
        """Return by how much the clock was put back since a dispatch last asked (ms); 0: it wasn't."""
        return self._scripts.run(lua.clock_put_back(self._key, CLOCKS_DIFFER_MS))

    def put_back(self, by_ms: int) -> None:
        """Put back to now what is stored of the future; before that, `put_back_ms` says the same again."""
        self._scripts.run(lua.put_back_control(self._key, by_ms))

    def permits(self, wanted: int, *, in_flight: int) -> Permits:
        """Take as many permits as there are, up to `wanted`; what is not used must be given back."""
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
        """Take the last look before an attempt's fence, and its place among the day's contacts."""
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
        """Whether the deployment sends in the way of this worker: another one must neither send nor end an outreach.

        Raises:
            StateError: the server doesn't answer.
        """
        if not self._sending_mode:
            return True
        with driver_errors():
            sending_mode, mixed = self._scripts.client.hmget(f"{self._key}sending", "sending_mode", "mixed")
        return mixed is None and sending_mode == self._sending_mode.encode()

    def is_foreign(self, outreach: str) -> bool:
        """Whether an outreach isn't in this namespace; then it is noted that workers are handed such ones.

        Raises:
            StateError: the server doesn't answer.
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
        """Return the permit of a request that was not made, and the place (if `day` names one) of no contact at all.

        Nothing is done again when the server is away: a permit comes back with time, a place at the end of the day.
        """
        self._return_unused(taken.outreach, taken.token, day, requests)

    def not_leased(self, permits: int) -> None:
        """Return permits for which there was no outreach after all."""
        self._return_unused("", 0, "", permits)

    def report_outcome(self, taken: Taken, health: Health, why: str, *, pause_ms: int = 0) -> None:
        """Record how a request went; `pause_ms` is what the reply asked for. Not waited for."""
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
            return  # the next one will say the same

    def report_success(self, taken: Taken, admitted: Admitted, *, now_s: float) -> None:
        """Record a success, where it may change anything; `now_s` is a monotonic clock.

        While all is well nobody need know of it. Should another attempt have failed since this one passed the gate,
        some process notices within `CHECK_INTERVAL_S`.
        """
        if admitted.watched or now_s - self._checked_s >= CHECK_INTERVAL_S:
            self._checked_s = now_s
            self.report_outcome(taken, "works", "")

    def pause(self, reason: str, *, for_ms: int = 0) -> SetPauseReply:
        """Pause all sending, for so long (0: until somebody resumes); return how it was, and until when it pauses."""
        return self._scripts.run(lua.set_pause(self._key, "pause", reason, for_ms))

    def resume(self) -> SetPauseReply:
        """End a pause, and try at once what has stopped by itself; return how it was.

        If no orders arrive, sending goes on for an hour all the same.
        """
        return self._scripts.run(lua.set_pause(self._key, "resume", "", 0))

    def _return_unused(self, outreach: str, token: int, day: str, requests: int) -> None:
        if not requests and not day:
            return
        try:
            self._scripts.run(lua.return_permits(self._key, outreach, token, day, requests, self.limits.interval_us))
        except StateError:
            return  # lost, on the safe side
