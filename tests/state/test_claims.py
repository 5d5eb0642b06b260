"""What a sweep takes out of the lanes, and the results."""

from typing import Any

import pytest

from detectors.session_fields import REQUIRED
from state import daily_counters, day_zone
from state.day_zone import DayZone
from state.keys import SESSION_TTL_MS
from state.partitions import partition_of
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import MAX_AGE_MS, WAIT_MS, abandon, cut_offs, dispatch, sweep
from tests.support.passing_time import expire_session
from tests.support.stored_state import counters, lanes_of, now_ms, places_of, record, score_of, stored, texts, ttl_ms
from worker.runtime import State


def claim(state: State, before_ms: int, **more: Any) -> int:  # noqa: ANN401 - settings of claim
    options: dict[str, Any] = {"max_age_ms": MAX_AGE_MS, "required": REQUIRED} | more
    return state.sessions.claim(cut_offs(before_ms), **options).sessions


def test_exactly_the_silent_ones_are_claimed(state: State) -> None:
    for number in range(12):
        happen(state, event(session=f"s-{number}", customer=JANE), ago_ms=WAIT_MS + (number - 6) * MINUTE_MS)
    sweep(state)
    assert [stored(state, f"s-{n}").state for n in range(12)] == ["waiting"] * 6 + ["abandoned"] * 6


def test_silent_before_counts_itself(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(customer=JANE), at_ms))
    assert claim(state, at_ms - 1) == 0
    assert claim(state, at_ms) == 1


def test_each_lane_has_its_own_cut_off(state: State) -> None:
    for stage in ("checkout", "payment"):
        happen(state, event(session=stage, stage=stage, customer=JANE), ago_ms=HOUR_MS)
    assert sweep(state, lanes=["payment.web.idle"]) == 1
    assert stored(state, "checkout").state == "waiting"
    assert stored(state, "payment").state == "abandoned"


