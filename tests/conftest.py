"""Servers for the tests: the same assertions run on a real Valkey and, with `--extended`, on a stand-in for one."""

import signal
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
from _pytest.nodeid import NodeId
from hypothesis import settings

from state.connection import connect
from state.scripts import Scripts
from tests.support.helpers import FakeScripts, make_state
from tests.support.immortality import immortal_keys
from tests.support.marks import wrongly_marked
from tests.support.redis_clients import FAKEREDIS, fake_client
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

ON_VALKEY = pytest.mark.xdist_group("valkey")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make servers` run what `make test` leaves out, as it says what another case says and takes long."""
    parser.addoption("--extended", action="store_true", help="run the cases that are left out without it, only")


def pytest_configure() -> None:
    """Let SIGHUP and SIGINT end the processes of the tests, and no property fail because the machine is busy.

    Under nohup, or in the background of a shell, these processes would inherit that the signals are ignored. They would
    outlive the tests, or never end.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", settings.default, deadline=None)
    settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the server, and keep the tests of a running shop in one process: starting all its roles takes a while.

    pytest-xdist 3.8 would do so, but writes the group where pytest 9.2 does not look any more.
    """
    chosen = bool(config.getoption("extended"))
    left_out = [item for item in items if (item.get_closest_marker("extended") is not None) is not chosen]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    if config.getoption("loadgroup", default=False):
        for item in items:
            mark = item.get_closest_marker("xdist_group")
            if mark is not None and mark.args[0].startswith("e2e") and "@" not in item.nodeid:
                item._id = NodeId.parse(f"{item.nodeid}@{mark.args[0]}")


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One real server for each process of tests."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        with connect(started.url) as client:
            # A blocking read that finds nothing then ends after 2 ms, not after 100.
            client.config_set("hz", 500)
        yield started


@pytest.fixture(params=[FAKEREDIS, pytest.param("valkey", marks=ON_VALKEY)])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of an empty server; afterwards every key must have a time to live or be listed as one without."""
    if request.param == "fakeredis":
        yield from _emptied(fake_client())
    else:
        yield from _emptied(connect(request.getfixturevalue("valkey").url))


@pytest.fixture
def state(server: Any) -> State:  # noqa: ANN401 - real or fake
    """Everything that is in Redis, on either server."""
    fake = isinstance(server, fakeredis.FakeRedis)
    return make_state(server, FakeScripts(server) if fake else Scripts(server))


@pytest.fixture
def real_state(valkey: EmbeddedValkey) -> Iterator[State]:
    """The same on the real server alone; mark such a test `xdist_group("valkey")`."""
    for client in _emptied(connect(valkey.url)):
        yield make_state(client, Scripts(client))


def _emptied(client: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    yield client
    immortal, wrong = immortal_keys(client), wrongly_marked(client)
    client.flushall()
    client.close()
    assert not immortal, f"keys without a time to live: {immortal}"
    assert not wrong, f"sessions whose activity is marked, or not, though it should be otherwise: {wrong}"
