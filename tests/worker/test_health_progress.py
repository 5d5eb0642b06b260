"""A silent stop of detection or sending is a finding, whatever causes it."""

import json

import pytest

from detectors.lanes import LANES, milliseconds
from detectors.settings import DetectionSettings
from tasks.delivery.attempt import attempt
from tasks.dispatch import dispatch as dispatch_round
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.cli_support import make_healthy, read
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import abandon, dispatch
from tests.support.states import LEASE_MS
from tests.support.stored_state import now_ms
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.finding import Finding
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")
DEFAULTS = {lane.name: milliseconds(lane.kind.wait(DetectionSettings(), lane.stage, lane.platform)) for lane in LANES}


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def found(state: State, name: str) -> Finding:
    [one] = [finding for finding in health.findings(read(state), Settings()) if finding.name == name]
    assert (name in failing([one])) == (one.mark == "fail")
    return one


def stamp(state: State, step: str, ago_ms: int) -> None:
    state.client.hset(state.keys.progress, step, now_ms(state) - ago_ms)


def shop(state: State, ago_ms: int = HOUR_MS) -> None:
    """Let one shopper leave the checkout, whose threshold is 15 minutes."""
    happen(state, event(customer=JANE), ago_ms=ago_ms)


def test_unclaimed_session_past_its_threshold_fails(healthy: State) -> None:
    shop(healthy)
    assert (
        found(healthy, "detection").text == "sessions passed their threshold 45 min ago, and no sweep has claimed them"
    )

    sweep(deps_of(healthy))
    assert found(healthy, "detection").mark == "ok"


@pytest.mark.parametrize(("late_ms", "mark"), [(20 * SECOND_MS, "ok"), (30 * SECOND_MS, "fail")])
def test_detection_fails_after_five_sweep_intervals(healthy: State, late_ms: int, mark: str) -> None:
    shop(healthy, ago_ms=15 * MINUTE_MS + late_ms)
    assert found(healthy, "detection").mark == mark


@pytest.mark.parametrize(("ago_ms", "mark"), [(20 * SECOND_MS, "ok"), (30 * SECOND_MS, "fail")])
def test_sweeps_that_never_end_fail_without_any_session(healthy: State, ago_ms: int, mark: str) -> None:
    stamp(healthy, "swept", ago_ms)
    assert found(healthy, "detection").mark == mark


def test_gap_excuses_detection_until_its_thresholds_pass(healthy: State) -> None:
    shop(healthy)
    for ago_ms, mark in ((5 * MINUTE_MS, "ok"), (14 * MINUTE_MS, "ok"), (16 * MINUTE_MS, "fail")):
        healthy.client.hset(healthy.keys.sweep, "reopened", now_ms(healthy) - ago_ms)
        assert found(healthy, "detection").mark == mark


def test_gap_in_the_future_excuses_nothing(healthy: State) -> None:
    shop(healthy)
    healthy.client.hset(healthy.keys.sweep, "reopened", now_ms(healthy) + HOUR_MS)
    assert found(healthy, "detection").mark == "fail"


def test_lag_of_ingest_excuses_detection(healthy: State) -> None:
    shop(healthy, ago_ms=20 * MINUTE_MS)
    healthy.client.xadd(healthy.keys.events, {"event": "{}"}, id=f"{now_ms(healthy) - 6 * MINUTE_MS}-0")
    assert found(healthy, "detection").mark == "ok"


def test_detection_is_judged_by_the_thresholds_of_the_sweep(healthy: State) -> None:
    shop(healthy)
    healthy.client.hset(healthy.keys.progress, "waits", json.dumps(DEFAULTS | {"checkout.web.idle": 2 * HOUR_MS}))
    assert found(healthy, "detection").mark == "ok"

    healthy.client.hset(healthy.keys.progress, "waits", json.dumps(DEFAULTS))
    assert found(healthy, "detection").mark == "fail"


def test_silent_shop_excuses_detection(healthy: State) -> None:
    shop(healthy)
    healthy.client.hset(healthy.keys.sweep, "silent", now_ms(healthy) - HOUR_MS)
    assert found(healthy, "detection").mark == "ok"
    assert found(healthy, "shop").mark == "fail"


def test_due_outreaches_without_any_dispatch_round_fail(healthy: State) -> None:
    shop(healthy)
    sweep(deps_of(healthy))
    assert found(healthy, "dispatch").mark == "fail"

    dispatch_round(deps_of(healthy), queued=lambda: 0, enqueue=lambda _: None)
    assert found(healthy, "dispatch").mark == "ok"


