"""Nodes of a cluster, and pending calls on several of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import Any

import pytest
from redis.crc import key_slot

from state.calls.people import MarkReply
from state.connection import connect
from state.keys import Keys
from state.script import Call
from state.scripts import Scripts
from tests.support.calls import bought
from tests.support.cluster_nodes import Cluster, owner, three_nodes
from tests.support.durations import DAY_MS
from tests.support.key_leak_checker import immortal_keys
from tests.support.states import make_state
from worker.runtime import State


def marks(number: int) -> list[Call[MarkReply]]:
    """Return calls, every second of which changes nothing."""
    keys, at_ms = Keys("winback"), int(time() * 1000)
    return [bought(keys.person(f"{index:02x}"), at_ms - (index % 2) * DAY_MS, DAY_MS) for index in range(number)]


def home(call: Call[MarkReply]) -> int:
    """Return the node of a call."""
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
    """A state with a single connection to each node: a call that doesn't return it blocks all others."""
    client: Any = connect(nodes.url, max_connections=1)
    with client:
        yield make_state(client, Scripts(client))
        assert in_use(client) == []


def in_use(client: Any) -> list[str]:  # noqa: ANN401 - the driver's
    """Return the local addresses of connections that were taken from the pools and not returned."""
    pools = (node.redis_connection.connection_pool for node in client.get_nodes())
    taken = (found for pool in pools for found in pool._in_use_connections)
    return ["{}:{}".format(*found._sock.getsockname()) for found in taken]


def port_of(client: Any, call: Call[MarkReply]) -> int:  # noqa: ANN401 - as above
    """Return the port to which the driver would send a call."""
    return int(client.get_node_from_key(call.key).port)


def carried_out(client: Any) -> int:  # noqa: ANN401 - of a node
    return int(client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def moved(nodes: Cluster) -> list[int]:
    """Return how often each node was asked for a slot of another node."""
    found = [client.info("errorstats").get("errorstat_MOVED", {"count": 0}) for client in nodes.clients]
    return [int(errors["count"]) for errors in found]


def forget_counts(nodes: Cluster) -> None:
    for client in nodes.clients:
        client.config_resetstat()


def loaded(state: State) -> None:
    """Load the script on every node."""
    state.scripts.run_many(CALLS)
    state.client.flushall()
