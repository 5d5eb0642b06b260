"""What decides for all workers together whether, and how fast, outreaches are dispatched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from state import lua_constants
from state.errors import StateError
from state.keys import FOREIGN_TTL_MS, Keys
from state.orders import OrderFlow
from state.outbox import Taken
from state.scripts import Scripts, translated
from state.session_record import RANK_SPAN

Going = Literal["on", "full", "paused", "mixed", "orders_stopped", "refused", "failing"]
"""`on`; `full`: the day's contacts are used up; `paused` by hand; `mixed`: workers disagree on how to send; by itself
because no orders arrive, because the keys are `refused`, or because requests are `failing`."""
Held = Literal["paused", "mixed", "orders_stopped", "another_mode", "stopped", "full", "missed"]
"""`another_mode`: the deployment sends in another way than this worker was started for.

`missed`: not now and not later, because orders from the time of its silence may be missing."""
Went = Literal["works", "failing", "refused"]

CLOCKS_DIFFER_MS = lua_constants.CLOCKS_DIFFER_MS
LOOKS_APART_S = 0.25
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
    going: Going
    news: bool
    """Whether that has changed since anybody asked last."""
    why: str
    next_ms: int
    """When sending is tried again, or goes on (Unix ms of the server); 0: open."""
    orders_held: bool = False
    """Of a pause or its end: whether sending was held because no orders arrive."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An attempt may make its request."""

    day: str
    """The day among whose contacts it has its place; empty without such a limit."""
    watched: bool
    """Whether a success is to be recorded at any rate: there were failures."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How sending is, for people to look at. Times are Unix ms of the server; None: there is none."""

    going: Going
    since_ms: int | None = None
    until_ms: int | None = None
    """When a pause ends."""
    reason: str = ""
    """What the operator gave as the reason of a pause."""
    stopped: str = ""
    """Whether it has stopped by itself, too: `refused` or `failing`."""
    why: str = ""
    """What the last reply was that stopped it."""
    next_try_ms: int | None = None
    probing: bool = False
    """Whether one outreach is being tried at this moment."""
    failures: int = 0
    """How many requests in a row have failed."""
    contacts_today: int = 0
    """Counted only while `delivery.max_per_day` is set."""


