"""Exports all stored data about a person as one JSON document, and checks that it is complete."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from detectors.sequence import RANK_NAMES, RANK_SPAN, occurred_ms
from detectors.session_fields import cart_of
from state.inventory import Inventory, person_in
from state.privacy_requests import PrivacyRequest
from state.session_record import MARK
from state.stored_data import StoredKey, StoredRecord
from tasks.delivery.payload import timestamp
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.personal_data import ErasureProof, Finder, Known, PersonalData, Progress
from winback.operations.consents import ConsentRecord, latest
from winback.operations.story import when

MOST_ROUNDS = 3
"""Events can be applied between reading and checking. Then everything is read again."""


@dataclass(frozen=True, slots=True)
class Export:
    """The document, and its omissions."""

    document: Mapping[str, object]
    missed: tuple[str, ...]
    """Keys with data about the person that isn't in the document. If there are any, there is a bug."""
    searched: int
    """Number of scanned keys."""


def export(inventory: Inventory, subject: DataSubject, progress: Progress, *, follow: bool) -> Export:
    """Read all data about a person, then scan every key for data that the document lacks."""
    finder = Finder(inventory, progress, follow=follow)
    for _ in range(MOST_ROUNDS):
        found = finder.survey(subject)
        sessions = [inventory.session(session_id) for session_id in sorted(found.sessions)]
        outreaches = [inventory.outreach(outreach) for outreach in sorted(found.outreaches)]
        keys = [inventory.content(key) for key in found.person_keys]
        proof = finder.prove(subject, _known(inventory, subject, found, sessions + outreaches))
        if not proof.left:
            break
    # Undecryptable data is missing as well.
    sealed = [key for record in (*sessions, *outreaches) if record.unreadable for key in record.keys[:1]]
    missed = (*proof.left, *sealed)
    document = {
        "exported_at": timestamp(inventory.now_ms()),
        "identities": _identities(subject),
        "consent": [_consent(consent) for consent in latest(_answers(keys)).values()],
        "sessions": [_session(record) for record in sessions],
        "outreaches": [_outreach(record) for record in outreaches],
        "keys": [_key(stored) for stored in keys],
        "unread_events": [
            {"stream": one.stream, "id": one.entry_id.decode(), "event": _json(one.raw)} for one in found.entries
        ],
        "rejected": [{"id": entry_id.decode(), "text": text} for entry_id, text in found.rejected],
        "waiting": [_waiting(customer) for customer in found.waiting.values()],
        "privacy_requests": [_request(found) for found in map(inventory.requests.read, found.data_requests) if found],
        "outcomes": [_json(one.body.encode()) for one in found.outcomes],
        "mentions": _mentions(proof),
        "complete": not missed,
        "missed": list(missed),
    }
    return Export(document, missed, proof.searched)


def _known(inventory: Inventory, subject: DataSubject, found: PersonalData, records: list[StoredRecord]) -> Known:
    requests = [*found.data_requests, *inventory.requests.ids("erasure")]
    return Known(
        keys=frozenset(
            [
                *(key for record in records for key in record.keys),
                *map(inventory.visitors.key, found.waiting),
                *map(inventory.requests.key, requests),
            ]
        ),
        texts=frozenset(
            [
                *(one.text for one in found.entries),
                *(text for _, text in found.rejected),
                *(one.text for one in found.outcomes),
            ]
        ),
        members=frozenset([*subject.sessions, *subject.people]),
    )


def _waiting(customer: Mapping[str, str]) -> Mapping[str, object]:
    """Return what a shop's tool reported of a customer before their first session."""
    return {name: _json(text.encode()) for name, text in customer.items()}


def _request(request: PrivacyRequest) -> Mapping[str, object]:
    return {
        "kind": request.kind,
        "source": request.source,
        "shop": request.shop,
        "at": when(request.received_ms),
        "people": list(request.people),
    }


def _identities(subject: DataSubject) -> list[Mapping[str, str]]:
    ways = (("named", subject.named), ("seen together", tuple(subject.linked)))
    return [
        {"identity": identity, "how": how, "person": subject.hashes([identity])[0]}
        for how, identities in ways
        for identity in identities
    ]


def _answers(keys: Iterable[StoredKey]) -> Iterator[Mapping[str, str]]:
    for stored in keys:
        if stored.key.endswith(":consent") and isinstance(stored.content, dict):
            yield stored.content


def _consent(consent: ConsentRecord) -> Mapping[str, object]:
    return {**asdict(consent), "at": when(consent.at_ms)}


def _session(record: StoredRecord) -> Mapping[str, object]:
    fields = {name: _json(text.encode()) for name, text in record.texts.items()}
    with suppress(ValueError):  # the text of a damaged cart is shown
        if cart := cart_of(record.texts):
            fields["cart"] = cart.model_dump(mode="json", exclude_none=True)
    activity = int(record.texts.get("activity", "0").rstrip(MARK))
    return {
        "session": record.id,
        "state": record.texts.get("state", "waiting"),
        "place": RANK_NAMES[activity % RANK_SPAN] if activity else None,
        "last_activity": when(occurred_ms(activity)),
        "fields": fields,
    }


def _outreach(record: StoredRecord) -> Mapping[str, object]:
    texts = dict(record.texts)
    history, body = texts.pop("history", ""), texts.pop("body", "")
    return {
        "outreach": record.id,
        "outcome": ": ".join(filter(None, (texts.get("state"), texts.get("reason")))),
        "claimed": when(int(texts.get("claimed_at") or 0)),
        "contacted": when(int(texts.get("contacted_at") or 0)),
        "fields": texts,
        "request": _json(body.encode()) if body else None,
        "history": [_line(line) for line in history.splitlines()],
    }


def _line(line: str) -> Mapping[str, str]:
    at, _, text = line.partition(" ")
    return {"at": timestamp(int(at)), "text": text} if at.isdecimal() else {"text": line}


def _key(stored: StoredKey) -> Mapping[str, object]:
    return {
        "person": person_in(stored.key),
        "name": stored.key.rpartition(":")[2],
        "content": stored.content,
        "kept_for_ms": stored.ttl_ms,
    }


def _mentions(proof: ErasureProof) -> list[str]:
    """Return where ids of the person are in lists; for other people's keys only the name, not their hash."""
    names = (key.rpartition("}:")[2] if person_in(key) else key for key in proof.mentions)
    return list(dict.fromkeys(names))


def _json(text: bytes) -> object:
    """Return the content of a JSON object or list; any other text unchanged: a phone number isn't an integer."""
    written = text.decode(errors="replace")
    if written[:1] not in {"{", "["}:
        return written
    try:
        return json.loads(written)
    except ValueError:
        return written
