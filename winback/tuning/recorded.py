"""Lines that `winback record` wrote: events whose customers are hashes (`worker.recorder.lines`)."""

import json
from typing import NamedTuple

from worker.recorder.lines import RECORDED
from worker.recorder.pseudonyms import example_of

MARK = b'"recorded"'
_PERSON = "#"
"""Between a place and a person, in the text that stands for a number."""
_NAME, _ADDRESS, _SOME_NUMBER = "Ana", "recorded", "recorded"


class RecordedPerson(NamedTuple):
    """A person whose number isn't recorded."""

    example: str
    """A number (E.164) in the place of theirs."""
    person: int


def restored(line: bytes) -> tuple[bytes, tuple[int, ...]] | None:
    """Return a line with stand-ins for the customer's data, and the people it can be about; None for another line."""
    try:
        event = json.loads(line)
        facts = event.pop(RECORDED)
        people = tuple(map(person_of_hash, facts.get("people", ())))
        customer = event.setdefault("customer", {}) if facts.keys() & {"person", "named", "email"} or people else {}
        if "person" in facts:
            person = facts["person"]
            customer["phone_number"] = f"{facts['place']}{_PERSON}{person}" if person else None
        if people and not customer.get("phone_number"):
            customer["phone_number"] = _SOME_NUMBER
        if "named" in facts:
            customer["full_name"] = _NAME if facts["named"] else None
        if "email" in facts:
            customer["email"] = _ADDRESS if facts["email"] else None
        return json.dumps(event).encode(), people
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def person_of_hash(text: str) -> int:
    """Return the hash of a person as a number; never 0."""
    return int(text, 16) + 1


def person_in(phone: str) -> RecordedPerson | None:
    """Return the person in a stand-in for a number; None for a real one."""
    place, mark, person = phone.partition(_PERSON)
    if not mark:
        return None
    try:
        return RecordedPerson(example_of(place), person_of_hash(person))
    except ValueError:
        return None
