"""Several streams on a cluster of three nodes: `winback doctor` says whether they share a node."""

from collections.abc import Iterator

import pytest
from redis.crc import key_slot

from state.keys import Keys
from tests.support.cluster_nodes import Cluster, three_nodes
from tests.support.states import SECRET
from worker import runtime
from worker.monitoring.doctor import _streams
from worker.monitoring.health import Finding
from worker.settings import load

pytestmark = pytest.mark.xdist_group("valkey")
STREAMS = 3


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_nodes(tmp_path_factory.mktemp("nodes")) as found:
        yield found


def place(nodes: Cluster, *owners: int) -> None:
    """Place each stream on a node."""
    for number, owner in enumerate(owners):
        for client in nodes.clients:
            slot = key_slot(Keys().events_of(number).encode())
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", nodes.ids[owner])


def looked_at(nodes: Cluster, number: int) -> list[Finding]:
    env = {"WINBACK_REDIS_URL": nodes.url, "WINBACK_BROKER_URL": "redis://127.0.0.1:1/0"}
    state = runtime.open_state(load({**env, "WINBACK_IDENTITY_SECRET": SECRET.decode()}))
    with state.client:
        return list(_streams(state, number))


def test_streams_that_share_a_node_are_a_note_with_what_to_do(nodes: Cluster) -> None:
    place(nodes, 2, 2, 0)
    [found] = looked_at(nodes, STREAMS)
    crowded = f"127.0.0.1:{nodes.servers[2].port} has winback:events, winback:events:1"
    assert (found.mark, found.text) == ("note", f"3 streams are on 2 nodes and could be on 3: {crowded}")
    assert "CLUSTER KEYSLOT" in found.hint


def test_streams_on_a_node_each_are_well(nodes: Cluster) -> None:
    place(nodes, 2, 1, 0)
    assert looked_at(nodes, STREAMS) == [Finding("streams", "ok", "3 streams are on 3 nodes")]


def test_single_stream_needs_no_check(nodes: Cluster) -> None:
    assert looked_at(nodes, 1) == []
