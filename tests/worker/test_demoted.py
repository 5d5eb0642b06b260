"""A server that was made a replica, or whose disk is full, is reported by `status`, by the watch and in every error."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis.exceptions import ReadOnlyError, ResponseError

from state.errors import ServerUnavailableError
from state.event_stream import GroupMissingError, group_expected
from state.server_errors import driver_errors
from tests.support.cli_support import make_healthy, read
from tests.worker.test_alarms import settled
from worker.monitoring import health
from worker.monitoring.checks import server
from worker.runtime import State
from worker.server_errors import describe
from worker.settings import Settings
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
SETTINGS = Settings(redis_url="redis://redis.example:6379/0")
MISCONF = "MISCONF Errors writing to the AOF file: No space left on device"


@contextmanager
def demoted(state: State) -> Iterator[None]:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        state.client.replicaof("127.0.0.1", nobody.getsockname()[1])
        try:
            yield
        finally:
            state.client.replicaof("NO", "ONE")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def writes(state: State) -> list[tuple[str, str]]:
    found = health.findings(read(state), Settings())
    return [(finding.mark, finding.text) for finding in found if finding.name == "writes"]


def test_demoted_server_fails_the_status_and_a_primary_does_not(healthy: State) -> None:
    with demoted(healthy):
        assert writes(healthy) == [("fail", server.REPLICA)]
    assert writes(healthy) == []


def test_demoted_server_is_one_alarm_until_it_takes_writes(valkey: EmbeddedValkey, healthy: State) -> None:
    watching = settled(valkey.url)
    with demoted(healthy):
        (line,) = watching.lines()
        assert (line["event"], line["alarm"]) == ("alarm", "server")
        assert "it is a replica and takes no writes: make it the primary again" in line["text"]
        assert watching.look() == watching.look() == []
    assert watching.look() == [("alarm_resolved", "server")]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (ReadOnlyError("You can't write against a read only replica."), "it is a replica and takes no writes: make it"),
        (ResponseError(MISCONF), f"{MISCONF}: make room on its disk"),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), "write.: bring its replicas back"),
        (ResponseError("BUSY Valkey is busy running a script."), "a script.: start it"),
    ],
    ids=["replica", "full disk", "too few replicas", "busy"],
)
def test_refusal_of_writes_may_pass_and_names_its_fix(refusal: ResponseError, words: str) -> None:
    with pytest.raises(ServerUnavailableError) as raised, driver_errors():
        raise refusal
    assert words in describe(SETTINGS, raised.value)


def test_demotion_during_a_read_is_not_a_missing_group() -> None:
    words = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
    with pytest.raises(ServerUnavailableError) as raised, group_expected():
        raise ResponseError(words)
    assert not isinstance(raised.value, GroupMissingError)
