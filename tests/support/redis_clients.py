"""Clients of an empty server: of a real one, and of fakeredis, a stand-in.

What runs on the stand-in runs on a real server, too, and several times faster. So `make test` leaves the stand-in out,
and `make servers` takes it in: `pytest --extended`.
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
"""As the parameter of a fixture."""


def fake_client() -> Any:  # noqa: ANN401 - the driver's, or a stand-in for it
    """Return a client of an empty stand-in."""
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)))


@contextmanager
def emptied(valkey: EmbeddedValkey) -> Iterator[State]:
    """Let one example of a property have a real server, which is empty before it and afterwards."""
    with connect(valkey.url) as client:
        client.flushall()
        yield make_state(client, Scripts(client))
        client.flushall()
