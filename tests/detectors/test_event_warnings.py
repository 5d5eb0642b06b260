"""Mistakes that leave an event readable."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detectors.event_warnings import EventWarning, warnings
from detectors.parsing import parse

NOW = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)


def warned(**parts: Any) -> list[EventWarning]:  # noqa: ANN401 - of an event
    document = {"session_id": "s-1", "type": "exit", **parts}
    event = parse(json.dumps(document).encode()).event
    assert event is not None
    return [*warnings(event, document, int(NOW.timestamp() * 1000))]


def codes(**parts: Any) -> list[str]:  # noqa: ANN401 - as above
    return [warning.code for warning in warned(**parts)]


def cart(total: float | None, *rows: tuple[int | None, float | None]) -> Any:  # noqa: ANN401 - as above
    items = [{"name": "Hat", "quantity": quantity, "price": price} for quantity, price in rows]
    return {"total_value": total, "currency": "COP", "items": items}


@pytest.mark.parametrize(
    ("total", "rows", "is_wrong"),
    [
        (100, [(2, 100)], True),
        (10_000, [(1, 100)], True),
        (120, [(1, 100)], False),
        (70, [(1, 100)], False),
        (59, [(1, 100)], True),
        (151, [(1, 100)], True),
        (5, [(1, 100), (1, None)], False),
        (5, [(None, 100)], False),
        (80, [(1, 100), (1, -20)], False),
        (5, [(1, -20)], False),
        (None, [(1, 100)], False),
        (5, [], False),
    ],
)
def test_total_far_from_the_items_is_a_mistake(total: float, rows: Any, is_wrong: bool) -> None:  # noqa: ANN401, FBT001
    assert codes(cart=cart(total, *rows)) == (["total_mismatch"] if is_wrong else [])


def test_huge_numbers_of_a_cart_are_compared() -> None:
    assert codes(cart=cart(1e12, (1_000_000, 1e12))) == ["total_mismatch"]


@pytest.mark.parametrize("value", [1795689000, 1795689000.5, 1795689000000, "1795689000"])
def test_epoch_number_is_a_mistake(value: object) -> None:
    assert codes(occurred_at=value) == ["epoch_time"]
    assert codes(OccurredAt=value) == ["epoch_time"]


@pytest.mark.parametrize(
    ("apart", "code"),
    [
        (timedelta(0), []),
        (timedelta(seconds=5), []),
        (timedelta(seconds=6), ["clock_ahead"]),
        (timedelta(hours=5), ["clock_hours_off"]),
        (timedelta(hours=-5, minutes=-1), ["clock_hours_off"]),
        (timedelta(hours=5, minutes=30), ["clock_hours_off"]),
        (timedelta(hours=-5, minutes=-15), []),
        (timedelta(hours=14), ["clock_hours_off"]),
        (timedelta(hours=15), ["clock_ahead"]),
        (timedelta(days=-3), []),
        (timedelta(minutes=-10), []),
    ],
)
def test_clock_that_is_hours_off_is_a_mistake(apart: timedelta, code: list[str]) -> None:
    assert codes(occurred_at=(NOW + apart).isoformat()) == code


def test_moment_without_a_time_zone_is_a_mistake() -> None:
    assert codes(occurred_at="2026-11-26T05:30:00") == ["no_time_zone", "clock_hours_off"]


def test_no_message_repeats_a_value() -> None:
    found = warned(occurred_at=1795689000, cart=cart(123_457, (7, 100.25)))
    assert not [one for one in found for value in ("1795689000", "123", "100.25") if value in one.message + one.effect]
