"""Compares the ledger, the events and every outcome in Redis; shows the history of each violation."""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from detectors.lanes import LANES
from state import overview
from state.decisions import OPEN, Operator, OutreachRecord
from state.partition_totals import OUTCOMES
from state.partitions import PARTITIONS
from state.session_record import Session
from tests.faults import accepted
from tests.faults.ledger import Request
from tests.faults.shop import MAILBOX, NAME, STREAMS, Shop, Told, Visit, entry_order
from tests.faults.silence import Alarm, alarms_in, silent_stops
from tests.faults.system import System

CLOCKS_DIFFER_S, AHEAD_S = 60.0, 600.0


@dataclass(slots=True)
class Verdict:
    """The result of one run."""

    sessions: int = 0
    requests: int = 0
    contacts: int = 0
    duplicates: int = 0
    losses: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    """All data about one visit."""

    visit: Visit
    session: Session
    records: list[OutreachRecord]
    requests: list[Request]
    barrier: dict[str, str]
    """For each outreach, the last entry of the stream at its last dispatch."""


def check(system: System, shop: Shop, *, allowed: frozenset[str]) -> Verdict:
    """Check one run after everything has ended. `allowed`: the outcomes that this fault allows."""
    verdict = Verdict(sessions=len(shop.visits))
    requests: dict[str, list[Request]] = defaultdict(list)
    for request in system.api.requests():
        if request.session in shop.visits:
            requests[request.session].append(request)
    cases, alarms = list(_cases(system, shop, requests)), alarms_in(system.log)
    for case in cases:
        verdict.requests += len(case.requests)
        verdict.contacts += sum(request.contact for request in case.requests)
        found = [
            *_once(case),
            *_none_lost(case, allowed),
            *_not_after_they_came_back(case),
            *_never_silent(case, alarms),
            *accepted.lost(case.visit, case.session),
            *accepted.overtaken(case.visit, case.requests, [record.claimed_ms for record in case.records]),
        ]
        verdict.losses += sum(problem.startswith("I2") for problem in found)
        verdict.violations += [f"{problem}\n{_story(case, system)}" for problem in found]
        verdict.outcomes.update(_outcome(record) for record in case.records)
    contacts = Counter(case.visit.person for case in cases for request in case.requests if request.contact)
    verdict.duplicates = sum(number - 1 for number in contacts.values())
    for person in (person for person, number in contacts.items() if number > 1):
        told = [_story(case, system) for case in cases if case.visit.person == person]
        verdict.violations.append("\n".join(["I1: a person was contacted more than once", *told]))
    held_out = Counter(case.visit.person for case in cases for record in case.records if record.reason == "holdout")
    verdict.violations += [
        f"I1: person {person} was held out, and then contacted or held out again"
        for person, number in held_out.items()
        if number + contacts[person] > 1
    ]
    verdict.violations += _nothing_stuck(system)
    verdict.violations += _private(system)
    return verdict


def _cases(system: System, shop: Shop, requests: dict[str, list[Request]]) -> Iterator[_Case]:
    operator = Operator(system.state.scripts, system.state.keys)
    for visit, session in zip(shop.visits.values(), system.state.sessions.read(list(shop.visits)), strict=True):
        records = [record for record in operator.read(session.outreaches) if record is not None]
        noted = {
            record.outreach: (system.redis.hget(system.state.keys.outreach(record.outreach), "barrier") or b"").decode()
            for record in records
        }
        yield _Case(visit, session, records, requests[visit.session], noted)


def _once(case: _Case) -> Iterator[str]:
    contacts = [request for request in case.requests if request.contact]
    if len({request.stamp for request in contacts}) < len(contacts):
        yield "I1: an abandonment was contacted more than once"
    keys, bodies = defaultdict(set), defaultdict(set)
    for request in case.requests:
        keys[request.stamp].add(request.key)
        bodies[request.stamp].add(request.body)
        yield from (f"I1: a request breaks the contract: {problem}" for problem in request.problems)
    if any(len(found) > 1 for found in (*keys.values(), *bodies.values())):
        yield "I1: attempts at one abandonment had several keys or bodies"
    known = {"sent", "unknown"}
    if contacts and not any(record.state in known for record in case.records):
        yield "I1: a contact was made, and the record says otherwise"
    if any(record.state == "sent" for record in case.records) and not contacts:
        yield "I2: the record says sent, and no person was contacted"


def _none_lost(case: _Case, allowed: frozenset[str]) -> Iterator[str]:
    state, kind, visit = case.session.state, case.visit.kind, case.visit
    if not visit.told:
        return
    for record in case.records:
        if record.state in OPEN:
            yield f"I2: outreach {record.outreach} is still {record.state}"
        elif _outcome(record) not in allowed and record.state not in allowed:
            yield f"I2: outreach {record.outreach} ended {_outcome(record)}, which nothing in this fault explains"
    order_told = any(event.type == "order_completed" for event in visit.told)
    expected = {"bought"} if order_told else {"unreachable"} if kind == "anonymous" else {"abandoned"}
    if visit.untold:
        expected |= {"bought", "abandoned", "unreachable"}
        if all(event.type == "exit" for event in visit.told):
            expected.add("waiting")  # in no lane, because an exit names no stage
    if state not in expected and state.partition(".")[0] not in allowed:
        yield f"I2: the session is {state}, and should be {' or '.join(sorted(expected))}"
    if state == "abandoned" and not case.records:
        yield "I2: abandoned, and there is no outreach"


