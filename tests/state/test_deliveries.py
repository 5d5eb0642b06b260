"""Collectors record the last requests of each source."""

import pytest

from state.deliveries import DELIVERIES_TTL_MS, PAUSE_MS, Deliveries, DeliveryNote
from tests.support.stored_state import now_ms
from worker.runtime import State


def deliveries(state: State) -> Deliveries:
    return Deliveries(state.scripts, state.keys)


def test_accepted_request_has_its_time_and_result(state: State) -> None:
    before_ms = now_ms(state)
    deliveries(state).note([DeliveryNote("yuno", "1 order_completed"), DeliveryNote("ga4", "2 activity")])
    ga4, yuno = deliveries(state).read()
    assert (ga4.source, ga4.became) == ("ga4", "2 activity")
    assert (yuno.source, yuno.became, yuno.refused_ms) == ("yuno", "1 order_completed", None)
    assert yuno.accepted_ms is not None
    assert before_ms <= yuno.accepted_ms <= now_ms(state)


def test_refusals_are_counted_since_the_first(state: State) -> None:
    deliveries(state).note([DeliveryNote("shopify/shop-a", "", 2, "no_signature")])
    (first,) = deliveries(state).read()
    deliveries(state).note([DeliveryNote("shopify/shop-a", "1 activity", 3, "wrong_signature")])
    (found,) = deliveries(state).read()
    assert (found.refusals, found.cause) == (5, "wrong_signature")
    assert found.refused_since_ms == first.refused_ms
    assert found.accepted_ms == found.refused_ms


def test_refusals_after_a_pause_count_from_one(state: State) -> None:
    past = now_ms(state) - PAUSE_MS - 1000
    state.scripts.client.hset(state.keys.deliveries, "yuno refused", f"{past} {past} 7 no_signature")
    deliveries(state).note([DeliveryNote("yuno", "", 1, "wrong_signature")])
    (found,) = deliveries(state).read()
    assert (found.refusals, found.refused_since_ms) == (1, found.refused_ms)


def test_source_is_forgotten_after_thirty_days(state: State) -> None:
    past = now_ms(state) - DELIVERIES_TTL_MS - 1000
    state.scripts.client.hset(state.keys.deliveries, "old accepted", f"{past} 1 activity")
    deliveries(state).note([DeliveryNote("yuno", "1 activity")])
    assert [one.source for one in deliveries(state).read()] == ["yuno"]


def test_deliveries_have_a_time_to_live(state: State) -> None:
    deliveries(state).note([DeliveryNote("yuno", "1 activity")])
    assert 0 < state.scripts.client.pttl(state.keys.deliveries) <= DELIVERIES_TTL_MS


@pytest.mark.parametrize("notes", [[], [DeliveryNote("yuno", "")]])
def test_note_without_a_request_changes_nothing(state: State, notes: list[DeliveryNote]) -> None:
    deliveries(state).note(notes)
    assert deliveries(state).read() == ()
