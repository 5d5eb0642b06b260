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
from tests.support.activity_mark_invariant import wrongly_marked
from tests.support.key_leak_checker import immortal_keys
from tests.support.redis_clients import FAKEREDIS, fake_client
from tests.support.states import FakeScripts, make_state
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
    """Leave out what `--extended` is for, and deal out the tests to processes file by file.

    A file is the smallest part, so that what its tests share is started once, and the tests with real processes come
    first: they wait for most of their time. pytest-xdist 3.8 would group them by their marks, but writes the group
    where pytest 9.2 does not look any more.
    """
    chosen = bool(config.getoption("extended"))
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if (item.get_closest_marker("extended") is not None) is chosen else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
    if config.getoption("loadgroup", default=False):
        items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
        for item in items:
            mark = item.get_closest_marker("xdist_group")
            group = item.path.stem if mark is None or mark.args[0] == "valkey" else mark.args[0]
            if "@" not in item.nodeid:
                item._id = NodeId.parse(f"{item.nodeid}@{group}")


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
