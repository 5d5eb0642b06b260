"""The data of `winback person show`: one person, read by their own keys, without a scan of all others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from detectors.durations import format_duration
from detectors.lanes import milliseconds
from state.decisions import Operator, OutreachRecord
from state.event_streams import Watermark
from state.inventory import Inventory, person_in
from state.optouts import Entries, OptOuts
from state.session_record import Session
from state.stored_data import StoredKey
from tasks.delivery.payload import timestamp
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.linked_identities import earlier, link
from tasks.policy.settings import ContactSettings
from winback.operations.consents import CHANNELS, ConsentRecord, latest, of_session
from winback.operations.outreach_requests import channel_of
from winback.operations.outreach_story import explain_outreach
from winback.operations.session_story import explain_session, lane_of
from winback.operations.story import Story, when
from worker.logs.masking import mask_identity
from worker.runtime import State
from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """All data that is read for one person."""

    subject: DataSubject
    sessions: Sequence[Session]
    """The person's sessions, oldest first."""
    outreaches: Sequence[OutreachRecord]
    """Oldest first."""
    keys: Mapping[str, StoredKey]
    """All keys of the person."""
    opt_outs: Mapping[str, Entries]
    """Person → entries on the opt-out list, for each identity that has any."""
    mark: Watermark


def read(state: State, inventory: Inventory, subject: DataSubject, *, follow: bool) -> KnownIdentity:
    """Read the data of a person. Identities and sessions that are found are added to `subject`."""
    found = [inventory.session_owner(session_id) for session_id in _sessions_of(inventory, subject)]
    if follow:
        link(inventory, subject, found)
        found = [inventory.session_owner(session_id) for session_id in _sessions_of(inventory, subject)]
    theirs = [stored for stored in found if stored.session_id in subject.sessions or subject.has_session(stored)]
    theirs += earlier(inventory, subject, theirs)
    for stored in theirs:
        subject.add_session(stored)
    keys = {key: inventory.content(key) for person in subject.people for key in inventory.person_keys(person)}
    sessions = sorted(state.sessions.read(sorted(subject.sessions)), key=lambda session: session.activity)
    operator = Operator(state.scripts, state.keys, state.cipher)
    people = subject.people
    entries = OptOuts(state.scripts, state.keys).entries(people)
    return KnownIdentity(
        subject=subject,
        sessions=sessions,
        outreaches=_outreaches(operator, sessions, keys.values()),
        keys=keys,
        opt_outs={person: found for person, found in zip(people, entries, strict=True) if found},
        mark=state.streams.watermark(),
    )


def story(known: KnownIdentity, settings: Settings, inventory: Inventory, *, reveal: bool) -> Story:
    """Return the data of a person as JSON data: times are ISO 8601 in UTC, null for never."""
    sessions = [_session(session, known, settings, reveal=reveal) for session in known.sessions]
    return {
        "identities": list(_identities(known.subject, reveal=reveal)),
        "opt_outs": list(_opt_outs(known)),
        "consent": [_consent(consent) for consent in _consents(known)],
        "bought": when(max(_moments(known.keys.values(), "bought", "bought_linked"), default=0)),
        "limits": _limits(known, settings.contact),
        "sessions": sessions,
        "contacts": [_contact(record, known, inventory, reveal=reveal) for record in known.outreaches],
        "next": _next(known, settings.contact, sessions),
    }


def contact_times(known: KnownIdentity) -> dict[str, int]:
    """Return the outreaches that reserved the person, with the time of each (Unix ms): limits count these."""
    times: dict[str, int] = {}
    for stored in known.keys.values():
        if stored.key.endswith(":reserved") and isinstance(stored.content, dict):
            times |= {outreach: int(text.rpartition(":")[2]) for outreach, text in stored.content.items()}
    return dict(sorted(times.items(), key=lambda pair: pair[1]))


def _sessions_of(inventory: Inventory, subject: DataSubject) -> list[str]:
    found = dict.fromkeys(sorted(subject.sessions))
    for person in subject.people:
        found.update(dict.fromkeys(inventory.sessions_of(person)))
    return list(found)


def _outreaches(operator: Operator, sessions: Iterable[Session], keys: Iterable[StoredKey]) -> list[OutreachRecord]:
    ids = dict.fromkeys(outreach for session in sessions for outreach in session.outreaches)
    for stored in keys:
        if stored.key.endswith((":contacts", ":reserved")) and isinstance(stored.content, dict):
            ids.update(dict.fromkeys(stored.content))
    records = [record for record in operator.read(list(ids)) if record is not None]
    return sorted(records, key=lambda record: record.claimed_ms)


