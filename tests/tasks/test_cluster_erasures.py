"""Requested erasures on a cluster: each script uses one slot, and each record is found on its node."""

import pytest

from state.key_rotation import Rotation, RotationTally
from state.open_requests import read_open_requests
from state.privacy_keys import privacy_prefix
from state.visitor_records import VisitorRecords
from state.visitors import Visit
from tasks.erasure.requested import Requested
from tests.state.test_cluster import cluster, state
from tests.support.cipher_support import KEY, with_keys
from tests.support.events import JANE, event
from tests.support.ingest_support import publish
from tests.support.privacy import ask_for_erasure, requests_of
from tests.support.requested_erasures import BY_PHONE, PHONE, is_erased, place, run, visit
from tests.support.stored_state import now_ms
from worker.runtime import State

__all__ = ["cluster", "state"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def test_person_is_erased_on_a_cluster(state: State) -> None:
    place(state, Visit(now_ms(state), "a-1", "u-1", ids=["cart-1"]))
    place(state, Visit(now_ms(state), "a-2", begins=False, customer={"phone_number": f'"{PHONE}"'}))
    visit(state, "cart-1")
    publish(state, event(session="s-2", customer=JANE))
    request = ask_for_erasure(state, BY_PHONE, users=["u-1"])
    assert read_open_requests(state.scripts.client, state.keys).erasures.number == 1
    state.client.zadd(f"{privacy_prefix(state.keys)}due", {request: 0})
    assert requests_of(state).lease(10, 1000) == [request]
    assert run(state, request) == Requested("done", sessions=1)
    assert is_erased(state, "cart-1")
    assert requests_of(state).count() == 0
    assert list(VisitorRecords(state.scripts, state.keys).waiting()) == []


def test_data_of_collectors_is_encrypted_on_a_cluster(state: State) -> None:
    place(state, Visit(now_ms(state), "a-2", begins=False, customer={"phone_number": f'"{PHONE}"'}))
    ask_for_erasure(state, BY_PHONE)
    keyed, tally = with_keys(state, KEY), RotationTally()
    for _ in Rotation(keyed.scripts, keyed.keys, keyed.cipher).steps(tally):
        pass
    assert (tally.rewritten, tally.changed) == (2, 0)
