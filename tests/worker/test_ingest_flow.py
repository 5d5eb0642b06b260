"""What ingest counts of the events that it reads."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from state.errors import StateError
from state.event_flow import EventFlow, read_event_flow
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import Event, arrived, event, happen
from tests.support.ingest_support import Breaking, ingest_of, publish, publish_raw, rest
from tests.support.outreaches import abandon, sweep
from tests.support.stored_state import now_ms
from worker.ingest.batch import collect
from worker.ingest.flow import INSPECTED_OF_LARGE, count_flow
from worker.runtime import State

NOW_MS = 1_764_550_000_000


def flow(state: State) -> EventFlow:
    return read_event_flow(state.scripts.client, state.keys, now_ms(state))


def counted(*events: Event | bytes, apart_ms: int = 0, at_ms: int = NOW_MS) -> dict[str, int]:
    """The counters of a batch, without those of single types."""
    entries = [arrived(made, at_ms + index * apart_ms) for index, made in enumerate(events)]
    counts = count_flow(collect(entries), entries, None)
    assert counts is not None
    return {name: number for found in counts.minutes.values() for name, number in found.items() if number}


def test_events_count_by_type_and_stage(state: State) -> None:
    publish(state, event(), event(stage="payment"), event("exit"), event("order_completed", stage=None))
    publish(state, event(customer={"full_name": "Jane"}))
    publish_raw(state, b"{")
    ingest_of(state).step()
    found = flow(state)
    expected = {"activity.checkout": 2, "activity.payment": 1, "exit.checkout": 1, "order_completed": 1}
    assert (found.by_type(found.hour), found.hour["rejected"]) == (expected, 1)
    assert found.last_ms is not None
    assert now_ms(state) - found.last_ms < MINUTE_MS


def test_event_that_is_delivered_again_counts_once(state: State) -> None:
    publish(state, event())
    ingest = ingest_of(state, sessions=Breaking(state.sessions, "send", StateError, times=1, after=True, waited=True))
    with pytest.raises(StateError):
        ingest.step()
    rest(state, "one")
    ingest_of(state, consumer="two").step()
    assert flow(state).events <= 1


def test_batch_over_several_minutes_counts_in_each() -> None:
    entries = [arrived(event(), NOW_MS + index * MINUTE_MS) for index in range(3)]
    counts = count_flow(collect(entries), entries, None)
    assert counts is not None
    assert [found["type.activity.checkout"] for found in counts.minutes.values()] == [1, 1, 1]


def test_large_batch_is_inspected_in_part() -> None:
    assert counted(*[event()] * 1000)["inspected"] == INSPECTED_OF_LARGE
    assert counted(*[event()] * 30)["inspected"] == 30


@pytest.mark.parametrize("key", ["300-123-4567", "57.300.123.45.67", "p_300_123_4567"])
def test_grouped_phone_number_as_a_field_isnt_kept(key: str) -> None:
    entries = [arrived(event(customer={key: 1}), NOW_MS)]
    counts = count_flow(collect(entries), entries, None)
    assert counts is not None
    assert list(counts.names) == [""]


def test_unknown_fields_are_named_and_values_are_not() -> None:
    names: Any = {"custmer": {}, "jane@example.com": 1, "573001234567": 1, "x" * 65: 1, "nm 1": 2}
    entries = [arrived(event(customer={"phne": "+573001234567"}, **names), NOW_MS)]
    counts = count_flow(collect(entries), entries, None)
    assert counts is not None
    assert set(counts.names) == {"custmer", "customer.phne", ""}


def test_unknown_fields_of_a_rejected_event_count() -> None:
    found = counted({"sesion_id": "a", "type": "activity"})
    assert (found["rejected"], found["unknown"]) == (1, 1)


@pytest.mark.parametrize(
    ("customer", "no_phone", "no_country"),
    [
        ({"full_name": "Jane"}, 1, 1),
        ({"phone_number": "+573001234567"}, 0, 0),
        ({"phone_number": "300 123 4567", "country_code": "CO"}, 0, 0),
        ({"phone_number": "12", "country_code": "CO"}, 1, 0),
    ],
)
def test_customers_without_phone_or_country_count(customer: Any, no_phone: int, no_country: int) -> None:  # noqa: ANN401
    found = counted(event(customer=customer))
    assert (found["customer"], found.get("no_phone", 0), found.get("no_country", 0)) == (1, no_phone, no_country)


def test_lateness_is_from_occurred_at_to_the_arrival() -> None:
    moment = datetime.fromtimestamp(NOW_MS / 1000, UTC) - timedelta(seconds=90)
    assert counted(event(occurred_at=moment.isoformat()))["late.17"] == 1


def test_mistakes_count_by_code() -> None:
    items = [{"name": "x", "quantity": 2, "price": 100}]
    cart = {"total_value": 2, "currency": "COP", "items": items}
    found = counted(event(cart=cart, occurred_at=NOW_MS // 1000), event(cart=cart))
    assert (found["warning.total_mismatch"], found["warning.epoch_time"]) == (2, 1)


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe{", b"[]", b"null", b'{"a":' * 500, b'{"type":"x"}', b"1" * 70_000])
def test_hostile_entry_is_rejected_and_counted(raw: bytes) -> None:
    assert counted(raw)["rejected"] == 1


def test_partly_applied_events_are_not_rejected() -> None:
    found = counted(event(occurred_at="nonsense"))
    assert (found.get("rejected", 0), found["partial"]) == (0, 1)


def test_sweep_counts_silent_and_unreachable_sessions(state: State) -> None:
    abandon(state, "reachable")
    happen(state, event(session="s-2"), ago_ms=HOUR_MS)
    sweep(state)
    assert (flow(state).hour["silent"], flow(state).hour["unreachable"]) == (2, 1)
