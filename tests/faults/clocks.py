"""Faults 23 and 24: event ids in the future, a server's clock that is put back, the interval of the sweep.

The clock itself doesn't change: stored times move into the future instead (see `tests.support.clock`), while all roles
are frozen for that moment.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis, ResponseError

from detectors.lanes import LANES
from state import overview
from state.overview import Overview
from state.partitions import PARTITIONS
from state.watermark import HIGHEST_ID
from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.ledger import ACCEPT, Answer, always
from tests.faults.observed import ROLES
from tests.faults.shop import STREAMS, THRESHOLD_S
from tests.faults.system import System
from tests.support.clock import Scores, put_clock_back, scores
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.faulty_server import http
from tests.support.wire import Wire
from worker.monitoring import health

LATE_S = 0.3
MANY_ATTEMPTS = {"WINBACK_DELIVERY__MAX_ATTEMPTS": "50"}
ALARM_WITHIN_S, BACK_WITHIN_S = 10.0, 30.0


def ids(stamp: Callable[[int], str]) -> Callable[[Scene], None]:
    """Let a producer put an event under a chosen id into both streams. `stamp`: the id, from the server's ms."""

    def act(scene: Scene) -> None:
        scene.open(20, over_s=1.0)
        redis, began_ms = scene.system.redis, now_ms(scene.system)
        scene.system.until(lambda: any(map(redis.xlen, STREAMS)), 10, "the first event")
        event = {"session_id": "", "type": "activity", "flow_stage": "checkout", "platform": "web"}
        with Redis.from_url(scene.system.server.url) as shop:
            for stream in STREAMS:
                told = event | {"session_id": f"ahead-{scene.random.random()}"}
                shop.xadd(stream, {"event": json.dumps(told)}, id=stamp(now_ms(scene.system)))
        scene.system.until(lambda: _alarm_logged(scene.system, began_ms), ALARM_WITHIN_S, "the alarm")
        scene.open(20, over_s=2.0)
        scene.system.until(
            lambda: all(is_right(scene.system, stream) for stream in STREAMS), BACK_WITHIN_S, "ids of now"
        )
        scene.open(10, over_s=1.0)

    return act


@dataclass(frozen=True, slots=True)
class Jump:
    """A time in which the server's clock is ahead: at its end, times stored in it move into the future."""

    system: System
    since_ms: int
    before: Scores

    @classmethod
    def begin(cls, system: System) -> "Jump":
        return cls(system, now_ms(system), scores(system.redis))

    def end(self, by_ms: int) -> None:
        put_clock_back(self.system.redis, by_ms, since_ms=self.since_ms, before=self.before)


@contextmanager
def still(system: System, *roles: str) -> Iterator[None]:
    """Freeze roles, all by default, and their commands in flight."""
    with ExitStack() as stack:
        for role in roles or ROLES:
            stack.enter_context(system.frozen(role))
        system.to_state.set("freeze")
        stack.callback(system.to_state.set, "pass")
        yield


def put_back(by_ms: int, ahead_for_ms: int | None = None) -> Callable[[Scene], None]:
    """Put the server's clock back while everything runs; `ahead_for_ms`: it was ahead only for this long."""

    def act(scene: Scene) -> None:
        system = scene.system
        scene.open(30, over_s=2.0)
        system.until(system.open_outreaches, 30)
        jump = Jump.begin(system) if ahead_for_ms else None
        ends_ms = now_ms(system) + (ahead_for_ms or 0)
        system.until(lambda: now_ms(system) >= ends_ms, 30)
        with still(system):
            if jump:
                jump.end(by_ms)
            else:
                put_clock_back(system.redis, by_ms)
        scene.open(20, over_s=2.0)
        system.until(system.all_alive, BACK_WITHIN_S, "a heartbeat of every role")
        system.until(lambda: all(is_right(system, stream) for stream in STREAMS), BACK_WITHIN_S, "ids of now")

    return act


def ahead_between_dispatches(scene: Scene) -> None:
    """Put the clock a year ahead, and back, while no dispatch runs and retries are being stored."""
    system = scene.system
    system.api.plan(always(Answer("503 late", contact=False, act=_late_error)))
    scene.open(30, over_s=2.0)
    # An order would also record the time in the control keys.
    system.until(lambda: not scene.shop.busy and _requested(scene), 30, "a request after the last event")
    with system.frozen("sweep"):
        jump = Jump.begin(system)
        system.until(lambda: _stored_since(system, jump.since_ms), 10, "a retry")
        with still(system, *(role for role in ROLES if role != "sweep")):
            jump.end(365 * DAY_MS)
    scene.open(20, over_s=1.0)
    system.api.plan(always(ACCEPT))
    system.until(system.all_alive, BACK_WITHIN_S, "a heartbeat of every role")


def _late_error(wire: Wire) -> None:
    time.sleep(LATE_S)
    wire.send(http(503))


