"""The model-based test: I1 to I3 hold after every step, on fakeredis and on a real server."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.mutants.lua_guards import guards
from tests.mutants.test_mutants import Mutated
from tests.support.promise_machine import IDENTITIES, Machine
from tests.support.states import make_state
from worker.runtime import State

EXAMPLES = int(os.environ.get("WINBACK_TEST_EXAMPLES", "25"))
"""How many traces are run; a night's run has more of them."""


@pytest.mark.xdist_group("valkey")
def test_whatever_happens_the_promise_is_kept(state: State) -> None:
    class OverThisServer(Machine):
        def __init__(self) -> None:
            super().__init__(state)

    run_state_machine_as_test(
        OverThisServer,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )


@pytest.mark.xdist_group("valkey")
def test_machine_notices_a_reap_that_repeats_a_request(real_state: State) -> None:
    machine = Machine(make_state(real_state.client, Mutated(real_state.client, guards()["reap_unknown"])))
    machine.begins(repeats=False, identities=IDENTITIES[0])
    machine.does("lease_due", 0)
    machine.does("take", 0)
    for _ in range(4):  # it checks, passes the fence, reserves and posts
        machine.goes_on(0, 1, "accepted")
    machine.does("worker_dies", 0, 1)
    machine.does("lease_ends", 0)
    with pytest.raises(AssertionError, match="reaps outreach 0' the scripts and the model differ"):
        machine.does("reap", 0)
    real_state.client.flushall()
