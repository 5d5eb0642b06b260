"""With keys, Redis holds no readable personal data, and everything works as without them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state.cipher import key_id_of
from state.connection import connect
from state.scripts import Scripts
from state.session_record import STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import attempt_again, yuno
from tests.support.cipher_support import (
    JOHN,
    KEY,
    OTHER,
    content,
    files_in,
    found_in,
    johns_visit,
    key_id,
    quoting,
    with_keys,
)
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.faulty_server import http
from tests.support.ingest_support import facts_of, ingest_of, publish, rejected, waiting
from tests.support.outreaches import sweep, take
from tests.support.sealed import abandoned, other, sealed
from tests.support.states import make_state
from tests.support.stored_state import now_ms, record, stored, texts
from tests.support.waiting import eventually
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

__all__ = ["other", "sealed"]  # fixtures


def everything_happens(state: State) -> None:
    """Leave every sort of record: unapplied parts, a silent session, requests in flight, refused, repeated."""
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
    # Afterwards: a person who is shopping in another session isn't contacted.
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
    """Otherwise the test above could search in the wrong places."""
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
def test_disk_holds_plain_text_only_until_the_aof_rewrite(own_server: State, tmp_path: Path) -> None:
    client: Any = own_server.client
    happen(own_server, johns_visit("s-first"))
    assert found_in(files_in(tmp_path)) == set()
    everything_happens(own_server)
    assert found_in(files_in(tmp_path)), "the raw events are written to the file before any process reads them"
    client.bgrewriteaof()
    eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    eventually(lambda: found_in(files_in(tmp_path)) == set())


# As without keys


def test_outreach_is_repeated_in_the_same_bytes_with_encryption(sealed: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(503), http(200)) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        body = record(sealed, outreach)["body"]
        assert key_id_of(body) == key_id(KEY)
        assert attempt_again(sealed, outreach, deps) == AttemptOutcome(outreach, "sent", "", 2, "http_200")
        first, second = server.requests
    assert first == second
    assert json.loads(first[1])["customer"]["full_name"] == JOHN["full_name"]
    assert "body" not in record(sealed, outreach)


def test_quoted_reply_is_readable_only_with_the_key(sealed: State) -> None:
    outreach = abandoned(sealed)
    with yuno(sealed, http(400, quoting("John:\nbad"))) as (deps, _):
        assert attempt(outreach, deps).outcome == "dead"
    history = record(sealed, outreach)["history"]
    assert re.search(r"attempt 1 in [0-9]+ ms http_400\.INVALID_REQUEST ~", history)
    assert " http_400.INVALID_REQUEST John: bad\n" in sealed.outbox.readable(outreach, history)
    other = with_keys(sealed, OTHER).outbox.readable(outreach, history)
    assert f"is encrypted under key {key_id(KEY)}, which is not in encryption_keys" in other


def test_buyer_is_recognised_by_the_session_only(sealed: State) -> None:
    publish(sealed, johns_visit(), event("order_completed", stage=None))
    ingest_of(sealed).step()
    assert facts_of(sealed, JOHN["phone_number"]).bought  # type: ignore[arg-type]


def test_withdrawn_number_is_unreachable(sealed: State) -> None:
    happen(sealed, johns_visit(), ago_ms=HOUR_MS)
    happen(sealed, event(customer={"phone_number": None}), ago_ms=HOUR_MS - MINUTE_MS)
    assert sweep(sealed) == 0
    assert stored(sealed).state == "unreachable"


# Enabling encryption while the shop runs


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
