"""What the scripts count of silences, and of contacts in them."""

from collections import Counter
from dataclasses import replace

import pytest

from state import silence_counters
from state.keys import SILENCES_TTL_MS
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, apply, arrived, event
from tests.support.outreaches import dispatch, fence, sending, sweep, take
from tests.support.partitions import same_partition
from tests.support.silence_replay import METHOD, RANKS
from tests.support.stored_state import now_ms, stored, texts, ttl_ms
from worker.runtime import State

HOURLY = replace(METHOD, horizons_ms=[HOUR_MS])
AT_20, AT_30, AT_60 = 12, 14, 19
"""Numbers of thresholds shorter than these minutes."""


class Shop:
    """One session, counted by the hour; minutes are before now, or after it if negative."""

    def __init__(self, state: State) -> None:
        self.state, self.base_ms = state, now_ms(state)
        silence_counters.record(state.scripts, state.keys, HOURLY)

    def happens(self, minutes_ago: float, made: Event | None = None, *, occurred_ago: float | None = None) -> None:
        more = {} if occurred_ago is None else {"occurred_at": (self.base_ms - occurred_ago * MINUTE_MS) / 1000}
        at_ms = round(self.base_ms - minutes_ago * MINUTE_MS)
        apply(self.state, arrived((made or event(customer=JANE)) | more, at_ms))

    def counted(self) -> dict[str, int]:
        """Return the counters that aren't zero; letters are those of the horizon."""
        total: Counter[str] = Counter()
        for key in self.state.client.scan_iter("*:tune:*"):
            for name, number in texts(self.state, key.decode()).items():
                if name != "horizons":
                    total[name.replace(str(HOUR_MS), "")] += int(number)
        return {name: number for name, number in total.items() if number}


def range_of(what: str, low: int, high: int) -> dict[str, int]:
    return {f"{what}.{low}": 1, f"{what}.{high}": -1}


def contact(state: State, result: str = "sent") -> None:
    (outreach,) = dispatch(state)
    held = take(state, outreach)
    if result == "holdout":
        state.outbox.end_unsent(held, "suppressed", "holdout")
        return
    assert fence(state, held) == "sending"
    assert state.outbox.settle(held, "unknown" if result == "unknown" else "sent")
    if result == "unknown":
        state.outbox.settle(held, "sent")


def test_return_counts_for_the_thresholds_it_outlasted(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    shop.happens(100, event())
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)
    (key,) = state.client.scan_iter("*:tune:*")
    assert DAY_MS < SILENCES_TTL_MS - DAY_MS < (ttl_ms(state, key.decode()) or 0) <= SILENCES_TTL_MS + DAY_MS


def test_second_silence_counts_from_where_the_first_ended(state: State) -> None:
    shop = Shop(state)
    for minutes in (120, 100, 70, 60):
        shop.happens(minutes, event(customer=JANE) if minutes == 120 else event())
    assert shop.counted() == range_of("n", 0, AT_30) | range_of("r", 0, AT_30)


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
    [({"customer": {"full_name": "Jane Doe"}}, False), ({"customer": JANE, "cart": {"items": []}}, False), ({}, True)],
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


def test_horizon_that_is_added_later_counts_from_the_next_day(state: State) -> None:
    shop = Shop(state)
    for session, horizons in zip(same_partition("s-1"), ([HOUR_MS], [HOUR_MS, DAY_MS]), strict=True):
        silence_counters.record(state.scripts, state.keys, replace(METHOD, horizons_ms=horizons))
        shop.happens(120, event(session=session, customer=JANE))
        shop.happens(100, event(session=session))
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
    kept = texts(state, state.keys.session("s-1"))["kept"].split()
    assert [entry.split(":")[2:4] for entry in (kept[0], kept[-1])] == [["2", "3"], ["9", "10"]]
    assert len(kept) == 8


@pytest.mark.parametrize("result", ["sent", "unknown"])
def test_contact_counts_separately_and_ends_counting(state: State, result: str) -> None:
    shop = Shop(state)
    shop.happens(20)
    sweep(state)
    contact(state, result)
    assert shop.counted() == {"n.0": 1, "s.0": 1, "contacted": 1}
    after = range_of("n", 0, AT_30) | range_of("s", 0, AT_30) | {"contacted": 1}
    for minutes in (-10, -70):
        shop.happens(minutes, event())
        assert shop.counted() == after


def test_holdout_counts_separately_with_its_returns_and_orders(state: State) -> None:
    shop = Shop(state)
    shop.happens(20)
    sweep(state)
    contact(state, "holdout")
    assert shop.counted() == {"n.0": 1, "h.0": 1, "held": 1}
    shop.happens(-10, event("order_completed", stage=None))
    expected = {name: number for what in "nhgp" for name, number in range_of(what, 0, AT_30).items()}
    assert shop.counted() == expected | {"held": 1}


@pytest.mark.parametrize(("result", "is_kept"), [("sent", False), ("holdout", True)])
def test_contact_drops_silences_kept_for_orders(
    state: State,
    result: str,
    is_kept: bool,  # noqa: FBT001 - a case
) -> None:
    shop = Shop(state)
    for minutes in (60, 20):
        shop.happens(minutes)
    sweep(state)
    contact(state, result)
    assert ("kept" in texts(state, state.keys.session("s-1"))) == is_kept


def test_horizon_that_was_over_before_the_contact_is_known(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    sweep(state)
    contact(state)
    # With a threshold of at most 60 minutes, the hour was over.
    assert shop.counted() == {"n.0": 1, f"s.{AT_60 + 1}": 1, "contacted": 1}


def test_return_during_a_request_takes_the_silence_out(state: State) -> None:
    shop = Shop(state)
    held = sending(state)
    assert shop.counted() == {"n.0": 1}
    shop.happens(0)
    assert shop.counted() == {}
    state.outbox.settle(held, "sent")
    assert shop.counted() == {}


def test_contact_without_a_counted_silence_ends_counting(state: State) -> None:
    shop = Shop(state)
    silence_counters.record(state.scripts, state.keys, None)
    shop.happens(60)
    sweep(state)
    silence_counters.record(state.scripts, state.keys, HOURLY)
    contact(state)
    shop.happens(20)
    sweep(state)
    assert stored(state).state == "abandoned"
    assert shop.counted() == {}


def test_record_of_another_silence_is_ignored(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    state.client.hset(state.keys.session("s-1"), "tune", "00000o1")
    shop.happens(100)
    assert shop.counted() == range_of("n", 0, AT_20) | range_of("r", 0, AT_20)


def test_reading_returns_every_counter(state: State) -> None:
    shop = Shop(state)
    shop.happens(120)
    shop.happens(100)
    (found,) = silence_counters.read(state.scripts, state.keys, RANKS, shop.base_ms // DAY_MS)
    assert (found.rank, found.horizons_ms) == (6, [HOUR_MS])
    assert found.numbers == {"n.0": 1, "n.12": -1, f"r{HOUR_MS}.0": 1, f"r{HOUR_MS}.12": -1}
