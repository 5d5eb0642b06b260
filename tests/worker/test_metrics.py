"""What `winback metrics` says, read as Prometheus reads it."""

import pytest

from detectors.lanes import LANES
from state.partition_totals import OUTCOMES
from state.progress_stamps import Stamps
from tests.support.cli_support import last_seen, make_healthy
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event
from tests.support.outreaches import abandon, dispatch, sending, sweep
from tests.support.shown_metrics import show
from tests.support.stored_state import now_ms
from worker.monitoring.health import Finding
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("valkey")


def test_outreaches_are_counted_by_state_and_age(real_state: State) -> None:
    real_state.outbox.settle(sending(real_state, "s-unknown"), "unknown", reason="timed_out", ambiguous=True)
    real_state.outbox.settle(sending(real_state, "s-dead"), "dead", reason="http_400.BAD_NUMBER_573001234567")
    real_state.outbox.settle(sending(real_state, "s-later"), "retry", reason="http_503", delay_ms=HOUR_MS)
    abandon(real_state, "s-leased")
    assert len(dispatch(real_state)) == 1
    assert show(real_state).value("winback_outreaches_oldest_due_seconds") == 0
    abandon(real_state, "s-due", ago_ms=20 * MINUTE_MS)

    shown = show(real_state)

    every_place = {"due_now": 1, "due_later": 1, "leased": 1, "dead": 1, "unknown": 1}
    assert shown.values("winback_outreaches", "state") == every_place
    assert 0 <= shown.value("winback_outreaches_oldest_due_seconds") < 2 * HOUR_MS / SECOND_MS
    assert shown.value("winback_outcomes_total", outcome="dead", reason="http_400") == 1


def test_contacts_are_counted_without_a_daily_limit(real_state: State) -> None:
    assert show(real_state).value("winback_contacts_total") == 0
    real_state.outbox.settle(sending(real_state, "s-sent"), "sent", line="attempt 1 http_200")
    real_state.outbox.settle(sending(real_state, "s-unknown"), "unknown", reason="timed_out", ambiguous=True)
    real_state.outbox.settle(sending(real_state, "s-dead"), "dead", reason="http_400")

    assert show(real_state).value("winback_contacts_total") == 2


def test_a_due_outreach_gets_older(real_state: State) -> None:
    outreach = abandon(real_state, "s-due")
    key = real_state.keys.partition(int(outreach[:2])) + "due"
    real_state.client.zadd(key, {outreach: now_ms(real_state) - 90 * SECOND_MS})

    assert 90 <= show(real_state).value("winback_outreaches_oldest_due_seconds") < 120


def test_reply_text_becomes_no_label(real_state: State) -> None:
    real_state.outbox.settle(sending(real_state, "s-dead"), "dead", reason="http_400.BAD_NUMBER_573001234567")

    assert "573001234567" not in show(real_state).text


def test_stream_is_exported_in_entries_and_seconds(real_state: State) -> None:
    real_state.streams.first.create_group()
    at = now_ms(real_state) - 30 * SECOND_MS
    for number in range(5):
        real_state.client.xadd(real_state.keys.events, {"event": "{}"}, id=f"{at + number}-0")
    real_state.streams.first.read("a consumer", count=2, block_ms=1)

    shown = show(real_state)

    assert shown.value("winback_events_waiting") == 5
    assert shown.value("winback_events_pending") == 2
    assert 30 <= shown.value("winback_events_lag_seconds") < 60


def test_sessions_are_counted_by_lane_while_waiting_and_silent(real_state: State) -> None:
    at = now_ms(real_state) - HOUR_MS
    for number in range(6):
        customer = JANE if number < 2 else {}
        apply(real_state, arrived(event(session=f"s-{number}", stage="checkout", customer=customer), at))
    lane = {"stage": "checkout", "platform": "web", "kind": "idle"}
    assert show(real_state).value("winback_sessions_waiting", **lane) == 6
    sweep(real_state)

    shown = show(real_state)

    assert shown.value("winback_sessions_waiting", **lane) == 0
    assert shown.value("winback_sessions_silent_total", **lane) == 6
    assert shown.value("winback_outcomes_total", outcome="unreachable", reason="") == 4
    assert shown.value("winback_outcomes_total", outcome="suppressed", reason="shadow") == 0
    assert len(shown.families["winback_sessions_waiting"].samples) == len(LANES)
    assert {sample.labels["outcome"] for sample in shown.families["winback_outcomes"].samples} == set(OUTCOMES)


