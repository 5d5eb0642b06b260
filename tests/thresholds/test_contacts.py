"""The contacts and returns of small recordings whose answers are known."""

from math import isnan

import pytest

from tests.support.silent_shoppers import at, clock, counted, numbers, ordered, points, seen
from thresholds.closed_hours import ClosedHours
from thresholds.curve import first_within
from thresholds.silences import Claim

ENDS = (3, 8, 12, 20, 40, 120, None, None, None, None)


def test_orders_end_silences_and_leave_fewer_contacts() -> None:
    events = [seen(f"s{n}", 0) for n in range(10)] + [ordered(f"s{n}", end) for n, end in enumerate(ENDS) if end]
    found = points(counted(*events, clock()))
    assert numbers(found, 2, 10, 15, 30, 40, 50) == [(10, 5), (8, 3), (7, 2), (6, 1), (5, 0), (5, 0)]
    assert numbers(found, 60, 105, 120, 360) == [(5, 1), (5, 1), (4, 0), (4, 0)]
    assert found[40].share == pytest.approx(4 / 35) == found[105].share
    assert first_within(list(found.values()), 0.15, lambda point: point.share) == 40 * 60_000
    assert first_within(list(found.values()), 0.10, lambda point: point.share) == 120 * 60_000


def test_returns_without_order_leave_every_contact() -> None:
    events = [seen(f"s{n}", 0) for n in range(10)] + [seen(f"s{n}", end) for n, end in enumerate(ENDS) if end]
    found = points(counted(*events, clock()))
    expected = [(10, 5), (10, 3), (10, 2), (10, 1), (10, 0), (10, 1), (10, 0)]
    assert numbers(found, 2, 10, 15, 30, 45, 60, 120) == expected
    assert found[40].share == pytest.approx(4 / 70) == found[105].share


def test_session_counts_one_contact_at_each_threshold() -> None:
    found = points(counted(seen("s", 0), seen("s", 6), seen("s", 26), clock()))
    assert numbers(found, 5, 10, 30) == [(1, 1), (1, 1), (1, 0)]


@pytest.mark.parametrize(("wait", "contacts_at_50"), [(5, 0), (30, 1)])
def test_other_stage_that_used_the_contact_up_leaves_none(wait: float, contacts_at_50: int) -> None:
    events = (seen("s", 0), seen("s", 50, "cart_review"), seen("s", 60), clock())
    found = points(counted(*events, waits={"cart_review": wait}))
    assert numbers(found, 45, 50) == [(1, 1), (contacts_at_50, 0)]


def test_contact_near_the_end_of_the_recording_is_not_followed() -> None:
    begins = [seen(f"s{n}", 0) for n in range(5)] + [seen("s5", 40), seen("s6", 55)]
    found = points(counted(*begins, ordered("s0", 12), ordered("s1", 35), ordered("s6", 70), clock(100), horizon=30))
    assert numbers(found, 10, 15, 30, 60) == [(7, 3), (5, 1), (5, 1), (3, 0)]


def test_contact_whose_horizon_ends_with_the_recording_is_followed() -> None:
    assert numbers(points(counted(seen("s", 0), clock(40), horizon=30)), 10, 12) == [(1, 0), (0, 0)]


def test_event_of_the_person_in_another_session_ends_a_silence() -> None:
    found = points(counted(seen("s1", 0, person=7), seen("s2", 25, "payment", person=7), clock()))
    assert numbers(found, 20, 25) == [(1, 1), (0, 0)]


@pytest.mark.parametrize(("horizon", "expected"), [(30, [(1, 0), (1, 1), (1, 1)]), (60, [(1, 1), (1, 1), (1, 1)])])
def test_order_counts_from_the_first_contact(horizon: float, expected: list[tuple[int, int]]) -> None:
    counts = counted(seen("s", 0), seen("s", 30), ordered("s", 45), clock(), horizon=horizon)
    assert numbers(points(counts, "order"), 10, 15, 20) == expected


def test_contact_in_quiet_hours_waits_for_their_end() -> None:
    # 21:00 is minute 540, and 08:00 of the next day is minute 1,200.
    closed = ClosedHours([(at(540), at(1200))])
    events = [seen("q1", 530), seen("q1", 570), seen("q2", 530), ordered("q2", 1230), seen("q3", 510)]
    found = points(counted(*events, ordered("q3", 535), clock(), closed=closed))
    assert numbers(found, 5, 10, 30) == [(3, 2), (3, 2), (2, 1)]


def live(*, held_out: bool, horizon: float) -> dict[int, tuple[int, float]]:
    events, claims = [clock()], {}
    for number in range(60):
        name = f"s{number}"
        events.append(seen(name, 0))
        if number >= 20:
            claims[name] = Claim(at(15), held_out=held_out and number >= 50)
    events += [ordered(f"s{number}", 12) for number in range(20)]
    events += [ordered(f"s{number}", 16) for number in range(20, 29)]
    events += [ordered(f"s{number}", 25) for number in (50, 51)]
    found = points(counted(*events, horizon=horizon, claims=claims), held_share=0.25 if held_out else 0.0)
    return {minute: (point.followed, point.share_raw) for minute, point in found.items()}


def test_people_held_out_stand_for_those_contacted() -> None:
    found = live(held_out=True, horizon=60)
    assert [found[minute][1] for minute in (5, 10, 15, 20, 30)] == pytest.approx([28 / 60, 28 / 60, 0.2, 0.2, 0])
    assert [live(held_out=True, horizon=5)[minute][1] for minute in (8, 10)] == pytest.approx([20 / 60, 20 / 60])


def test_shares_after_contacts_without_holdout_are_unknown() -> None:
    found = live(held_out=False, horizon=5)
    assert [found[minute][0] for minute in (8, 10)] == [60, 60]
    assert [found[minute][1] for minute in (8, 10)] == pytest.approx([1 / 3, 1 / 3])
    assert all(isnan(found[minute][1]) for minute in (15, 20, 30))
