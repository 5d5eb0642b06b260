"""While the whole shop is silent for too long, no session is claimed: broken tracking isn't abandonment."""

from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from detectors.settings import DetectionSettings
from state.claims import Claimed
from state.keys import applied_of
from tasks.deps import Deps
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.stored_state import now_ms
from worker.runtime import State

NOTHING = Claimed(0, 0)


def deps(state: State, max_silence: str | None = "10m", **detection: object) -> Deps:
    settings = DetectionSettings.model_validate({"max_silence": max_silence or "off", **detection})
    return replace(deps_of(state), detection=lambda: settings)


def silent(state: State, minutes: float, session: str = "s-1") -> None:
    """Let a reachable shopper, last active at checkout, be silent for this long."""
    happen(state, event(session=session, customer=JANE), ago_ms=int(minutes * MINUTE_MS))


def heard(state: State, minutes_ago: float = 0) -> None:
    """Let any shopper's event arrive, and be applied and deleted."""
    entry = state.client.xadd(
        state.keys.events, {"event": "{}"}, id=f"{now_ms(state) - int(minutes_ago * MINUTE_MS)}-0"
    )
    assert state.client.xdel(state.keys.events, entry) == 1
    state.client.hincrby(applied_of(state.keys.events), "applied", 1)


def let_reopening_pass(state: State, minutes: float) -> None:
    assert state.client.hexists(state.keys.sweep, "reopened")
    state.client.hincrby(state.keys.sweep, "reopened", -int(minutes * MINUTE_MS))


@pytest.mark.parametrize(("minutes_ago", "outreaches"), [(9.9, 1), (10.1, 0), (600, 0)])
def test_no_session_is_claimed_while_the_shop_is_silent(state: State, minutes_ago: float, outreaches: int) -> None:
    silent(state, 700)
    heard(state, minutes_ago)
    assert sweep(deps(state)) == Claimed(outreaches, outreaches)


def test_shop_without_a_known_last_event_is_silent(state: State) -> None:
    silent(state, 60)
    assert sweep(deps(state)) == NOTHING


def test_without_the_setting_shop_silence_is_not_checked(state: State) -> None:
    silent(state, 700)
    heard(state, 600)
    assert sweep(deps(state, None)) == Claimed(1, 1)


def test_when_events_come_again_silence_is_measured_from_then(state: State) -> None:
    silent(state, 60)
    heard(state, 59)
    assert sweep(deps(state)) == NOTHING
    heard(state)
    # An active shopper would not have been heard until now.
    assert sweep(deps(state)) == NOTHING
    let_reopening_pass(state, 14)
    assert sweep(deps(state)) == NOTHING
    let_reopening_pass(state, 1)
    assert sweep(deps(state)) == Claimed(1, 1)


def test_session_active_after_the_silence_is_not_claimed(state: State) -> None:
    silent(state, 60)
    heard(state, 59)
    assert sweep(deps(state)) == NOTHING
    heard(state)
    assert sweep(deps(state)) == NOTHING
    silent(state, 5)
    let_reopening_pass(state, 15)
    assert sweep(deps(state)) == NOTHING


def test_an_event_that_waits_to_be_applied_breaks_the_silence(state: State) -> None:
    silent(state, 60)
    heard(state, 59)
    assert sweep(deps(state)) == NOTHING
    state.client.xadd(state.keys.events, {"event": "{}"})
    assert sweep(deps(state)) == NOTHING
    assert state.client.hexists(state.keys.sweep, "reopened")


def test_disabling_the_setting_accepts_the_silence(state: State) -> None:
    silent(state, 700)
    heard(state, 600)
    assert sweep(deps(state)) == NOTHING
    assert sweep(deps(state, "1d")) == Claimed(1, 1)


def test_sweeps_that_claim_nothing_make_no_hole(state: State) -> None:
    heard(state, 600)
    now = now_ms(state)
    for _ in range(3):
        state.client.hset(state.keys.sweep, "last", now_ms(state) - 5000)
        assert sweep(deps(state, sweep_interval=timedelta(seconds=5))) == NOTHING
        assert int(state.client.hget(state.keys.sweep, "last") or 0) >= now
    assert not state.client.hexists(state.keys.sweep, "reopened")


def test_each_change_is_one_line_in_the_log(state: State) -> None:
    heard(state, HOUR_MS / MINUTE_MS)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            sweep(deps(state))
        heard(state)
        for _ in range(3):
            sweep(deps(state))
    assert [line["event"] for line in lines] == ["shop_silent", "shop_events_resumed"]
    assert lines[0]["longer_than"] == "10m"
