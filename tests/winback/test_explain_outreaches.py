"""What `winback explain` tells of outreaches."""

from typing import Literal

import pytest

from tasks.policy.attempt_reasons import ATTEMPTS
from tasks.policy.reasons import POSTPONED
from tests.support.deciding import dead, unknown
from tests.support.decision_support import Shop
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.explaining import shop, told
from tests.support.outreaches import abandon, sending, take_again, taken
from tests.support.passing_time import expire_session

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def test_history_of_an_outreach_is_shown_line_by_line(shop: Shop) -> None:
    held = sending(shop.state)
    settle = shop.state.outbox.settle
    settle(held, "retry", reason="http_503", delay_ms=HOUR_MS, line="attempt 1 in 1200 ms")
    (story,) = told(shop)["outreaches"]
    assert (story["state"], story["lane"], story["threshold"]) == ("waiting", "checkout.web.idle", "15m")
    assert story["next"].startswith("due at ")
    assert told(shop)["session"]["next"] == story["next"]
    again = take_again(shop.state, held.outreach)
    assert told(shop)["outreaches"][0]["next"].startswith("in flight at a worker")
    shop.state.outbox.postpone(again, delay_ms=1, why="person_held")
    again = take_again(shop.state, held.outreach)
    assert shop.state.outbox.fence(again, body="{}", key="k").verdict == "sending"
    assert "its request is in flight" in told(shop)["outreaches"][0]["next"]
    settle(again, "sent", line="attempt 2 in 412 ms (left out: customer.country_code (taken from the number)) http_200")
    (story,) = told(shop)["outreaches"]
    texts = [line["text"] for line in story["history"]]
    assert texts[0].startswith("claimed: silent since 20")
    assert texts[1:] == [
        "attempt 1 http_503, 1,200 ms",
        "to be retried: http_503",
        "postponed: person_held",
        "attempt 2 http_200, 412 ms (left out: customer.country_code (taken from the number))",
        "ended sent",
    ]
    assert (story["history"][-2]["status"], story["history"][-2]["ms"]) == ("http_200", 412)
    assert story["next"] == "nothing: it has ended"


@pytest.mark.parametrize(
    ("word", "why", "meaning"),
    [
        ("retry", "connect_error", ATTEMPTS["connect_error"]),
        ("retry", "http_503.OVERLOADED", ATTEMPTS["http_503"]),
        ("not_sent", "person_held", POSTPONED["person_held"]),
    ],
)
def test_failed_attempt_is_shown_with_its_meaning(
    shop: Shop, word: Literal["retry", "not_sent"], why: str, meaning: str
) -> None:
    held = sending(shop.state)
    shop.state.outbox.settle(held, word, reason=why, delay_ms=HOUR_MS, line="attempt 1 in 3 ms")
    (story,) = told(shop)["outreaches"]
    attempt = next(line for line in story["history"] if "attempt" in line)
    assert (attempt["text"], attempt["meaning"]) == (f"attempt 1 {why}, 3 ms", meaning)
    assert " ".join(shop.run("explain", "s-1").split()).count(meaning) == 1


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("law_CO until Monday 07:00", "postponed: law_CO, opens Monday 07:00"),
        (
            "law_US-FL until Monday 08:00 (America/New_York)",
            "postponed: law_US-FL, opens Monday 08:00 (America/New_York)",
        ),
        ("quiet_hours until Monday 08:00", "postponed: quiet_hours, opens Monday 08:00"),
        ("quiet_hours", "postponed: quiet_hours"),
    ],
)
def test_postponement_is_shown_with_its_opening(shop: Shop, why: str, said: str) -> None:
    held = taken(shop.state)
    shop.state.outbox.postpone(held, delay_ms=HOUR_MS, why=why)
    (story,) = told(shop)["outreaches"]
    assert story["history"][-1]["text"] == said


def test_every_earlier_outreach_is_shown_and_finds_its_session(shop: Shop) -> None:
    first = taken(shop.state)
    shop.state.outbox.end_unsent(first, "suppressed", "no_cart")
    second = abandon(shop.state, ago_ms=HOUR_MS - MINUTE_MS)
    found = [(story["outreach"], story["reason"]) for story in told(shop)["outreaches"]]
    assert found == [(first.outreach, "no_cart"), (second, None)]
    assert told(shop, first.outreach) == told(shop)
    expire_session(shop.state)
    story = told(shop)
    assert story["session"] is None
    assert [one["outreach"] for one in story["outreaches"]] == [first.outreach, second]
    assert [one["outreach"] for one in told(shop, second)["outreaches"]] == [first.outreach, second]


def test_outreach_missing_from_its_session_is_shown(shop: Shop) -> None:
    made = [abandon(shop.state, ago_ms=HOUR_MS - number * SECOND_MS) for number in range(9)]
    assert [story["outreach"] for story in told(shop, made[0])["outreaches"]] == made
    assert [story["outreach"] for story in told(shop)["outreaches"]] == made[1:]


def test_decision_is_shown_with_its_command(shop: Shop) -> None:
    refused, nobody_knows = dead(shop.state), unknown(shop.state, "s-2")
    assert f"winback dead retry {refused.outreach}" in shop.run("explain", "s-1")
    assert f"winback unknown resolve --as sent {nobody_knows.outreach}" in shop.run("explain", "s-2")
    shop.run("dead", "drop", refused.outreach, "--yes")
    assert told(shop)["outreaches"][0]["next"] == "nothing: it has ended"
