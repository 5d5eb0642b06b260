"""On a cluster every script uses one slot: a server in cluster mode refuses any other key."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis.crc import key_slot

from state import daily_counters, deployment
from state.connection import connect, require_suitable
from state.people import PersonFacts
from state.scripts import Scripts
from tests.support.cli_support import read
from tests.support.cluster_nodes import ClusterNode
from tests.support.control_support import TEN_A_SECOND_US, control, granted, held, passes
from tests.support.durations import MINUTE_MS, SECOND_MS
from tests.support.erasing import forget
from tests.support.events import JANE, Event, arrived, event, happen
from tests.support.feed import feed_of, in_feed, relay_of
from tests.support.ingest_support import facts_of, ingest_of, opened, publish, rejected, waiting
from tests.support.key_leak_checker import immortal_keys
from tests.support.orders import contacted, order, order_comes
from tests.support.outreaches import abandon, dispatch, fence, sending, take, take_again, taken
from tests.support.passing_time import let_lease_run_out
from tests.support.states import CONTACT_REF, LIMITS, SECRET, make_state
from tests.support.stored_state import counters, now_ms, record, stored
from tests.support.waiting import eventually
from tests.support.webhooks import Receiver, Time, sender_of
from tests.support.webhooks import run as run_sender
from worker.ingest.batch import collect
from worker.runtime import State
from worker.supervision.valkey_process import free_port

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with ClusterNode(tmp_path_factory.mktemp("cluster")) as node:
        with connect(node.url) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            eventually(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
        with connect(node.url.replace("redis://", "redis+cluster://")) as client:
            yield make_state(client, Scripts(client))


@pytest.fixture
def state(cluster: State) -> Iterator[State]:
    yield cluster
    immortal = immortal_keys(cluster.client)
    cluster.client.flushall()
    assert immortal == []


def test_cluster_refuses_a_script_that_leaves_its_slot(state: State) -> None:
    """Without this, the tests below would prove nothing."""
    with pytest.raises(Exception, match=r"do not hash to the same slot"):
        state.client.eval("#!lua\nredis.call('SET', 'somewhere:else', 1)", 1, "{07}:here")


def test_of_several_nodes_in_the_url_one_that_answers_is_enough(state: State) -> None:
    known: Any = state.client
    node = known.get_primaries()[0]
    client: Any = connect(f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{node.port}")
    with client:
        assert client.get_primaries() == [node]


def test_pipelined_scripts_ask_no_node_for_slots(state: State) -> None:
    known: Any = state.client
    node = known.get_redis_connection(known.get_primaries()[0])
    node.config_resetstat()
    state.sessions.apply(collect([arrived(event(session=f"t-{n}"), now_ms(state)) for n in range(30)]).changes)
    state.outbox.reap()
    calls = node.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] >= 64
    assert "cmdstat_command|getkeys" not in calls


def test_an_outreach_takes_its_whole_way(state: State) -> None:
    held = sending(state)
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "waiting"
    again = take_again(state, held.outreach)
    assert fence(state, again) == "sending"
    assert state.people.reserve(["ab" * 32], again.outreach, again.token, CONTACT_REF, LIMITS) == "reserved"
    assert state.people.person_facts("ab" * 32).reserved_by == again.outreach
    assert state.people.release(["ab" * 32], again.outreach, again.token)
    assert state.outbox.settle(again, "sent", line="attempt 2") == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1


def test_every_other_end_is_reached(state: State) -> None:
    assert state.outbox.end_unsent(taken(state, "a"), "suppressed", "no_cart") == "suppressed"
    assert state.outbox.postpone(taken(state, "b"), delay_ms=MINUTE_MS, why="quiet_hours")
    frozen = sending(state, "c")
    let_lease_run_out(state, frozen.outreach)
    assert state.outbox.reap().unknown == 1
    waits = abandon(state, "d")
    happen(state, event("order_completed", "d"))
    assert record(state, waits)["state"] == "cancelled"
    for number in range(20):
        abandon(state, f"s-{number}")
    found = dispatch(state)
    assert len(found) == 20
    assert all(take(state, outreach).token > 0 for outreach in found)
    assert state.outbox.leased() == 20


def test_events_are_applied_and_people_marked(state: State) -> None:
    made: list[Event] = [event(session=f"s-{number}") for number in range(30)]
    publish(state, *made, event("order_completed", customer=JANE), {"type": "?"})
    ingest_of(state).step()
    assert waiting(state) == 0
    assert all(stored(state, f"s-{number}").activity for number in range(30))
    assert facts_of(state, JANE["phone_number"]) == PersonFacts(bought=True)
    assert [field for field, _, _ in rejected(state)] == ["type"]


def test_what_holds_back_all_sending_works(state: State) -> None:
    by = control(state, rate_us=TEN_A_SECOND_US, per_day=5)
    assert granted(by, 3) == 3
    by.return_permits(held(), requests=1, day=passes(by).day)
    by.report_outcome(held(), "refused", "http_401")
    by.pause("")
    assert by.gate(held()) == "paused"
    assert by.resume().why == "http_401"
    assert by.gate(held()) == "stopped"
    assert state.streams.shop_silence(SECOND_MS) == (True, True)
    assert read(state).sending.sending_state == "refused"


def test_orders_find_their_contacts_and_the_report_its_counters(state: State) -> None:
    for session in ("a", "b"):
        contacted(state, session, ago_ms=SECOND_MS)
    order_comes(state, order("a"))
    order_comes(state, order(None, customer=JANE))
    today, _ = daily_counters.today(state.scripts, state.keys)
    found = {(t.name, t.detail): t.number for t in daily_counters.read(state.scripts, state.keys, today - 9, today)}
    assert (found["sent", ""], found["recovered", "orders"], found["recovered", "COP"]) == (2, 1, 14_999)


def test_several_streams_are_read_measured_and_waited_for(state: State) -> None:
    streams = opened(state, 3)
    assert len({key_slot(stream.key.encode()) for stream in streams}) == 3
    noted = state.streams.barrier()
    assert state.streams.barrier_passed(noted)
    for place in range(3):
        publish(state, event(session=f"s-{place}"), stream=place)
    assert state.streams.watermark().first
    assert not state.streams.barrier_passed(state.streams.barrier())
    ingest_of(state, stream_count=3).step()
    assert all(stored(state, f"s-{place}").activity for place in range(3))
    assert waiting(state) == 0
    assert state.streams.barrier_passed(state.streams.barrier())
    assert read(state).events.streams == 3


def test_the_stream_and_the_deployment_work(state: State) -> None:
    assert require_suitable(state.client).startswith("valkey ")
    deployment.check(state.scripts, state.keys, SECRET)
    deployment.heartbeat(state.scripts, state.keys, "ingest")
    assert len(deployment.heartbeats(state.scripts, state.keys, "ingest")) == 1
    assert state.streams.open_sweep(SECOND_MS) == 0
    assert state.streams.barrier() == "0-0"
    state.streams.first.create_group()
    publish(state, event())
    assert state.streams.watermark().first == state.streams.barrier()
    assert len(state.streams.first.read("dead", count=10, block_ms=1)) == 1
    assert state.streams.first.take_over("one", idle_ms=0, count=10) == 1
    assert state.streams.first.deliveries("one") == 1
    assert abs(state.streams.watermark().now_ms - now_ms(state)) < MINUTE_MS


def test_outcome_moves_to_the_feed_and_to_the_receiver(state: State) -> None:
    state.outbox.settle(sending(state), "sent")
    state.outbox.end_unsent(taken(state, "s-2"), "suppressed", "opted_out")
    relay_of(state).move()
    receiver, time = Receiver(), Time(state)
    run_sender(sender_of(state, receiver, time), time, 3)
    assert sorted(receiver.accepted) == sorted(one["id"] for one in in_feed(state))
    assert len(receiver.accepted) == 2
    assert [reader.unread for reader in feed_of(state).snapshot().readers] == [0]
    forget(state)
    feed_of(state).erase([one.entry for one in feed_of(state).stored() if "s-1" in one.text])
    assert [one["session_id"] for one in in_feed(state)] == ["s-2"]
