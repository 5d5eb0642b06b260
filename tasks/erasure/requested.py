"""Carries out erasures that shops' tools requested.

A request stays open until its erasure is complete, so a worker can be killed at any moment: after its lease, another
one does all of it again, which is harmless.

A collector that was down or cut off can hold events from before the request. The erasure is carried out at once, and
again when these are in a stream. Only then is the request done.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from detectors.normalize.identities import identities_of, named_by
from state.errors import StateError
from state.privacy_requests import LONGEST_WAIT_MS, PrivacyRequest
from state.visitor_records import Found
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.forget import Forget
from tasks.erasure.stores import ErasureStores
from tasks.failpoints import reached

FIRST_BACKOFF_MS = 60_000
SPOOL_WAIT_MS = 60_000
"""How often it is checked whether a collector still holds events."""
_IDENTITIES, _SESSIONS, _PEOPLE = "identities", "sessions", "people"
UNREADABLE = "a number or an address in it can't be read: run winback forget with --country, then mark it as done"
"""Numbers in several countries can have the same digits, so another person could be erased."""
INDEX_FULL = "their index of sessions is full, so some may be unknown: run winback forget --scan for the person"
"""A scan reads every key, which the workers' user of the server can't."""
REMAINDER = "data was written again in each round"


class Requested(NamedTuple):
    """The result of one run."""

    result: Literal["done", "spooled", "failed", "gone"]
    """`spooled`: carried out, and again when all collectors have delivered. `gone`: it was no longer open."""
    problem: str = ""
    sessions: int = 0
    outreaches: int = 0
    data_requests: int = 0
    """Open requests of the person for a copy of their data, which were closed."""


def erase_requested(request_id: str, stores: ErasureStores, secret: bytes) -> Requested:
    """Carry out one erasure. `secret`: the identity secret.

    Raises:
        StateError: The server doesn't answer. The erasure runs again after its lease.
    """
    requests = stores.data.requests
    request = requests.read(request_id)
    if request is None or request.kind != "erasure":
        return Requested("gone")
    if request.erased_ms and _is_held(request, stores):
        requests.postpone(request_id, SPOOL_WAIT_MS)
        return Requested("spooled")
    try:
        done = _erase(request, stores, secret)
    except StateError:
        raise
    except Exception as problem:  # noqa: BLE001 - a bug, whose message could hold the customer's name
        done = Requested("failed", f"unexpected error: {type(problem).__name__}")
    if done.problem:
        wait_ms = min(LONGEST_WAIT_MS, FIRST_BACKOFF_MS << min(request.failures, 16))
        requests.postpone(request_id, wait_ms, done.problem)
        return done
    reached("person_erased")
    if _is_held(request, stores):
        requests.postpone(request_id, SPOOL_WAIT_MS)
        return done._replace(result="spooled")
    requests.finish(request_id)
    return done


def _is_held(request: PrivacyRequest, stores: ErasureStores) -> bool:
    """Return whether a collector can hold events that it accepted before the request."""
    return any(mark.until_ms < request.received_ms for mark in stores.collectors.marks())


def _erase(request: PrivacyRequest, stores: ErasureStores, secret: bytes) -> Requested:
    if request.unreadable:
        return Requested("failed", request.unreadable)
    records = stores.data.visitors.find(request.visitors)
    subject = _subject(request, records, stores, secret)
    forget = Forget(stores.data, stores.opt_outs, lambda _what, _number: None, scan=False, may_scan=False)
    found = forget.survey(subject)
    if stores.data.index_is_full(subject.people):
        return Requested("failed", INDEX_FULL)
    # After a crash half-way, the sessions that led to the person can be gone.
    stores.data.requests.note(request.id, _notes(subject))
    forgotten = forget.forget(subject, found)
    # Not before: without these records, another run couldn't find the sessions.
    if stores.data.visitors.remove(records.names) and records.customers:
        # What waited could have gone into the stream in the meantime.
        forget.forget(subject, forget.survey(subject))
    problem = REMAINDER if forgotten.left else UNREADABLE if any(map(_is_unclear, request.people)) else ""
    erased = forgotten.erased
    return Requested(
        "failed" if problem else "done",
        problem,
        erased.sessions,
        erased.outreaches + erased.skeletons,
        forgotten.data_requests,
    )


def _subject(request: PrivacyRequest, records: Found, stores: ErasureStores, secret: bytes) -> DataSubject:
    """Return the person: named in the request, and by the sessions and waiting data of its visitors."""
    people, earlier = (*request.people, *records.customers), request.found
    named = [*(one for person in people for one in _identities(person)), *earlier.get(_IDENTITIES, ())]
    subject = DataSubject(named, earlier.get(_SESSIONS, ()), secret, lenient=True)
    subject.linked_people.update(earlier.get(_PEOPLE, ()))
    for session in records.sessions:
        stored = stores.data.session_owner(session)
        subject.name(identities_of(stored.phone, stored.country, stored.email))
        subject.add_session(stored)
    return subject


def _notes(subject: DataSubject) -> Mapping[str, Sequence[str]]:
    return {
        _IDENTITIES: subject.identities,
        _SESSIONS: sorted(subject.sessions),
        _PEOPLE: sorted(subject.linked_people),
    }


def _identities(person: Mapping[str, str]) -> tuple[str, ...]:
    """Return every identity of a person. A number without its country counts if it has only one reading."""
    phone, country, email = (person.get(name) or "" for name in ("phone_number", "country_code", "email"))
    sure = identities_of(phone, country, email)
    if phone and not any(map(_is_number, sure)):
        readings = tuple(filter(_is_number, named_by(phone, country, "")))
        sure += readings if len(readings) == 1 else ()
    spelled = (one for each in sure for one in named_by(*(("", "", each) if "@" in each else (each, "", ""))))
    return tuple(dict.fromkeys((*sure, *spelled)))


def _is_unclear(person: Mapping[str, str]) -> bool:
    """Return whether a person's number or address leads to no identity, or to those of several people."""
    found = _identities(person)
    has_number, has_address = any(map(_is_number, found)), any("@" in one for one in found)
    return bool((person.get("phone_number") and not has_number) or (person.get("email") and not has_address))


def _is_number(identity: str) -> bool:
    return identity.startswith("+")