def _not_after_they_came_back(case: _Case) -> Iterator[str]:
    # Future times that a put-back clock left behind count as earlier than they were; the silence since is correct.
    since = max((_silent_since(record) for record in case.records), default=0.0)
    for request in case.requests:
        last = max(_seconds(request.stamp), since) + 1
        # A later dispatch without a request can have recorded newer entries than the dispatch of this request.
        told = [event for event in case.visit.told if event.at < request.at]
        newer = [event for event in told if min(_seconds(event.occurred), event.at) > last]
        for record in case.records:
            noted = [entry_order(last) for last in case.barrier[record.outreach].split()] or [(0, 0)] * len(STREAMS)
            had_arrived = any(_by_then(event, noted[event.stream]) for event in newer)
            if _attempted_once(record, case) and had_arrived:
                yield "I3: newer activity had reached Redis when the outreach was dispatched"
    late = case.visit.untold or case.visit.late
    if case.visit.kind == "pays" and case.requests and not late:
        yield "I3: contacted although they had paid before the threshold"
    if case.visit.kind == "refuses" and case.requests and not late:
        yield "I3: contacted although they had refused in another session"


def _never_silent(case: _Case, alarms: Sequence[Alarm]) -> Iterator[str]:
    for record in case.records:
        before = [event.at * 1000 for event in case.visit.told if event.at * 1000 <= record.claimed_ms]
        yield from silent_stops(record, max(before, default=record.claimed_ms), alarms)


def _by_then(event: Told, noted: tuple[int, int]) -> bool:
    """Return whether an event was in its stream at an outreach's dispatch, by the recorded last id of the stream.

    This isn't conclusive if the id was ahead of the clock and the stream has assigned ids of now since.
    """
    if not event.entry:  # a collector wrote it; see `accepted.overtaken`
        return False
    entry = entry_order(event.entry)
    is_now = abs(entry[0] / 1000 - event.at) < CLOCKS_DIFFER_S
    return entry <= noted and not (is_now and noted[0] / 1000 > event.at + AHEAD_S)


def _silent_since(record: OutreachRecord) -> float:
    """Return since when a session was silent at its claim (s since the epoch), from the history; 0: unknown."""
    words = next((line.text for line in record.history if line.text.startswith("claimed silent since ")), "0")
    return int(words.rpartition(" ")[2]) / 1000


def _attempted_once(record: OutreachRecord, case: _Case) -> bool:
    return record.attempts == 1 and len(case.requests) == 1 and len(case.records) == 1


def _nothing_stuck(system: System) -> Iterator[str]:
    pending = sum(system.redis.xpending(stream, "ingest")["pending"] for stream in STREAMS)
    if pending:
        yield f"I2: {pending} entries are pending without a consumer"
    for number in range(PARTITIONS):
        for key in (system.state.keys.due(number), system.state.keys.leased(number)):
            if left := system.redis.zrange(key, 0, -1):
                yield f"I2: still in {key}: {left}"
    found = overview.read(system.state.scripts, system.state.keys, [lane.name for lane in LANES], days=2)
    silent = sum(found.counters.silent.values())
    ended = sum(found.counters.total(outcome) for outcome in OUTCOMES)
    if silent != ended:
        yield f"I2: {silent} silences, and {ended} outcomes"
    yield from _reservations(system)


def _reservations(system: System) -> Iterator[str]:
    """Yield reservations that outlive an attempt that certainly made no contact."""
    operator = Operator(system.state.scripts, system.state.keys)
    held = list(system.redis.scan_iter("winback:{person:*}:reserved", count=1000))
    owners = [owner.decode() for key in held for owner in system.redis.hkeys(key)]
    for owner, record in zip(owners, operator.read(owners), strict=True):
        if record is None and system.logged(owner, '"outcome": "sent"'):
            continue  # erased while its request was in flight
        # The holdout is recorded like a contact.
        holds = record and (record.state in {"sent", "unknown"} or record.reason == "holdout" or record.ambiguous)
        if not holds:
            yield f"I2: outreach {owner} ({record.state if record else 'gone'}) still holds its person"


def _private(system: System) -> Iterator[str]:
    words = (NAME, NAME.split()[1], MAILBOX, "Kettle")
    for _, role, line in system.log:
        if any(word in line for word in words):
            yield f"I4: {role} logged personal data: {line[:200]}"
    for path in system.directory.glob("recordings/*"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if any(word.encode() in content for word in words):
            yield f"I4: the recording {path.name} holds personal data"
    broker = system.broker
    with broker:
        for key in broker.scan_iter("*"):
            content = broker.dump(key) or b""
            if any(word.encode() in content for word in words):
                yield f"I4: {key!r} of the broker holds personal data"


def _story(case: _Case, system: System) -> str:
    """Return all that happened to one session, in order of time."""
    lines = [(event.at, f"told {event.type} of {event.occurred} (entry {event.entry})") for event in case.visit.told]
    lines += [(r.at, f"request {r.key[:8]} for {r.stamp}: {r.status}, contact: {r.contact}") for r in case.requests]
    for record in case.records:
        lines += [(line.at_ms / 1000, f"{record.outreach}: {line.text}") for line in record.history]
    ids = [record.outreach for record in case.records]
    lines += [(at, f"{role}: {line[:240]}") for at, role, line in system.log if any(found in line for found in ids)]
    head = f"  session {case.visit.session} ({case.visit.kind}), now {case.session.state}, untold {case.visit.untold}"
    told = [f"    {datetime.fromtimestamp(at, UTC):%H:%M:%S.%f} {text}" for at, text in sorted(lines)]
    return "\n".join([head, *told])


def _outcome(record: OutreachRecord) -> str:
    return f"{record.state}.{record.reason}" if record.reason else record.state


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