def _next(known: KnownIdentity, settings: ContactSettings, sessions: Sequence[Story]) -> str:
    """Describe what happens next, and when, if the person does nothing."""
    if known.opt_outs:
        sources = dict.fromkeys(source for entries in known.opt_outs.values() for source in entries)
        return f"no contact: they are opted out ({', '.join(sources)})"
    refused = {consent.channel for consent in _consents(known) if not consent.allowed}
    if refused.issuperset(CHANNELS):
        return f"no contact: they refused {' and '.join(CHANNELS)}"
    for record in reversed(known.outreaches):
        entry = explain_outreach(record, reveal=False, now_ms=known.mark.now_ms)["next"]
        if not entry.startswith("nothing"):
            return f"outreach {record.outreach}: {entry}"
    for session in reversed(sessions):
        if session["state"] == "waiting":
            return f"session {session['session']}: {session['next']}"
    last_ms = max(contact_times(known).values(), default=0)
    ends_ms = last_ms + milliseconds(settings.cap)
    if last_ms and ends_ms > known.mark.now_ms:
        return f"nothing is planned; contact.cap excludes another contact until {when(ends_ms)}"
    return "nothing is planned"


def _identities(subject: DataSubject, *, reveal: bool) -> Iterator[Story]:
    for how, identities in (
        ("named", subject.named),
        ("seen together", subject.linked),
        ("shared, left out", subject.shared),
    ):
        for identity in identities:
            if how == "named" and identity in subject.shared:
                continue
            kind = "email" if "@" in identity else "phone"
            shown = identity if reveal else mask_identity(identity)
            yield {"kind": kind, "identity": shown, "how": how, "person": subject.hashes([identity])[0]}


def _opt_outs(known: KnownIdentity) -> Iterator[Story]:
    for person, entries in known.opt_outs.items():
        for source, at_ms in entries.items():
            yield {"person": person, "source": source, "at": when(at_ms)}


def _consents(known: KnownIdentity) -> list[ConsentRecord]:
    """Return the latest answer for each channel: the person's, else that of their latest session."""
    found = {consent.channel: consent for session in known.sessions for consent in of_session(session)}
    texts = [stored.content for stored in known.keys.values() if stored.key.endswith(":consent")]
    return list((found | latest(text for text in texts if isinstance(text, dict))).values())


def _consent(consent: ConsentRecord) -> Story:
    return {
        "channel": consent.channel,
        "answer": "yes" if consent.allowed else "no",
        "at": when(consent.at_ms),
        "given_at": consent.given_at or None,
        "source": consent.source or None,
        "session": consent.session or None,
    }


def _limits(known: KnownIdentity, settings: ContactSettings) -> Story:
    times = contact_times(known)
    cap_ms = milliseconds(settings.cap)
    used = [outreach for outreach, at_ms in times.items() if known.mark.now_ms - at_ms < cap_ms]
    return {
        "cap": format_duration(settings.cap),
        "used": len(used),
        "of": 1,
        "contacts": [{"outreach": outreach, "at": timestamp(at_ms)} for outreach, at_ms in times.items()],
    }


def _moments(keys: Iterable[StoredKey], *names: str) -> Iterator[int]:
    for stored in keys:
        if stored.key.rpartition(":")[2] in names and person_in(stored.key) and isinstance(stored.content, str):
            yield int(stored.content or 0)


def _session(session: Session, known: KnownIdentity, settings: Settings, *, reveal: bool) -> Story:
    lane = lane_of(session)
    entry = explain_session(session, settings.detection, known.mark, None, reveal=reveal)
    return {
        "session": session.session_id,
        "id": session.fields.get("id") or session.session_id,
        "stage": lane.stage if lane else None,
        "platform": lane.platform if lane else None,
        "state": session.state,
        "last_activity": entry["last_activity"],
        "next": entry["next"] if session.state != "abandoned" else f"outreach {session.outreach}",
    }


def _contact(record: OutreachRecord, known: KnownIdentity, inventory: Inventory, *, reveal: bool) -> Story:
    entry = explain_outreach(record, reveal=reveal, now_ms=known.mark.now_ms)
    stored = inventory.outreach(record.outreach).texts
    return {
        "outreach": record.outreach,
        "session": record.session or None,
        "claimed": when(record.claimed_ms),
        "contacted": when(int(stored.get("contacted_at") or 0)),
        "outcome": f"{record.state}{': ' + record.reason if record.reason else ''}",
        "channel": channel_of(stored) or None,
        "next": entry["next"],
    }
