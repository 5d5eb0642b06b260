"""`winback status` explains outreaches that are due later, and counts contacts only for a limit."""

import json
from typing import Any

import pytest

from state import deferred
from state.deferred import read_deferred
from state.partitions import partition_of
from tests.support.cli_support import run
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.examining import env, folder, healthy
from tests.support.outreaches import abandon, dispatch, fence, taken
from tests.support.stored_state import now_ms
from worker.runtime import State

__all__ = ["env", "folder", "healthy"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def postponed(state: State, session: str, why: str, delay_ms: int = HOUR_MS) -> None:
    assert state.outbox.postpone(taken(state, session), delay_ms=delay_ms, why=why)


def outbox(env: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    return json.loads(run("status", "--json", **env)[1])["outbox"]


def test_deferred_outreaches_are_counted_by_reason(state: State) -> None:
    at = now_ms(state)
    postponed(state, "s-1", "quiet_hours until Monday 07:00", 2 * HOUR_MS)
    postponed(state, "s-2", "quiet_hours until Monday 08:00", HOUR_MS)
    postponed(state, "s-3", "law_CO until Monday 07:00")
    found = read_deferred(state.scripts, state.keys)

    assert [(each.reason, each.number) for each in found] == [("quiet_hours", 2), ("law_CO", 1)]
    assert HOUR_MS <= found[0].first_due_ms - at < HOUR_MS + MINUTE_MS


def test_an_attempt_to_be_repeated_has_the_reason_of_its_reply(state: State) -> None:
    held = taken(state, "s-1")
    fence(state, held)
    state.outbox.settle(held, "retry", reason="http_503", delay_ms=HOUR_MS, line="attempt 1 in 12 ms")

    assert [each.reason for each in read_deferred(state.scripts, state.keys)] == ["retry.http_503"]


def test_what_a_reply_quoted_is_not_read(state: State) -> None:
    held = taken(state, "s-1")
    fence(state, held)
    state.outbox.settle(held, "retry", reason="http_503", delay_ms=HOUR_MS, line="attempt 1", quoted="call Jane")

    assert "Jane" not in str(read_deferred(state.scripts, state.keys))


def test_a_due_outreach_is_not_deferred(state: State) -> None:
    abandon(state)
    assert read_deferred(state.scripts, state.keys) == []

    dispatch(state)
    assert read_deferred(state.scripts, state.keys) == []


def test_the_number_read_of_a_partition_is_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "EACH_PARTITION", 2)
    same = [name for name in (f"s-{number}" for number in range(400)) if partition_of(name) == 7][:3]
    for name in same:
        postponed(state, name, "quiet_hours")
    found = read_deferred(state.scripts, state.keys)

    assert [each.number for each in found] == [2]
    assert deferred.is_sample(found, 3)
    assert not deferred.is_sample(found, 2)


def test_status_names_reason_number_and_first_time(healthy: State, env: dict[str, str]) -> None:
    postponed(healthy, "s-1", "quiet_hours until Monday 07:00")
    (found,) = outbox(env)["deferred"]
    _, shown = run("status", **env, WINBACK_REPORT__TIME_ZONE="America/Bogota")
    (line,) = (each.strip() for each in shown.splitlines() if "due later" in each)

    assert found["reason"] == "quiet_hours"
    assert found["number"] == 1
    assert line.startswith("1 due later: quiet_hours, first at ")
    assert line.endswith(" America/Bogota)")


def test_status_without_deferred_outreaches_has_no_such_line(healthy: State, env: dict[str, str]) -> None:
    abandon(healthy)

    assert outbox(env)["deferred"] == []
    assert "due later" not in run("status", **env)[1]


@pytest.mark.usefixtures("healthy")
def test_contacts_of_the_day_are_unknown_without_a_limit(env: dict[str, str]) -> None:
    assert json.loads(run("status", "--json", **env)[1])["sending"]["contacts_today"] is None
