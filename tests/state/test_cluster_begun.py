"""What is sent to several nodes at once and waited for later: the order of replies, and nodes that fail meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, time
from types import FrameType
from typing import Any, NoReturn

import pytest
from redis.crc import key_slot

from state import connection
from state.calls.people import MarkReply
from state.connection import connect
from state.errors import ServerUnavailableError, StateError
from state.keys import Keys
from state.script import Call
from state.scripts import Scripts
from tests.support.calls import bought
from tests.support.cluster_nodes import Cluster, owner, three_nodes
from tests.support.helpers import DAY_MS, JANE, event, eventually, fence, happen, make_state, stored, taken
from tests.support.immortality import immortal_keys
from tests.support.ingesting import ingest_of, opened, publish, rejected, waiting
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("cluster_nodes")

TIMEOUT_S = 0.5


def marks(number: int) -> list[Call[MarkReply]]:
    """Calls of which every second one has nothing to do."""
    keys, at_ms = Keys("winback"), int(time() * 1000)
    return [bought(keys.person(f"{index:02x}"), at_ms - (index % 2) * DAY_MS, DAY_MS) for index in range(number)]


def home(call: Call[MarkReply]) -> int:
    """Which node a call is for."""
    return owner(slot_of(call))


def slot_of(call: Call[MarkReply]) -> int:
    return key_slot(call.key.encode())


CALLS = marks(40)
REPLIES = [MarkReply(1 - index % 2, []) for index in range(40)]
NOTHING_NEW = MarkReply(0, [])


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_nodes(tmp_path_factory.mktemp("nodes")) as found:
        yield found


@pytest.fixture
def state(nodes: Cluster) -> Iterator[State]:
    with one_connection_each(nodes) as found:
        yield found
        immortal = immortal_keys(found.client)
        found.client.flushall()
        assert immortal == []


@contextmanager
def one_connection_each(nodes: Cluster) -> Iterator[State]:
    """A state over a single connection to each node: whoever does not give it back stops all others."""
    client: Any = connect(nodes.url, max_connections=1)
    with client:
        yield make_state(client, Scripts(client))
        assert in_use(client) == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> State:
    monkeypatch.setitem(connection._OPTIONS, "socket_timeout", TIMEOUT_S)
    found: State = request.getfixturevalue("state")
    return found


def in_use(client: Any) -> list[str]:  # noqa: ANN401 - the driver's
    """From where the connections go that somebody has taken from the pools and not given back."""
    pools = (node.redis_connection.connection_pool for node in client.get_nodes())
    taken = (found for pool in pools for found in pool._in_use_connections)
    return ["{}:{}".format(*found._sock.getsockname()) for found in taken]


def port_of(client: Any, call: Call[MarkReply]) -> int:  # noqa: ANN401 - as above
    """Where the driver would send a call."""
    return int(client.get_node_from_key(call.key).port)


def carried_out(client: Any) -> int:  # noqa: ANN401 - of a node
    return int(client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def moved(nodes: Cluster) -> list[int]:
    """How often each node was asked for what another has."""
    found = [client.info("errorstats").get("errorstat_MOVED", {"count": 0}) for client in nodes.clients]
    return [int(errors["count"]) for errors in found]


def forget_counts(nodes: Cluster) -> None:
    for client in nodes.clients:
        client.config_resetstat()


def addresses(client: Any) -> set[str]:  # noqa: ANN401 - of a node
    """From where a node is connected to."""
    return {found["addr"] for found in client.client_list()}


@contextmanager
def frozen(nodes: Cluster, place: int) -> Iterator[None]:
    pid = nodes.servers[place].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def give(nodes: Cluster, slot: int, place: int) -> None:
    """Give an empty slot to a node, and let all know."""
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


def loaded(state: State) -> None:
    """Have every node know the script."""
    state.scripts.run_many(CALLS)
    state.client.flushall()


@pytest.mark.parametrize("number", [0, 1, 2, 40])
def test_replies_come_in_the_order_of_the_calls_whichever_node_has_them(state: State, number: int) -> None:
    assert {home(call) for call in CALLS} == {0, 1, 2}
    assert state.scripts.begin_calls(CALLS[:number])() == REPLIES[:number]
    assert state.scripts.run_many(CALLS[:number]) == [NOTHING_NEW] * number


def test_who_begins_is_not_held_up_by_a_node_that_has_not_replied(nodes: Cluster, state: State) -> None:
    loaded(state)
    forget_counts(nodes)
    with frozen(nodes, 0):
        wait = state.scripts.begin_calls(CALLS)
        assert len(in_use(state.client)) == 3
        mine = [sum(home(call) == place for call in CALLS) for place in (1, 2)]
        eventually(lambda: [carried_out(client) for client in nodes.clients[1:]] == mine)
    assert wait() == REPLIES


@pytest.mark.parametrize("several", [1, 3])
def test_an_ingest_that_works_ahead_applies_all(nodes: Cluster, several: int) -> None:
    client: Any = connect(nodes.url)
    with client:
        state = make_state(client, Scripts(client))
        opened(state, several)
        for number in range(70):
            publish(state, event(session=f"s-{number}"), stream=number % several)
        forget_counts(nodes)
        ingest = ingest_of(state, batch=10, several=several)
        ingest.run(lambda: ingest.totals.entries == 70, not_paused)
        assert moved(nodes) == [0, 0, 0]
        assert (waiting(state), in_use(client)) == (0, [])
        assert all(stored(state, f"s-{number}").activity for number in range(70))
        client.flushall()


def not_paused(seconds: float) -> NoReturn:
    raise AssertionError(f"it waits for {seconds} s because something failed")


def test_an_error_of_one_call_leaves_the_others_be(state: State) -> None:
    calls = list(CALLS)
    calls[2] = calls[2]._replace(arguments=("not a number", DAY_MS))
    with pytest.raises(StateError, match="refused a command"):
        state.scripts.begin_calls(calls)()
    assert state.scripts.run_many(CALLS) == [MarkReply(int(index == 2), []) for index in range(40)]


def test_what_another_node_has_by_now_is_sent_there_once(nodes: Cluster, state: State) -> None:
    loaded(state)
    first = CALLS[0]
    away = (home(first) + 1) % 3
    with given(nodes, slot_of(first), away):
        forget_counts(nodes)
        for expected in (REPLIES, [NOTHING_NEW] * 40):
            assert state.scripts.begin_calls(CALLS)() == expected
            assert moved(nodes) == [int(place == home(first)) for place in range(3)]
        assert port_of(state.client, first) == nodes.servers[away].port
        assert sum(carried_out(client) for client in nodes.clients) == 80


def test_while_a_slot_is_being_moved_its_scripts_wait_and_then_find_all(nodes: Cluster, state: State) -> None:
    """The new node does not have yet what has not been moved: there a script would begin anew."""
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


def test_events_wait_for_a_slot_that_is_being_moved_and_none_is_set_aside(nodes: Cluster) -> None:
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


def test_who_is_sent_on_to_a_slot_that_is_being_moved_is_refused(nodes: Cluster, state: State) -> None:
    loaded(state)  # all nodes know the script: the driver would follow to the third and have it carried out there
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


def test_a_node_that_dies_before_it_replied_fails_alone(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as nodes, one_connection_each(nodes) as state:
        client: Any = state.client
        loaded(state)
        nodes.clients[0].client_pause(60_000, all=False)
        wait = state.scripts.begin_calls(CALLS)
        nodes.servers[0].kill()
        left = [call for call in CALLS if home(call) != 0]
        lost = next(call for call in CALLS if home(call) == 0)
        # As if it had a replica: another takes over a slot of it.
        for other in nodes.clients[1:]:
            other.execute_command("CLUSTER SETSLOT", slot_of(lost), "NODE", nodes.ids[1])
        for _ in range(2):
            with pytest.raises(ServerUnavailableError, match="does not answer"):
                wait()
            assert in_use(client) == []
            assert port_of(client, lost) == nodes.servers[1].port
            assert state.scripts.run_many(left) == [NOTHING_NEW] * len(left)
            wait = state.scripts.begin_calls(CALLS)
        with pytest.raises(ServerUnavailableError):
            wait()


def test_a_frozen_node_costs_one_timeout_and_carries_out_nothing_twice(nodes: Cluster, impatient: State) -> None:
    loaded(impatient)
    nodes.clients[0].config_resetstat()
    mine = [call for call in CALLS if home(call) == 0]
    with frozen(nodes, 0):
        began = monotonic()
        with pytest.raises(ServerUnavailableError, match="does not answer"):
            impatient.scripts.run_many(CALLS)
        assert monotonic() - began < 3 * TIMEOUT_S
        assert in_use(impatient.client) == []
    eventually(lambda: carried_out(nodes.clients[0]) == len(mine))
    assert impatient.scripts.run_many(CALLS) == [NOTHING_NEW] * 40
    assert carried_out(nodes.clients[0]) == 2 * len(mine)


def test_who_is_interrupted_while_waiting_leaves_no_reply_to_others(nodes: Cluster, state: State) -> None:
    loaded(state)
    first, *others = dict.fromkeys(home(call) for call in CALLS)
    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        with frozen(nodes, first):
            wait, ours = state.scripts.begin_calls(CALLS), set(in_use(state.client))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                wait()
            assert in_use(state.client) == []
            # The replies of the others are there: their connections must be gone.
            eventually(lambda: not any(addresses(nodes.clients[place]) & ours for place in others))
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert state.scripts.run_many(CALLS) == [NOTHING_NEW] * 40


def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
