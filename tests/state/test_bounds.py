"""The data of one shop or person in Redis is bounded, and doesn't depend on the order of events."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from detectors.session_fields import BOT
from state.people import ContactRef
from state.person_marks import MOST_LINKS
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, apply, arrived, event, happen
from tests.support.ingest_support import ingest_of, publish, waiting
from tests.support.outreaches import taken
from tests.support.stored_state import now_ms, record, stored
from tests.support.stored_state import texts as texts_at
from worker.runtime import State

MOST_METADATA, MOST_CONTACTS, MOST_HISTORY = 128, 100, 16384
DAY_S = 24 * 3600


def with_metadata(session: str = "s-1", /, **metadata: object) -> Event:
    return event(session=session, engagement={"metadata": metadata})


def metadata(state: State, session: str = "s-1") -> set[str]:
    return {name.removeprefix("meta.") for name in stored(state, session).fields if name.startswith("meta.")}


def test_metadata_of_a_session_keeps_the_latest_fields(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    made = [arrived(with_metadata(**{f"k{n:03d}": n}), at_ms + n) for n in range(400)]
    apply(state, *made)
    assert metadata(state) == {f"k{n:03d}" for n in range(400 - MOST_METADATA, 400)}


def test_metadata_of_any_order_of_events_is_the_same(state: State) -> None:
    at_ms, random = now_ms(state) - HOUR_MS, Random(1)
    made = [
        arrived(with_metadata(**{f"k{random.randrange(200):03d}": n, f"m{n % 7}": n}), at_ms + n // 3)
        for n in range(400)
    ]
    found = []
    for _ in range(3):
        apply(state, *made)
        found.append(dict(stored(state).fields))
        state.client.flushall()
        random.shuffle(made)
    assert all(one == other for one, other in pairwise(found))
    assert len(found[0]) == MOST_METADATA


def test_metadata_of_one_event_is_bounded_by_name(state: State) -> None:
    happen(state, with_metadata(**{f"k{n:04d}": n for n in range(500)}))
    assert metadata(state) == {f"k{n:04d}" for n in range(MOST_METADATA)}


def test_metadata_that_ends_with_a_known_field_is_bounded(state: State) -> None:
    happen(state, with_metadata(m=1), ago_ms=MINUTE_MS)
    happen(state, with_metadata(**{f"k{n:03d}": n for n in range(200)}, m=2))
    assert len(metadata(state)) == MOST_METADATA


def test_thousands_of_events_of_one_session_stay_bounded(real_state: State) -> None:
    state, ingest = real_state, ingest_of(real_state)
    for n in range(2500):
        customer = {**JANE, "phone_number": f"+5730012345{n % 100:02d}", "email": f"a{n % 70}@example.com"}
        publish(state, event(customer=customer, engagement={"metadata": {f"k{n % 500}": n}}))
    while waiting(state):
        ingest.step()
    assert len(texts_at(state, state.keys.session("s-1"))) < MOST_METADATA + 32
    assert len(metadata(state)) == MOST_METADATA
    links: Any = [state.client.zcard(key) for key in state.client.scan_iter("*:links")]
    assert max(links) <= MOST_LINKS
    assert stored(state).fields[BOT] == "1"


def test_sign_of_a_bot_is_never_pushed_out(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(with_metadata(bot=True), at_ms))
    apply(state, *(arrived(with_metadata(**{f"k{n}": n}), at_ms + 1 + n) for n in range(2 * MOST_METADATA)))
    assert metadata(state) >= {"bot"}
    assert len(metadata(state)) == MOST_METADATA + 1


def test_other_fields_count_for_nothing(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(customer={**JANE, "email": "jane@example.com", "language": "es"}), at_ms))
    apply(state, arrived(with_metadata(**{f"k{n}": n for n in range(MOST_METADATA)}), at_ms + 1))
    assert len(metadata(state)) == MOST_METADATA
    assert stored(state).fields["name"] == "Jane Doe"


def test_metadata_of_an_earlier_session_is_bounded_too(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    for place, session in enumerate(("old", "new")):
        made = {f"{session}{n:03d}": n for n in range(100)}
        apply(state, arrived(with_metadata(session, **made), at_ms + place))
    state.sessions.supersede("old", "new", (at_ms + 2) * 100)
    assert metadata(state, "new") == {f"new{n:03d}" for n in range(100)} | {f"old{n:03d}" for n in range(28)}


def test_old_session_with_many_fields_is_superseded(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(with_metadata("old", a=1), at_ms), arrived(event(session="new"), at_ms))
    value = texts_at(state, state.keys.session("old"))["meta.a"]
    state.client.hset(state.keys.session("old"), mapping={f"meta.{n}": value for n in range(10_000)})
    state.sessions.supersede("old", "new", (at_ms + 2) * 100)
    assert len(metadata(state, "new")) == MOST_METADATA


@pytest.mark.parametrize("why", ["person_held", "x" * 500])
def test_history_keeps_its_beginning_and_its_end(state: State, why: str) -> None:
    held = taken(state)
    claimed = record(state, held.outreach)["history"].splitlines()[0]
    for turn in range(1000):
        state.client.hset(state.keys.outreach(held.outreach), "state", "leased")
        assert state.outbox.postpone(held, delay_ms=0, why=f"{why} {turn}")
    history = record(state, held.outreach)["history"]
    assert len(history) <= MOST_HISTORY
    lines = history.splitlines()
    assert (lines[0], lines[-1].endswith(" 999")) == (claimed, True)
    assert sum("(lines left out)" in line for line in lines) >= 1
    assert all(line.split()[0].isdigit() for line in lines)


def test_contacts_of_one_number_are_bounded(state: State) -> None:
    person = "a" * 64
    contact_ref = ContactRef("", 30 * DAY_S * 1000, now_ms(state))
    for number in range(MOST_CONTACTS + 20):
        outreach = f"07-{number:016x}"
        assert state.people.reserve([person], outreach, 1, contact_ref, ()) == "reserved"
        assert state.people.release([person], outreach, 1)
    held = texts_at(state, state.keys.contacts(person))
    assert len(held) == MOST_CONTACTS
    assert f"07-{MOST_CONTACTS + 19:016x}" in held


def test_contacts_of_one_number_lose_the_oldest(state: State) -> None:
    person, now = "a" * 64, now_ms(state)
    held: Any = {f"07-{number:016x}": f"{now - (number * 7 % 100) * 1000}" for number in range(MOST_CONTACTS)}
    state.client.hset(state.keys.contacts(person), mapping=held)
    assert state.people.reserve([person], "07-ffffffffffffffff", 1, ContactRef("", HOUR_MS, now), ()) == "reserved"
    oldest = min(held, key=lambda outreach: int(held[outreach]))
    assert held.keys() - texts_at(state, state.keys.contacts(person)).keys() == {oldest}


def test_attempts_of_one_outreach_push_out_no_other(state: State) -> None:
    person, contact_ref = "a" * 64, ContactRef("", HOUR_MS, now_ms(state) - MINUTE_MS)
    for number in range(MOST_CONTACTS):
        state.people.reserve([person], f"07-{number:016x}", 1, contact_ref, ())
        state.people.release([person], f"07-{number:016x}", 1)
    for claim in range(2, 5):
        state.people.reserve([person], "07-0000000000000000", claim, contact_ref, ())
    assert len(texts_at(state, state.keys.contacts(person))) == MOST_CONTACTS
