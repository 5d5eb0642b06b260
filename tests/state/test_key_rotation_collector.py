"""Customer data that waits for a session and privacy requests are encrypted again under another key."""

import pytest

from state.key_rotation import Rotation, RotationTally
from state.privacy_requests import Filing, PrivacyRequests
from state.visitor_records import SHOPS, VisitorRecords
from state.visitors import Visit, Visitors
from tests.support.cipher_support import KEY, OTHER, key_id, with_keys
from tests.support.privacy import PHONE
from tests.support.states import SECRET
from tests.support.stored_state import ttl_ms
from worker.runtime import State

PEOPLE = [{"phone_number": PHONE}]
NOTES = {"identities": [PHONE]}


def fill(state: State) -> str:
    """Leave waiting data and an erasure; return the id of the erasure."""
    identify = Visit(1_900_000_000_000, "a-1", begins=False, customer={"phone_number": f'"{PHONE}"'})
    Visitors(state.scripts, state.keys, SECRET, state.cipher).place(SHOPS, [identify])
    requests = PrivacyRequests(state.scripts, state.keys, state.cipher, SECRET)
    (request,) = requests.file([Filing("erasure", "shopify", "shop-a", 1, "d", PEOPLE, [])])
    requests.note(request, NOTES)
    return request


def rotate(state: State) -> RotationTally:
    tally = RotationTally()
    for _ in Rotation(state.scripts, state.keys, state.cipher).steps(tally):
        pass
    return tally


def test_data_of_collectors_is_encrypted_again(state: State) -> None:
    request = fill(with_keys(state, KEY))
    records = VisitorRecords(state.scripts, state.keys)
    (name,) = records.waiting_names()
    before_ms = ttl_ms(state, records.key(name))
    tally = rotate(with_keys(state, OTHER, KEY))
    assert (tally.rewritten, tally.values, tally.unreadable) == (3, {key_id(KEY): 3}, {})
    assert tally.holders == {(key_id(KEY), "visitor"): 1, (key_id(KEY), "request"): 1}
    assert rotate(with_keys(state, OTHER, KEY)).values == {key_id(OTHER): 3}
    new = with_keys(state, OTHER)
    (found,) = VisitorRecords(new.scripts, new.keys, new.cipher).waiting()
    assert found.customer == {"phone_number": PHONE}
    kept = PrivacyRequests(new.scripts, new.keys, new.cipher).read(request)
    assert kept is not None
    assert (list(kept.people), kept.found) == (PEOPLE, NOTES)
    assert ttl_ms(state, records.key(name)) == pytest.approx(before_ms, abs=5000)


def test_data_of_collectors_under_a_lost_key_is_named(state: State) -> None:
    request = fill(with_keys(state, KEY))
    (name,) = VisitorRecords(state.scripts, state.keys).waiting_names()
    tally = rotate(with_keys(state, OTHER))
    assert tally.rewritten == 0
    assert tally.unreadable.keys() == {name, f"request:{request}"}


def test_clear_data_of_collectors_is_encrypted(state: State) -> None:
    fill(state)
    assert rotate(with_keys(state, KEY)).rewritten == 3
    assert rotate(with_keys(state, KEY)).values == {key_id(KEY): 3}
