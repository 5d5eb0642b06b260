"""What the scripts count of silences in which shoppers are contacted or held out."""

import pytest

from state import silence_counters
from state.keys import SILENCES_TTL_MS
from tests.support.counted_shop import AT_30, AT_60, HOURLY, Shop, range_of
from tests.support.durations import DAY_MS, MINUTE_MS
from tests.support.events import event
from tests.support.outreaches import dispatch, fence, sending, sweep, take
from tests.support.stored_state import stored, texts, ttl_ms
from worker.runtime import State


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
    sweep(state)
    state.client.hset(state.keys.session("s-1"), "tune", "00000o1")
    shop.happens(100)
    assert shop.counted() == {"n.0": 1}


def test_return_within_two_minutes_ends_a_claimed_silence(state: State) -> None:
    shop = Shop(state)
    shop.happens(1.5)
    sweep(state, silent_for_ms=MINUTE_MS)
    assert shop.counted() == {"n.0": 1}
    shop.happens(0.1, event())
    assert shop.counted() == {}


@pytest.mark.parametrize("result", ["sent", "holdout"])
def test_contact_alone_on_its_day_expires(state: State, result: str) -> None:
    """No threshold is longer than the first silence, so only the contact counts on the second day."""
    shop = Shop(state)
    shop.happens(3000)
    sweep(state, max_age_ms=10 * DAY_MS)
    shop.happens(20, event())
    sweep(state)
    contact(state, result)
    ttls = [ttl_ms(state, key.decode()) or 0 for key in state.client.scan_iter("*:tune:*")]
    assert len(ttls) == 2
    assert all(SILENCES_TTL_MS - 3 * DAY_MS < ttl <= SILENCES_TTL_MS + DAY_MS for ttl in ttls)
