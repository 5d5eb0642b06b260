"""Requested erasures that fail or are killed stay open, with the reason, and run again."""

import pytest

from state.erasure import Erasure
from state.errors import ServerUnavailableError
from state.people import person_of
from state.privacy_keys import privacy_prefix
from state.visitors import Visit
from tasks.erasure.forget import Forget
from tasks.erasure.requested import FIRST_BACKOFF_MS, INDEX_FULL, UNREADABLE, Requested
from tests.support.events import JANE
from tests.support.privacy import ask_for_erasure, requests_of
from tests.support.requested_erasures import BY_PHONE, PHONE, is_erased, place, read, run, traces, visit
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State


def test_unreadable_person_stays_with_the_reason(state: State) -> None:
    request = ask_for_erasure(state, {"phone_number": "unknown"})
    assert run(state, request) == Requested("failed", UNREADABLE)
    assert (read(state, request).problem, read(state, request).failures) == (UNREADABLE, 1)


def test_number_of_several_countries_erases_only_the_rest(state: State) -> None:
    visit(state, "s-1", {"email": "jane@example.com"})
    visit(state, "pakistan", {"phone_number": "+923001234567"})
    request = ask_for_erasure(state, {"phone_number": "300 123 4567"}, {"email": "jane@example.com"})
    assert run(state, request) == Requested("failed", UNREADABLE, sessions=1)
    assert is_erased(state, "s-1")
    assert not is_erased(state, "pakistan")


def test_number_with_its_country_is_read(state: State) -> None:
    visit(state, "s-1")
    assert run(state, ask_for_erasure(state, {"phone_number": "300 123 4567", "country_code": "CO"})).result == "done"
    assert is_erased(state, "s-1")


def test_person_with_a_full_index_is_left_to_the_operator(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    visit(state, "s-1")
    visit(state, "s-2")
    monkeypatch.setattr("state.inventory.MOST_SESSIONS", 2)
    request = ask_for_erasure(state, BY_PHONE)
    assert run(state, request) == Requested("failed", INDEX_FULL)
    assert not is_erased(state, "s-1")
    monkeypatch.undo()
    assert run(state, request).result == "done"


def test_request_under_a_missing_key_stays(state: State) -> None:
    request = ask_for_erasure(state, BY_PHONE)
    key = requests_of(state).key(request)
    state.client.hset(key, "people", f"~00000000:{'A' * 60}")
    assert run(state, request).result == "failed"
    assert "is encrypted under key 00000000" in read(state, request).problem


def test_failures_are_further_and_further_apart(state: State) -> None:
    request = ask_for_erasure(state, {"phone_number": "unknown"})
    waits = []
    for _ in range(14):
        run(state, request)
        due_ms = state.client.zscore(f"{privacy_prefix(state.keys)}due", request) or 0
        waits.append(round((due_ms - now_ms(state)) / FIRST_BACKOFF_MS))
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 24 * 60


def test_unexpected_error_is_named_without_its_text(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError(PHONE)

    monkeypatch.setattr(Forget, "forget", fail)
    request = ask_for_erasure(state, BY_PHONE)
    assert run(state, request) == Requested("failed", "unexpected error: ValueError")


def test_server_that_is_down_costs_no_failure(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ServerUnavailableError("down")

    request = ask_for_erasure(state, BY_PHONE)
    with monkeypatch.context() as patch:
        patch.setattr(Erasure, "erase", fail)
        with pytest.raises(ServerUnavailableError):
            run(state, request)
    assert read(state, request).failures == 0
    assert run(state, request).result == "done"


def test_data_that_comes_back_each_time_is_reported(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    visit(state, "s-1")
    state.people.mark_bought(person_of(PHONE, SECRET), now_ms(state))
    monkeypatch.setattr(Erasure, "delete", lambda *_: None)
    assert run(state, ask_for_erasure(state, BY_PHONE)).result == "failed"


def test_erasure_is_repeated_after_a_crash_before_its_end(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    place(state, Visit(now_ms(state), "a-1", "u-1", ids=["cart-1"]))
    visit(state, "cart-1")
    visit(state, "s-2", {**JANE, "email": "jane@example.com"})
    visit(state, "s-3", {"email": "jane@example.com"})
    request = ask_for_erasure(state, users=["u-1"])

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    for place_of_death in ("erase", "delete", "strip_consent"):
        with monkeypatch.context() as patch:
            patch.setattr(Erasure, place_of_death, kill)
            with pytest.raises(Killed):
                run(state, request)
        assert read(state, request).failures == 0
    assert run(state, request).result == "done"
    assert traces(state) == []
    assert all(is_erased(state, session) for session in ("cart-1", "s-2", "s-3"))
    assert {key.decode().rpartition(":")[2] for key in state.client.scan_iter("*person:*")} == {"forgotten"}


def test_unknown_request_is_gone(state: State) -> None:
    assert run(state, "unknown").result == "gone"
