"""`winback event tail`, on a real stream."""

import json
from collections.abc import Iterator
from itertools import islice

import pytest
import typer
from typer.testing import CliRunner

from state.errors import StateError
from state.event_follow import Follower
from tests.support.cli_support import environment
from tests.support.events import event
from tests.support.ingest_support import ingest_of, opened, publish, publish_raw, waiting
from winback.cli import event_tail
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


def raw_events(follower: Follower, number: int) -> list[bytes | None]:
    found = (entry.event for entry in follower if entry is not None)
    return list(islice(found, number))


@pytest.fixture
def follower(real_state: State) -> Iterator[Follower]:
    opened(real_state, 2)
    found = Follower(real_state.scripts, real_state.streams.all())
    yield found
    found.stop()


def test_events_of_all_streams_are_shown_and_stay(real_state: State, follower: Follower) -> None:
    for stream in (0, 1):
        publish(real_state, event(session=f"s-{stream}"), stream=stream)
    found = raw_events(follower, 2)
    assert {json.loads(raw or b"")["session_id"] for raw in found} == {"s-0", "s-1"}
    assert waiting(real_state) == 2
    assert follower.missed() == 0


def test_events_that_were_applied_before_are_counted_as_missed(real_state: State, follower: Follower) -> None:
    publish(real_state, event(), event())
    ingest_of(real_state, stream_count=2).step()
    publish(real_state, event(session="s-9"))
    assert len(raw_events(follower, 1)) == 1
    assert follower.missed() == 2


def test_last_begins_with_events_that_are_not_applied(real_state: State) -> None:
    opened(real_state, 1)
    for number in range(3):
        publish_raw(real_state, str(number).encode())
    follower = Follower(real_state.scripts, real_state.streams.all(), last=2)
    publish_raw(real_state, b"3")
    assert raw_events(follower, 3) == [b"1", b"2", b"3"]
    follower.stop()


def test_lost_server_ends_with_the_error(real_state: State, follower: Follower) -> None:
    def fail(*_words: object) -> object:
        raise StateError("away")

    real_state.scripts.client.execute_command = fail  # type: ignore[method-assign]
    try:
        with pytest.raises(StateError, match="away"):
            raw_events(follower, 1)
    finally:
        del real_state.scripts.client.execute_command


@pytest.mark.parametrize(
    ("arguments", "sessions"),
    [([], ["s-1", "s-2", None]), (["--session", "s-2"], ["s-2"]), (["--type", "rejected"], [None])],
)
def test_command_shows_what_is_asked_for(
    real_state: State,
    valkey: EmbeddedValkey,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sessions: list[str | None],
) -> None:
    opened(real_state, 1)
    publish(real_state, event(), event("exit", session="s-2"))
    publish_raw(real_state, b"{")
    # As Ctrl-C would: after the waiting events the iterator ends.
    monkeypatch.setattr(Follower, "__iter__", lambda follower: iter(follower._earlier))
    app = typer.Typer()
    app.command()(event_tail.tail)
    env = environment(valkey.url, WINBACK_NAMESPACE=real_state.keys.namespace)
    done = CliRunner().invoke(app, ["--json", "--last", "9", *arguments], env=env, catch_exceptions=False)
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["session"] for one in shown] == sessions
    assert done.exit_code == 0
