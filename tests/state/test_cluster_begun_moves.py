"""Pending calls while a slot moves to another node."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from redis.crc import key_slot

from state.connection import connect
from state.errors import ServerUnavailableError
from state.scripts import Scripts
from tests.support.begun_calls import (
    CALLS,
    NOTHING_NEW,
    REPLIES,
    carried_out,
    forget_counts,
    home,
    loaded,
    moved,
    nodes,
    port_of,
    slot_of,
    state,
)
from tests.support.cluster_nodes import Cluster, owner
from tests.support.events import JANE, event, happen
from tests.support.ingest_support import ingest_of, opened, publish, rejected, waiting
from tests.support.outreaches import fence, taken
from tests.support.states import make_state
from tests.support.stored_state import stored
from worker.runtime import State

__all__ = ["nodes", "state"]  # fixtures
pytestmark = pytest.mark.xdist_group("cluster_nodes")


def give(nodes: Cluster, slot: int, place: int) -> None:
    """Give an empty slot to a node, and announce it."""
    for client in (nodes.clients[place], *nodes.clients):
        client.execute_command("CLUSTER SETSLOT", slot, "NODE", nodes.ids[place])


@contextmanager
def given(nodes: Cluster, slot: int, place: int) -> Iterator[None]:
    give(nodes, slot, place)
    try:
        yield
    finally:
        nodes.clients[place].flushall()
        give(nodes, slot, owner(slot))


def test_what_another_node_has_by_now_is_sent_there_once(nodes: Cluster, state: State) -> None:
    loaded(state)
    first = CALLS[0]
    away = (home(first) + 1) % 3
    with given(nodes, slot_of(first), away):
        forget_counts(nodes)
        for expected in (REPLIES, [NOTHING_NEW] * 40):
            assert state.scripts.send_calls(CALLS).result() == expected
            assert moved(nodes) == [int(place == home(first)) for place in range(3)]
        assert port_of(state.client, first) == nodes.servers[away].port
        assert sum(carried_out(client) for client in nodes.clients) == 80


def test_scripts_wait_while_their_slot_moves_and_then_succeed(nodes: Cluster, state: State) -> None:
    """The new node doesn't have the data that hasn't moved yet: a script would start from scratch there."""
    held, slot = taken(state, "s-1"), key_slot(state.keys.session("s-1").encode())
    before = stored(state)
    old, new = owner(slot), (owner(slot) + 1) % 3
    source, target = nodes.clients[old], nodes.clients[new]
    target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", nodes.ids[old])
    source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", nodes.ids[new])
    try:
        keys = source.execute_command("CLUSTER GETKEYSINSLOT", slot, 100)
        assert len(keys) > 2
        for number, key in enumerate(keys):
            for act in (partial(happen, state, event()), partial(fence, state, held), state.outbox.reap):
                with pytest.raises(ServerUnavailableError, match="takes no writes at the moment"):
                    act()
            assert target.execute_command("CLUSTER COUNTKEYSINSLOT", slot) == number
            source.execute_command("MIGRATE", "127.0.0.1", nodes.servers[new].port, key, 0, 1000)
    finally:
        give(nodes, slot, new)
    with given(nodes, slot, new):
        assert stored(state) == before
        assert fence(state, held) == "sending"
        happen(state, event())


def test_events_wait_for_a_moving_slot_and_none_is_quarantined(nodes: Cluster) -> None:
    client: Any = connect(nodes.url)
    state = make_state(client, Scripts(client))
    opened(state, 1)
    publish(state, event("order_completed", customer=JANE), event(session="elsewhere"))
    slot = key_slot(state.keys.session("s-1").encode())
    old, new = owner(slot), (owner(slot) + 1) % 3
    nodes.clients[new].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", nodes.ids[old])
    nodes.clients[old].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", nodes.ids[new])
    ingest, pauses = ingest_of(state, max_deliveries=3), list[float]()
    try:
        ingest.run(lambda: len(pauses) > 8, pauses.append)
        assert waiting(state) == 2
    finally:
        give(nodes, slot, new)
    with given(nodes, slot, new):
        ingest.run(lambda: not waiting(state) or len(pauses) > 20, pauses.append)
        assert (waiting(state), rejected(state), stored(state).state) == (0, [], "bought")
        client.flushall()
    client.close()


def test_redirect_to_a_moving_slot_is_refused(nodes: Cluster, state: State) -> None:
    loaded(state)  # all nodes know the script, so the driver would follow to the third and run it there
    first = CALLS[0]
    slot, now, then = slot_of(first), (home(first) + 1) % 3, (home(first) + 2) % 3
    with given(nodes, slot, now):
        nodes.clients[then].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", nodes.ids[now])
        nodes.clients[now].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", nodes.ids[then])
        try:
            for _ in range(2):
                with pytest.raises(ServerUnavailableError, match="takes no writes at the moment"):
                    state.scripts.run_many([first])
            assert nodes.clients[then].execute_command("CLUSTER COUNTKEYSINSLOT", slot) == 0
        finally:
            for place in (now, then):
                nodes.clients[place].execute_command("CLUSTER SETSLOT", slot, "STABLE")
