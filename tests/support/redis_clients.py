"""Clients of an empty server: a real one, or fakeredis as its mock.

What runs on the mock also runs on a real server, and several times faster. So `make test` leaves the mock out, and
`make servers` includes it: `pytest --extended`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fakeredis
import pytest

from state.connection import connect
from state.scripts import Scripts
from tests.support.states import make_state
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

FAKEREDIS = pytest.param("fakeredis", marks=pytest.mark.extended)
"""For a fixture's parameters."""


def fake_client() -> Any:  # noqa: ANN401 - the driver's, or a stand-in for it
    """Return a client of an empty mock."""
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)))


@contextmanager
def emptied(valkey: EmbeddedValkey) -> Iterator[State]:
    """Give one example of a property a real server that is empty before and after it."""
    with connect(valkey.url) as client:
        client.flushall()
        yield make_state(client, Scripts(client))
        client.flushall()
