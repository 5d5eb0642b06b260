"""Refused messages are counted, logged in one line, reported for an hour, and shown as a metric."""

import pytest
from structlog.testing import capture_logs

from state import refusals
from state.errors import ServerFullError
from state.keys import REFUSALS_TTL_MS
from tests.support.cli_support import make_healthy, read
from tests.support.durations import HOUR_MS
from tests.support.stored_state import now_ms, ttl_ms
from worker.celery_support.message_filter import REASONS
from worker.celery_support.refusal_counter import RefusalCounter
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.checks.messages import REMOTE_CONTROL
from worker.monitoring.metrics import metrics
from worker.runtime import State
from worker.settings import Settings

on_valkey = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def found(state: State) -> dict[str, str]:
    names = ("messages", "control")
    return {finding.name: finding.text for finding in health.findings(read(state), Settings()) if finding.name in names}


def test_refusals_add_up_and_expire_after_a_week(state: State) -> None:
    assert refusals.read(state.scripts, state.keys) == refusals.Refusals()
    refusals.add(state.scripts, state.keys, {"task": 2})
    refusals.add(state.scripts, state.keys, {"task": 1, "options": 4})
    stored = refusals.read(state.scripts, state.keys)
    assert (stored.counts, stored.total) == ({"task": 3, "options": 4}, 7)
    assert stored.last_ms is not None
    assert abs(now_ms(state) - stored.last_ms) < 5000
    assert ttl_ms(state, state.keys.refused) in range(REFUSALS_TTL_MS - 5000, REFUSALS_TTL_MS + 1)


def test_many_refusals_are_one_line_and_none_is_no_line(state: State) -> None:
    refused = RefusalCounter()
    for _ in range(1000):
        refused.count("task")
    with capture_logs() as lines:
        refused.record(state.scripts, state.keys)
        refused.record(state.scripts, state.keys)
    assert [(line["event"], line["number"]) for line in lines] == [("messages_refused", 1000)]
    assert refusals.read(state.scripts, state.keys).total == 1000


def test_refusals_that_the_server_does_not_take_are_kept(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = RefusalCounter()
    refused.count("task")

    def full(*_: object) -> None:
        raise ServerFullError("full")

    with monkeypatch.context() as patched:
        patched.setattr("worker.celery_support.refusal_counter.refusals.add", full)
        with pytest.raises(ServerFullError):
            refused.record(state.scripts, state.keys)
    refused.record(state.scripts, state.keys)
    assert refusals.read(state.scripts, state.keys).total == 1


@on_valkey
def test_refusals_of_the_last_hour_are_reported_and_alarms(healthy: State) -> None:
    assert found(healthy) == {}
    refusals.add(healthy.scripts, healthy.keys, {"task": 2000, "options": 1})
    assert found(healthy) == {
        "messages": "workers refused 2,001 messages that aren't Winback's (options 1, task 2,000), "
        "the last refusal 0 s ago"
    }
    refusals.add(healthy.scripts, healthy.keys, {REMOTE_CONTROL: 3})
    assert found(healthy)["control"].startswith("workers refused 3 commands by remote control")
    assert {"messages", "control"} <= failing(health.findings(read(healthy), Settings())).keys()
    healthy.client.hset(healthy.keys.refused, "last", now_ms(healthy) - HOUR_MS - 1)
    assert found(healthy) == {}


@on_valkey
def test_refusals_are_a_metric_by_reason(healthy: State) -> None:
    refusals.add(healthy.scripts, healthy.keys, {"task": 2})
    (family,) = [each for each in metrics(read(healthy), [], Settings()) if each.name == "winback_messages_refused"]
    shown = {sample.labels["reason"]: sample.value for sample in family.samples}
    assert shown == {**dict.fromkeys((*REASONS, REMOTE_CONTROL), 0), "task": 2}
