"""Shared by tests of one person's data: Jane by phone and by e-mail, and the state's data about her."""

from state.people import person_of
from tests.support.deciding import dead
from tests.support.decision_support import Shop
from tests.support.durations import MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.ingest_support import publish, publish_raw
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State

PHONE, EMAIL = JANE["phone_number"], "jane.doe@example.com"
JANES, JANES_MAIL = person_of(PHONE, SECRET), person_of(EMAIL, SECRET)
WITH_MAIL = {**JANE, "email": "Jane.Doe@Example.com"}
JOHN = {"full_name": "John Doe", "phone_number": "+573001234568", "email": "john@example.com", "country_code": "CO"}


def named(state: State, person: str, *sessions: str) -> None:
    """Record that a person was named in sessions."""
    key = state.keys.sessions(person)
    state.client.zadd(key, {session: now_ms(state) + place for place, session in enumerate(sessions)})
    state.client.pexpire(key, MINUTE_MS)


def link(state: State, one: str, *others: str) -> None:
    """Record that identities were seen together with one."""
    for other in others:
        for key, member in ((state.keys.links(one), other), (state.keys.links(other), one)):
            state.client.zadd(key, {member: now_ms(state)})
            state.client.pexpire(key, MINUTE_MS)


def answer(state: State, person: str, **answers: str) -> None:
    """Record a person's answers: `call="a"` for yes and `r` for no, followed by the proof."""
    key = f"{state.keys.person(person)}consent"
    state.client.hset(key, mapping={channel: f"{now_ms(state):015d}{text}" for channel, text in answers.items()})
    if not any(text.startswith("r") for text in answers.values()):
        state.client.pexpire(key, MINUTE_MS)


def contacted(state: State, person: str, outreach: str) -> None:
    """Record that an outreach reserved a person a minute ago."""
    key = f"{state.keys.person(person)}reserved"
    state.client.delete(key)
    state.client.hset(key, outreach, f"1:{now_ms(state) - MINUTE_MS}")
    state.client.pexpire(key, MINUTE_MS)


def live(shop: Shop) -> str:
    """Leave traces of Jane everywhere, under both identities, and some of John. Return an outreach to her."""
    state = shop.state
    outreach = dead(state, "s-1").outreach
    cart = {"total_value": 149900, "currency": "COP", "items": [{"name": "Headphones", "price": 149900}]}
    consent = {"call": True, "given_at": "2026-10-01T10:00:00Z", "source": "checkout form"}
    happen(state, event(session="s-2", customer={**WITH_MAIL, "consent": consent}, cart=cart), ago_ms=MINUTE_MS)
    happen(state, event(session="s-mail", customer={"email": EMAIL.upper()}), ago_ms=MINUTE_MS)
    happen(state, event(session="john", customer=JOHN), ago_ms=MINUTE_MS)
    state.streams.first.create_group()
    publish(state, event(session="s-3", customer=WITH_MAIL), event(session="s-mail"), event(session="john"))
    publish_raw(state, b'{"phone": "+57 300 123 4567", ')
    state.streams.reject(b"1-0", [("customer", "quotes JANE.DOE@example.com")], applied=False)
    state.streams.reject(b"2-0", [("cart", "is not a cart")], applied=False)
    named(state, JANES, "s-1", "s-2")
    named(state, JANES_MAIL, "s-2", "s-mail")
    link(state, JANES, JANES_MAIL)
    contacted(state, JANES, outreach)
    answer(state, JANES, call="a2026-10-01T10:00:00Z\tcheckout form", whatsapp="r\tcall centre")
    return outreach