def _requested(scene: Scene) -> bool:
    """Return whether a request is waiting for its answer."""
    requests = scene.system.api.requests()
    return bool(requests) and time.time() - requests[-1].at < LATE_S / 2


def _stored_since(system: System, ms: int) -> bool:
    """Return whether a partition stored a due time since then."""
    keys = system.state.keys
    return any(int(system.redis.hget(keys.clock(number), "due") or 0) >= ms for number in range(PARTITIONS))


def now_ms(system: System) -> int:
    """Return the server's time (Unix ms)."""
    seconds, micros = system.redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


def _overview_now(system: System) -> Overview:
    return overview.read(system.state.scripts, system.state.keys, [lane.name for lane in LANES])


def _mark(system: System, name: str) -> str:
    """Return the state of one check of `winback status`."""
    return {finding.name: finding.mark for finding in health.findings(_overview_now(system), system.settings)}[name]


def _alarm_logged(system: System, since_ms: int) -> bool:
    """Return whether `winback status` reports ids in the future that were found since then."""
    ahead_at_ms = _overview_now(system).stream_faults.ahead_at_ms or 0
    return _mark(system, "ids") in {"warn", "fail"} and ahead_at_ms >= since_ms


def is_right(system: System, stream: str) -> bool:
    """Return whether a stream assigns ids of now."""
    try:
        last = system.redis.xinfo_stream(stream)["last-generated-id"].decode()
    except ResponseError:
        return False
    return int(last.partition("-")[0]) < now_ms(system) + MINUTE_MS


def daylight_saving(scene: Scene) -> None:
    """Start all roles seconds before a clock change, forward by an hour and back again."""
    system = scene.system
    begins = datetime.now(UTC) + timedelta(seconds=25)
    ends = begins + timedelta(seconds=8)
    os.environ["TZ"] = _time_zone(begins, ends)
    try:
        for role in ROLES:
            system.terminate(role)
        system.until(system.all_alive, BACK_WITHIN_S, "a heartbeat of every role")
    finally:
        del os.environ["TZ"]
    system.until(system.supervisor.alive, BACK_WITHIN_S, "the start of every role")
    before = system.supervisor.pids()
    scene.expect(datetime.now(UTC) < begins, "the roles took too long to start")
    scene.open(60, over_s=16.0)
    system.until(lambda: datetime.now(UTC) > ends, 60)
    scene.expect(system.supervisor.pids() == before, "a role was restarted")


def _time_zone(begins: datetime, ends: datetime) -> str:
    """Return a time zone with daylight saving from one moment to another of this year (UTC)."""
    first, last = begins, ends + timedelta(hours=1)  # each is given by the clock before the change
    # Days from 1 to 365; 29 February has none.
    days = [moment.replace(year=2023).timetuple().tm_yday for moment in (first, last)]
    return f"AAA0BBB-1,J{days[0]}/{first:%H:%M:%S},J{days[1]}/{last:%H:%M:%S}"


def interval_changes(scene: Scene) -> None:
    """Change the interval of the sweep in both directions, while shoppers arrive."""
    system = scene.system
    intervals = ["900ms", "100ms", "700ms", "200ms", "1s"]
    scene.random.shuffle(intervals)
    for interval in (*intervals, "500ms"):  # its initial value
        system.thresholds(THRESHOLD_S, interval=interval)
        began = time.time()
        scene.open(10, over_s=1.0)
        system.until(lambda since=began: system.said("sweep_interval_changed", since), 10, "the change")  # type: ignore[misc]
        system.until(lambda since=began: system.said('"swept"', since), 10, "a claim")  # type: ignore[misc]
        scene.expect(_mark(system, "sweeps") == "ok", f"sweeps count as missing at {interval}")


FAULTS = (
    Fault("23a", "ids of events in microseconds", ids(lambda ms: f"{ms * 1000}-0")),
    Fault("23b", "ids of events in nanoseconds", ids(lambda ms: f"{ms * 1_000_000}-0")),
    Fault("23c", "ids of events 100 days ahead", ids(lambda ms: f"{ms + 100 * DAY_MS}-0")),
    Fault("23d", "the highest id there is", ids(lambda _ms: HIGHEST_ID)),
    Fault("23e", "the server's clock an hour back", put_back(HOUR_MS), OR_UNKNOWN),
    Fault("23f", "the server's clock a year ahead for half a second", put_back(365 * DAY_MS, 500), OR_UNKNOWN),
    Fault(
        "23h",
        "the server's clock a year ahead between two dispatches",
        ahead_between_dispatches,
        OR_UNKNOWN,
        MANY_ATTEMPTS,
    ),
    Fault("23g", "clocks changed forward and back, as for daylight saving", daylight_saving),
    Fault(
        "24c",
        "the sweep's interval changed in both directions",
        interval_changes,
        env={"WINBACK_DETECTION__SWEEP_INTERVAL": ""},
    ),
)
