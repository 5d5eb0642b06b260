"""Shared by tests of the state: events, the path of one session through it, and time that passes at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from time import monotonic, sleep
from typing import Any

from detectors.flow import Stage
from detectors.lanes import LANES
from detectors.sequence import RANK_NAMES
from detectors.session_fields import REQUIRED
from state.attribution import Attribution
from state.cipher import Cipher, Unencrypted
from state.claims import SilentLane
from state.event_stream import StreamEntry
from state.event_streams import Streams
from state.keys import Keys, partition_of
from state.limit import Limit
from state.orders import Orders
from state.outbox import Outbox, Taken
from state.partition_totals import OUTCOMES
from state.people import ContactRef, People
from state.scripts import Scripts
from state.sending_control import Control
from state.session_record import Session, read_session
from state.sessions import Mark, Sessions
from tasks.delivery.sending_limits import limits_of
from tasks.delivery.settings import DeliverySettings
from worker.ingest.batch import collect
from worker.runtime import State

SECRET = b"a secret of the tests"
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LEASE_MS = 70 * SECOND_MS
CAP_MS = DAY_MS
BOUGHT_WINDOW_MS = DAY_MS
MAX_AGE_MS = DAY_MS
WINDOW_MS = 3 * DAY_MS
WAIT_MS = 15 * MINUTE_MS
JANE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
BODY = '{"customer":{"full_name":"Jane Doe"}}'

Event = dict[str, Any]
_arrivals = count()


class FakeScripts(Scripts):
    """fakeredis does not know the `#!lua` line."""

    def text(self, name: str) -> str:
        return super().text(name).split("\n", 1)[1]


def make_state(
    client: Any,  # noqa: ANN401 - real or fake
    scripts: Scripts,
    namespace: str = "winback",
    cipher: Cipher | None = None,
) -> State:
    keys = Keys(namespace)
    people = People(scripts, keys, cap_ms=CAP_MS, lease_ms=LEASE_MS, bought_window_ms=BOUGHT_WINDOW_MS)
    cipher = cipher or Unencrypted()
    sessions = Sessions(scripts, keys, RANK_NAMES, cipher)
    outbox, streams = Outbox(scripts, keys, LEASE_MS, cipher), Streams(scripts, keys)
    control = Control(scripts, keys, limits_of(DeliverySettings()))
    attribution = Attribution(scripts, keys, WINDOW_MS)
    return State(
        client, keys, scripts, sessions, outbox, people, streams, control, attribution, Orders(scripts, keys), cipher
    )


LIMITS = (Limit(1, CAP_MS),)
CONTACT_REF = ContactRef("", WINDOW_MS, 2**52)
"""A contact with no further data, taken after any erasure."""


def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.005)


# Events


def event(kind: str = "activity", session: str | None = "s-1", stage: str | None = "checkout", **more: object) -> Event:
    """Return one event as a shop sends it; `stage=None` leaves out stage and platform."""
    made: Event = {"type": kind}
    if session is not None:
        made["session_id"] = session
    if stage is not None:
        made |= {"flow_stage": stage, "platform": "web"}
    return made | more


def arrived(made: Event | bytes, at_ms: int) -> StreamEntry:
    """Return an event as a stream entry; every call is another entry, even in the same millisecond."""
    raw = made if isinstance(made, bytes) else json.dumps(made).encode()
    return StreamEntry(f"{at_ms}-{next(_arrivals)}".encode(), raw)


def apply(state: State, *entries: StreamEntry) -> list[Mark]:
    return state.sessions.apply(collect(entries).changes)


def happen(state: State, made: Event, *, ago_ms: int = 0) -> list[Mark]:
    """Apply an event that arrives `ago_ms` before now, and occurred then unless it says otherwise."""
    return apply(state, arrived(made, now_ms(state) - ago_ms))


# Reading


def now_ms(state: State) -> int:
    seconds, micros = state.client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def stored(state: State, session: str = "s-1") -> Session:
    return read_session(session, texts(state, state.keys.session(session)), state.cipher)


def record(state: State, outreach: str) -> dict[str, str]:
    return texts(state, state.keys.outreach(outreach))


def texts(state: State, key: str) -> dict[str, str]:
    found: Any = state.client.hgetall(key)
    return {name.decode(): value.decode() for name, value in found.items()}


def text_at(state: State, key: str) -> str:
    found: Any = state.client.get(key)
    assert found is not None, f"{key} is not there"
    return str(found.decode())


def lanes_of(state: State, session: str = "s-1") -> dict[str, int]:
    """Return the lanes in which a session waits, with its score: the lower bound of its silence."""
    found = {}
    for key in state.client.scan_iter(f"{state.keys.namespace}:*:lane:*"):
        score = state.client.zscore(key, session)
        if score is not None:
            found[key.decode().rpartition(":lane:")[2]] = int(score)
    return found


def places_of(state: State, outreach: str) -> set[str]:
    """Return the sorted sets that hold an outreach: due, leased, dead, unknown."""
    number, names = int(outreach[:2]), ("due", "leased", "dead", "unknown")
    return {name for name in names if score_of(state, f"{state.keys.partition(number)}{name}", outreach) is not None}


def score_of(state: State, key: str, member: str) -> int | None:
    score: float | None = state.client.zscore(key, member)
    return None if score is None else int(score)


def counters(state: State) -> dict[str, int]:
    """Return the outcomes of outreaches and sessions for all places and days, without zeros."""
    totals: dict[str, int] = {}
    for name, total in all_counters(state).items():
        ended = name.partition("@")[0]
        if ended.partition(".")[0] in OUTCOMES:
            totals[ended] = totals.get(ended, 0) + total
    return {name: total for name, total in totals.items() if total}


def all_counters(state: State, *names: str) -> dict[str, int]:
    """Return the counters that begin with one of these names, summed over all days, without zeros."""
    totals: dict[str, int] = {}
    for key in state.client.scan_iter(f"{state.keys.namespace}:*:stats:*"):
        for name, value in texts(state, key.decode()).items():
            totals[name] = totals.get(name, 0) + int(value)
    return {name: total for name, total in totals.items() if total and name.startswith(names or "")}


def dump_without_scores(state: State) -> dict[str, object]:
    """Return the database without the scores of lanes, which are lower bounds of the sessions' own times."""
    found = dump(state)
    for key in found:
        if ":lane:" in key:
            found[key] = sorted(state.client.zrange(key, 0, -1))
        if ":stats:" in key:
            # A new session is counted at the place of its first event to arrive.
            totals: Counter[str] = Counter()
            for name, value in texts(state, key).items():
                totals[name.partition("@")[0]] += int(value)
            found[key] = sorted(totals.items())
    return found


