from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.activity import ActivityEvent
from detectors.flow import PLATFORMS, STAGES, EventType, Platform, Stage
from detectors.idle import IDLE
from detectors.kind import Kind
from detectors.registry import KINDS
from detectors.sequence import (
    ACTIVITY_RANKS,
    FURTHEST_EXPIRY_MS,
    PURCHASE_RANK,
    RANK_SPAN,
    SLOW_CLOCK_MS,
    Position,
    epoch_ms,
    occurred_ms,
    position,
    stage_of,
)

ARRIVAL_MS = 1_747_176_000_000  # 2025-05-13T22:40:00Z
MINUTE_MS = 60_000


def event(kind: EventType = "activity", **fields: Any) -> ActivityEvent:  # noqa: ANN401 - any field of the model
    return ActivityEvent(session_id="s", type=kind, **fields)


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def activity(ms: int, stage: Stage = "checkout", platform: Platform = "web") -> ActivityEvent:
    return event(occurred_at=at(ms), flow_stage=stage, platform=platform)


def kind_of(place: Position) -> Kind:
    return KINDS[place.signal % RANK_SPAN - ACTIVITY_RANKS]


def test_what_happened_in_the_same_millisecond_has_one_order() -> None:
    same = at(ARRIVAL_MS)
    in_order = [
        *(activity(ARRIVAL_MS, stage, platform) for stage in STAGES for platform in PLATFORMS),
        event("exit", occurred_at=same),
        event("payment_declined", occurred_at=same),
        event("payment_pending", occurred_at=same),
        event("payment_pending", occurred_at=same, expires_at=same),
        event("order_completed", occurred_at=same),
    ]
    stamps = [position(one, ARRIVAL_MS).stamp for one in in_order]
    assert stamps == sorted(set(stamps))
    assert position(activity(ARRIVAL_MS + 1), ARRIVAL_MS + 1).stamp > stamps[-1]


def test_an_event_without_a_time_occurred_when_it_arrived() -> None:
    place = position(event(flow_stage="payment", platform="ios"), ARRIVAL_MS)
    assert occurred_ms(place.stamp) == place.silent_since_ms == ARRIVAL_MS


def test_an_event_from_the_future_occurred_when_it_arrived() -> None:
    place = position(activity(ARRIVAL_MS + 365 * 24 * 60 * MINUTE_MS), ARRIVAL_MS)
    assert occurred_ms(place.stamp) == place.silent_since_ms == ARRIVAL_MS


@pytest.mark.parametrize(
    ("behind_ms", "silent_behind_ms"),
    [
        (0, 0),
        (1, 1),
        (SLOW_CLOCK_MS, SLOW_CLOCK_MS),
        (SLOW_CLOCK_MS + 1, 0),
        (365 * 24 * 60 * MINUTE_MS, 0),
    ],
)
def test_silence_starts_when_the_event_occurred_if_credible(behind_ms: int, silent_behind_ms: int) -> None:
    place = position(activity(ARRIVAL_MS - behind_ms), ARRIVAL_MS)
    assert occurred_ms(place.activity) == ARRIVAL_MS - behind_ms
    assert place.silent_since_ms == place.seen_ms == ARRIVAL_MS - silent_behind_ms


@pytest.mark.parametrize(
    ("expires_in_ms", "silent_in_ms"),
    [
        (2 * 60 * MINUTE_MS, 2 * 60 * MINUTE_MS),
        (-1, 0),
        (FURTHEST_EXPIRY_MS + 1, FURTHEST_EXPIRY_MS),
        (10**13, FURTHEST_EXPIRY_MS),
    ],
)
def test_silence_after_a_voucher_starts_at_its_expiry(expires_in_ms: int, silent_in_ms: int) -> None:
    pending = event("payment_pending", expires_at=at(ARRIVAL_MS + expires_in_ms))
    place = position(pending, ARRIVAL_MS)
    assert (place.silent_since_ms, place.seen_ms) == (ARRIVAL_MS + silent_in_ms, ARRIVAL_MS)


