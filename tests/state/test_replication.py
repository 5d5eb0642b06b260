"""A primary with a replica: no person is contacted without the replica's acknowledgement."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from state.connection import connect, replicas_of
from state.replication import Replicas, majority
from state.scripts import Scripts, source
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import attempt_again, held_by, yuno
from tests.support.faulty_server import OK, FaultyServer
from tests.support.interrupting import After
from tests.support.outreaches import abandon, dispatch, fence, take
from tests.support.states import make_state
from tests.support.stored_state import record
from tests.support.waiting import eventually
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("replication")


@dataclass
class Pair:
    """A primary and its replica."""

    state: State
    primary: EmbeddedValkey
    replica: EmbeddedValkey
    other: Any
    """A client of the replica."""

    @contextmanager
    def frozen_replica(self) -> Iterator[None]:
        pid = self.replica.pid or 0
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def follow(self) -> None:
        self.other.replicaof("127.0.0.1", self.primary.url.rpartition(":")[2].partition("/")[0])
        eventually(lambda: self.state.client.wait(1, 100) == 1)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    first, second = (tmp_path_factory.mktemp(name) for name in ("primary", "replica"))
    with (
        EmbeddedValkey(first, port=0) as primary,
        EmbeddedValkey(second, port=0) as replica,
        connect(primary.url) as client,
        connect(replica.url) as other,
    ):
        client.config_set("repl-diskless-sync-delay", 0)
        pair = Pair(make_state(client, Scripts(client, Replicas(1))), primary, replica, other)
        pair.follow()
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    yield servers
    servers.state.client.flushall()


def dispatched(state: State) -> str:
    outreach = abandon(state)
    assert outreach in dispatch(state)
    return outreach


def requests(server: FaultyServer) -> int:
    return len(server.requests)


def test_with_a_replica_that_answers_it_is_sent(pair: Pair) -> None:
    outreach = dispatched(pair.state)
    with yuno(pair.state, OK) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert requests(server) == 1


def test_frozen_replica_blocks_sending_until_it_returns(pair: Pair) -> None:
    state = pair.state
    said: list[str] = []
    outreach = dispatched(state)
    with yuno(state, OK) as (deps, server):
        naming_changes = replace(deps, replication=said.append)
        with pair.frozen_replica():
            assert attempt(outreach, naming_changes) == AttemptOutcome(outreach, "waiting", "", 1, "not_replicated")
            assert server.received == b""
            assert held_by(state) == ""
            assert record(state, outreach)["attempts"] == "0"
            assert "not_sent.not_replicated" in record(state, outreach)["history"]
        eventually(lambda: state.client.wait(1, 100) == 1)
        assert attempt_again(state, outreach, naming_changes) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert requests(server) == 1
    assert said == ["failing", "well"]


def test_unreplicated_reservation_is_released_without_contact(pair: Pair) -> None:
    """As if the person were on another node of the cluster than the fence."""
    state = pair.state
    outreach = dispatched(state)
    with yuno(state, OK) as (deps, server):
        frozen = pair.frozen_replica()
        broken = replace(deps, people=After(state, frozen.__enter__))
        try:
            assert attempt(outreach, broken) == AttemptOutcome(outreach, "waiting", "", 1, "not_replicated")
        finally:
            frozen.__exit__(None, None, None)
        assert server.received == b""
        assert held_by(state) == ""
        eventually(lambda: state.client.wait(1, 100) == 1)
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert requests(server) == 1


def test_fence_after_noscript_is_confirmed_too(pair: Pair) -> None:
    outreach = dispatched(pair.state)
    held = take(pair.state, outreach)
    pair.state.client.script_flush()
    assert fence(pair.state, held) == "sending"


def test_token_lost_with_the_primary_is_not_reused(pair: Pair) -> None:
    """Otherwise the first attempt would settle, and so repeat, what the second has just sent."""
    old = pair.state
    outreach = dispatched(old)
    eventually(lambda: old.client.wait(1, 100) == 1)
    pair.other.replicaof("NO", "ONE")
    try:
        new = make_state(pair.other, Scripts(pair.other))
        first = take(old, outreach)
        assert fence(old, first) == "not_replicated"
        eventually(lambda: new.streams.watermark().now_ms > first.token)
        second = take(new, outreach)
        assert fence(new, second) == "sending"
        assert new.outbox.settle(first, "not_sent", reason="not_replicated") is None
        assert not new.outbox.postpone(first, delay_ms=0, why="not_replicated")
        assert record(new, outreach)["state"] == "sending"
    finally:
        pair.follow()


@pytest.mark.parametrize(("needed", "waits"), [(0, 0), (1, 2)])
def test_replicas_are_asked_only_for_fence_and_reservation(pair: Pair, needed: int, waits: int) -> None:
    client: Any = pair.state.client
    state = make_state(client, Scripts(client, Replicas(needed)))
    outreach = dispatched(state)
    for name in ("fence", "reserve"):
        client.script_load(source(name))
    with yuno(state, OK) as (deps, _):
        client.config_resetstat()
        assert attempt(outreach, deps).outcome == "sent"
        assert client.info("commandstats").get("cmdstat_wait", {"calls": 0})["calls"] == waits


@pytest.mark.parametrize(("there", "needed"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_acknowledgements_needed_make_a_majority(there: int, needed: int) -> None:
    assert majority(there) == needed


def test_reader_that_is_no_replica_is_not_waited_for(pair: Pair) -> None:
    # A server that is being copied to refuses to be copied.
    eventually(lambda: pair.other.info("replication").get("master_link_status", "up") == "up")
    port = pair.other.connection_pool.connection_kwargs["port"]
    with socket.create_connection(("127.0.0.1", port)) as backup:
        backup.sendall(b"SYNC\r\n")
        eventually(lambda: pair.other.info("replication")["connected_slaves"] == 1)
        assert replicas_of(pair.other) == Replicas(0)


def test_needed_replicas_follow_the_server_unless_set(pair: Pair) -> None:
    assert replicas_of(pair.state.client) == Replicas(1)
    assert replicas_of(pair.other) == Replicas(0)
    assert replicas_of(pair.state.client, 3) == Replicas(3)
    assert replicas_of(pair.state.client, 0) == Replicas(0)
