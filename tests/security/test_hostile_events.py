"""Malicious events: each is rejected with its reason, the stream continues, and no key contains their data.

More unreadable input: test_parsing.py, test_parsing_parts.py, test_ingest_rejected.py and, without end, fuzz.py.
"""

import pytest

from tests.support.dumps import dump
from tests.support.events import JANE, event
from tests.support.ingest_support import ingest_of, publish, publish_raw, rejected, waiting
from tests.support.processes import until
from tests.support.stored_state import stored
from worker.runtime import State

DEEP = 100_000
FITS = 20_000
"""Levels that fit into an event of 64 KiB."""
SIZE = 50 * 1024 * 1024
ON_VALKEY = pytest.mark.xdist_group("valkey")
HEAD = b'{"session_id": "s-hostile", "type": "exit", '
NAMES_NOBODY = {
    "an array too deep": b"[" * DEEP,
    "objects too deep": HEAD + b'"cart": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "deep in an ignored field": HEAD + b'"x": ' + b"[" * FITS + b"]" * FITS + b"}",
    "deep metadata": HEAD + b'"engagement": {"metadata": ' + b'{"a":' * 8000 + b"1" + b"}" * 8000 + b"}}",
    "a number of 10,000 digits": HEAD + b'"order_value": ' + b"9" * 10_000 + b"}",
    "cut short": HEAD[:-2],
    "a second document": HEAD[:-2] + b"} {}",
    "no text": bytes(range(256)),
    "a number as session": b'{"session_id": 1e999, "type": "exit"}',
    "nothing as session": b'{"session_id": "", "type": "exit"}',
}
LOSES_A_PART = {
    "a huge number": b'"cart": {"total_value": 1e400, "currency": "COP", "items": []}',
    "not a number": b'"engagement": {"metadata": {"a": NaN}}',
    "infinity": b'"cart": {"total_value": "Infinity", "currency": "COP", "items": []}',
    "half of a character": b'"customer": {"full_name": "\\ud800", "email": "\\udfff@example.com"}',
    "a cart of carts": b'"cart": [[[[]]]]',
}
HOSTILE_IDS = (
    "{00}",
    "a{b",
    "a}b",
    "*1",
    "a?b",
    "[ab]",
    "a\\b",
    "a\nb",
    "a\rb",
    "a\x00b",
    "a\x1b[2Jb",
    "a\u202eb",
    "a\u2028b",
    "a b",
    "a/b",
    "a%0ab",
    "é",
    "x" * 129,
)


@pytest.mark.parametrize("name", NAMES_NOBODY)
def test_unreadable_event_is_quarantined_and_the_stream_advances(state: State, name: str) -> None:
    set_aside(state, NAMES_NOBODY[name])


@ON_VALKEY
def test_an_event_of_50_mb_is_set_aside_and_the_stream_moves_on(real_state: State) -> None:
    set_aside(real_state, HEAD + b'"x": "' + b"x" * SIZE + b'"}')


def set_aside(state: State, raw: bytes) -> None:
    publish(state, event(session="before"))
    publish_raw(state, raw)
    publish(state, event(session="after"))
    ingest_of(state).step()
    ((_, reason, applied),) = rejected(state)
    assert not applied
    assert reason
    assert len(reason) < 500
    assert waiting(state) == 0
    assert stored(state, "before").activity
    assert stored(state, "after").activity
    assert not stored(state, "s-hostile").activity


@pytest.mark.parametrize("name", LOSES_A_PART)
def test_hostile_part_leaves_the_other_parts_intact(state: State, name: str) -> None:
    publish_raw(state, HEAD.replace(b"exit", b"order_completed") + LOSES_A_PART[name] + b"}")
    ingest_of(state).step()
    assert [applied for _, _, applied in rejected(state)] == [True]
    assert stored(state, "s-hostile").state == "bought"
    assert waiting(state) == 0


@pytest.mark.parametrize("named", ["session_id", "previous_session_id"])
@pytest.mark.parametrize("session", HOSTILE_IDS)
def test_an_id_that_could_be_more_than_a_name_is_part_of_no_key(state: State, session: str, named: str) -> None:
    publish(state, event(session="s-1") | {named: session, "customer": JANE})
    ingest_of(state).step()
    assert rejected(state) == []
    assert [key for key in dump(state) if ":session:" in key]
    assert not [key for key in dump(state) if session in key]


def test_repeated_field_has_one_value_for_check_and_key(state: State) -> None:
    publish_raw(state, b'{"session_id": "{00}*", "session_id": "s-good", "type": "exit"}')
    ingest_of(state).step()
    assert rejected(state) == []
    assert {key.partition(":session:")[2] for key in dump(state) if ":session:" in key} == {"s-good"}


@ON_VALKEY
def test_many_hostile_events_delay_no_other_event(real_state: State) -> None:
    state, raws = real_state, list(NAMES_NOBODY.values())
    for number in range(300):
        publish_raw(state, raws[number % len(raws)])
    publish(state, event(session="after"))
    process = ingest_of(state)
    until(lambda: process.step() == 0 or stored(state, "after").activity)
    assert stored(state, "after").activity
    assert waiting(state) == 0
