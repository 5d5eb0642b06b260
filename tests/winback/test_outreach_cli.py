"""`winback outreach`, `dead` and `unknown`: what they list, ask, do and refuse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.decisions import STATES
from tests.support.deciding import dead, unknown
from tests.support.decision_support import Shop, shop_on
from tests.support.outreaches import abandon, sending
from tests.support.stored_state import counters, now_ms, places_of, record, stored
from winback.cli.outreach import OutreachState as ListedState
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def test_empty_list_is_reported(shop: Shop) -> None:
    assert shop.run("dead", "list") == "no outreach is dead\n"
    assert shop.run("unknown", "list") == "no outreach is unknown\n"
    assert shop.run("outreach", "list") == "no outreach matches\n"
    assert shop.json("outreach", "list") == []


def test_every_state_can_be_asked_for() -> None:
    assert tuple(ListedState) == STATES


def test_list_shows_state_lane_session_and_reason(shop: Shop) -> None:
    held = dead(shop.state)
    heads, row = [line.split() for line in shop.run("dead", "list").splitlines()]
    assert heads == ["outreach", "state", "claimed", "lane", "attempts", "session", "reason"]
    assert (row[0], row[1], *row[3:]) == (held.outreach, "dead", "checkout.web.idle", "1", "s-1", "http_400")
    (found,) = shop.json("dead", "list")
    assert (found["outreach"], found["due_ms"], found["ended_ms"] > 0) == (held.outreach, None, True)


def test_filters_leave_what_they_name(shop: Shop) -> None:
    dead(shop.state, "s-1", reason="http_404")
    dead(shop.state, "s-2", reason="http_400.BAD")
    waiting = abandon(shop.state, "s-3", stage="payment")
    assert [found["session"] for found in shop.json("dead", "list", "--reason", "http_404")] == ["s-1"]
    assert len(shop.json("dead", "list", "--reason", "http_4")) == 2
    assert len(shop.json("dead", "list", "--limit", "1")) == 1
    assert shop.json("dead", "list", "--older-than", "1h") == []
    assert [found["outreach"] for found in shop.json("outreach", "list", "--stage", "payment")] == [waiting]
    assert [found["session"] for found in shop.json("outreach", "list", "--state", "dead", "--state", "waiting")] == [
        "s-1",
        "s-2",
        "s-3",
    ]
    assert shop.run("dead", "list", "--older-than", "soon", code=2).startswith("--older-than: 'soon' is not a duration")


def test_a_dead_one_is_retried_after_a_question(shop: Shop) -> None:
    held = dead(shop.state)
    assert "Retry 1 outreach?" in shop.run("dead", "retry", held.outreach, typed="n\n", code=1)
    assert places_of(shop.state, held.outreach) == {"dead"}
    assert shop.run("dead", "retry", held.outreach, typed="y\n").endswith("1 outreach: due again\n")
    assert places_of(shop.state, held.outreach) == {"due"}


@pytest.mark.parametrize(
    "command",
    [
        ("dead", "retry"),
        ("dead", "drop"),
        ("unknown", "resolve", "--as", "sent"),
        ("unknown", "resolve", "--as", "retry"),
    ],
)
def test_impossible_decision_is_reported_without_a_question(shop: Shop, command: tuple[str, ...]) -> None:
    waiting = abandon(shop.state)
    shown = shop.run(*command, waiting, typed="", code=1)
    assert shown == f"{waiting}: not changed: its state is waiting\n"
    assert shop.run("outreach", "expire", sending(shop.state, "s-2").outreach, typed="", code=1).endswith(
        "not changed: its state is sending\n"
    )


def test_question_covers_only_outreaches_that_can_change(shop: Shop) -> None:
    refused, waiting = dead(shop.state), abandon(shop.state, "s-2")
    chosen = ("dead", "retry", refused.outreach, waiting)
    shown = shop.run(*chosen, typed="n\n", code=1)
    assert "1 outreach not: not changed: its state is waiting" in shown
    assert "Retry 1 outreach?" in shown
    assert waiting not in shown
    shown = shop.run(*chosen, typed="y\n", code=1)
    assert shown.endswith(f"1 outreach: due again\n{waiting}: not changed: its state is waiting\n")
    assert places_of(shop.state, refused.outreach) == {"due"}


def test_all_are_retried_and_refused_ones_named_with_a_reason(shop: Shop) -> None:
    for number in range(12):
        dead(shop.state, f"s-{number}")
    old = dead(shop.state, "s-old")
    shop.state.client.hset(shop.state.keys.outreach(old.outreach), "expires_at", now_ms(shop.state) - 1)
    shown = shop.run("dead", "retry", "--all", typed="n\n", code=1)
    assert "and 2 more" in shown
    assert "1 outreach not: not changed: too old for a contact" in shown
    done = shop.run("dead", "retry", "--all", "--yes", code=1).splitlines()
    assert done == [
        "12 outreaches: due again",
        f"{old.outreach}: not changed: too old for a contact (detection.max_abandonment_age)",
    ]
    assert counters(shop.state) == {"dead.http_400": 1}


def test_what_is_dropped_is_not_listed_any_more(shop: Shop) -> None:
    held = dead(shop.state)
    assert shop.run("dead", "drop", held.outreach, "--yes") == "1 outreach: done\n"
    assert shop.run("dead", "list") == "no outreach is dead\n"
    assert shop.json("outreach", "list", "--state", "sent") == []
    refused = shop.json("dead", "retry", held.outreach, "--yes", code=1)
    assert [(one["word"], one["done"]) for one in refused] == [("dropped", False)]


def test_what_is_unknown_is_resolved(shop: Shop) -> None:
    arrived, lost, fresh = unknown(shop.state, "a"), unknown(shop.state, "b"), unknown(shop.state, "c", for_ms=0)
    shop.run("unknown", "resolve", arrived.outreach, "--as", "sent", "--yes")
    assert "from 20" in shop.run("unknown", "resolve", fresh.outreach, "--as", "retry", "--yes", code=1)
    done = shop.json("unknown", "resolve", "--all", "--older-than", "10m", "--as", "retry", "--yes")
    assert [(one["outreach"], one["text"]) for one in done] == [(lost.outreach, "due again")]
    assert counters(shop.state) == {"sent.by_operator": 1, "unknown.read_timeout": 1}


def test_expire_ends_waiting_outreaches_and_none_that_is_sending(shop: Shop) -> None:
    waiting, under_way = abandon(shop.state), sending(shop.state, "s-2")
    assert shop.run("outreach", "expire", "--waiting", "--yes") == "1 outreach: ended expired\n"
    assert record(shop.state, waiting)["state"] == "expired"
    assert record(shop.state, under_way.outreach)["state"] == "sending"
    left = shop.run("outreach", "expire", under_way.outreach, "--yes", code=1)
    assert left == f"{under_way.outreach}: not changed: its state is sending\n"
    assert shop.run("outreach", "expire", "--waiting", "--yes") == "no outreach is waiting\n"


def test_show_prints_the_history_and_what_is_next(shop: Shop) -> None:
    held = sending(shop.state)
    shop.state.outbox.settle(held, "dead", reason="http_400.BAD", line="attempt 1 in 412 ms http_400.BAD Jane Doe is 9")
    shown = shop.run("outreach", "show", held.outreach)
    assert "attempt 1 http_400.BAD, 412 ms: **** **** is 9" in shown
    assert "Jane" not in shown
    assert f"winback dead retry {held.outreach}" in shown
    assert "Jane Doe is 9" in shop.run("dead", "show", held.outreach, "--reveal")
    found = shop.json("outreach", "show", held.outreach)
    assert [line.get("ms") for line in found["history"]] == [None, 412, None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dead", "retry"), "name outreaches by the ids that `list` shows, or add --all"),
        (
            ("dead", "retry", "07-0123456789abcdef", "--all"),
            "name outreaches by the ids that `list` shows, or add --all",
        ),
        (("outreach", "expire"), "or add --waiting"),
        (("dead", "drop", "07-0123456789abcdef"), "07-0123456789abcdef: no such outreach; its record is kept for 30"),
        (("outreach", "show", "sess_1"), "'sess_1' is not an outreach id"),
    ],
)
def test_a_mistake_is_one_line(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    shown = shop.run(*arguments, code=2)
    assert said in shown
    assert len(shown.splitlines()) == 1


def test_a_retried_session_keeps_its_story(shop: Shop) -> None:
    held = dead(shop.state)
    shop.run("dead", "retry", held.outreach, "--yes")
    assert stored(shop.state).outreaches == (held.outreach,)
    assert "retried by the operator" in shop.run("outreach", "show", held.outreach)
