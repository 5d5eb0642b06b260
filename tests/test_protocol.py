"""Whatever happens between the steps of an attempt, the promise is kept: once, none lost, not after they came back."""

import pytest

from tests.protocol import Walk
from worker.runtime import State


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_between_the_steps_the_promise_is_kept(real_state: State, seed: int) -> None:
    walk = Walk(real_state, seed)
    try:
        walk.go(100)
    except AssertionError as exc:
        exc.add_note("\n".join(walk.trace))
        raise
