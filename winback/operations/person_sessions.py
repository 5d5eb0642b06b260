"""The sessions of one person, as a list to choose from."""

from collections.abc import Iterator, Mapping, Sequence

from detectors.sequence import occurred_ms
from state.decisions import OutreachRecord
from state.session_record import Session
from winback.operations.session_story import lane_of
from winback.operations.story import Story, when


def sessions_of(sessions: Sequence[Session], outreaches: Sequence[OutreachRecord]) -> list[Story]:
    """Return the sessions of a person as JSON data, newest first.

    Records outlive their sessions. So the list includes sessions of which only an outreach is left.
    """
    latest = {record.session: record for record in sorted(outreaches, key=lambda record: record.claimed_ms)}
    found = [*_stored(sessions, latest), *_gone({session.session_id for session in sessions}, latest)]
    return [story for _, story in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _stored(sessions: Sequence[Session], latest: Mapping[str, OutreachRecord]) -> Iterator[tuple[int, Story]]:
    for session in sessions:
        lane, record = lane_of(session), latest.get(session.session_id)
        last_ms = max(occurred_ms(max(session.activity, session.signal, session.purchase)), session.seen_ms)
        ended = session.state.replace(".", ": ") if session.state not in {"waiting", "abandoned"} else None
        yield (
            last_ms,
            {
                "session": session.session_id,
                "state": session.state.partition(".")[0],
                "stage": lane.stage if lane else None,
                "last_activity": when(last_ms - last_ms % 1000),
                "outcome": _outcome(record) if record else ended,
            },
        )


def _gone(stored: set[str], latest: Mapping[str, OutreachRecord]) -> Iterator[tuple[int, Story]]:
    for name, record in latest.items():
        if name and name not in stored:
            last_ms = record.claimed_ms - record.threshold_ms
            yield (
                last_ms,
                {
                    "session": name,
                    "state": "expired from Redis",
                    "stage": record.lane.partition(".")[0] or None,
                    "last_activity": when(last_ms - last_ms % 1000),
                    "outcome": _outcome(record),
                },
            )


def _outcome(record: OutreachRecord) -> str:
    return f"{record.state}: {record.reason}" if record.reason else record.state
