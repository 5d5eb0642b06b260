"""With keys nothing personal can be read in Redis, and everything works as without them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state import deployment
from state.cipher import key_id_of
from state.connection import connect
from state.errors import DeploymentMismatchError
from state.people import person_of
from state.scripts import Scripts
from state.session_record import STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import Outcome
from tasks.deps import Deps
from tests.support.attempts import attempt_again, deps_of, yuno
from tests.support.encrypting import (
    JOHN,
    KEY,
    OTHER,
    content,
    files_in,
    found_in,
    johns_visit,
    key_id,
    quoting,
    seal_again,
    with_keys,
)
from tests.support.faulty_server import http
from tests.support.helpers import (
    DAY_MS,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECRET,
    apply,
    arrived,
    dispatch,
    dump,
    event,
    eventually,
    happen,
    make_state,
    now_ms,
    places_of,
    record,
    score_of,
    stored,
    sweep,
    take,
    texts,
)
from tests.support.ingesting import facts_of, ingest_of, publish, rejected, waiting
from tests.support.operating import shop_on
from worker import runtime
from worker.runtime import State
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey


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


def everything_happens(state: State) -> None:
    """Leave every sort of record behind: unapplied parts, a silent session, requests under way, refused, repeated."""
    broken = johns_visit("s-broken", cart={"items": [{"name": "Purple Kettle", "quantity": "John"}]})
    refused = johns_visit("s-refused") | {
        "engagement": {"preferred_channel": {"John": 1}, "metadata": {"n": "x" * 9000}}
    }
    unreadable = johns_visit("s-unreadable") | {"type": "Mabel", "occurred_at": "John"}
    answers = [http(400, quoting("John Q. Sample <john.q@sample.example>", "+573007654321 is not a number")), http(503)]
    for number, answer in enumerate(answers):
        outreach = abandoned(state, f"s-{number}")
        with yuno(state, answer) as (deps, server):
            attempt(outreach, deps)
            assert found_in(body.encode() for _, body in server.requests)
    # Afterwards: somebody who is shopping in another session is left alone.
    publish(state, johns_visit("s-silent"), broken, refused, unreadable)
    ingest_of(state).step()
    assert waiting(state) == 0
    assert len(rejected(state)) >= 3
    held = take(state, abandoned(state, "s-sending"))
    assert state.outbox.fence(held, body=json.dumps({"customer": JOHN}), key="k").verdict == "sending"
    publish(state, event("order_completed", "s-0", stage=None), event("opt_out", "s-1", stage=None))
    ingest_of(state).step()
    assert facts_of(state, "+573007654321").opted_out


def test_nothing_personal_can_be_read_in_the_whole_of_redis(sealed: State) -> None:
    everything_happens(sealed)
    assert {"dead", "sending"} <= {record(sealed, outreach)["state"] for outreach in outreaches(sealed)}
    assert found_in(content(sealed)) == set()


def test_without_keys_the_same_search_finds_everything(state: State) -> None:
    """Otherwise the test above might look in the wrong places."""
    everything_happens(state)
    assert len(found_in(content(state))) > 10
    assert any("573007654321 is not a number" in record(state, outreach)["history"] for outreach in outreaches(state))


def outreaches(state: State) -> list[str]:
    return [key.decode().rpartition(":")[2] for key in state.client.scan_iter("*:outreach:*")]


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[State]:
    with EmbeddedValkey(tmp_path / "valkey", port=0) as server, connect(server.url) as client:
        client.config_set("rdbcompression", "no")
        client.config_set("appendfsync", "always")
        yield with_keys(make_state(client, Scripts(client)), KEY)


@pytest.mark.xdist_group("valkey")
def test_on_disk_there_is_only_what_the_shop_sent_until_the_append_only_file_is_rewritten(
    own_server: State, tmp_path: Path
) -> None:
    client: Any = own_server.client
    happen(own_server, johns_visit("s-first"))
    assert found_in(files_in(tmp_path)) == set()
    everything_happens(own_server)
    assert found_in(files_in(tmp_path)), "the raw events are written to the file before anybody reads them"
    client.bgrewriteaof()
    eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    eventually(lambda: found_in(files_in(tmp_path)) == set())


# As without keys


def test_an_outreach_goes_out_as_without_keys_and_is_repeated_in_the_same_words(sealed: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(503), http(200)) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        body = record(sealed, outreach)["body"]
        assert key_id_of(body) == key_id(KEY)
        assert attempt_again(sealed, outreach, deps) == Outcome(outreach, "sent", "", 2, "http_200")
        first, second = server.requests
    assert first == second
    assert json.loads(first[1])["customer"]["full_name"] == JOHN["full_name"]
    assert "body" not in record(sealed, outreach)


def test_what_a_reply_quoted_can_be_read_with_the_key_alone(sealed: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(400, quoting("John:\nbad"))) as (deps, _):
        assert attempt(outreach, deps).outcome == "dead"
    history = record(sealed, outreach)["history"]
    assert re.search(r"attempt 1 in [0-9]+ ms http_400\.INVALID_REQUEST ~", history)
    assert " http_400.INVALID_REQUEST John: bad\n" in sealed.outbox.readable(outreach, history)
    other = with_keys(sealed, OTHER).outbox.readable(outreach, history)
    assert f"is encrypted under key {key_id(KEY)}, which is not in encryption_keys" in other


def test_a_buyer_is_recognised_by_the_session_alone(sealed: State) -> None:
    publish(sealed, johns_visit(), event("order_completed", stage=None))
    ingest_of(sealed).step()
    assert facts_of(sealed, JOHN["phone_number"]).bought  # type: ignore[arg-type]


def test_who_took_the_number_back_cannot_be_reached(sealed: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    happen(sealed, event(customer={"phone_number": None}), ago_ms=HOUR_MS - MINUTE_MS)
    assert sweep(sealed) == 0
    assert stored(sealed).state == "unreachable"


# Switching it on while the shop runs


def test_what_was_written_before_there_was_a_key_still_goes_out(state: State, sealed: State) -> None:
    outreach = abandoned(state)
    with yuno(state, http(503)) as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
    with yuno(sealed) as (deps, server):
        assert attempt_again(sealed, outreach, deps).outcome == "sent"
        assert json.loads(server.requests[0][1])["customer"]["full_name"] == JOHN["full_name"]


def test_a_plain_value_is_encrypted_when_it_is_next_written(state: State, sealed: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    before = arrived(event(customer=JANE), at_ms)
    apply(state, before)
    assert stored(sealed).fields == {"name": "Jane Doe", "phone": JANE["phone_number"], "country": "CO"}
    apply(sealed, before)
    assert all(key_id_of(value[STAMP_WIDTH:]) for name, value in fields_of(sealed).items())
    assert stored(sealed).fields == {"name": "Jane Doe", "phone": JANE["phone_number"], "country": "CO"}


def fields_of(state: State, session: str = "s-1") -> dict[str, str]:
    return {n: v for n, v in texts(state, state.keys.session(session)).items() if n in {"name", "phone", "country"}}


# A key that is missing, a value that was changed


@pytest.fixture
def other(sealed: State) -> State:
    """A process with another key."""
    return with_keys(sealed, OTHER)


def reporting(state: State) -> Deps:
    deps = deps_of(state)
    object.__setattr__(deps, "report", lambda about, text: deployment.report(state.scripts, state.keys, about, text))
    return deps


def problem(state: State) -> str:
    return deployment.problems(state.scripts, state.keys).get("encryption", "")


def test_an_outreach_that_cannot_be_decrypted_waits_for_its_key_and_says_so(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    assert attempt(outreach, reporting(other)) == Outcome(outreach, "postponed", "unreadable")
    assert problem(sealed).startswith(f"outreach {outreach}: ")
    assert f"is encrypted under key {key_id(KEY)}, which is not in encryption_keys" in problem(sealed)
    assert record(sealed, outreach)["history"].endswith(" postponed.unreadable\n")
    due = score_of(sealed, sealed.keys.due(int(outreach[:2])), outreach)
    assert due is not None
    assert 4 * MINUTE_MS < due - now_ms(sealed) <= 5 * MINUTE_MS
    with yuno(with_keys(sealed, OTHER, KEY)) as (deps, _):
        assert attempt_again(sealed, outreach, deps).outcome == "sent"


def test_a_body_that_cannot_be_decrypted_is_not_built_anew(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(503)) as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
    seal_again(other)
    with yuno(other) as (deps, server):
        assert attempt_again(sealed, outreach, deps) == Outcome(outreach, "postponed", "unreadable")
        assert server.requests == []


def test_one_that_nobody_can_decrypt_any_more_expires_in_the_end(sealed: State, other: State) -> None:
    outreach = abandoned(sealed)
    sealed.client.hset(sealed.keys.outreach(outreach), "expires_at", now_ms(sealed) - DAY_MS)
    assert attempt(outreach, reporting(other)) == Outcome(outreach, "expired", "unreadable")
    assert places_of(sealed, outreach) == set()
    assert problem(sealed)


@pytest.mark.parametrize("field", ["phone", "cart", "meta.note"])
def test_a_value_that_was_moved_here_from_another_session_is_not_sent(sealed: State, field: str) -> None:
    outreach = abandoned(sealed)
    happen(sealed, johns_visit("s-2"))
    moved = texts(sealed, sealed.keys.session("s-2"))[field]
    sealed.client.hset(sealed.keys.session("s-1"), field, moved)
    with yuno(sealed) as (deps, server):
        assert attempt(outreach, deps) == Outcome(outreach, "postponed", "unreadable")
        assert server.requests == []
    assert field not in stored(sealed).fields
    assert "does not open with its key" in stored(sealed).unreadable


def test_ingest_goes_on_past_a_person_that_it_cannot_decrypt_and_says_so(sealed: State, other: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    publish(other, event("order_completed", stage=None), johns_visit("s-2"))
    ingest_of(other).step()
    assert waiting(other) == 0
    assert stored(other).state == "bought"
    assert problem(other).startswith("session s-1, its person: ")
    assert stored(other, "s-2").fields["name"] == JOHN["full_name"]


def test_ingest_that_lacks_a_key_of_the_deployment_stops_and_loses_nothing(sealed: State, other: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    deployment.check(sealed.scripts, sealed.keys, SECRET, sealed.cipher.ids)
    publish(other, event("order_completed", stage=None))
    with pytest.raises(DeploymentMismatchError, match="encryption_keys: lacks a key"):
        ingest_of(other).step()
    assert waiting(other) == 1
    ingest_of(with_keys(sealed, OTHER, KEY)).step()
    assert sealed.people.facts(person_of("+573007654321", SECRET)).bought


# What all processes must agree on


def check(state: State, *keys: bytes) -> None:
    deployment.check(state.scripts, state.keys, SECRET, with_keys(state, *keys).cipher.ids)


def test_the_first_start_with_a_key_records_its_id_and_not_the_key(state: State) -> None:
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


def test_a_new_key_is_let_in_beside_the_old_one_and_then_needed(state: State) -> None:
    check(state, KEY)
    check(state, OTHER, KEY)
    assert deployment.recorded_keys(state.scripts, state.keys) == sorted([key_id(KEY), key_id(OTHER)])
    with pytest.raises(DeploymentMismatchError, match=key_id(OTHER)):
        check(state, KEY)


def test_a_process_that_reads_nothing_personal_needs_no_key(state: State) -> None:
    check(state, KEY)
    deployment.check(state.scripts, state.keys, SECRET, None)


@pytest.mark.xdist_group("valkey")
def test_people_are_found_and_forgotten_by_their_number_with_the_keys_and_not_without(valkey: EmbeddedValkey) -> None:
    with shop_on(valkey.url, WINBACK_ENCRYPTION_KEYS=KEY.hex()) as shop:
        runtime.join_deployment(shop.state, load(shop.env))
        happen(shop.state, johns_visit(), ago_ms=MINUTE_MS)
        shop.run("optout", "add", "+573001234567")
        keys = shop.env.pop("WINBACK_ENCRYPTION_KEYS")
        assert "encryption_keys: is not set" in shop.run("forget", "--phone", "+573007654321", "--yes", code=2)
        shop.env["WINBACK_ENCRYPTION_KEYS"] = keys
        assert "removed: 1 session," in shop.run("forget", "--scan", "--phone", "+573007654321", "--yes")
        assert stored(shop.state).state == "forgotten"
