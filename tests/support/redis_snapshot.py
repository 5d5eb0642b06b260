"""The data in Redis and the model's expectation, in one comparable form."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from state.event_stream import entry_ms
from state.partition_totals import OUTCOMES
from state.partitions import partition_of_outreach
from state.session_record import MARK
from tests.model.states import NONE, Outreach, Session, World
from tests.support.states import LEASE_MS
from tests.support.system_under_test import Real

SETS = ("due", "leased", "dead", "unknown")
Seen = dict[str, object]


def seen(real: Real) -> Seen:
    """Return all data in Redis that the model covers, in one round trip after the names of the keys."""
    state = real.state
    keys = sorted(key.decode() for key in state.client.scan_iter("*", count=1000))
    lanes, days = [key for key in keys if ":lane:" in key], [key for key in keys if ":stats:" in key]
    pipe: Any = state.client.pipeline(transaction=False)
    pipe.time()
    pipe.xrange(state.keys.events)
    for session in real.sessions:
        pipe.hgetall(state.keys.session(session))
    for outreach in real.outreaches:
        pipe.hgetall(state.keys.outreach(outreach))
        for name in SETS:
            pipe.zscore(f"{state.keys.partition(partition_of_outreach(outreach))}{name}", outreach)
    for person in real.people:
        pipe.mget(*(f"{state.keys.person(person)}{name}" for name in ("bought", "bought_linked", "forgotten")))
        pipe.hgetall(f"{state.keys.person(person)}reserved")
        pipe.exists(f"{state.keys.person(person)}consent")
    for lane in lanes:
        pipe.zrange(lane, 0, -1)
    for day in days:
        pipe.hgetall(day)
    return _read(real, iter(pipe.execute()), len(lanes), len(days))


def _read(real: Real, replies: Iterator[Any], lanes: int, days: int) -> Seen:
    seconds, micros = next(replies)
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    found: Seen = {"stream": [real.number_at(entry_ms(entry)) for entry, _ in next(replies)]}
    sessions = [_texts(next(replies)) for _ in real.sessions]
    for place in range(len(real.outreaches)):
        record, scores = _texts(next(replies)), [next(replies) for _ in SETS]
        found[f"outreach {place}"] = _outreach(real, place, record, scores, now_ms)
    for place in range(len(real.people)):
        found[f"person {place}"] = _person(real, next(replies), next(replies), next(replies), now_ms)
    waiting = Counter(member.decode() for _ in range(lanes) for member in next(replies))
    for place, texts in enumerate(sessions):
        found[f"session {place}"] = (*_session(real, texts), waiting[real.sessions[place]])
    counted: Counter[str] = Counter()
    for _ in range(days):
        for name, times in next(replies).items():
            counted[re.split("[.@]", name.decode())[0]] += int(times)
    found["silent"] = counted["silent"]
    found["ended"] = {name: counted[name] for name in sorted(OUTCOMES) if counted[name]}
    found["workers"] = dict(sorted(real.steps.items()))
    found["phases"] = dict(sorted(real.phases.items()))
    return found


def _session(real: Real, found: Mapping[str, str]) -> tuple[object, ...]:
    return (
        real.number(int(found.get("activity", "0").rstrip(MARK))),
        real.number(int(found.get("purchase", 0))),
        found.get("state", "waiting"),
        real.place(found.get("outreach", "")),
        real.place(found.get("sending", "")),
        int(found.get("contacts", 0)),
        real.number(int(found["forgotten"])) if "forgotten" in found else NONE,
        real.number_at(int(found["seen"])) if "seen" in found else 0,
    )


def _outreach(real: Real, place: int, found: Mapping[str, str], scores: Sequence[float | None], now_ms: int) -> object:
    places = {name for name, score in zip(SETS, scores, strict=True) if score is not None}
    if not found:
        return ("gone", places)
    lease = scores[SETS.index("leased")]
    handed_out = lease is not None and found["state"] == "waiting"
    return (
        real.sessions.index(found["session"]) if found["session"] else NONE,
        found["state"],
        real.nth_claim(place, int(found["token"])),
        int(found["takes"]),
        places,
        lease is not None and lease <= now_ms,
        real.number_at(entry_ms(found["barrier"].encode())) if handed_out else NONE,
        "ambiguous" in found,
    )


def _person(
    real: Real, found: Sequence[bytes | None], reserved: Mapping[bytes, bytes], refused: int, now_ms: int
) -> object:
    bought, linked, erased = (NONE if at is None else real.number_at(int(at)) for at in found)
    held = {}
    for outreach, text in _texts(reserved).items():
        claim, at = map(int, text.split(":"))
        place = real.place(outreach)
        held[place] = (real.nth_claim(place, claim), now_ms - at >= LEASE_MS)
    return (max(bought, linked), bool(refused), held, erased)


def _texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def expected(world: World) -> Seen:
    """Return the model's expectation of the data in Redis."""
    seen: Seen = {"stream": [entry.number for entry in world.stream]}
    seen |= {f"session {place}": _expected_session(session) for place, session in enumerate(world.sessions)}
    seen |= {f"outreach {place}": _expected_outreach(found) for place, found in enumerate(world.outreaches)}
    for place, person in enumerate(world.people):
        held = {one.outreach: (one.token, one.long) for one in person.held}
        seen[f"person {place}"] = (person.bought, person.refused, held, person.erased)
    ended = Counter(found.outcome for found in world.outreaches if found.outcome)
    seen["ended"] = dict(sorted(ended.items()))
    seen["silent"] = len(world.outreaches)
    seen["workers"] = {
        (worker.outreach, worker.token): f"{worker.step} {worker.reply}".strip() for worker in sorted(world.workers)
    }
    seen["phases"] = {entry.number: entry.phase for entry in world.stream}
    return seen


def _expected_session(session: Session) -> tuple[object, ...]:
    waits = session.state == "waiting" and session.activity > 0
    return (
        session.activity,
        session.purchase,
        session.state,
        session.outreach,
        session.sending,
        session.contacts,
        session.forgotten,
        session.seen,
        int(waits),
    )


def _expected_outreach(found: Outreach) -> tuple[object, ...]:
    places = {found.place} - {""}
    if found.state == "gone":
        return ("gone", places)
    return (
        found.session,
        found.state,
        found.token,
        found.takes,
        places,
        found.lease_over,
        found.barrier if found.place == "leased" and found.state == "waiting" else NONE,
        found.ambiguous,
    )
