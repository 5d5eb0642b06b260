"""The outcome feed with real processes: killed at each step, no outcome is lost, and repetitions have the same id."""

import signal
from pathlib import Path

import pytest

from tasks.failpoints import Point
from tests.support.feed import in_feed, published
from tests.support.outcome_processes import Shop, kill_at, relay, sending
from tests.support.outreaches import sending as sent_by
from tests.support.outreaches import taken
from tests.support.processes import until
from tests.support.stored_state import texts
from tests.support.webhooks import fill_feed
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("valkey")]

POINTS: list[tuple[Point, int]] = [("outcomes_read", 2), ("outcomes_added", 4), ("outcomes_removed", 2)]
"""Where the relay is killed, and how many entries the feed has in the end."""


@pytest.mark.parametrize(("point", "entries"), POINTS)
def test_killed_relay_repeats_and_loses_nothing(
    real_state: State, valkey: EmbeddedValkey, tmp_path: Path, point: Point, entries: int
) -> None:
    real_state.outbox.settle(sent_by(real_state), "sent")
    real_state.outbox.end_unsent(taken(real_state, "s-2"), "suppressed", "opted_out")
    kill_at(tmp_path, point)
    assert relay(valkey.url, tmp_path) == -signal.SIGKILL
    assert relay(valkey.url, tmp_path) == 0
    found = in_feed(real_state)
    assert len(found) == entries
    assert {one["id"] for one in found[:2]} == {one["id"] for one in found}
    assert {(one["outcome"], one["session_id"]) for one in found} == {("contacted", "s-1"), ("suppressed", "s-2")}
    assert published(real_state) == []


def test_shop_gets_each_outcome_signed(real_state: State, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    real_state.outbox.settle(sent_by(real_state), "sent")
    assert relay(valkey.url, tmp_path) == 0
    with Shop() as shop, sending(valkey.url, shop, tmp_path) as process:
        until(lambda: shop.accepted)
        process.terminate()
        assert process.wait(timeout=30) == 0
    ((_, data),) = shop.accepted
    assert (data["outcome"], data["session_id"]) == ("contacted", "s-1")
    assert shop.unsigned == 0
    assert texts(real_state, real_state.keys.webhooks)["sent"] == "1"
    assert real_state.client.xpending(real_state.keys.outcomes, "winback-webhooks")["pending"] == 0


def test_killed_sender_repeats_and_loses_nothing(real_state: State, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    ids = [f"{number:02d}-{number:016x}.contacted.1" for number in range(30)]
    fill_feed(real_state, *ids, body='{"data":{}}')
    kill_at(tmp_path, "webhook_accepted")
    with Shop() as shop:
        with sending(valkey.url, shop, tmp_path) as process:
            assert process.wait(timeout=30) == -signal.SIGKILL
        real_state.client.delete(real_state.keys.webhook_turn)
        with sending(valkey.url, shop, tmp_path):
            until(lambda: set(shop.ids) == set(ids))
    assert len(shop.ids) > len(ids)
