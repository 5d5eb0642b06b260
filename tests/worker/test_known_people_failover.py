"""A real failover that loses a write: ingest names the person again on the server that has taken over."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from state.connection import connect
from state.people import person_of
from state.scripts import Scripts
from tests.faults.proxy import Proxy
from tests.support.events import JANE, event
from tests.support.ingest_support import ingest_of, publish, waiting
from tests.support.states import SECRET, make_state
from tests.support.waiting import eventually
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("replication")
JANES = person_of(JANE["phone_number"], SECRET)


@dataclass
class Pair:
    """Two servers, each seen directly, and the address of whichever is the primary."""

    first: State
    second: State
    way: Proxy

    def follow(self, port: int) -> None:
        self.second.client.replicaof("127.0.0.1", str(port))
        eventually(lambda: self.first.client.wait(1, 100) == 1)

    def fail_over(self) -> None:
        """End all connections, and lead to the second server from now on."""
        self.way.set("cut")
        self.way.target = port_of(self.second)
        self.way.set("pass")


def port_of(state: State) -> int:
    return int(state.client.connection_pool.connection_kwargs["port"])  # type: ignore[union-attr]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        servers = [stack.enter_context(EmbeddedValkey(tmp_path / name, port=0)) for name in ("first", "second")]
        clients = [stack.enter_context(connect(server.url)) for server in servers]
        clients[0].config_set("repl-diskless-sync-delay", 0)
        first, second = (make_state(client, Scripts(client)) for client in clients)
        found = Pair(first, second, stack.enter_context(Proxy(port_of(first))))
        found.follow(port_of(first))
        yield found


def test_failover_that_lost_a_note_is_followed_by_another(pair: Pair) -> None:
    with connect(f"redis://127.0.0.1:{pair.way.port}/0") as client:
        ingest = ingest_of(make_state(client, Scripts(client)))
        publish(pair.first, event())
        ingest.step()
        eventually(lambda: pair.first.client.wait(1, 100) == 1)
        pair.second.client.replicaof("NO", "ONE")
        for _ in range(3):
            publish(pair.first, event(customer=JANE))
            ingest.step()
        assert pair.first.people.person_facts(JANES).sessions == ("s-1",)
        assert ingest._applier._people_writer._known_people
        pair.fail_over()
        assert pair.second.people.person_facts(JANES).sessions == ()
        publish(pair.second, event(customer=JANE))
        ingest.run(lambda: waiting(pair.second) == 0, lambda _: None)
        assert pair.second.people.person_facts(JANES).sessions == ("s-1",)