def test_no_lanes_claim_nothing(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    assert state.sessions.claim([], max_age_ms=MAX_AGE_MS, required=REQUIRED).sessions == 0


def test_a_claimed_session_becomes_an_outreach_that_is_due(state: State) -> None:
    before_ms = now_ms(state)
    outreach = abandon(state, ago_ms=HOUR_MS)
    assert partition_of("s-1") == int(outreach[:2])
    assert places_of(state, outreach) == {"due"}
    found = record(state, outreach)
    session = stored(state)
    assert (session.state, session.outreach) == ("abandoned", outreach)
    assert lanes_of(state) == {}
    assert {name: found[name] for name in ("session", "state", "lane", "token", "attempts", "takes")} == {
        "session": "s-1",
        "state": "waiting",
        "lane": "checkout.web.idle",
        "token": "0",
        "attempts": "0",
        "takes": "0",
    }
    assert int(found["last"]) == session.activity
    assert int(found["threshold"]) == WAIT_MS
    overdue_ms = session.activity // 100 + WAIT_MS
    assert int(found["expires_at"]) == overdue_ms + MAX_AGE_MS
    assert score_of(state, state.keys.due(int(outreach[:2])), outreach) == overdue_ms
    assert int(found["claimed_at"]) >= before_ms
    assert ttl_ms(state, state.keys.outreach(outreach)) is None


def test_an_outreach_is_never_due_later_than_its_claim(state: State) -> None:
    outreach = abandon(state, ago_ms=WAIT_MS + 10)
    sweep(state)
    due = score_of(state, state.keys.due(int(outreach[:2])), outreach)
    assert due is not None
    assert due <= int(record(state, outreach)["claimed_at"])
    assert dispatch(state) == [outreach]


def test_silence_is_counted_once_for_each_session_by_lane(state: State) -> None:
    happen(state, event(session="a", customer=JANE), ago_ms=HOUR_MS)
    happen(state, event("exit", session="b"), ago_ms=HOUR_MS)
    for _ in range(2):
        sweep(state)
    found: dict[str, str] = {}
    for key in state.client.scan_iter("*:stats:*"):
        found |= texts(state, key.decode())
    assert {name: value for name, value in found.items() if name.startswith("silent.")} == {
        "silent.checkout.web.idle": "1",
        "silent.checkout.web.exit": "1",
    }


def test_silences_are_counted_by_hour_as_often_as_by_lane(state: State) -> None:
    # Half past an hour, so that the hour doesn't end during the test, and three hours from UTC.
    at_ms = now_ms(state)
    zone = DayZone("Somewhere", 3 * HOUR_MS + HOUR_MS // 2 - at_ms % HOUR_MS)
    day_zone.record(state.scripts, state.keys, zone)
    for name in "abc":
        happen(state, event("exit" if name == "a" else "activity", session=name), ago_ms=HOUR_MS)
    for _ in range(2):
        sweep(state)
    today, _ = daily_counters.today(state.scripts, state.keys)
    hour = f"{(at_ms // HOUR_MS + 3) % 24:02d}"
    found = daily_counters.read(state.scripts, state.keys, today, today)
    assert [(each.detail, each.number) for each in found if each.name == "silent_hour"] == [(hour, 3)]
    assert sum(each.number for each in found if each.name == "silent") == 3


@pytest.mark.parametrize("missing", ["full_name", "phone_number"])
def test_unreachable_session_is_closed_at_once(state: State, missing: str) -> None:
    customer = {name: value for name, value in JANE.items() if name != missing}
    happen(state, event(customer=customer), ago_ms=HOUR_MS)
    assert sweep(state) == 0
    assert stored(state).state == "unreachable"
    assert stored(state).outreach == ""
    assert list(state.client.scan_iter("*:outreach:*")) == []
    assert list(state.client.scan_iter("*:due")) == []
    assert counters(state) == {"unreachable": 1}
    assert ttl_ms(state, state.keys.session("s-1")) is not None


def test_a_country_that_is_missing_does_not_make_it_unreachable(state: State) -> None:
    customer = {name: value for name, value in JANE.items() if name != "country_code"}
    happen(state, event(customer=customer), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    assert stored(state).state == "abandoned"


def test_withdrawn_number_is_unreachable(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS + SECOND_MS)
    happen(state, event(customer={"phone_number": None}), ago_ms=HOUR_MS)
    assert sweep(state) == 0
    assert counters(state) == {"unreachable": 1}


def test_disabled_lane_is_suppressed_with_the_reason(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    assert sweep(state, suppress_reason="declined_off") == 0
    assert stored(state).state.startswith("suppressed")
    assert counters(state) == {"suppressed.declined_off": 1}


def test_what_has_been_overdue_for_too_long_expires(state: State) -> None:
    happen(state, event(session="old", customer=JANE), ago_ms=MAX_AGE_MS + WAIT_MS + SECOND_MS)
    happen(state, event(session="young", customer=JANE), ago_ms=MAX_AGE_MS + WAIT_MS - MINUTE_MS)
    assert sweep(state) == 1
    assert stored(state, "old").state.startswith("expired")
    assert stored(state, "young").state == "abandoned"
    assert counters(state) == {"expired.too_old": 1}


def test_age_is_measured_from_occurrence(state: State) -> None:
    occurred_s = (now_ms(state) - 2 * DAY_MS) / 1000
    happen(state, event(customer=JANE, occurred_at=occurred_s), ago_ms=HOUR_MS)
    assert sweep(state) == 0
    assert counters(state) == {"expired.too_old": 1}


def test_the_age_of_a_lapsed_voucher_is_measured_from_its_expiry(state: State) -> None:
    expired_s = (now_ms(state) - HOUR_MS) / 1000
    happen(state, event("payment_pending", customer=JANE, expires_at=expired_s), ago_ms=3 * DAY_MS)
    assert sweep(state) == 1
    expires_at = int(record(state, stored(state).outreach)["expires_at"])
    assert expires_at == int(expired_s * 1000) + WAIT_MS + MAX_AGE_MS


def test_lane_member_with_expired_session_ends_expired(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    expire_session(state)
    assert sweep(state) == 0
    assert counters(state) == {"expired.session_gone": 1}
    assert lanes_of(state) == {}
    assert list(state.client.scan_iter("*:session:*")) == []


def test_session_active_in_another_lane_is_not_silent(state: State) -> None:
    happen(state, event(stage="cart_review", customer=JANE), ago_ms=HOUR_MS)
    expire_session(state)
    happen(state, event(stage="payment", customer=JANE))
    assert sweep(state) == 0
    assert stored(state).state == "waiting"
    assert list(lanes_of(state)) == ["payment.web.idle"]
    assert counters(state) == {}


def test_stale_lane_entry_does_not_claim_a_session_twice(state: State) -> None:
    happen(state, event(stage="cart_review", customer=JANE), ago_ms=2 * HOUR_MS)
    expire_session(state)
    happen(state, event(stage="payment", customer=JANE), ago_ms=HOUR_MS)
    assert sweep(state, lanes=["payment.web.idle"]) == 1
    assert sweep(state) == 0
    assert stored(state).state == "abandoned"
    assert len(list(state.client.scan_iter("*:outreach:*"))) == 1


def test_finished_session_in_a_lane_is_not_claimed_again(state: State) -> None:
    outreach = abandon(state)
    lane = state.keys.lane(partition_of("s-1"), "checkout.web.idle")
    state.client.zadd(lane, {"s-1": stored(state).silent_since_ms})
    assert sweep(state) == 0
    assert stored(state).outreach == outreach
    assert lanes_of(state) == {}


def test_session_with_only_contacts_left_ends_expired(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    key = state.keys.session("s-1")
    state.client.delete(key)
    state.client.hset(key, "contacts", 1)
    state.client.pexpire(key, SESSION_TTL_MS)
    sweep(state)
    assert counters(state) == {"expired.session_gone": 1}
    assert stored(state).contacts == 1