def test_roles_are_exported_by_their_last_heartbeat(real_state: State) -> None:
    make_healthy(real_state)
    last_seen(real_state, "recover", 60 * SECOND_MS)

    shown = show(real_state)

    assert shown.values("winback_role_processes", "role") == {"ingest": 1, "sweep": 1, "beat": 1}
    assert 60 <= shown.value("winback_role_last_seen_seconds", role="recover") < 90
    assert shown.value("winback_role_last_seen_seconds", role="ingest") < 30
    assert shown.value("winback_last_sweep_seconds") < 30


def test_session_past_its_threshold_is_overdue_until_claimed(real_state: State) -> None:
    apply(real_state, arrived(event(stage="checkout", customer=JANE), now_ms(real_state) - HOUR_MS))
    assert 2700 <= show(real_state).value("winback_sessions_overdue_seconds") < 2800

    sweep(real_state)
    assert show(real_state).value("winback_sessions_overdue_seconds") == 0


def test_age_of_the_last_dispatch_round_is_exported(real_state: State) -> None:
    assert "winback_last_dispatch_seconds" not in show(real_state).families

    Stamps(real_state.scripts, real_state.keys).dispatched(untaken=0)
    assert show(real_state).value("winback_last_dispatch_seconds") < 30


def test_a_role_that_was_never_seen_has_no_age(real_state: State) -> None:
    shown = show(real_state)

    assert shown.families["winback_role_last_seen_seconds"].samples == []
    assert "winback_last_sweep_seconds" not in shown.families


def test_failing_check_is_exported_by_name(real_state: State) -> None:
    make_healthy(real_state)
    last_seen(real_state, "recover", 60 * SECOND_MS)

    shown = show(real_state, ours=[Finding("settings", "fail", "Jane Doe has mistyped them", "fix it")])

    assert shown.values("winback_check_failing", "check") == {"recover": 1, "settings": 1}
    assert shown.value("winback_check_failing", check="ingest") == 0
    assert "Jane" not in shown.text


def test_pause_is_exported_as_the_sending_state(real_state: State) -> None:
    assert show(real_state).values("winback_sending", "state") == {"on": 1}
    real_state.control.pause("Jane Doe asked for it")

    shown = show(real_state)

    assert shown.values("winback_sending", "state") == {"paused": 1}
    assert "Jane" not in shown.text


def test_the_counters_are_those_of_today(real_state: State) -> None:
    abandon(real_state, "s-1", ago_ms=HOUR_MS)
    yesterday = now_ms(real_state) // DAY_MS - 1
    for number in range(64):
        real_state.client.hset(f"{real_state.keys.partition(number)}stats:{yesterday}", "sent.", 9)
        real_state.client.pexpire(f"{real_state.keys.partition(number)}stats:{yesterday}", DAY_MS)

    assert show(real_state).value("winback_outcomes_total", outcome="sent", reason="") == 0


def test_orders_of_contacted_people_and_of_the_holdout_have_their_value(real_state: State) -> None:
    today = now_ms(real_state) // DAY_MS
    counts = {
        "recovered.orders@checkout.web": 2,
        "recovered.COP@checkout.web": 14_999,
        "recovered.orders@payment.ios": 1,
        "recovered.unpriced@payment.ios": 1,
        "control.orders@checkout.web": 1,
        "control.JPY@checkout.web": 500,
    }
    key = real_state.keys.stats(0, today)
    real_state.client.hset(key, mapping=counts)  # type: ignore[arg-type]
    real_state.client.pexpire(key, DAY_MS)

    shown = show(real_state)

    assert shown.value("winback_recovered_orders_total") == 3
    assert shown.values("winback_recovered_value_total", "currency") == {"COP": 149.99}
    assert shown.value("winback_holdout_orders_total") == 1
    assert shown.values("winback_holdout_value_total", "currency") == {"JPY": 500}


def test_what_raises_an_alarm_is_exported_with_its_level(real_state: State) -> None:
    make_healthy(real_state)
    ours = [Finding("memory", "warn", "90 % used", ""), Finding("beat", "warn", "late", "")]

    shown = show(real_state, ours=[*ours, Finding("settings", "fail", "mistyped", "fix it")])

    assert shown.values("winback_alarm", "alarm") == {"memory": 1, "settings": 1}
    assert shown.value("winback_alarm", alarm="memory", level="warn") == 1
    assert shown.value("winback_alarm", alarm="settings", level="fail") == 1
