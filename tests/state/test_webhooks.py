"""The sender's turn, its reading, and its reports."""

import pytest

from state.outcome_feed import FeedEntry
from state.webhooks import SenderReport, Webhooks
from tests.support.durations import HOUR_MS
from tests.support.feed import feed_of
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.runtime import State

TURN_MS = 15_000


def webhooks_of(state: State) -> Webhooks:
    return Webhooks(state.scripts, state.keys)


def test_one_sender_has_the_turn(state: State) -> None:
    senders = webhooks_of(state)
    assert senders.take_turn("a", TURN_MS)
    assert not senders.take_turn("b", TURN_MS)
    state.client.delete(state.keys.webhook_turn)
    assert senders.take_turn("b", TURN_MS)


def test_sender_renews_its_turn(state: State) -> None:
    senders = webhooks_of(state)
    assert senders.take_turn("a", 1000)
    assert senders.take_turn("a", TURN_MS)
    left_ms = ttl_ms(state, state.keys.webhook_turn)
    assert left_ms is not None
    assert left_ms > 1000


def test_turn_from_the_future_is_over(state: State) -> None:
    senders = webhooks_of(state)
    assert senders.take_turn("a", HOUR_MS)
    assert senders.take_turn("b", TURN_MS)


def test_reports_add_up_and_expire(state: State) -> None:
    senders, before_ms = webhooks_of(state), now_ms(state)
    senders.report(SenderReport(sent=2, failed=1, dropped=1, waiting=5, oldest_ms=7, why="http_500"))
    senders.report(SenderReport(sent=3))
    found = texts(state, state.keys.webhooks)
    assert (found["sent"], found["failed"], found["dropped"]) == ("5", "1", "1")
    assert (found["waiting"], found["oldest"], found["stopped"]) == ("0", "", "0")
    assert before_ms <= int(found["dropped_at"]) <= int(found["at"]) <= now_ms(state)
    assert ttl_ms(state, state.keys.webhooks) is not None


def test_failure_keeps_its_beginning_until_a_success(state: State) -> None:
    senders, key = webhooks_of(state), state.keys.webhooks
    senders.report(SenderReport(why="http_500"))
    state.client.hset(key, "failing_since", 12)
    senders.report(SenderReport(why="connect_error"))
    assert (texts(state, key)["failing_since"], texts(state, key)["why"]) == ("12", "connect_error")
    senders.report(SenderReport())
    assert {"failing_since", "why"}.isdisjoint(texts(state, key))


def test_refusal_of_the_receiver_lasts_until_it_is_resumed(state: State) -> None:
    senders = webhooks_of(state)
    assert not senders.report(SenderReport())
    assert senders.report(SenderReport(gone=True))
    assert senders.report(SenderReport())
    assert senders.resume()
    assert not senders.report(SenderReport())
    assert not senders.resume()


@pytest.mark.xdist_group("valkey")
def test_entries_are_read_once_and_again_until_acknowledged(real_state: State) -> None:
    senders = webhooks_of(real_state)
    feed_of(real_state).append([FeedEntry(f"id-{number}", "{}") for number in range(3)], most=1000)
    assert [one.id for one in senders.read(2)] == ["id-0", "id-1"]
    assert [one.id for one in senders.read(2)] == ["id-2"]
    again = senders.read_again(2, b"0")
    assert [one.id for one in again] == ["id-0", "id-1"]
    assert [one.id for one in senders.read_again(2, again[-1].entry)] == ["id-2"]
    senders.acknowledge([one.entry for one in again])
    assert [one.id for one in senders.read_again(2, b"0")] == ["id-2"]
    assert senders.read(2) == []


@pytest.mark.xdist_group("valkey")
def test_lost_group_is_made_again_from_the_beginning(real_state: State) -> None:
    senders = webhooks_of(real_state)
    feed_of(real_state).append([FeedEntry("id-0", "{}")], most=1000)
    assert [one.id for one in senders.read(2)] == ["id-0"]
    real_state.client.xgroup_destroy(real_state.keys.outcomes, "winback-webhooks")
    assert [one.id for one in senders.read(2)] == ["id-0"]


@pytest.mark.xdist_group("valkey")
def test_removed_entry_is_read_again_without_its_id(real_state: State) -> None:
    senders = webhooks_of(real_state)
    feed_of(real_state).append([FeedEntry("id-0", "{}")], most=1000)
    (one,) = senders.read(2)
    real_state.client.xdel(real_state.keys.outcomes, one.entry)
    assert [(found.entry, found.id) for found in senders.read_again(2, b"0")] == [(one.entry, "")]
