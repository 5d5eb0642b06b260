"""A state whose personal data is encrypted."""

import pytest

from tests.support.cipher_support import KEY, OTHER, johns_visit, with_keys
from tests.support.durations import HOUR_MS
from tests.support.events import happen
from tests.support.outreaches import dispatch, sweep
from tests.support.stored_state import stored
from worker.runtime import State


@pytest.fixture
def sealed(state: State) -> State:
    """A process with a key."""
    return with_keys(state, KEY)


def abandoned(state: State, session: str = "s-1") -> str:
    """Let John fall silent; return the outreach, dispatched."""
    happen(state, johns_visit(session), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    outreach = stored(state, session).outreach
    assert outreach in dispatch(state)
    return outreach


@pytest.fixture
def other(sealed: State) -> State:
    """A process with another key."""
    return with_keys(sealed, OTHER)
