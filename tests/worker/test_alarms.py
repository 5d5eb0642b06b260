"""The roles' monitor: which findings raise an alarm, one log line for all processes, and no effect on its role."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from state import connection
from state.alarms import AlarmChange, Alarms
from tests.support.cli_support import configured, dead_port, frozen, last_seen, make_healthy
from tests.support.durations import MINUTE_MS
from tests.support.stored_state import now_ms
from tests.support.waiting import eventually
from worker.monitoring.alarms import LONGEST_PATIENCE_S, AlarmMonitor, failing, patience_s
from worker.monitoring.health import Finding
from worker.runtime import State
from worker.server_errors import address
from worker.settings import AlarmSettings, Settings
from worker.supervision.embedded_valkey import EmbeddedValkey

on_valkey = pytest.mark.xdist_group("valkey")
LATER_S = 2 * LONGEST_PATIENCE_S
"""Longer than any patience."""


@dataclass
class Watching:
    """A watch whose time passes at once."""

    settings: Settings
    watch: AlarmMonitor = field(init=False)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.watch = AlarmMonitor(self.settings, clock=lambda: self.now_s)

    def look(self, seconds: float = 5.0) -> list[tuple[str, str]]:
        """Check once after a number of seconds; return (event, about) of each line."""
        return [(line["event"], line["alarm"]) for line in self.lines(seconds)]

    def lines(self, seconds: float = 5.0) -> list[dict[str, Any]]:
        self.now_s += seconds
        with capture_logs() as lines:
            self.watch.tick()
        return [dict(line) for line in lines]


def settings_of(url: str, **alarms: object) -> Settings:
    settings = Settings.model_validate({"redis_url": url, "identity_secret": "x" * 16})
    # Turns of a millisecond: who looks again has it again.
    often = AlarmSettings().model_copy(update={"check_interval": timedelta(milliseconds=2), **alarms})
    return settings.model_copy(update={"alarms": often})


def settled(url: str, **alarms: object) -> Watching:
    """A watch that has been patient for long enough."""
    found = Watching(settings_of(url, **alarms))
    found.look(patience_s(found.settings))
    return found


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


# What is worth an alarm


@pytest.mark.parametrize(
    ("finding", "alarms"),
    [
        (Finding("beat", "fail", ""), True),
        (Finding("beat", "warn", ""), False),
        (Finding("memory", "warn", ""), True),
        (Finding("stream", "warn", ""), True),
        (Finding("sending", "warn", ""), False),
        (Finding("rejected", "note", ""), False),
        (Finding("events", "ok", ""), False),
    ],
)
def test_what_fails_is_an_alarm_and_some_of_what_may_soon(finding: Finding, *, alarms: bool) -> None:
    assert failing([finding]) == ({finding.name: finding} if alarms else {})


def test_of_several_findings_with_one_name_the_worst_counts() -> None:
    worst = Finding("memory", "fail", "")
    assert failing([Finding("memory", "warn", ""), worst, Finding("memory", "warn", "")]) == {"memory": worst}


def test_patience_covers_the_slowest_sign_of_life_and_has_an_end() -> None:
    assert patience_s(Settings()) == 30
    assert patience_s(Settings(alarms=AlarmSettings(check_interval=timedelta(milliseconds=100)))) == 15
    assert patience_s(Settings(alarms=AlarmSettings(check_interval=timedelta(minutes=1)))) == LONGEST_PATIENCE_S


# Logged once for all processes


@pytest.fixture
def alarms(state: State) -> Alarms:
    return Alarms(state.scripts, state.keys)


def event(changes: list[AlarmChange]) -> list[tuple[str, str]]:
    return sorted((change.name, change.event) for change in changes)


def test_alarm_is_logged_when_it_fires_and_resolves(alarms: Alarms) -> None:
    assert event(alarms.update({"beat": 2, "memory": 1}, repeat_ms=MINUTE_MS)) == [
        ("beat", "begins"),
        ("memory", "begins"),
    ]
    assert alarms.update({"beat": 2, "memory": 1}, repeat_ms=MINUTE_MS) == []
    assert event(alarms.update({"beat": 2}, repeat_ms=MINUTE_MS)) == [("memory", "over")]
    assert event(alarms.update({}, repeat_ms=MINUTE_MS)) == [("beat", "over")]
    assert alarms.update({}, repeat_ms=MINUTE_MS) == []


def test_lasting_alarm_is_logged_again_with_its_start(alarms: Alarms, state: State) -> None:
    (begins,) = alarms.update({"beat": 2}, repeat_ms=MINUTE_MS)
    ago = now_ms(state) - 2 * MINUTE_MS
    state.client.hset(state.keys.alarms, "beat", f"{ago} {ago} 2")
    assert alarms.update({"beat": 2}, repeat_ms=MINUTE_MS) == [AlarmChange("beat", "lasts", ago)]
    assert alarms.update({"beat": 2}, repeat_ms=MINUTE_MS) == []
    assert begins.since_ms > ago


def test_worsening_alarm_is_logged_at_once(alarms: Alarms) -> None:
    alarms.update({"memory": 1}, repeat_ms=MINUTE_MS)
    assert event(alarms.update({"memory": 2}, repeat_ms=MINUTE_MS)) == [("memory", "lasts")]
    assert alarms.update({"memory": 1}, repeat_ms=MINUTE_MS) == []


def test_one_process_has_the_turn_until_it_is_over(alarms: Alarms, state: State) -> None:
    assert alarms.take_monitor_lock("a", MINUTE_MS)
    assert not alarms.take_monitor_lock("b", MINUTE_MS)
    assert not alarms.take_monitor_lock("a", MINUTE_MS)
    state.client.delete(state.keys.monitor_lock)  # as when its time is over
    assert alarms.take_monitor_lock("b", MINUTE_MS)


# The watch itself


@on_valkey
def test_silent_role_fires_one_alarm_in_all_processes(valkey: EmbeddedValkey, healthy: State) -> None:
    one, other = settled(valkey.url), settled(valkey.url)
    for role in ("ingest", "sweep", "recover", "beat"):
        last_seen(healthy, role, 0)
    assert one.look() == []
    last_seen(healthy, "beat", 3 * MINUTE_MS)
    (line,) = one.lines()
    assert (line["event"], line["alarm"], line["log_level"]) == ("alarm", "beat", "error")
    assert line["text"] == "silent for 3 min: no sweep is started"
    assert "check its log" in line["hint"]
    assert other.look() == one.look() == []
    last_seen(healthy, "beat", 0)
    assert other.look() == [("alarm_resolved", "beat")]
    assert one.look() == []


@on_valkey
def test_full_server_does_not_prevent_its_alarm(valkey: EmbeddedValkey, healthy: State) -> None:
    watching = settled(valkey.url)
    with configured(healthy, maxmemory=1):
        assert watching.look() == [("alarm", "memory")]
    assert watching.look() == [("alarm_resolved", "memory")]


@on_valkey
def test_growing_stream_fires_an_alarm(valkey: EmbeddedValkey, healthy: State) -> None:
    watching = settled(valkey.url, backlog_limit=2)
    for _ in range(3):
        healthy.client.xadd(healthy.keys.events, {"event": "{}"})
    (line,) = watching.lines()
    assert (line["event"], line["alarm"], line["log_level"]) == ("alarm", "stream", "warning")
    assert line["text"].startswith("3 unapplied events")


@on_valkey
def test_alarms_wait_until_roles_had_time_to_start(valkey: EmbeddedValkey, healthy: State) -> None:
    last_seen(healthy, "beat", 3 * MINUTE_MS)
    watching = Watching(settings_of(valkey.url))
    assert watching.look(patience_s(watching.settings) - 1) == []
    assert watching.look(2) == [("alarm", "beat")]


@on_valkey
def test_resumed_process_waits_before_judging(valkey: EmbeddedValkey, healthy: State) -> None:
    watching = settled(valkey.url)
    last_seen(healthy, "beat", 3 * MINUTE_MS)
    assert watching.look(LATER_S) == []
    assert watching.look(patience_s(watching.settings)) == [("alarm", "beat")]


@on_valkey
@pytest.mark.usefixtures("healthy")
def test_unreachable_server_is_logged_by_each_process(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection._OPTIONS, "socket_timeout", 0.1)
    one, other = settled(valkey.url, repeat_interval=timedelta(minutes=1)), settled(valkey.url)
    with frozen(valkey):
        (line,) = one.lines()
        assert (line["event"], line["alarm"]) == ("alarm", "server")
        assert line["text"].startswith(f"redis_url ({address(valkey.url)}): it doesn't answer in time: ")
        assert other.look() == [("alarm", "server")]
        assert one.look(10) == []
        assert one.look(14) == one.look(14) == one.look(14) == []
        assert one.look(14) == [("alarm_firing", "server")]
    assert one.look() == [("alarm_resolved", "server")]
    assert one.look() == []


@on_valkey
@pytest.mark.usefixtures("healthy")
def test_a_frozen_server_does_not_hold_up_the_role(valkey: EmbeddedValkey) -> None:
    watch = AlarmMonitor(settings_of(valkey.url, every=timedelta(milliseconds=10)))
    with frozen(valkey):
        watch.start()
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "watch"]
        # It hangs in a read; the role that started it continues immediately, and can end.
        eventually(lambda: watch._state is not None)
        assert thread.daemon
        watch.stop()
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


def test_error_in_the_monitor_is_logged_and_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = Watching(settings_of(f"redis://127.0.0.1:{dead_port()}/0"))
    monkeypatch.setattr("worker.runtime.open_state", lambda *_, **__: 1 / 0)
    (line,) = watching.lines()
    assert (line["event"], line["error"]) == ("watch_failed", "ZeroDivisionError")
