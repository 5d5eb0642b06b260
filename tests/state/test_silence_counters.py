"""What the scripts count of silences."""

from dataclasses import replace

import pytest

from state import silence_counters
from state.keys import SILENCES_TTL_MS
from state.silence_grid import GRID_MS
from tests.support.counted_shop import AT_20, AT_30, AT_40, AT_60, HOURLY, Shop, range_of
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, apply, arrived, event
from tests.support.outreaches import sweep
from tests.support.partitions import same_partition
from tests.support.silence_replay import METHOD, RANKS
from tests.support.stored_state import stored, texts, ttl_ms
from worker.runtime import State


def test_return_counts_for_the_thresholds_it_outlasted(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    shop.happens(100, event())
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_later_silence_counts_from_where_the_longest_ended(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100, 70, 60, 40):
        shop.happens(minutes, event(customer=JANE) if minutes == 120 else event())
    assert shop.counted() == range_of("n", 0, AT_30) | range_of("r", 0, AT_30)


def test_claim_counts_noted_silences_once(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100):
        shop.happens(minutes)
    assert list(state.client.scan_iter("*:tune:*")) == []
    sweep(state)
    assert shop.counted() == {"n.0": 1} | range_of("r", 0, AT_20)
    (key,) = state.client.scan_iter("*:tune:*")
    assert SILENCES_TTL_MS < (ttl_ms(state, key.decode()) or 0) <= SILENCES_TTL_MS + DAY_MS
    shop.happens(60)
    sweep(state)
    assert shop.counted() == {"n.0": 1} | range_of("r", 0, AT_40)


def test_session_that_ends_without_an_outreach_counts_noted_silences(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100):
        shop.happens(minutes)
    sweep(state, max_age_ms=1)
    assert stored(state).state == "expired.too_old"
    assert " " not in texts(state, state.keys.session("s-1"))["tune"]
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_many_noted_silences_are_counted_before_a_claim(state: State) -> None:
    shop = Shop(state)
    minutes = 2500.0
    for length in (0, *GRID_MS[:26]):
        minutes -= length / MINUTE_MS + 0.5
        shop.happens(minutes)
        assert len(texts(state, state.keys.session("s-1")).get("tune", "")) <= 512
    assert shop.counted()["n.0"] == 1
    assert shop.counted()["n.26"] == -1


def test_events_applied_again_count_once(state: State) -> None:
    shop = Shop(state)
    entries = [
        arrived(event(customer=JANE), shop.base_ms - 2 * HOUR_MS),
        arrived(event(), shop.base_ms - HOUR_MS),
        arrived(event("exit"), shop.base_ms - HOUR_MS // 2),
        arrived(event("order_completed", stage=None), shop.base_ms - HOUR_MS // 4),
    ]
    apply(state, *entries)
    once = shop.counted()
    for start in range(len(entries)):
        apply(state, *entries[start:])
    assert shop.counted() == once


def test_short_silence_counts_nothing(state: State) -> None:
    shop = Shop(state)
    shop.happens(10)
    shop.happens(8, event())
    assert shop.counted() == {}


def test_without_the_record_nothing_is_counted(state: State) -> None:
    shop = Shop(state)
    silence_counters.record(state.scripts, state.keys, None)
    shop.happens(120)
    shop.happens(100)
    assert shop.counted() == {}
    assert "tune" not in texts(state, state.keys.session("s-1"))


@pytest.mark.parametrize(
    ("more", "needs_cart"),
    [
        ({"customer": {"full_name": "Jane Doe"}}, False),
        ({"customer": {"phone_number": JANE["phone_number"]}}, False),
        ({"cart": {"items": []}}, False),
        ({}, True),
    ],
)
def test_shopper_out_of_reach_or_without_cart_does_not_count(
    state: State,
    more: Event,
    needs_cart: bool,  # noqa: FBT001 - a case
) -> None:
    shop = Shop(state)
    silence_counters.record(state.scripts, state.keys, replace(HOURLY, needs_cart=[needs_cart for _ in RANKS]))
    shop.happens(120, event() | {"customer": JANE} | more)
    shop.happens(100, event())
    assert shop.counted() == {}


def test_shopper_whose_number_is_cleared_does_not_count(state: State) -> None:
    shop = Shop(state)
    shop.happens(121)
    shop.happens(120, event(customer={"phone_number": None}))
    shop.happens(100, event())
    assert shop.counted() == {}


def test_claim_without_the_cart_it_needs_leaves_later_silences(state: State) -> None:
    shop = Shop(state)
    silence_counters.record(state.scripts, state.keys, replace(HOURLY, needs_cart=[True for _ in RANKS]))
    shop.happens(240)
    sweep(state)
    assert shop.counted() == {}
    shop.happens(180, event(cart={"total_value": 20, "currency": "USD"}))
    shop.happens(160)
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_horizon_that_is_added_later_counts_from_the_next_day(state: State) -> None:
    shop = Shop(state)
    for session, horizons in zip(same_partition("s-1"), ([HOUR_MS], [HOUR_MS, DAY_MS]), strict=True):
        silence_counters.record(state.scripts, state.keys, replace(METHOD, horizons_ms=horizons))
        shop.happens(120, event(session=session, customer=JANE))
        shop.happens(100, event(session=session))
        sweep(state)
    (key,) = state.client.scan_iter("*:tune:*")
    assert texts(state, key.decode())["horizons"] == str(HOUR_MS)


def test_claimed_silence_counts_until_the_return(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    sweep(state)
    assert shop.counted() == {"n.0": 1}
    shop.happens(60)
    assert shop.counted() == range_of("n", 0, AT_60) | range_of("r", 0, AT_60)


def test_claim_leaves_nothing_for_other_stages(state: State) -> None:
    shop = Shop(state)
    shop.happens(240)
    sweep(state)
    cart = event(stage="cart_review")
    shop.happens(180, cart)
    before = shop.counted()
    shop.happens(150, cart)
    assert shop.counted() == before
    sweep(state)
    shop.happens(90, cart)
    shop.happens(0, cart)
    assert shop.counted() == before


def test_silence_claimed_before_counting_began_does_not_count(state: State) -> None:
    shop = Shop(state)
    silence_counters.record(state.scripts, state.keys, None)
    shop.happens(120)
    sweep(state)
    silence_counters.record(state.scripts, state.keys, HOURLY)
    shop.happens(60)
    assert shop.counted() == {}


def test_silence_after_a_declined_payment_does_not_count(state: State) -> None:
    shop = Shop(state)
    shop.happens(120, event("payment_declined", stage="payment", customer=JANE))
    shop.happens(100, event(stage="payment"))
    assert shop.counted() == {}


def test_claim_after_a_declined_payment_leaves_later_silences(state: State) -> None:
    shop = Shop(state)
    shop.happens(240, event("payment_declined", stage="payment", customer=JANE))
    sweep(state)
    assert shop.counted() == {}
    for minutes in (180, 160):
        shop.happens(minutes, event(stage="payment"))
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_silence_after_an_exit_counts(state: State) -> None:
    shop = Shop(state)
    shop.happens(121)
    shop.happens(120, event("exit"))
    shop.happens(100)
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_order_counts_for_the_silences_before_it_once(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100):
        shop.happens(minutes)
    for minutes in (70, 65):
        shop.happens(minutes, event("order_completed", stage=None))
    assert shop.counted() == {name: number for what in "nro" for name, number in range_of(what, 0, AT_30).items()}
    assert "kept" not in texts(state, state.keys.session("s-1"))


def test_order_from_before_a_silence_does_not_count(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100):
        shop.happens(minutes)
    shop.happens(90, event("order_completed", stage=None), occurred_ago=130)
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_eight_silences_are_kept_for_orders(state: State) -> None:
    shop = Shop(state)
    minutes = 600.0
    for length in (0, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 11, 13):
        minutes -= length
        shop.happens(minutes)
    sweep(state)
    kept = texts(state, state.keys.session("s-1"))["kept"].split()
    assert [entry.split(":")[2:4] for entry in (kept[0], kept[-1])] == [["2", "3"], ["9", "10"]]
    assert len(kept) == 8


def test_reading_returns_every_counter(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    shop.happens(100)
    sweep(state)
    (found,) = silence_counters.read(state.scripts, state.keys, RANKS, shop.base_ms // DAY_MS)
    assert (found.rank, found.horizons_ms) == (6, [HOUR_MS])
    assert found.numbers == {"n.0": 1, "n.12": 0, f"r{HOUR_MS}.0": 1, f"r{HOUR_MS}.12": -1}
