"""What `winback status` says of ids from the future, and of events that were removed unread."""

from typing import Any

import pytest

from tests.support.cli_support import make_healthy, read
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import event
from tests.support.future_ids import AHEAD, poison, read_and_apply
from tests.support.ingest_support import ingest_of, publish
from tests.support.stored_state import now_ms, texts
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.finding import Finding
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def finding(state: State, name: str) -> Finding:
    return next(found for found in health.findings(read(state), Settings()) if found.name == name)


def shifted(state: State, field: str, by_ms: int) -> None:
    """Let the findings be this old."""
    client: Any = state.client
    at, *rest = client.hget(state.keys.sweep, field).decode().split(" ")
    client.hset(state.keys.sweep, field, " ".join([str(int(at) - by_ms), *rest]))


def test_streams_without_faults_are_well(healthy: State) -> None:
    healthy.streams.check()
    assert [finding(healthy, name).mark for name in ("ids", "lost")] == ["ok", "ok"]


def test_ids_put_back_before_a_sweep_saw_them_are_an_alarm(healthy: State) -> None:
    poison(healthy)
    ingest_of(healthy).step()
    healthy.streams.check()
    found = finding(healthy, "ids")
    assert found.mark == "warn"
    assert found.text.startswith("ids in winback:events were ")


@pytest.mark.parametrize("kind", [kind for kind in AHEAD if kind != "highest"])
def test_ids_from_the_future_are_an_alarm_for_an_hour(healthy: State, kind: str) -> None:
    poison(healthy, kind)
    healthy.streams.check()
    found = finding(healthy, "ids")
    assert found.mark == "warn"
    assert "ids in winback:events were " in found.text
    assert "ids" in failing([found])
    shifted(healthy, "ahead", HOUR_MS + MINUTE_MS)
    assert finding(healthy, "ids").mark == "ok"


def test_ids_ahead_by_seconds_are_a_note(healthy: State) -> None:
    healthy.client.xadd(healthy.keys.events, {"event": "{}"}, id=f"{now_ms(healthy) + 20_000}-0")
    healthy.streams.check()
    assert finding(healthy, "ids").mark == "note"


def test_exhausted_stream_is_a_failure(healthy: State) -> None:
    poison(healthy, "highest")
    healthy.streams.check()
    found = finding(healthy, "ids")
    assert found.mark == "fail"
    assert found.text.startswith("winback:events accepted no events 0 s ago")


def test_lost_events_are_a_failure_for_an_hour_and_then_a_note(healthy: State) -> None:
    read_and_apply(healthy)
    healthy.streams.check()
    publish(healthy, event(), event())
    healthy.client.xtrim(healthy.keys.events, maxlen=0, approximate=False)
    healthy.streams.check()
    found = finding(healthy, "lost")
    assert found.mark == "fail"
    assert found.text.startswith("events were removed from a stream before they were applied: 2 in all")
    shifted(healthy, "lost_at", HOUR_MS + MINUTE_MS)
    assert finding(healthy, "lost").mark == "note"


def test_lag_counts_from_when_all_was_last_applied(healthy: State) -> None:
    """An id from the future says that the event arrived now, however long ingest has been behind."""
    poison(healthy)
    healthy.streams.check()
    trail = texts(healthy, healthy.keys.sweep)["trail.0"].split(" ")
    healthy.client.hset(healthy.keys.sweep, "trail.0", " ".join([str(now_ms(healthy) - 3 * MINUTE_MS), *trail[1:]]))
    found = finding(healthy, "events")
    assert (found.mark, found.text[:25]) == ("fail", "ingest is 3 min behind wi")
