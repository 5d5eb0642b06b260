"""Values that can't be decrypted, and processes without a key that the data needs."""

import pytest

from state import deployment
from state.errors import DeploymentMismatchError
from state.people import person_of
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tasks.deps import Deps
from tests.support.attempts import attempt_again, deps_of, yuno
from tests.support.cipher_support import JOHN, KEY, OTHER, johns_visit, key_id, seal_again, with_keys
from tests.support.decision_support import shop_on
from tests.support.dumps import dump
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import event, happen
from tests.support.faulty_server import http
from tests.support.ingest_support import ingest_of, publish, waiting
from tests.support.sealed import abandoned, other, sealed
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, places_of, record, score_of, stored, texts
from worker import runtime
from worker.runtime import State
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

__all__ = ["other", "sealed"]  # fixtures


def reporting(state: State) -> Deps:
    deps = deps_of(state)
    object.__setattr__(deps, "report", lambda about, text: deployment.report(state.scripts, state.keys, about, text))
    return deps


def problem(state: State) -> str:
    return deployment.problems(state.scripts, state.keys).get("encryption", "")


def test_undecryptable_outreach_waits_for_its_key(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    assert attempt(outreach, reporting(other)) == AttemptOutcome(outreach, "postponed", "unreadable")
    assert problem(sealed).startswith(f"outreach {outreach}: ")
    assert f"is encrypted under key {key_id(KEY)}, which is not in encryption_keys" in problem(sealed)
    assert record(sealed, outreach)["history"].endswith(" postponed.unreadable\n")
    due = score_of(sealed, sealed.keys.due(int(outreach[:2])), outreach)
    assert due is not None
    assert 4 * MINUTE_MS < due - now_ms(sealed) <= 5 * MINUTE_MS
    with yuno(with_keys(sealed, OTHER, KEY)) as (deps, _):
        assert attempt_again(sealed, outreach, deps).outcome == "sent"


def test_undecryptable_body_is_not_rebuilt(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(503)) as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
    seal_again(other)
    with yuno(other) as (deps, server):
        assert attempt_again(sealed, outreach, deps) == AttemptOutcome(outreach, "postponed", "unreadable")
        assert server.requests == []


def test_permanently_undecryptable_outreach_expires(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    sealed.client.hset(sealed.keys.outreach(outreach), "expires_at", now_ms(sealed) - DAY_MS)
    assert attempt(outreach, reporting(other)) == AttemptOutcome(outreach, "expired", "unreadable")
    assert places_of(sealed, outreach) == set()
    assert problem(sealed)


@pytest.mark.parametrize("field", ["phone", "cart", "meta.note"])
def test_value_moved_from_another_session_is_not_sent(sealed: State, field: str) -> None:
    outreach = abandoned(sealed)
    happen(sealed, johns_visit("s-2"))
    moved = texts(sealed, sealed.keys.session("s-2"))[field]
    sealed.client.hset(sealed.keys.session("s-1"), field, moved)
    with yuno(sealed) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "postponed", "unreadable")
        assert server.requests == []
    assert field not in stored(sealed).fields
    assert "doesn't decrypt under its key" in stored(sealed).unreadable


def test_ingest_reports_an_undecryptable_person_and_continues(sealed: State, other: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    publish(other, event("order_completed", stage=None), johns_visit("s-2"))
    ingest_of(other).step()
    assert waiting(other) == 0
    assert stored(other).state == "bought"
    assert problem(other).startswith("session s-1, its person: ")
    assert stored(other, "s-2").fields["name"] == JOHN["full_name"]


def test_ingest_without_a_deployment_key_stops_and_loses_nothing(sealed: State, other: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    deployment.check(sealed.scripts, sealed.keys, SECRET, sealed.cipher.ids)
    publish(other, event("order_completed", stage=None))
    with pytest.raises(DeploymentMismatchError, match="encryption_keys: lacks a key"):
        ingest_of(other).step()
    assert waiting(other) == 1
    ingest_of(with_keys(sealed, OTHER, KEY)).step()
    assert sealed.people.person_facts(person_of("+573007654321", SECRET)).bought


# What all processes must agree on


def check(state: State, *keys: bytes) -> None:
    deployment.check(state.scripts, state.keys, SECRET, with_keys(state, *keys).cipher.ids)


def test_first_start_with_a_key_records_only_its_id(state: State) -> None:
    check(state)
    assert deployment.recorded_keys(state.scripts, state.keys) == []
    check(state, KEY, OTHER)
    assert deployment.recorded_keys(state.scripts, state.keys) == [key_id(KEY)]
    assert KEY.hex()[:8] not in repr(dump(state))


@pytest.mark.parametrize(("keys", "has"), [([], "is not set"), ([OTHER], "lacks a key")])
def test_a_process_without_the_key_is_refused_with_one_line(state: State, keys: list[bytes], has: str) -> None:
    check(state, KEY)
    with pytest.raises(
        DeploymentMismatchError, match=rf"^encryption_keys: {has}.*\(key {key_id(KEY)}\): add it"
    ) as said:
        check(state, *keys)
    assert "\n" not in str(said.value)
    assert deployment.recorded_keys(state.scripts, state.keys) == [key_id(KEY)]


def test_new_key_is_accepted_and_then_required(state: State) -> None:
    check(state, KEY)
    check(state, OTHER, KEY)
    assert deployment.recorded_keys(state.scripts, state.keys) == sorted([key_id(KEY), key_id(OTHER)])
    with pytest.raises(DeploymentMismatchError, match=key_id(OTHER)):
        check(state, KEY)


def test_a_process_that_reads_nothing_personal_needs_no_key(state: State) -> None:
    check(state, KEY)
    deployment.check(state.scripts, state.keys, SECRET, None)


@pytest.mark.xdist_group("valkey")
def test_people_are_found_and_forgotten_only_with_the_keys(valkey: EmbeddedValkey) -> None:
    with shop_on(valkey.url, WINBACK_ENCRYPTION_KEYS=KEY.hex()) as shop:
        runtime.join_deployment(shop.state, load(shop.env))
        happen(shop.state, johns_visit(), ago_ms=MINUTE_MS)
        shop.run("optout", "add", "+573001234567")
        keys = shop.env.pop("WINBACK_ENCRYPTION_KEYS")
        assert "encryption_keys: is not set" in shop.run("forget", "--phone", "+573007654321", "--yes", code=2)
        shop.env["WINBACK_ENCRYPTION_KEYS"] = keys
        assert "removed: 1 session," in shop.run("forget", "--scan", "--phone", "+573007654321", "--yes")
        assert stored(shop.state).state == "forgotten"
