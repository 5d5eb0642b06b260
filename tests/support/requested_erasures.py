"""Requested erasures, and the data that remains afterwards."""

from collections.abc import Mapping

from state.privacy_requests import PrivacyRequest
from state.visitor_records import SHOPS
from state.visitors import Visit, Visitors
from tasks.erasure.requested import Requested, erase_requested
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, event
from tests.support.ingest_support import ingest_of, publish
from tests.support.privacy import requests_of
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, texts
from worker.celery_support.task_deps import erasure_stores
from worker.runtime import State

PHONE = JANE["phone_number"]
BY_PHONE = {"phone_number": PHONE}
JOHN = {"full_name": "John Doe", "phone_number": "+573001234568", "country_code": "CO"}


def run(state: State, request: str) -> Requested:
    return erase_requested(request, erasure_stores(state), SECRET)


def read(state: State, request: str) -> PrivacyRequest:
    found = requests_of(state).read(request)
    assert found is not None
    return found


def visit(state: State, session: str, customer: Mapping[str, str] = JANE) -> None:
    """Let ingest apply an event of a session, which also writes the person's index."""
    publish(state, event(session=session, customer=customer))
    while ingest_of(state).step():
        pass


def place(state: State, *visits: Visit) -> None:
    Visitors(state.scripts, state.keys, SECRET).place(SHOPS, visits)


def is_erased(state: State, session: str) -> bool:
    return texts(state, state.keys.session(session)).keys() == {"state", "forgotten"}


def traces(state: State) -> list[str]:
    """Return the keys in which the number, the name or the address is."""
    found = []
    for key in state.client.scan_iter("*"):
        content = repr(state.client.get(key)).encode() if state.client.type(key) == b"string" else b""
        if state.client.type(key) == b"hash":
            content = repr(state.client.hgetall(key)).encode()
        if state.client.type(key) == b"stream":
            content = repr(state.client.xrange(key)).encode()
        if any(trace in content for trace in (b"3001234567", b"Jane", b"jane@")):
            found.append(key.decode())
    return found


def report(state: State, until_ms: int, collector: str = "other") -> None:
    """Let a collector report up to when its events are in a stream."""
    field = f"{until_ms} {now_ms(state)} 0 0 0 0"
    state.client.hset(state.keys.collectors, collector, field)
    state.client.pexpire(state.keys.collectors, HOUR_MS)
