"""Servers for the tests: the same assertions run on a real Valkey and, with `--extended`, on fakeredis."""

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
    """Add `--extended`: `make servers` runs slow cases with it that other cases cover and `make test` leaves out."""
    parser.addoption("--extended", action="store_true", help="run the cases that are left out without it, only")


def pytest_configure() -> None:
    """Let SIGHUP and SIGINT end the processes of the tests, and keep properties from failing on a busy machine.

    Under nohup, or in the background of a shell, these processes would inherit ignored signals. They would outlive the
    tests or never end.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", settings.default, deadline=None)
    settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out extended cases, and distribute the tests to processes by file.

    A file is the smallest unit, so that shared fixtures start once. Tests with real processes come first, because they
    mostly wait. pytest-xdist 3.8 could group them by marks, but writes the group to a place that pytest 9.2 doesn't
    read.
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
    """One real server for each test process."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        with connect(started.url) as client:
            # Then an empty blocking read ends after 2 ms instead of 100.
            client.config_set("hz", 500)
        yield started


@pytest.fixture(params=[FAKEREDIS, pytest.param("valkey", marks=ON_VALKEY)])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of an empty server. Afterwards every key must have a TTL or be listed as one without."""
    if request.param == "fakeredis":
        yield from _emptied(fake_client())
    else:
        yield from _emptied(connect(request.getfixturevalue("valkey").url))


@pytest.fixture
def state(server: Any) -> State:  # noqa: ANN401 - real or fake
    """All of the state, on either server."""
    fake = isinstance(server, fakeredis.FakeRedis)
    return make_state(server, FakeScripts(server) if fake else Scripts(server))


@pytest.fixture
def real_state(valkey: EmbeddedValkey) -> Iterator[State]:
    """The same on the real server only; mark such a test `xdist_group("valkey")`."""
    for client in _emptied(connect(valkey.url)):
        yield make_state(client, Scripts(client))


def _emptied(client: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    yield client
    immortal, wrong = immortal_keys(client), wrongly_marked(client)
    client.flushall()
    client.close()
    assert not immortal, f"keys without a time to live: {immortal}"
    assert not wrong, f"sessions whose activity is wrongly marked or unmarked: {wrong}"
