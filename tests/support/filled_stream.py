"""A stream of activity with entries."""

from collections.abc import Sequence

import pytest

from state.event_stream import StreamEntry
from worker.runtime import State


def fill(state: State) -> State:
    """Create a group, and three unread entries."""
    state.streams.first.create_group()
    for number in range(3):
        add(state, f"e{number}")
    return state


@pytest.fixture
def filled(state: State) -> State:
    """A stream with three unread entries."""
    return fill(state)


def add(state: State, event: str) -> bytes:
    added: bytes = state.scripts.client.execute_command("XADD", state.keys.events, "*", "event", event)
    return added


def events(entries: Sequence[StreamEntry]) -> list[bytes | None]:
    return [entry.event for entry in entries]


def read(state: State, consumer: str = "one", count: int = 10) -> list[StreamEntry]:
    return state.streams.first.read(consumer, count=count, block_ms=1)