class Control:
    """The control keys; one for each process, used by all its threads."""

    def __init__(self, scripts: Scripts, keys: Keys, limits: Limits, how: str = "") -> None:
        """`how`: in which way this worker sends, as it declares it; empty: that isn't compared with the record."""
        self._scripts = scripts
        self._keys = keys
        self._key = keys.control
        self.limits = limits
        self._how = how
        self._looked_s = -inf

    def put_back_ms(self) -> int:
        """Return by how much the clock was put back since a dispatch last asked (ms); 0: it wasn't."""
        return int(self._scripts.run("clock_put_back", self._key, CLOCKS_DIFFER_MS))

    def put_back(self, by_ms: int) -> None:
        """Put back to now what is stored of the future; before that, `put_back_ms` says the same again."""
        self._scripts.run("put_back_control", self._key, by_ms)

    def permits(self, wanted: int, *, in_hand: int) -> Permits:
        """Take as many permits as there are, up to `wanted`; what is not used must be given back."""
        limits = self.limits
        granted, going, news, why, next_ms = self._scripts.run(
            "permits",
            self._key,
            wanted,
            in_hand,
            limits.interval_us,
            limits.burst,
            limits.max_per_day,
            limits.attempt_ms,
        )
        return Permits(int(granted), going.decode(), bool(news), why.decode(), int(next_ms))

    def gate(self, taken: Taken) -> Passed | Held:
        """Take the last look before an attempt's fence, and its place among the day's contacts."""
        limits, occurred_ms = self.limits, taken.last // RANK_SPAN
        args = (taken.outreach, taken.claim, limits.max_per_day, limits.attempt_ms, occurred_ms, self._how)
        verdict, *more = self._scripts.run("sending_gate", self._key, *args)
        if verdict != b"go":
            held: Held = verdict.decode()
            return held
        return Passed(more[0].decode(), bool(more[1]))

    def agreed(self) -> bool:
        """Whether the deployment sends in the way of this worker: another one must neither send nor end an outreach.

        Raises:
            StateError: the server doesn't answer.
        """
        if not self._how:
            return True
        with translated():
            how, mixed = self._scripts.client.hmget(f"{self._key}sending", "how", "mixed")
        return mixed is None and how == self._how.encode()

    def is_foreign(self, outreach: str) -> bool:
        """Whether an outreach isn't in this namespace; then it is noted that workers are handed such ones.

        Raises:
            StateError: the server doesn't answer.
        """
        client, keys = self._scripts.client, self._keys
        with translated():
            if client.exists(keys.outreach(outreach)):
                return False
            seconds, micros = client.time()
            client.hset(keys.foreign, "at", seconds * 1000 + micros // 1000)
            client.pexpire(keys.foreign, FOREIGN_TTL_MS)
        return True

    def give_back(self, taken: Taken, *, requests: int, day: str = "") -> None:
        """Return the permit of a request that was not made, and the place (if `day` names one) of no contact at all.

        Nothing is done again when the server is away: a permit comes back with time, a place at the end of the day.
        """
        self._refund(taken.outreach, taken.claim, day, requests)

    def not_leased(self, permits: int) -> None:
        """Return permits for which there was no outreach after all."""
        self._refund("", 0, "", permits)

    def record(self, taken: Taken, went: Went, why: str, *, pause_ms: int = 0) -> None:
        """Record how a request went; `pause_ms` is what the reply asked for. Not waited for."""
        limits = self.limits
        bounds = (limits.failures, limits.pause_ms, limits.longest_pause_ms)
        try:
            self._scripts.run("report_outcome", self._key, taken.outreach, went, why, *bounds, pause_ms)
        except StateError:
            return  # the next one will say the same

    def worked(self, taken: Taken, passed: Passed, *, now_s: float) -> None:
        """Record a success, where it may change anything; `now_s` is a monotonic clock.

        While all is well nobody need know of it. Should another attempt have failed since this one passed the gate,
        some process notices within `LOOKS_APART_S`.
        """
        if passed.watched or now_s - self._looked_s >= LOOKS_APART_S:
            self._looked_s = now_s
            self.record(taken, "works", "")

    def pause(self, reason: str, *, for_ms: int = 0) -> Permits:
        """Pause all sending, for so long (0: until somebody resumes); return how it was, and until when it pauses."""
        return self._operate("pause", reason, for_ms)

    def resume(self) -> Permits:
        """End a pause, and try at once what has stopped by itself; return how it was.

        If no orders arrive, sending goes on for an hour all the same.
        """
        return self._operate("resume", "", 0)

    def _operate(self, what: str, reason: str, for_ms: int) -> Permits:
        was, why, ends, orders = self._scripts.run("set_pause", self._key, what, reason, for_ms)
        return Permits(
            0, "paused" if was else "on", news=False, why=why.decode(), next_ms=int(ends), orders_held=bool(orders)
        )

    def _refund(self, outreach: str, claim: int, day: str, requests: int) -> None:
        if not requests and not day:
            return
        try:
            self._scripts.run("return_permits", self._key, outreach, claim, day, requests, self.limits.interval_us)
        except StateError:
            return  # lost, on the safe side


def read_sending(
    stored: Mapping[str, str], *, now_ms: int, contacts_today: int, orders: OrderFlow | None = None
) -> Sending:
    """Say how sending is, from the control hash and what is known of the orders."""

    def at(name: str) -> int | None:
        return int(stored[name]) if name in stored else None

    until_ms = at("until")
    paused = "paused" in stored and (until_ms is None or until_ms > now_ms)
    stopped = stored.get("stopped", "")
    going: Going = "full" if stored.get("said") == "full" else "on"
    mixed_ms = at("mixed")
    held = orders is not None and orders.holds(now_ms)
    if paused:
        going = "paused"
    elif mixed_ms is not None:
        going = "mixed"
    elif held:
        going = "orders_stopped"
    elif stopped == "refused":
        going = "refused"
    elif stopped:
        going = "failing"
    return Sending(
        going=going,
        since_ms=_since_ms(going, at, orders),
        until_ms=until_ms if paused else None,
        reason=stored.get("reason", "") if paused else "",
        stopped=stopped,
        why=stored.get("why", ""),
        next_try_ms=at("retry_at"),
        probing=bool(stored.get("probe", "")),
        failures=int(stored.get("failures", 0)),
        contacts_today=contacts_today,
    )


def _since_ms(going: Going, at: Callable[[str], int | None], orders: OrderFlow | None) -> int | None:
    if going == "orders_stopped":
        return orders.since_ms if orders else None
    return at(going if going in {"paused", "mixed"} else "since")
