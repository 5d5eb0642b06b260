"""The story of one session with its outreaches, read from Redis."""

from detectors.lanes import LANES_BY_NAME
from detectors.normalize.session_ids import stored_as
from detectors.session_fields import ID
from state import applied_thresholds
from state.applied_thresholds import AppliedThresholds
from state.decisions import Operator, OutreachRecord
from state.partitions import is_outreach_id
from state.people import PersonFacts, merged, person_of
from state.session_record import Session
from winback.operations.outreach_story import explain_outreach
from winback.operations.session_story import explain_session
from winback.operations.story import Story
from winback.operations.threshold_source import in_force, threshold_source
from worker import runtime
from worker.errors import StartError
from worker.runtime import State
from worker.settings import Settings
from worker.settings.detection_sources import detection_sources

_UNKNOWN = """session {session!r} is not known in namespace {namespace!r}. One of these is why:
  it had no activity for 7 days, and no outreach in the last 30 (then its data has expired)
  it is in another namespace (WINBACK_NAMESPACE), or on another server (WINBACK_REDIS_URL)
  its events were rejected: winback rejected list
  its events aren't applied yet: winback status shows how many wait"""


def read_story(state: State, settings: Settings, asked: str, *, reveal: bool) -> Story:
    """Return the story: `session` (null once it is forgotten) and `outreaches`, oldest first.

    `asked`: the id of a session or an outreach, or of a cart, checkout or order that the collector has seen.

    Raises:
        StartError: Neither is known.
    """
    operator, mark = Operator(state.scripts, state.keys, state.cipher), state.streams.watermark()
    name = stored_as(asked)
    records: list[OutreachRecord] = []
    if is_outreach_id(asked):
        records = [record for record in operator.read([asked]) if record is not None]
        if not records:
            raise StartError(f"{asked}: no such outreach; its record is kept for 30 days")
        name = records[0].session
    session = state.sessions.read([name])[0]
    is_known = _is_known(session)
    if session.outreaches:
        earlier = [record for record in records if record.outreach not in session.outreaches]
        records = earlier + [record for record in operator.read(session.outreaches) if record is not None]
    elif name and not is_known:
        # Outreaches are kept for longer than sessions. To find them, all have to be read.
        records = operator.of_session(name)
    if not is_known and not records:
        return _read_named(state, settings, asked, reveal=reveal)
    facts = _facts(state, settings, session)
    applied = applied_thresholds.read(state.scripts, state.keys, mark.now_ms)
    outreaches = [
        explain_outreach(record, reveal=reveal, now_ms=mark.now_ms, fields=session.fields)
        | {"other_session": _other_session(record, facts, state)}
        for record in records
    ]
    detection = in_force(applied, settings.detection)
    found = explain_session(session, detection, mark, facts, reveal=reveal) if is_known else None
    if found and found.get("lane"):
        found["threshold_source"] = _threshold_source(settings, applied, found["lane"])
    if found and session.state == "abandoned" and outreaches:
        found["next"] = outreaches[-1]["next"]
    return {"session": found, "outreaches": outreaches} | _time_zone(session, settings)


def _threshold_source(settings: Settings, applied: AppliedThresholds | None, lane: str) -> str:
    here, zone = detection_sources(settings.config), settings.report.time_zone
    return threshold_source(applied, settings.detection, here, LANES_BY_NAME[lane], zone)


def _read_named(state: State, settings: Settings, asked: str, *, reveal: bool) -> Story:
    """Return the story of the session that an id of a cart, checkout or order names, with `found_by`.

    Raises:
        StartError: None is known, or more than one.
    """
    from winback.operations.aliases import sessions_named  # loads the sources of the collector

    named = sessions_named(state, settings, asked)
    if len(named) > 1:
        listed = "\n".join(f"  {one.session} ({one.by})" for one in named)
        raise StartError(f"{asked[:128]!r} names several sessions; explain one of these:\n{listed}")
    if not named or named[0].session == asked:
        raise StartError(_UNKNOWN.format(session=asked[:128], namespace=settings.namespace))
    return read_story(state, settings, named[0].session, reveal=reveal) | {"found_by": named[0].by}


def _other_session(record: OutreachRecord, facts: PersonFacts | None, state: State) -> str | None:
    """Return the session of the activity that cancelled the outreach, if it is still known."""
    if record.reason != "active_elsewhere" or facts is None:
        return None
    silent_ms = record.claimed_ms - record.threshold_ms
    others = state.sessions.read([one for one in facts.sessions if one != record.session])
    later = [session for session in others if session.seen_ms > silent_ms]
    latest = max(later, key=lambda session: session.seen_ms, default=None)
    return latest.fields.get(ID) or latest.session_id if latest else None


def _time_zone(session: Session, settings: Settings) -> Story:
    """Return the shopper's time zone if it is certain, else the shop's; None if that is UTC."""
    from detectors.normalize import countries  # which load slowly, as does the next one
    from tasks.delivery.payload import phone_of
    from tasks.policy.law.places import place_of

    fields, default = session.fields, settings.contact.default_zone
    of_shop = default if default != "UTC" else settings.report.time_zone
    number, country = phone_of(fields) or "", countries.country(fields.get("country", "")) or ""
    region, own = fields.get("region", ""), fields.get("time_zone", "")
    zones = place_of(number, country, region=region, time_zone=own, default_zone=default).zones
    if (number or country or own) and len(zones) == 1:
        return {"time_zone": zones[0], "time_zone_of": "shopper"}
    return {"time_zone": of_shop, "time_zone_of": "shop"} if of_shop != "UTC" else {"time_zone": None}


def _is_known(session: Session) -> bool:
    return bool(session.seen_ms or session.fields or session.state != "waiting")


def _facts(state: State, settings: Settings, session: Session) -> PersonFacts | None:
    """Return the stored facts about the person; None without a number or address, or without the identity secret."""
    if settings.identity_secret is None or not (session.fields.get("phone") or session.fields.get("email")):
        return None
    from detectors.normalize.identities import identities_of  # numbering plans load slowly
    from tasks.delivery.payload import contact_of

    secret = runtime.identity_secret(settings)
    people = [person_of(one, secret) for one in identities_of(*contact_of(session.fields))]
    return merged(state.people.person_facts_of(people)) if people else None
