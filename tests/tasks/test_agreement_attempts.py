"""Workers in another mode than the deployment: their attempts, and those of another namespace or version."""

from dataclasses import replace

import pytest

from state.announcements import declare, withdraw
from state.deployment import SCHEMA_VERSION
from state.errors import DeploymentMismatchError
from state.keys import DAY_MS
from state.outbox import Taken
from state.sending_control import Admitted, Blocked, Control
from tasks.delivery.attempt import attempt
from tasks.deps import Deps
from tests.support.agreeing import LIVE, SHADOW, says, worker
from tests.support.attempts import PERSON, deps_of, yuno
from tests.support.control_support import held
from tests.support.durations import HOUR_MS
from tests.support.outreaches import abandon, dispatch
from tests.support.policy_attempts import contact, dispatched
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, stored, texts, ttl_ms
from worker import runtime
from worker.runtime import State
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey


def of_worker(state: State, deps: Deps, how: str) -> Deps:
    return replace(deps, control=worker(state, how))


def test_a_leftover_shadow_worker_suppresses_nothing(state: State) -> None:
    outreach = abandon(state)
    says(state, "a:1", LIVE)
    assert dispatch(state) == [outreach]
    outcome = attempt(outreach, of_worker(state, deps_of(state), SHADOW))
    assert (outcome.outcome, outcome.reason) == ("postponed", "another_mode")
    assert stored(state).state == "abandoned"
    assert state.outbox.outcomes([outreach]) == ["waiting"]


def test_a_leftover_live_worker_sends_nothing(state: State) -> None:
    outreach = abandon(state)
    says(state, "a:1", SHADOW)
    assert dispatch(state) == [outreach]
    with yuno(state) as (deps, server):
        outcome = attempt(outreach, of_worker(state, deps, LIVE))
        assert (outcome.outcome, outcome.reason) == ("postponed", "sending_another_mode")
        assert not server.requests
    assert state.outbox.outcomes([outreach]) == ["waiting"]


@pytest.mark.parametrize("why", ["opted_out", "holdout", "key_forgotten"])
def test_leftover_live_worker_ends_nothing(state: State, why: str) -> None:
    says(state, "a:1", SHADOW)
    outreach = dispatched(state)
    if why == "opted_out":
        state.people.opt_out(PERSON)
    with yuno(state, on_unknown="retry") as (made, server):
        held_out = contact(holdout=100 if why == "holdout" else 0)
        deps = replace(of_worker(state, made, LIVE), contact=held_out)
        if why == "key_forgotten":
            two_days_ago = now_ms(state) - 2 * DAY_MS
            state.client.hset(state.keys.outreach(outreach), mapping={"ambiguous": "1", "first_sending": two_days_ago})
        outcome = attempt(outreach, deps)
        assert (outcome.outcome, outcome.reason) == ("postponed", "another_mode")
        assert not server.requests
    assert state.outbox.outcomes([outreach]) == ["waiting"]


class Switching(Control):
    """Another worker takes over at the last moment before the gate."""

    def gate(self, taken: Taken) -> Admitted | Blocked:
        withdraw(self._scripts, self._keys, "a:1")
        declare(self._scripts, self._keys, SHADOW, "b:1")
        return super().gate(taken)


def test_a_switch_after_the_take_stops_the_request(state: State) -> None:
    outreach = abandon(state)
    says(state, "a:1", LIVE)
    assert dispatch(state) == [outreach]
    with yuno(state) as (deps, server):
        switching = Switching(state.scripts, state.keys, deps.control.limits, LIVE)
        outcome = attempt(outreach, replace(deps, control=switching))
        assert (outcome.outcome, outcome.reason) == ("postponed", "sending_another_mode")
        assert not server.requests


def test_a_worker_that_agrees_sends(state: State) -> None:
    outreach = abandon(state)
    says(state, "a:1", LIVE)
    assert dispatch(state) == [outreach]
    with yuno(state) as (deps, server):
        assert attempt(outreach, of_worker(state, deps, LIVE)).outcome == "sent"
        assert len(server.requests) == 1


def test_an_outreach_of_another_namespace_is_noted(state: State) -> None:
    outcome = attempt("07-00000000000000ab", deps_of(state))
    assert (outcome.outcome, outcome.reason) == ("dropped", "foreign")
    assert abs(int(texts(state, state.keys.foreign)["at"]) - now_ms(state)) < HOUR_MS
    assert ttl_ms(state, state.keys.foreign)


# A whole worker


@pytest.mark.xdist_group("valkey")
def test_worker_stops_acting_when_its_data_is_taken_over(real_state: State, valkey: EmbeddedValkey) -> None:
    env = {"WINBACK_REDIS_URL": valkey.url, "WINBACK_IDENTITY_SECRET": SECRET.decode()}
    settings = load(env)
    running = runtime.open_state(settings, sends=True)
    runtime.join_deployment(running, settings)
    running.declare()
    assert running.control.agreed()
    for field, other in (("schema", "99"), ("identity", "another")):
        was = real_state.client.hget(running.keys.deployment, field)
        real_state.client.hset(running.keys.deployment, field, other)
        running.declare()
        running.declare()
        assert not running.control.agreed()
        assert running.control.gate(held()) == "another_mode"
        real_state.client.hset(running.keys.deployment, field, was or "")
        running.declare()
        assert running.control.agreed()
    running.client.close()


@pytest.mark.xdist_group("valkey")
def test_data_of_a_later_version_refuses_this_one(real_state: State, valkey: EmbeddedValkey) -> None:
    later = str(SCHEMA_VERSION + 1)
    real_state.client.hset(real_state.keys.deployment, mapping={"schema": later, "partitions": "64"})
    settings = load({"WINBACK_REDIS_URL": valkey.url, "WINBACK_IDENTITY_SECRET": SECRET.decode()})
    running = runtime.open_state(settings, sends=True)
    with pytest.raises(DeploymentMismatchError, match="run that version"):
        runtime.join_deployment(running, settings)
    assert texts(real_state, real_state.keys.deployment)["schema"] == later
    running.client.close()