@pytest.mark.parametrize(("ago_ms", "mark"), [(20 * SECOND_MS, "ok"), (30 * SECOND_MS, "fail")])
def test_dispatch_fails_after_five_intervals(healthy: State, ago_ms: int, mark: str) -> None:
    stamp(healthy, "dispatched", ago_ms)
    assert found(healthy, "dispatch").mark == mark


def test_dispatch_round_that_fails_leaves_no_stamp(healthy: State) -> None:
    def refuse(_: object) -> None:
        raise ConnectionError

    abandon(healthy)
    with pytest.raises(ConnectionError):
        dispatch_round(deps_of(healthy), queued=lambda: 0, enqueue=refuse)
    assert read(healthy).progress.dispatched_ms is None


def test_outreach_that_no_worker_takes_fails(healthy: State) -> None:
    outreach = abandon(healthy)
    dispatch(healthy)
    handed_out(healthy, outreach, ago_ms=20 * SECOND_MS)
    assert found(healthy, "attempts").mark == "ok"
    handed_out(healthy, outreach, ago_ms=30 * SECOND_MS)
    text = "outreaches were dispatched 30 s ago, and no worker has taken one since"
    assert found(healthy, "attempts").text == text

    attempt(outreach, deps_of(healthy))
    assert found(healthy, "attempts").mark == "ok"


def test_lease_that_ran_out_untaken_is_stamped(healthy: State) -> None:
    outreach = abandon(healthy)
    dispatch(healthy)
    handed_out(healthy, outreach, ago_ms=LEASE_MS + SECOND_MS)
    dispatch_round(deps_of(healthy), queued=lambda: 0, enqueue=lambda _: None)
    assert read(healthy).progress.untaken_ms is not None


def test_untaken_expired_lease_keeps_failing(healthy: State) -> None:
    outreach = abandon(healthy)
    dispatch(healthy)
    handed_out(healthy, outreach, ago_ms=LEASE_MS + SECOND_MS)
    dispatch_round(deps_of(healthy), queued=lambda: 0, enqueue=lambda _: None)
    stamp(healthy, "untaken", 30 * SECOND_MS)
    assert found(healthy, "attempts").mark == "fail"

    attempt(outreach, deps_of(healthy))
    assert found(healthy, "attempts").mark == "ok"


def test_lease_that_ran_out_with_its_worker_is_not_untaken(healthy: State) -> None:
    outreach = abandon(healthy)
    dispatch(healthy)
    healthy.outbox.take(outreach)
    handed_out(healthy, outreach, ago_ms=LEASE_MS + SECOND_MS)
    dispatch_round(deps_of(healthy), queued=lambda: 0, enqueue=lambda _: None)
    assert read(healthy).progress.untaken_ms is None


def test_takes_without_a_decision_fail(healthy: State) -> None:
    deps = deps_of(healthy)
    assert deps.stamps.taken()
    stamp(healthy, "undecided", LEASE_MS + 20 * SECOND_MS)
    assert found(healthy, "attempts").mark == "ok"
    stamp(healthy, "undecided", LEASE_MS + 30 * SECOND_MS)
    assert found(healthy, "attempts").text.startswith("workers have taken outreaches for 100 s")

    deps.stamps.decided()
    assert found(healthy, "attempts").mark == "ok"


def test_first_take_without_a_decision_counts(healthy: State) -> None:
    deps_of(healthy).stamps.taken()
    stamp(healthy, "undecided", MINUTE_MS)
    first = read(healthy).progress.undecided_ms
    assert deps_of(healthy).stamps.taken()
    assert read(healthy).progress.undecided_ms == first


def test_attempt_that_waits_for_ingest_is_no_decision(healthy: State) -> None:
    outreach = abandon(healthy)
    healthy.client.xadd(healthy.keys.events, {"event": "{}"})
    dispatch(healthy)
    assert attempt(outreach, deps_of(healthy)).reason == "ingest_behind"
    assert read(healthy).progress.undecided_ms is not None


def test_attempt_that_ends_is_a_decision(healthy: State) -> None:
    outreach = abandon(healthy)
    dispatch(healthy)
    assert attempt(outreach, deps_of(healthy)).outcome != "dropped"
    assert read(healthy).progress.undecided_ms is None


def handed_out(state: State, outreach: str, *, ago_ms: int) -> None:
    """Let an outreach have been leased this long ago."""
    lease_ms = milliseconds(Settings().delivery.lease)
    state.client.zadd(state.keys.leased(int(outreach[:2])), {outreach: now_ms(state) + lease_ms - ago_ms})
