"""Privacy requests are kept once, until they are done, and erasures are leased like outreaches."""

import pytest

from state.cipher import cipher_of
from state.privacy_keys import privacy_prefix
from state.privacy_requests import LONGEST_WAIT_MS, Filing, PrivacyRequests
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.privacy import requests_of
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, texts
from worker.runtime import State

AT_MS = 1_700_000_000_000
PEOPLE = ({"phone_number": "+573001234567", "country_code": "CO"},)
LEASE_MS = HOUR_MS


def filing(dedupe_key: str = "d-1", **more: object) -> Filing:
    stated = {"kind": "erasure", "source": "shopify", "shop": "shop-a", "received_ms": AT_MS, "people": PEOPLE}
    return Filing(**{**stated, "dedupe_key": dedupe_key, "visitors": ["user:u1"], **more})  # type: ignore[arg-type]


def file(state: State, *filings: Filing) -> list[str]:
    return requests_of(state).file(filings)


def make_due(state: State, request: str, at_ms: int = 0) -> None:
    state.client.zadd(f"{privacy_prefix(state.keys)}due", {request: at_ms})


def due_in_ms(state: State, request: str) -> int:
    return int(state.client.zscore(f"{privacy_prefix(state.keys)}due", request) or 0) - now_ms(state)


def test_request_is_read_as_it_was_filed(state: State) -> None:
    (request,) = file(state, filing())
    found = requests_of(state).read(request)
    assert found is not None
    assert (found.kind, found.source, found.shop, found.received_ms) == ("erasure", "shopify", "shop-a", AT_MS)
    assert (list(found.people), list(found.visitors)) == (list(PEOPLE), ["user:u1"])
    assert [one.id for one in requests_of(state).open()] == [request]


def test_request_from_the_future_was_received_now(state: State) -> None:
    (request,) = file(state, filing(received_ms=now_ms(state) + HOUR_MS))
    found = requests_of(state).read(request)
    assert found is not None
    assert abs(found.received_ms - now_ms(state)) < 5000


def test_request_is_kept_once(state: State) -> None:
    (request,) = file(state, filing())
    assert file(state, filing(received_ms=AT_MS + 7)) == [""]
    assert requests_of(state).count() == 1
    assert requests_of(state).finish(request)
    assert file(state, filing()) == [""]


def test_done_request_is_remembered_for_a_week(state: State) -> None:
    (request,) = file(state, filing())
    requests_of(state).finish(request)
    (key,) = state.client.keys("*privacy*")
    assert 6 * DAY_MS < (state.client.pttl(key) or 0) <= 7 * DAY_MS


def test_unknown_request_is_not_finished(state: State) -> None:
    assert not requests_of(state).finish("unknown")
    assert not requests_of(state).postpone("unknown", 1000)
    assert not requests_of(state).note("unknown", {"sessions": ["s-1"]})
    assert state.client.keys("*") == []


@pytest.mark.parametrize("other", [{"kind": "data request"}, {"source": "segment"}, {"shop": "shop-b"}])
def test_other_request_has_its_own_entry(state: State, other: dict[str, str]) -> None:
    assert len({*file(state, filing(), filing(**other))} - {""}) == 2


def test_request_without_a_key_counts_by_its_content(state: State) -> None:
    again, later = filing(""), filing("", received_ms=AT_MS + 1)
    first, repeat, second, other = file(state, again, again, later, filing("", visitors=["user:u2"]))
    assert repeat == ""
    assert len({first, second, other}) == 3


def test_people_are_encrypted(state: State) -> None:
    keyed = PrivacyRequests(state.scripts, state.keys, cipher_of(bytes(range(32)).hex()), SECRET)
    (request,) = keyed.file([filing()])
    assert "300" not in str(texts(state, keyed.key(request)))
    without_key = requests_of(state).read(request)
    assert without_key is not None
    assert "is encrypted under key" in without_key.unreadable
    (found,) = keyed.open("erasure")
    assert list(found.people) == list(PEOPLE)


def test_notes_are_encrypted_and_read(state: State) -> None:
    keyed = PrivacyRequests(state.scripts, state.keys, cipher_of(bytes(range(32)).hex()), SECRET)
    (request,) = keyed.file([filing()])
    assert keyed.note(request, {"identities": ["+573001234567"]})
    assert "300" not in str(texts(state, keyed.key(request)))
    (found,) = keyed.open()
    assert found.found == {"identities": ["+573001234567"]}


def test_only_erasures_of_people_run_by_themselves(state: State) -> None:
    erasure, *others = file(state, filing(), filing(kind="data request"), filing(kind="shop erasure"))
    for request in (erasure, *others):
        if state.client.zscore(f"{privacy_prefix(state.keys)}due", request):
            make_due(state, request)
    assert requests_of(state).lease(10, LEASE_MS) == [erasure]


def test_new_erasure_waits_for_events_before_it(state: State) -> None:
    (request,) = file(state, filing())
    assert requests_of(state).lease(10, LEASE_MS) == []
    assert 0 < due_in_ms(state, request) <= 5000


def test_leased_erasure_is_leased_again_after_its_lease(state: State) -> None:
    (request,) = file(state, filing())
    make_due(state, request)
    assert requests_of(state).lease(10, LEASE_MS) == [request]
    assert requests_of(state).lease(10, LEASE_MS) == []
    make_due(state, request, now_ms(state) - 1)
    assert requests_of(state).lease(10, LEASE_MS) == [request]


def test_most_erasures_wait_for_the_next_lease(state: State) -> None:
    for request in file(state, filing("1"), filing("2"), filing("3")):
        make_due(state, request)
    assert [len(requests_of(state).lease(2, LEASE_MS)) for _ in range(3)] == [2, 1, 0]


def test_clock_that_is_put_back_delays_no_erasure(state: State) -> None:
    (request,) = file(state, filing())
    make_due(state, request, now_ms(state) + LONGEST_WAIT_MS + HOUR_MS)
    assert requests_of(state).lease(10, LEASE_MS) == [request]
    make_due(state, request, now_ms(state) + HOUR_MS)
    assert requests_of(state).lease(10, LEASE_MS) == []


def test_failed_erasure_runs_later_and_is_listed(state: State) -> None:
    (request,) = file(state, filing())
    requests_of(state).postpone(request, HOUR_MS, "the first")
    state.client.zadd(f"{privacy_prefix(state.keys)}open:failed", {request: 7})
    requests_of(state).postpone(request, HOUR_MS, "the second")
    found = requests_of(state).read(request)
    assert found is not None
    assert (found.failures, found.problem, found.erased_ms) == (2, "the second", 0)
    assert state.client.zscore(f"{privacy_prefix(state.keys)}open:failed", request) == 7
    assert HOUR_MS - 5000 < due_in_ms(state, request) <= HOUR_MS


def test_erasure_that_succeeds_no_longer_fails(state: State) -> None:
    (request,) = file(state, filing())
    requests_of(state).postpone(request, HOUR_MS, "a problem")
    assert requests_of(state).postpone(request, HOUR_MS)
    found = requests_of(state).read(request)
    assert found is not None
    assert (found.failures, found.problem) == (0, "")
    assert abs(found.erased_ms - now_ms(state)) < 5000
    assert not state.client.exists(f"{privacy_prefix(state.keys)}open:failed")


def test_finished_request_leaves_nothing_but_its_id(state: State) -> None:
    (request,) = file(state, filing())
    requests_of(state).postpone(request, HOUR_MS, "a problem")
    assert requests_of(state).finish(request)
    assert state.client.keys("*") == [f"{privacy_prefix(state.keys)}done:{request}".encode()]
