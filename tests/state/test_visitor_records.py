"""Records of visitors are found by their names, and data that waits for a session by its own set."""

import pytest

from state.cipher import cipher_of
from state.visitor_records import SHOPS, Found, VisitorRecords
from state.visitors import Visit, Visitors
from tests.support.durations import DAY_MS
from tests.support.states import SECRET
from tests.support.stored_state import score_of
from worker.runtime import State

AT_MS = 1_900_000_000_000
PHONE = {"phone_number": '"+573001234567"'}
READ = {"phone_number": "+573001234567"}
KEY = bytes(range(32)).hex()


def place(state: State, *visits: Visit, key: str = "") -> None:
    visitors = Visitors(state.scripts, state.keys, SECRET, cipher_of(key))
    for visit in visits:
        visitors.place(SHOPS, [visit])


def records(state: State, key: str = "") -> VisitorRecords:
    return VisitorRecords(state.scripts, state.keys, cipher_of(key))


def names(state: State, **ids: list[str]) -> list[str]:
    return Visitors(state.scripts, state.keys, SECRET).names(**({"visitors": [], "users": [], "ids": []} | ids))


def identify(after_ms: int = 0, visitor: str = "a-1", **more: object) -> Visit:
    stated = {"begins": False, "customer": PHONE, **more}
    return Visit(AT_MS + after_ms, visitor, **stated)  # type: ignore[arg-type]


def waiting(state: State) -> list[dict[str, str]]:
    return [dict(one.customer) for one in records(state).waiting()]


def indexed(state: State) -> int:
    return int(state.client.zcard(f"{state.keys.source(SHOPS)}waiting"))


@pytest.mark.parametrize("by", [{"visitors": ["a-1"]}, {"users": ["u-1"]}, {"ids": ["cart-1"]}])
def test_session_is_found_by_any_id(state: State, by: dict[str, list[str]]) -> None:
    place(state, Visit(AT_MS, "a-1", "u-1", ids=["cart-1"]))
    assert list(records(state).find(names(state, **by)).sessions) == ["cart-1"]


def test_session_before_an_order_is_found(state: State) -> None:
    place(
        state,
        Visit(AT_MS, "a-1", ids=["cart-1"]),
        Visit(AT_MS + 1, "a-1", is_order=True),
        Visit(AT_MS + 2, "a-1", ids=["cart-2"]),
    )
    assert set(records(state).find(names(state, visitors=["a-1"])).sessions) == {"cart-1", "cart-2"}


@pytest.mark.parametrize("visitor", ["", "a-1"])
def test_waiting_data_is_found_by_the_user(state: State, visitor: str) -> None:
    place(state, identify(visitor=visitor, user="u-1"))
    assert records(state).find(names(state, users=["u-1"])).customers == [READ]


def test_unknown_ids_lead_to_nothing(state: State) -> None:
    place(state, identify())
    asked = names(state, visitors=["a-2"], users=["u-2"], ids=["cart-2"])
    found = records(state).find(asked)
    assert (found.sessions, found.customers) == ({}, [])
    assert records(state).find([]) == Found()


def test_removed_records_are_gone(state: State) -> None:
    place(state, identify(user="u-1"), Visit(AT_MS + 1, "a-1", "u-1", ids=["cart-1"]))
    found = records(state).find(names(state, users=["u-1"], ids=["cart-1"]))
    assert records(state).remove(found.names) == 3
    assert state.client.keys("*") == []


def test_waiting_data_is_in_the_set(state: State) -> None:
    place(state, identify(), identify(visitor="a-2"), Visit(AT_MS, "a-3", ids=["cart-1"]))
    assert waiting(state) == [READ, READ]


def test_waiting_data_of_two_keys_is_read(state: State) -> None:
    place(state, identify(), key=KEY)
    assert [one.customer for one in records(state, KEY).waiting()] == [READ]
    assert waiting(state) == []  # without the key


def test_given_data_waits_until_a_later_event(state: State) -> None:
    place(state, identify(), Visit(AT_MS + 1, "a-1", ids=["cart-1"]))
    assert waiting(state) == [READ]
    place(state, Visit(AT_MS + 2, "a-1"))
    assert (waiting(state), indexed(state)) == ([], 0)


def forget_index(state: State) -> None:
    state.client.delete(f"{state.keys.source(SHOPS)}waiting")


def test_given_data_stays_in_the_set_with_each_event(state: State) -> None:
    place(state, identify())
    forget_index(state)
    place(state, Visit(AT_MS + 1, "a-1", ids=["cart-1"]))
    assert indexed(state) == 1


def test_event_without_data_prolongs_the_set_with_the_record(state: State) -> None:
    place(state, identify())
    key = f"{state.keys.source(SHOPS)}waiting"
    (member,) = names(state, visitors=["a-1"])
    tag = member.removeprefix("visitor:")
    before = score_of(state, key, tag) or 0
    state.client.zadd(key, {tag: before - DAY_MS})
    place(state, identify(1, customer={}))
    assert (score_of(state, key, tag) or 0) >= before


def test_expired_visitors_leave_the_set(state: State) -> None:
    state.client.zadd(f"{state.keys.source(SHOPS)}waiting", {"expired": 1})
    place(state, identify())
    assert indexed(state) == 1


def test_set_has_a_time_to_live(state: State) -> None:
    place(state, identify())
    assert 6 * DAY_MS < (state.client.pttl(f"{state.keys.source(SHOPS)}waiting") or 0) <= 7 * DAY_MS


def test_keys_have_names(state: State) -> None:
    found = records(state)
    assert found.name_in(found.key("visitor:a")) == "visitor:a"
    assert found.name_in(found.key("waiting")) == ""
    assert found.name_in("winback:events") == ""
