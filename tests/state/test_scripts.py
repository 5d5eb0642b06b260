"""Script calls: many at once, unknown ones, refused ones, and a connection that breaks in between."""

from collections.abc import Iterator

import pytest
from redis._parsers.base import BaseParser

from state.calls.people import MarkReply
from state.connection import connect
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.partitions import PARTITIONS
from state.script import Call
from state.scripts import Scripts
from state.server_errors import driver_errors
from tests.support.calls import bought
from tests.support.durations import HOUR_MS
from tests.support.outreaches import abandon
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

ON_VALKEY = pytest.mark.xdist_group("valkey")


def marks(state: State, number: int) -> list[Call[MarkReply]]:
    """Return calls, every second of which changes nothing."""
    at_ms = now_ms(state)
    return [
        bought(state.keys.person(f"{index:02x}"), at_ms - (index % 2) * HOUR_MS, HOUR_MS) for index in range(number)
    ]


def changed(replies: list[MarkReply]) -> list[int]:
    return [reply.new for reply in replies]


@pytest.mark.parametrize("number", [0, 1, 2, 40])
def test_replies_come_in_the_order_of_the_calls(state: State, number: int) -> None:
    assert changed(state.scripts.run_many(marks(state, number))) == [1 - index % 2 for index in range(number)]


@pytest.mark.parametrize("number", [0, 1, 2, 40])
def test_replies_may_be_waited_for_later(state: State, number: int) -> None:
    wait = state.scripts.send_calls(marks(state, number))
    assert state.streams.watermark().first == ""
    assert changed(wait.result()) == [1 - index % 2 for index in range(number)]


@pytest.mark.parametrize("number", [1, 2, 40])
def test_scripts_that_the_server_has_forgotten_are_sent_again(state: State, number: int) -> None:
    for _ in range(2):
        state.client.script_flush()
        assert len(state.scripts.run_many(marks(state, number))) == number
        state.client.flushall()
        state.client.script_flush()
        assert sum(changed(state.scripts.send_calls(marks(state, number)).result())) == (number + 1) // 2


@ON_VALKEY
def test_the_first_error_is_raised_after_every_call_was_tried(real_state: State) -> None:
    """Only on the real server: fakeredis drops the rest of a pipeline after an error in a script."""
    state, calls = real_state, marks(real_state, 6)
    calls[2] = calls[2]._replace(arguments=("", 1, "not a number", "", HOUR_MS, 10))
    for call in (state.scripts.run_many, lambda found: state.scripts.send_calls(found).result()):
        with pytest.raises(StateError, match="refused a command"):
            call(calls)
        assert {index for index in range(6) if state.people.person_facts(f"{index:02x}").bought} == {0, 4}
        state.client.flushall()


@pytest.mark.parametrize(
    "said",
    [
        "READONLY You can't write against a read only replica.",
        "CLUSTERDOWN The cluster is down",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "ASK 3999 127.0.0.1:6381",
        "MOVED 3999 127.0.0.1:6381",
        "LOADING Redis is loading the dataset in memory",
        "NOREPLICAS Not enough good replicas to write.",
        "ERR Attempted to access a non local key in a cluster node script: on @user_script:18.",
        "ERR Script attempted to access a non local key in a cluster node",
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    ],
)
def test_failover_errors_are_transient(said: str) -> None:
    """In the driver's form, which removes the first word of some errors."""
    error: Exception = BaseParser.parse_error(said)  # type: ignore[no-untyped-call]
    with pytest.raises(ServerUnavailableError), driver_errors():
        raise error


@pytest.fixture
def narrow(valkey: EmbeddedValkey, real_state: State) -> Iterator[Scripts]:
    """Scripts over a single connection: a call that doesn't return it blocks all others."""
    client = connect(valkey.url, max_connections=1)
    yield Scripts(client)
    client.close()
    real_state.client.flushall()


@ON_VALKEY
def test_a_connection_is_given_back_however_it_went(narrow: Scripts, real_state: State) -> None:
    calls = marks(real_state, 4)
    for _ in range(3):
        narrow.send_calls(calls).result()
        real_state.client.config_set("maxmemory", 1)
        try:
            with pytest.raises(ServerFullError):
                narrow.send_calls(calls).result()
        finally:
            real_state.client.config_set("maxmemory", 0)
        with pytest.raises(StateError, match="refused"):
            narrow.send_calls([calls[0]._replace(arguments=("", 1, "x", "", 1, 10))]).result()


@ON_VALKEY
def test_broken_connection_is_not_reused(narrow: Scripts, real_state: State) -> None:
    calls = marks(real_state, 4)
    narrow.send_calls(calls).result()
    real_state.client.client_pause(60_000, all=False)
    wait = narrow.send_calls(calls)
    real_state.client.client_kill_filter(_type="normal", skipme=True)
    real_state.client.client_unpause()
    with pytest.raises(ServerUnavailableError, match="does not answer"):
        wait.result()
    assert changed(narrow.send_calls(calls).result()) == [0] * 4


@ON_VALKEY
def test_one_round_trip_serves_all_partitions(real_state: State) -> None:
    abandon(real_state)
    real_state.outbox.reap()
    real_state.client.config_resetstat()
    real_state.outbox.reap()
    assert real_state.client.info("commandstats")["cmdstat_evalsha"]["calls"] == PARTITIONS