def dump(state: State) -> dict[str, object]:
    """Return everything in the database, without TTLs."""
    return {key.decode(): _content(state, key) for key in sorted(state.client.scan_iter("*"))}


def _content(state: State, key: bytes) -> object:
    client: Any = state.client
    match client.type(key):
        case b"hash":
            return sorted(client.hgetall(key).items())
        case b"zset":
            return client.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return client.xrange(key), client.xinfo_groups(key)
        case _:
            return client.get(key)


def ttl_ms(state: State, key: str) -> int | None:
    """Return a key's remaining TTL; None: it has none. A missing key fails the test."""
    left = int(state.client.pttl(key))
    assert left != -2, f"{key} is not there"
    return None if left == -1 else left


# The path of one session


def cut_offs(
    before_ms: int, *, wait_ms: int = WAIT_MS, suppress_reason: str = "", lanes: Iterable[str] | None = None
) -> list[SilentLane]:
    """Return cut-offs for all sessions silent since `before_ms`, in all lanes or in the named ones."""
    return [
        SilentLane(lane.name, before_ms, wait_ms, suppress_reason, lane.kind.measure_from_expiry)
        for lane in LANES
        if lanes is None or lane.name in lanes
    ]


def sweep(state: State, *, silent_for_ms: int = WAIT_MS, max_age_ms: int = MAX_AGE_MS, **cut: Any) -> int:  # noqa: ANN401
    """Claim sessions that have been silent for long enough; return how many became an outreach."""
    # Including empty lanes would make fakeredis the slowest part of the tests.
    cut.setdefault("lanes", {key.decode().rpartition(":lane:")[2] for key in state.client.scan_iter("*:lane:*")})
    lanes = cut_offs(now_ms(state) - silent_for_ms, **cut)
    return state.sessions.claim(lanes, max_age_ms=max_age_ms, required=REQUIRED).outreaches


def abandon(state: State, session: str = "s-1", *, stage: Stage = "checkout", ago_ms: int = HOUR_MS) -> str:
    """Let a reachable shopper fall silent and be claimed; return the outreach."""
    happen(state, event(session=session, stage=stage, customer=JANE), ago_ms=ago_ms)
    assert sweep(state) == 1
    return stored(state, session).outreach


def dispatch(state: State, *, limit: int = 100) -> list[str]:
    return state.outbox.lease_due(limit, now_ms=now_ms(state), barrier=state.streams.barrier())


def taken(state: State, session: str = "s-1") -> Taken:
    """Return an abandoned session's outreach, taken by a worker."""
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return take(state, outreach)


def take(state: State, outreach: str) -> Taken:
    found = state.outbox.take(outreach)
    assert found is not None
    return found


def fence(state: State, held: Taken) -> str:
    return state.outbox.fence(held, body=BODY, key="key-1").verdict


def sending(state: State, session: str = "s-1") -> Taken:
    """Return an outreach whose request can be in flight."""
    held = taken(state, session)
    assert fence(state, held) == "sending"
    return held


def take_again(state: State, outreach: str) -> Taken:
    """Let time pass until an outreach is due, and take it."""
    let_backoff_pass(state, outreach)
    assert outreach in dispatch(state)
    return take(state, outreach)


# Time that passes at once: the scores hold the deadlines


def let_lease_run_out(state: State, outreach: str) -> None:
    key = state.keys.leased(int(outreach[:2]))
    assert state.client.zadd(key, {outreach: now_ms(state) - 1}, xx=True, ch=True) == 1


def let_backoff_pass(state: State, outreach: str) -> None:
    key = state.keys.due(int(outreach[:2]))
    assert state.client.zscore(key, outreach) is not None
    state.client.zadd(key, {outreach: now_ms(state) - 1}, xx=True)


def let_reservations_age(state: State, person: str, by_ms: int) -> None:
    """Move all contacts of a person into the past."""
    key = f"{state.keys.person(person)}reserved"
    for outreach, held in texts(state, key).items():
        claim, at = held.split(":")
        state.client.hset(key, outreach, f"{claim}:{int(at) - by_ms}")


def expire_session(state: State, session: str = "s-1") -> None:
    assert state.client.delete(state.keys.session(session)) == 1


def same_partition(session: str, number: int = 2) -> Sequence[str]:
    """Return ids of sessions in one partition, the given one first."""
    wanted = partition_of(session)
    others = (f"{session}-{index}" for index in count())
    found = [session]
    while len(found) < number:
        other = next(others)
        if partition_of(other) == wanted:
            found.append(other)
    return found
