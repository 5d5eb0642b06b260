"""On a cluster, each primary waits for its own replicas, and a client finds the one that took over."""

from collections.abc import Iterator

import pytest

from state.connection import connect, replicas_of
from state.errors import StateError
from state.scripts import Scripts
from tests.servers.redis_servers import RedisServer, Replicated, cluster
from tests.support.outreaches import fence, taken
from tests.support.running_shop import until
from tests.support.states import make_state
from tests.support.stored_state import record
from worker.runtime import State

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("cluster_replicas")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(scope="module")
def state(servers: Replicated) -> Iterator[State]:
    with connect(servers.url) as client:
        yield make_state(client, Scripts(client, replicas_of(client)))


def primary_of(servers: Replicated, state: State, session: str) -> RedisServer:
    return servers.primary(state.keys.session(session))


def replica_of(servers: Replicated, primary: RedisServer) -> RedisServer:
    return next(node for node in servers.nodes if node.client.info("replication").get("master_port") == primary.port)


def test_only_sessions_of_a_primary_without_replica_are_blocked(servers: Replicated, state: State) -> None:
    assert replicas_of(state.client).fewest == 1
    mine = primary_of(servers, state, "s-1")
    other = next(f"s-{n}" for n in range(2, 100) if primary_of(servers, state, f"s-{n}") is not mine)
    held, elsewhere = taken(state, "s-1"), taken(state, other)
    replica = replica_of(servers, mine)
    replica.freeze()
    try:
        assert fence(state, held) == "not_replicated"
        assert fence(state, elsewhere) == "sending"
    finally:
        replica.thaw()
    assert state.outbox.settle(held, "not_sent", reason="not_replicated") == "waiting"
    assert record(state, held.outreach)["attempts"] == "0"


def test_old_client_passes_the_fence_at_the_new_primary(servers: Replicated, state: State) -> None:
    held = taken(state, "s-moved")
    lost = primary_of(servers, state, "s-moved")
    until(lost.is_followed)
    servers.fail_over(state.keys.session("s-moved"))
    assert primary_of(servers, state, "s-moved") is not lost

    def verdict() -> str:
        try:
            return fence(state, held)
        except StateError:
            return ""

    assert until(verdict, 30) == "sending"
