"""Re-encryption under another key: everything, once, in small steps, and never over another process's write."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest

from state import deployment, key_rotation
from state.cipher import OPEN_FIELDS, key_id_of, sealed_in
from state.key_rotation import Rotation, RotationTally
from state.script import Call, Reply
from state.session_record import OWN_FIELDS, STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tests.support.attempts import attempt_again, yuno
from tests.support.cipher_support import KEY, OTHER, content, found_in, johns_visit, key_id, quoting, with_keys
from tests.support.dumps import dump
from tests.support.durations import HOUR_MS, SECOND_MS
from tests.support.events import event, happen
from tests.support.faulty_server import http
from tests.support.outreaches import abandon, dispatch, sending, sweep
from tests.support.partitions import same_partition
from tests.support.passing_time import expire_session
from tests.support.stored_state import record, stored, texts, ttl_ms
from worker.runtime import State


@pytest.fixture
def old(state: State) -> State:
    """A process with the old key."""
    return with_keys(state, KEY)


@pytest.fixture
def new(state: State) -> State:
    """A process with the new key and the old one."""
    return with_keys(state, OTHER, KEY)


def rotation_of(state: State) -> Rotation:
    return Rotation(state.scripts, state.keys, state.cipher)


def rotate(state: State) -> RotationTally:
    tally = RotationTally()
    for _ in rotation_of(state).steps(tally):
        pass
    return tally


def used_keys(state: State) -> set[str]:
    """Return the ids of all keys in use; empty for unencrypted values."""
    found = set()
    for name in state.client.scan_iter("*:session:*"):
        own = OWN_FIELDS | OPEN_FIELDS
        found |= {
            key_id_of(v[STAMP_WIDTH:])
            for n, v in texts(state, name.decode()).items()
            if n not in own and v[STAMP_WIDTH:]
        }
    for name in state.client.scan_iter("*:outreach:*"):
        outreach = texts(state, name.decode())
        found |= {key_id_of(value) for value in sealed_in(outreach["history"])}
        if "body" in outreach:
            found.add(key_id_of(outreach["body"]))
    return found


def a_bit_of_everything(state: State) -> dict[str, str]:
    """Return the outreaches of sessions with a cleared field, a refused request and one to repeat."""
    happen(state, johns_visit("s-silent"), ago_ms=SECOND_MS)
    happen(state, event(session="s-silent", customer={"email": None}, engagement={"metadata": {"note": None}}))
    happen(state, event("opt_out", "s-silent", stage=None))
    found = {}
    answers = {"s-dead": http(400, quoting("John Q. Sample is no name")), "s-again": http(503)}
    for session, answer in answers.items():
        happen(state, johns_visit(session), ago_ms=HOUR_MS)
        assert sweep(state) == 1
        found[session] = stored(state, session).outreach
        assert found[session] in dispatch(state)
        with yuno(state, answer) as (deps, _):
            attempt(found[session], deps)
    return found


def test_rotation_moves_all_values_to_the_first_key(old: State, new: State) -> None:
    outreaches = a_bit_of_everything(old)
    before = {session: stored(old, session) for session in ("s-silent", *outreaches)}
    assert used_keys(old) == {key_id(KEY)}
    tally = rotate(new)
    assert used_keys(old) == {key_id(OTHER)}
    assert (tally.changed, tally.unreadable) == (0, {})
    assert tally.values == {key_id(KEY): tally.rewritten}
    without_old = with_keys(old, OTHER)
    assert {session: stored(without_old, session) for session in before} == before
    history = record(old, outreaches["s-dead"])["history"]
    assert "John Q. Sample is no name" in without_old.outbox.readable(outreaches["s-dead"], history)
    with yuno(without_old) as (deps, server):
        assert attempt_again(without_old, outreaches["s-again"], deps).outcome == "sent"
        assert found_in(body.encode() for _, body in server.requests)


def test_what_was_stored_before_there_was_a_key_is_encrypted(state: State, old: State) -> None:
    a_bit_of_everything(state)
    assert found_in(content(state))
    rotate(old)
    assert found_in(content(state)) == set()
    assert used_keys(state) == {key_id(KEY)}


def test_a_second_pass_finds_nothing_to_do(old: State, new: State) -> None:
    a_bit_of_everything(old)
    first, before = rotate(new), dump(old)
    second = rotate(new)
    assert dump(old) == before
    assert (second.rewritten, second.records) == (0, first.records)
    assert second.values == {key_id(OTHER): first.rewritten}


def test_nothing_but_the_encrypted_values_changes(old: State, new: State) -> None:
    a_bit_of_everything(old)

    def rest() -> dict[str, Any]:
        left = {key: value for key, value in dump(old).items() if ":session:" not in key and ":outreach:" not in key}
        return left | {key: ttl_ms(old, key) is None for key in dump(old)}

    before = rest()
    rotate(new)
    assert rest() == before
    assert stored(new, "s-silent").fields["email"] == ""
    assert "opted_out" in stored(new, "s-silent").fields


def test_it_can_be_stopped_after_any_step_and_begun_again(
    old: State, new: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "PAGE", 2)
    for number in range(9):
        happen(old, johns_visit(f"s-{number}"))
    for steps in (1, 2, 3):
        tally = RotationTally()
        assert len(list(islice(rotation_of(new).steps(tally), steps))) == steps
        assert used_keys(old) == {key_id(KEY), key_id(OTHER)} or steps == 3
        assert all(stored(new, f"s-{number}").fields["email"] == "john.q@sample.example" for number in range(9))
    rotate(new)
    assert used_keys(old) == {key_id(OTHER)}


class Meanwhile(Rotation):
    """Something else happens between the read and the write."""

    def then(self, happens: Any) -> Iterator[int]:  # noqa: ANN401 - anything that can be called
        inner, scripts = self._scripts, self._scripts.run_many

        def run_many(calls: Iterable[Call[Reply]]) -> list[Reply]:
            happens()
            return scripts(calls)

        inner.run_many = run_many  # type: ignore[method-assign]
        try:
            self.tally = RotationTally()
            yield from self.steps(self.tally)
        finally:
            inner.run_many = scripts  # type: ignore[method-assign]


def test_concurrent_write_is_not_undone(state: State) -> None:
    old, new = with_keys(state, KEY), with_keys(state, OTHER, KEY)
    happen(old, johns_visit(), ago_ms=HOUR_MS)
    interrupted = Meanwhile(new.scripts, new.keys, new.cipher)
    list(interrupted.then(lambda: happen(old, event(customer={"full_name": "Joan"}))))
    assert stored(new).fields["name"] == "Joan"
    assert interrupted.tally.changed == 1
    assert interrupted.tally.rewritten == interrupted.tally.values[key_id(KEY)] - 1
    rotate(new)
    assert stored(with_keys(state, OTHER)).fields["name"] == "Joan"


def test_a_session_that_expires_meanwhile_does_not_come_back(state: State) -> None:
    old, new = with_keys(state, KEY), with_keys(state, OTHER, KEY)
    happen(old, johns_visit())
    interrupted = Meanwhile(new.scripts, new.keys, new.cipher)
    list(interrupted.then(lambda: expire_session(state)))
    assert state.client.exists(state.keys.session("s-1")) == 0
    assert interrupted.tally.rewritten == 0


def test_undecryptable_values_are_named_and_kept(old: State, state: State) -> None:
    one, other = same_partition("s-1")
    happen(old, johns_visit(one))
    stranger = with_keys(state, OTHER)
    happen(stranger, johns_visit(other))
    before = texts(state, state.keys.session(one))
    tally = rotate(stranger)
    assert texts(state, state.keys.session(one)) == before
    assert list(tally.unreadable) == [f"session:{one}"]
    assert f"under key {key_id(KEY)}, which is not in encryption_keys" in tally.unreadable[f"session:{one}"]
    assert tally.rewritten == 0


def test_other_namespaces_are_not_rotated(old: State, new: State) -> None:
    other = with_keys(old, KEY)
    object.__setattr__(other.keys, "namespace", "another")
    happen(other, johns_visit())
    assert rotate(new).records == 0
    assert used_keys(old) == {key_id(KEY)}


def test_an_ordinary_line_of_the_history_is_not_encrypted(state: State, old: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "retry", reason="http_503", line="attempt 1 (left out: customer.email) http_503.CODE")
    before = record(state, held.outreach)["history"]
    rotate(old)
    assert record(state, held.outreach)["history"] == before


def test_an_abandoned_session_lives_on_without_end(old: State, new: State) -> None:
    abandon(old)
    rotate(new)
    assert ttl_ms(old, old.keys.session("s-1")) is None


# Which keys are in use


def test_process_repeats_which_key_it_encrypts_with(old: State) -> None:
    old.heartbeat("ingest")
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]
    assert len(deployment.key_users(old.scripts, old.keys, key_id(KEY))) == 1
    deployment.forget_key(old.scripts, old.keys, key_id(KEY))
    assert deployment.recorded_keys(old.scripts, old.keys) == []
    old.heartbeat("ingest")
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]


def test_process_without_keys_reports_no_key(state: State) -> None:
    state.heartbeat("ingest")
    assert deployment.recorded_keys(state.scripts, state.keys) == []
    assert [key for key in dump(state) if "key." in key] == []
