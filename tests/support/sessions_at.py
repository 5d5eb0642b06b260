"""Times of the events of a session."""

import pytest

from tests.support.durations import HOUR_MS
from tests.support.stored_state import now_ms
from worker.runtime import State


@pytest.fixture
def at_ms(state: State) -> int:
    """Return a time of today, so that no session has expired when it is read."""
    return now_ms(state) - HOUR_MS


def iso(at_ms: int) -> float:
    """Return a time as Unix seconds, which pydantic also reads."""
    return at_ms / 1000
