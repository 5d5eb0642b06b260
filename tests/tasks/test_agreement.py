"""Workers that were started in different modes: none of them acts until all that run agree."""

from dataclasses import replace
from typing import Any

import pytest

from state.announcements import (
    DECLARATION_COUNTS_MS,
    Agreement,
    announce,
    declare,
    read_announcements,
    withdraw,
)
from state.deployment import SCHEMA_VERSION
from state.errors import DeploymentMismatchError
from state.keys import DAY_MS, HEARTBEAT_TTL_MS
from state.outbox import Taken
from state.sending_control import Control, Held, Passed
from tasks.delivery.attempt import attempt
from tasks.deps import Deps
from tests.support.attempts import PERSON, deps_of, yuno
from tests.support.controlling import control, granted, held, passes, sending
from tests.support.helpers import HOUR_MS, SECRET, abandon, dispatch, now_ms, stored, texts, ttl_ms
from tests.tasks.test_attempt_policy import contact, dispatched
from worker import runtime
from worker.runtime import State
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

LIVE, SHADOW = "live 1", "shadow 2"


def says(state: State, process: str, how: str) -> Agreement:
    return declare(state.scripts, state.keys, how, process)


def worker(state: State, how: str) -> Control:
    return Control(state.scripts, state.keys, control(state).limits, how)


def let_declarations_age(state: State, ms: int = DECLARATION_COUNTS_MS + 1, *processes: str) -> None:
    for process, said in texts(state, state.keys.workers).items():
        at, how = said.split(" ", 1)
        if not processes or process in processes:
            state.client.hset(state.keys.workers, process, f"{int(at) - ms} {how}")


def test_the_first_worker_decides_how_the_deployment_sends(state: State) -> None:
    assert not worker(state, LIVE).agreed()
    assert says(state, "a:1", LIVE) == "agreed"
    assert worker(state, LIVE).agreed()
    assert not worker(state, SHADOW).agreed()
    assert 0 < (ttl_ms(state, state.keys.workers) or 0) <= DAY_MS


def test_workers_that_agree_all_act(state: State) -> None:
    assert [says(state, process, LIVE) for process in ("a:1", "b:1", "a:1")] == ["agreed"] * 3
    passes(worker(state, LIVE))


def test_while_workers_disagree_none_of_them_acts(state: State) -> None:
    says(state, "a:1", LIVE)
    assert says(state, "b:1", SHADOW) == "mixed"
    assert says(state, "a:1", LIVE) == "mixed"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, False]
    assert worker(state, LIVE).gate(held()) == "mixed"
    assert granted(worker(state, LIVE)) == 0
    assert sending(state).going == "mixed"
    assert abs((sending(state).since_ms or 0) - now_ms(state)) < HOUR_MS


def test_the_record_follows_when_the_other_worker_has_ended(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    withdraw(state.scripts, state.keys, "a:1")
    assert says(state, "b:1", SHADOW) == "agreed"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, True]
    assert worker(state, LIVE).gate(held()) == "another_mode"
    assert sending(state).going == "on"
    assert granted(worker(state, SHADOW)) > 0


def test_the_worker_that_stays_acts_again_when_the_odd_one_ends(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    withdraw(state.scripts, state.keys, "b:1")
    assert says(state, "a:1", LIVE) == "agreed"
    assert worker(state, LIVE).agreed()
    passes(worker(state, LIVE))


def test_the_record_follows_when_the_other_worker_is_silent(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    let_declarations_age(state, DECLARATION_COUNTS_MS - 5_000, "a:1")
    assert says(state, "b:1", SHADOW) == "mixed"
    let_declarations_age(state, DECLARATION_COUNTS_MS, "a:1")
    assert says(state, "b:1", SHADOW) == "agreed"


def test_a_worker_that_wakes_up_stops_all_again(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state)
    says(state, "b:1", SHADOW)
    assert says(state, "b:1", SHADOW) == "agreed"
    assert worker(state, LIVE).gate(held()) == "another_mode"
    assert says(state, "a:1", LIVE) == "mixed"
    assert not worker(state, SHADOW).agreed()


def test_after_an_outage_the_first_worker_waits_for_the_others(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    let_declarations_age(state)
    assert says(state, "b:1", SHADOW) == "waits"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, False]
    assert says(state, "a:1", LIVE) == "mixed"


def test_a_restarted_worker_follows_its_own_declaration(state: State) -> None:
    says(state, "a:1", LIVE)
    assert says(state, "a:1", SHADOW) == "agreed"
    assert worker(state, SHADOW).agreed()


def test_a_worker_that_starts_after_a_crash_waits_one_round(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state)
    assert says(state, "b:1", SHADOW) == "waits"
    assert not worker(state, SHADOW).agreed()
    assert says(state, "b:1", SHADOW) == "agreed"


def test_a_clock_put_back_keeps_no_declaration_for_longer(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state, -HOUR_MS, "a:1")
    assert says(state, "b:1", SHADOW) == "mixed"
    assert abs(int(texts(state, state.keys.workers)["a:1"].split()[0]) - now_ms(state)) < HOUR_MS // 2


def test_a_declaration_of_yesterday_is_removed(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state, DAY_MS + 1)
    says(state, "b:1", LIVE)
    assert set(texts(state, state.keys.workers)) == {"b:1"}


def test_an_announcement_of_yesterday_is_removed(state: State) -> None:
    announce(state.scripts, state.keys, "recover", {"mode": "live"}, "a:1")
    key = state.keys.announced("recover")
    state.client.hset(key, "a:1", f"{now_ms(state) - HEARTBEAT_TTL_MS - 1} {{}}")
    state.client.hset(key, "c:1", "rubbish")
    announce(state.scripts, state.keys, "recover", {"mode": "shadow"}, "b:1")
    client: Any = state.client
    (found,) = read_announcements({name.decode(): text.decode() for name, text in client.hgetall(key).items()})
    assert (found.process, found.about) == ("b:1", {"mode": "shadow"})
    assert 0 < (ttl_ms(state, key) or 0) <= HEARTBEAT_TTL_MS


# An attempt


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
    """Another worker takes over in the last moment before the gate."""

    def gate(self, taken: Taken) -> Passed | Held:
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
def test_a_worker_acts_no_more_when_its_data_is_taken_over(real_state: State, valkey: EmbeddedValkey) -> None:
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
