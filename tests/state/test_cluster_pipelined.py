"""Commands to several nodes at once with later replies: their order, and nodes that fail in the meantime."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, NoReturn

import pytest

from state import connection
from state.calls.people import MarkReply
from state.connection import connect
from state.errors import ServerUnavailableError, StateError
from state.scripts import Scripts
from tests.support.begun_calls import (
    CALLS,
    NOTHING_NEW,
    REPLIES,
    carried_out,
    forget_counts,
    home,
    in_use,
    loaded,
    moved,
    nodes,
    one_connection_each,
    port_of,
    slot_of,
    state,
)
from tests.support.cluster_nodes import Cluster, three_nodes
from tests.support.durations import DAY_MS
from tests.support.events import event
from tests.support.ingest_support import ingest_of, opened, publish, waiting
from tests.support.states import make_state
from tests.support.stored_state import stored
from tests.support.waiting import eventually
from worker.runtime import State

__all__ = ["nodes", "state"]  # fixtures
pytestmark = pytest.mark.xdist_group("cluster_nodes")
TIMEOUT_S = 0.5


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> State:
    monkeypatch.setitem(connection._OPTIONS, "socket_timeout", TIMEOUT_S)
    found: State = request.getfixturevalue("state")
    return found


def addresses(client: Any) -> set[str]:  # noqa: ANN401 - of a node
    """Return the client addresses of a node's connections."""
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


@pytest.mark.parametrize("number", [0, 1, 2, 40])
def test_replies_keep_the_order_of_calls_across_nodes(state: State, number: int) -> None:
    assert {home(call) for call in CALLS} == {0, 1, 2}
    assert state.scripts.send_calls(CALLS[:number]).result() == REPLIES[:number]
    assert state.scripts.run_many(CALLS[:number]) == [NOTHING_NEW] * number


def test_sending_does_not_wait_for_a_slow_node(nodes: Cluster, state: State) -> None:
    loaded(state)
    forget_counts(nodes)
    with frozen(nodes, 0):
        wait = state.scripts.send_calls(CALLS)
        assert len(in_use(state.client)) == 3
        mine = [sum(home(call) == place for call in CALLS) for place in (1, 2)]
        eventually(lambda: [carried_out(client) for client in nodes.clients[1:]] == mine)
    assert wait.result() == REPLIES


@pytest.mark.parametrize("stream_count", [1, 3])
def test_an_ingest_that_works_ahead_applies_all(nodes: Cluster, stream_count: int) -> None:
    client: Any = connect(nodes.url)
    with client:
        state = make_state(client, Scripts(client))
        opened(state, stream_count)
        for number in range(70):
            publish(state, event(session=f"s-{number}"), stream=number % stream_count)
        forget_counts(nodes)
        ingest = ingest_of(state, batch=10, stream_count=stream_count)
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
        state.scripts.send_calls(calls).result()
    assert state.scripts.run_many(CALLS) == [MarkReply(int(index == 2), []) for index in range(40)]


def test_dying_node_fails_only_its_own_calls(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as nodes, one_connection_each(nodes) as state:
        client: Any = state.client
        loaded(state)
        nodes.clients[0].client_pause(60_000, all=False)
        wait = state.scripts.send_calls(CALLS)
        nodes.servers[0].kill()
        left = [call for call in CALLS if home(call) != 0]
        lost = next(call for call in CALLS if home(call) == 0)
        # As if it had a replica: another node takes over one of its slots.
        for other in nodes.clients[1:]:
            other.execute_command("CLUSTER SETSLOT", slot_of(lost), "NODE", nodes.ids[1])
        for _ in range(2):
            with pytest.raises(ServerUnavailableError, match="does not answer"):
                wait.result()
            assert in_use(client) == []
            assert port_of(client, lost) == nodes.servers[1].port
            assert state.scripts.run_many(left) == [NOTHING_NEW] * len(left)
            wait = state.scripts.send_calls(CALLS)
        with pytest.raises(ServerUnavailableError):
            wait.result()


def test_frozen_node_costs_one_timeout_and_repeats_nothing(nodes: Cluster, impatient: State) -> None:
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


def test_interrupted_wait_leaves_no_reply_to_other_callers(nodes: Cluster, state: State) -> None:
    loaded(state)
    first, *others = dict.fromkeys(home(call) for call in CALLS)
    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        with frozen(nodes, first):
            wait, ours = state.scripts.send_calls(CALLS), set(in_use(state.client))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                wait.result()
            assert in_use(state.client) == []
            # The replies of the others are there: their connections must be gone.
            eventually(lambda: not any(addresses(nodes.clients[place]) & ours for place in others))
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert state.scripts.run_many(CALLS) == [NOTHING_NEW] * 40


def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
