"""The story of one session with its outreaches, read from Redis."""

from detectors.normalize.session_ids import stored_as
from state.decisions import Operator, OutreachRecord
from state.keys import is_outreach_id
from state.people import PersonFacts, person_of
from state.session_record import Session
from winback.operations.outreach_story import explain_outreach
from winback.operations.session_story import explain_session
from winback.operations.story import Story
from worker import runtime
from worker.errors import StartError
from worker.runtime import State
from worker.settings import Settings

_UNKNOWN = """session {session!r} is not known in namespace {namespace!r}. One of these is why:
  it has not done anything for 7 days, and nothing was planned for it in the last 30 (then it is forgotten)
  it is in another namespace (WINBACK_NAMESPACE), or on another server (WINBACK_REDIS_URL)
  its events could not be read: winback rejected list
  its events are not applied yet: winback status says how many wait"""


def read_story(state: State, settings: Settings, asked: str, *, reveal: bool) -> Story:
    """Return the story: `session` (null once it is forgotten) and `outreaches`, the first first.

    Raises:
        StartError: neither is known.
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
        # Outreaches are kept for longer than sessions; to find them, all have to be looked at.
        records = operator.of_session(name)
    if not is_known and not records:
        raise StartError(_UNKNOWN.format(session=asked[:128], namespace=settings.namespace))
    facts = _facts(state, settings, session)
    outreaches = [explain_outreach(record, reveal=reveal, now_ms=mark.now_ms) for record in records]
    found = explain_session(session, settings.detection, mark, facts, reveal=reveal) if is_known else None
    if found and session.state == "abandoned" and outreaches:
        found["next"] = outreaches[-1]["next"]
    return {"session": found, "outreaches": outreaches}


def _is_known(session: Session) -> bool:
    return bool(session.seen_ms or session.fields or session.state != "waiting")


def _facts(state: State, settings: Settings, session: Session) -> PersonFacts | None:
    """Return what is known of the person; None without their number, or the secret that they are recognised by."""
    if settings.identity_secret is None or not session.fields.get("phone"):
        return None
    from tasks.delivery.payload import phone_of  # the numbering plans of the world take a while to load

    number = phone_of(session.fields)
    return state.people.person_facts(person_of(number, runtime.identity_secret(settings))) if number else None
