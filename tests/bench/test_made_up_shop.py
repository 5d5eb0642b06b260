"""Synthetic fields for a published clickstream, and the shift of its times."""

from collections import Counter
from itertools import pairwise
from typing import Literal

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st

from bench.made_up_shop import (
    COUNTRIES,
    Click,
    customer,
    events,
    is_anonymous,
    overlaid,
    platform,
    with_gaps_capped,
)
from detectors.activity import MAX_CART_ITEMS

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_430_654_400_000


def click(
    session: str, ms: int, action: Literal["view", "add", "order"] = "view", item: str = "1", visitor: int = 1
) -> Click:
    return Click(session, visitor, ms, action, (item,), order=str(ms))


def gaps_by_session(clicks: list[Click]) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {}
    for one in clicks:
        times.setdefault(one.session, []).append(one.ms)
    return {session: [b - a for a, b in pairwise(at)] for session, at in times.items()}


def test_what_was_not_ordered_stays_in_the_cart() -> None:
    clicks = [click("s", 1, "add", "a"), click("s", 2, "add", "b"), click("s", 3, "order", "a")]

    (*_, order) = events(clicks, anonymous=0)

    assert [item["sku"] for item in order["cart"]["items"]] == ["b"]  # type: ignore[index]


def test_a_cart_never_has_more_items_than_an_event_may_carry() -> None:
    clicks = [click("s", number, "add", str(number)) for number in range(MAX_CART_ITEMS + 5)]

    (*_, last) = events(clicks, anonymous=0)

    skus = [item["sku"] for item in last["cart"]["items"]]  # type: ignore[index]
    assert skus == [str(number) for number in range(5, MAX_CART_ITEMS + 5)]


def test_the_share_of_anonymous_visitors_is_the_one_asked_for() -> None:
    found = sum(is_anonymous(visitor, 0.6) for visitor in range(10_000))

    assert 5800 < found < 6200


def test_visitors_are_spread_over_all_platforms() -> None:
    assert all(count > 900 for count in Counter(platform(visitor) for visitor in range(3000)).values())


@given(st.integers(0, 499_999_999))
def test_every_visitor_has_a_valid_number_of_their_own_country(visitor: int) -> None:
    made_up = customer(visitor)

    number = phonenumbers.parse(str(made_up["phone_number"]))
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.region_code_for_number(number) == made_up["country_code"]
    assert customer(visitor) == made_up


def test_no_two_visitors_share_a_number() -> None:
    numbers = {customer(visitor)["phone_number"] for visitor in range(20_000)}

    assert len(numbers) == 20_000
    assert {customer(visitor)["country_code"] for visitor in range(5)} == {country.code for country in COUNTRIES}


clickstreams = st.lists(
    st.builds(click, st.sampled_from(["a", "b", "c"]), st.integers(NOON, NOON + 72 * HOUR)), min_size=1, max_size=30
).map(lambda clicks: sorted(clicks, key=lambda click: click.ms))


@given(clickstreams)
def test_overlaid_sessions_keep_gaps_and_start_in_the_window(clicks: list[Click]) -> None:
    moved = overlaid(clicks, 6 * HOUR)

    assert gaps_by_session(moved) == gaps_by_session(clicks)
    starts = {one.session: one.ms for one in reversed(moved)}
    assert all(clicks[0].ms <= start < clicks[0].ms + 6 * HOUR for start in starts.values())
    assert moved == sorted(moved, key=lambda click: click.ms)


@given(clickstreams, st.integers(1, 90))
def test_capped_gaps_stay_on_their_side_of_thresholds(clicks: list[Click], threshold_minutes: int) -> None:
    capped = with_gaps_capped(clicks, 90 * MINUTE)

    assert all(b.ms - a.ms <= 90 * MINUTE for a, b in pairwise(capped))
    before, after = gaps_by_session(clicks), gaps_by_session(capped)
    for session, gaps in before.items():
        for gap, kept in zip(gaps, after[session], strict=True):
            assert (gap >= threshold_minutes * MINUTE) == (kept >= threshold_minutes * MINUTE)
            assert kept == gap or gap > 90 * MINUTE
