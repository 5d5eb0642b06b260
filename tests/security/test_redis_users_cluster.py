"""The rights of each user suffice on a cluster, where a driver first asks for the slots."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import RedisCluster

from state.connection import connect, require_suitable
from state.decisions import Operator
from state.scripts import Scripts
from tasks.delivery.attempt import attempt
from tasks.dispatch import dispatch
from tasks.sweep import sweep
from tests.security.redis_users import make_users, refused
from tests.support.attempts import deps_of, yuno
from tests.support.cli_support import read
from tests.support.cluster_nodes import Cluster, three_nodes
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, event, happen
from tests.support.ingest_support import ingest_of, waiting
from tests.support.states import make_state
from tests.support.stored_state import stored
from winback.operations.producer import Producer
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("valkey")
STREAMS = 3


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_nodes(tmp_path_factory.mktemp("nodes")) as found:
        for client in found.clients:
            make_users(client)
        yield found


@contextmanager
def logged_in(nodes: Cluster, user: str = "") -> Iterator[State]:
    """Return a user's view; without one, the view of the servers' owner."""
    login = f"//winback-{user}:PASSWORD_OF_{user.upper()}@" if user else "//"
    client = connect(nodes.url.replace("//", login, 1))
    assert isinstance(client, RedisCluster)
    with client:
        yield make_state(client, Scripts(client))


def test_every_role_does_its_work_with_the_rights_that_it_has(nodes: Cluster) -> None:
    with logged_in(nodes, "ingest") as state:
        require_suitable(state.client)
        streams = state.streams.ensure(STREAMS)
        ingest = ingest_of(state, stream_count=STREAMS)
        ingest.step()
    with logged_in(nodes, "producer") as state:
        for number, stream in enumerate(streams):
            Producer(state.client, stream.key).send([b'{"session_id": "p-%d", "type": "exit"}' % number])
    with logged_in(nodes) as owner:
        happen(owner, event(customer=JANE), ago_ms=HOUR_MS)
        assert waiting(owner) == STREAMS
    with logged_in(nodes, "ingest") as state:
        ingest_of(state, stream_count=STREAMS).step()
        assert waiting(state) == 0
        assert stored(state, "p-0").signal
    with logged_in(nodes, "sweep") as state:
        assert sweep(deps_of(state)).outreaches == 1
        enqueued: list[str] = []
        dispatch(deps_of(state), queued=lambda: 0, enqueue=enqueued.extend)
    with logged_in(nodes, "recover") as state, yuno(state) as (deps, server):
        assert attempt(enqueued[0], deps).outcome == "sent"
        assert len(server.requests) == 1
    for user in ("beat", "metrics", "operator"):
        with logged_in(nodes, user) as state:
            assert read(state).events.streams == STREAMS
    with logged_in(nodes, "operator") as state:
        assert [found.outreach for found in Operator(state.scripts, state.keys).of_session("s-1")] == enqueued
    assert [refused(client) for client in nodes.clients] == [set(), set(), set()]