@pytest.mark.parametrize("kind", ["order_completed", "payment_pending", "opt_out"])
@pytest.mark.parametrize("written", ["2025-05-13T17:40:00", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_stop_signal_with_doubtful_time_occurred_on_arrival(kind: EventType, written: str) -> None:
    stop = event(kind, occurred_at=datetime.fromisoformat(written))
    assert occurred_ms(position(stop, ARRIVAL_MS).stamp) == ARRIVAL_MS


@pytest.mark.parametrize("written", ["2025-05-13T22:39:30", "2025-05-13T22:39:30Z", "2025-05-13T17:39:30-05:00"])
def test_an_order_of_just_now_keeps_its_time(written: str) -> None:
    order = event("order_completed", occurred_at=datetime.fromisoformat(written))
    assert occurred_ms(position(order, ARRIVAL_MS).purchase) == ARRIVAL_MS - MINUTE_MS // 2


def test_an_order_with_a_zone_keeps_its_time() -> None:
    order = event("order_completed", occurred_at=at(ARRIVAL_MS - 24 * 60 * MINUTE_MS))
    assert occurred_ms(position(order, ARRIVAL_MS).purchase) == ARRIVAL_MS - 24 * 60 * MINUTE_MS


def test_an_expiry_means_nothing_in_any_other_event() -> None:
    late = at(ARRIVAL_MS + MINUTE_MS)
    for kind in ("activity", "exit", "payment_declined", "order_completed"):
        assert position(event(kind, expires_at=late), ARRIVAL_MS).silent_since_ms == ARRIVAL_MS


@pytest.mark.parametrize("kind", ["exit", "payment_declined", "payment_pending"])
def test_signal_with_a_stage_is_also_an_activity(kind: EventType) -> None:
    place = position(event(kind, flow_stage="payment", platform="ios"), ARRIVAL_MS)
    assert stage_of(place.activity) == ("payment", "ios")
    assert place.stamp == place.signal > place.activity


@pytest.mark.parametrize("lacking", [{"flow_stage": "payment"}, {"platform": "ios"}, {}])
def test_activity_without_stage_or_platform_only_shows_presence(lacking: dict[str, Any]) -> None:
    place = position(event(**lacking), ARRIVAL_MS)
    assert (place.activity, kind_of(place), place.silent_since_ms) == (0, IDLE, ARRIVAL_MS)


def test_order_can_name_its_stage_and_ends_the_purchase() -> None:
    place = position(event("order_completed", flow_stage="payment", platform="web"), ARRIVAL_MS)
    assert place.purchase == place.stamp == ARRIVAL_MS * RANK_SPAN + PURCHASE_RANK
    assert stage_of(place.activity) == ("payment", "web")
    assert place.signal == 0


def test_an_opt_out_moves_nothing_but_its_fields_have_a_place() -> None:
    place = position(event("opt_out"), ARRIVAL_MS)
    assert place == Position(stamp=ARRIVAL_MS * RANK_SPAN + PURCHASE_RANK - 1)


moments = st.datetimes(timezones=st.just(UTC))


@given(moments, st.sampled_from(STAGES), st.sampled_from(PLATFORMS), st.integers(1, 89_000_000_000_000))
def test_sequence_number_round_trips_and_is_exact_in_lua(
    moment: datetime, stage: Stage, platform: Platform, arrival_ms: int
) -> None:
    place = position(event(occurred_at=moment, flow_stage=stage, platform=platform), arrival_ms)
    assert stage_of(place.activity) == (stage, platform)
    assert 0 < place.activity < 2**53
    assert float(place.activity) == place.activity
    assert occurred_ms(place.activity) == min(epoch_ms(moment), arrival_ms)
    assert arrival_ms - SLOW_CLOCK_MS <= place.silent_since_ms <= arrival_ms


@given(st.integers(1, 253_402_300_799_999), st.integers(0, 999))
def test_unix_milliseconds_are_exact_and_round_down(ms: int, micros: int) -> None:
    assert epoch_ms(at(ms) + timedelta(microseconds=micros)) == ms


def test_time_without_zone_is_utc_and_before_1970_is_valid() -> None:
    assert epoch_ms(datetime(2025, 5, 13, 22, 40)) == ARRIVAL_MS  # noqa: DTZ001 - that is the case
    for broken in ("1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"):
        place = position(
            event(occurred_at=datetime.fromisoformat(broken), flow_stage="product_selection", platform="web"),
            ARRIVAL_MS,
        )
        assert place.activity > 0
        assert place.silent_since_ms == ARRIVAL_MS


def test_idle_is_the_one_kind_that_begins_with_an_activity() -> None:
    assert [kind for kind in KINDS if kind.begins_with == "activity"] == [IDLE]
