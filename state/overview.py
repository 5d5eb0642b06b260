"""What is in Redis at a glance, for people to look at. Reads, and nothing but reads; a full server answers too."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from redis import RedisCluster
from redis.exceptions import ResponseError

from state.announcements import Announcement, read_announcements
from state.backlog import Held, read_held
from state.deployment import PERSONAL_ROLES, Heartbeat, without_key
from state.errors import ServerUnavailableError, StateError
from state.event_stream import GROUP, Stream, entry_ms
from state.event_streams import RECORDED, Streams
from state.keys import DAY_MS, HEARTBEAT_TTL_MS, MOST_STREAMS, PARTITIONS, Keys
from state.orders import OrderFlow, read_flow
from state.progress_stamps import Progress, read_progress
from state.refusals import Refusals, read_refusals
from state.scripts import Scripts, translated
from state.sending_control import CLOCKS_DIFFER_MS, Sending, read_sending
from state.watermark import AHEAD_MS, Faults, Trail, measured_until

ROLES = ("ingest", "sweep", "recover", "beat")
"""Those that leave a sign of life in Redis."""
NO_EVICTION = "noeviction"
OUTCOMES = ("sent", "cancelled", "suppressed", "unreachable", "expired", "unknown", "dead")
"""What a silent session can end as. Each silence has exactly one of them, or is still open."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the server says of itself; of a cluster, its fullest primary. None: it does not say."""

    used_bytes: int
    max_bytes: int
    """0: without a limit of its own."""
    eviction: str | None
    append_only: bool | None
    writes_fail: bool
    """The last write to its append-only file went wrong."""
    replica: bool = False
    """It follows another server, and so takes no writes."""

    @property
    def used_share(self) -> float:
        """The part of its memory that is in use, 0 without a limit."""
        return self.used_bytes / self.max_bytes if self.max_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Events:
    """The streams of activity, and what was set aside. Times are Unix ms of the server; None: there is none."""

    streams: int
    """How many there are."""
    waiting: int
    """Entries that are not applied yet."""
    pending: int
    """Those of them that a consumer has in hand."""
    oldest_ms: int | None
    unheard: Sequence[str]
    """Streams beyond those, in which events are all the same: nobody reads them, and nobody waits for them."""
    rejected: int
    """What could not be read, in the last days and of at most the last 10,000."""
    last_rejected_ms: int | None


@dataclass(frozen=True, slots=True)
class OutboxTotals:
    """How many outreaches are in which place, in all partitions."""

    due: int
    """Waiting to be handed to a worker, now or later."""
    due_now: int
    first_due_ms: int | None
    """When the one that has been due for longest became so, or the next one will."""
    leased: int
    dead: int
    unknown: int
    first_lease_ms: int | None = None
    """When the first of the leases ends."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened in the days asked for. Counts of nothing are left out."""

    silent: Mapping[str, int]
    """Sessions that a sweep found silent for too long, by lane."""
    outcomes: Mapping[str, Mapping[str, int]]
    """What those ended as, by outcome and reason; the reason is empty where there is none to tell apart."""

    def total(self, outcome: str) -> int:
        """Return how many ended so, for whatever reason."""
        return sum(self.outcomes.get(outcome, {}).values())


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at one moment (`now_ms`, Unix ms of the server)."""

    now_ms: int
    server: Server
    events: Events
    lanes: Mapping[str, int]
    """Sessions that wait, by lane; empty lanes are left out."""
    outbox: OutboxTotals
    counters: Counters
    heartbeats: Mapping[str, Sequence[Heartbeat]]
    """Of each role, the latest first; those of the last day."""
    problems: Mapping[str, str]
    """What processes reported to be wrong."""
    deployment: Mapping[str, str]
    """What is recorded of the deployment; empty before the first start."""
    swept_ms: int | None
    """When the last sweep began."""
    sweep_interval_ms: int | None
    """How often the sweep expects to be asked for."""
    reopened_ms: int | None
    """When events could be taken again after the last time that they could not."""
    stream_faults: Faults
    """What sweeps found wrong with the entries of the streams."""
    silent_since_ms: int | None
    """When the last event came, while the whole shop has been silent for too long; None while it has not."""
    sending: Sending
    orders: OrderFlow
    without_key: Mapping[str, Sequence[Heartbeat]]
    """Of each role that needs the keys of encryption, the processes that said they lack one; the latest first."""
    progress: Progress
    earliest_ms: Mapping[str, int]
    """By lane, since when its first session has been silent, at the earliest: it may have been active since."""
    foreign_ms: int | None
    """When a worker was last handed an outreach of another namespace, within minutes."""
    announced: Mapping[str, Sequence[Announcement]]
    """Of each role, what its processes announced of their settings; the latest first."""
    backlog: Held | None
    """Messages that hold dispatch back; None: none do."""
    refused: Refusals
    """Messages and commands of the broker that workers refused."""

    @property
    def lag_ms(self) -> int:
        """How far the stream is behind: silence is known up to so long ago."""
        return max(0, self.now_ms - self.events.oldest_ms) if self.events.oldest_ms is not None else 0


def read(scripts: Scripts, keys: Keys, lanes: Sequence[str], *, days: int = 1) -> Overview:
    """Read everything, in six round trips whose cost does not grow with the number of sessions.

    Args:
        scripts: The server.
        keys: The namespace.
        lanes: The names of the lanes to count.
        days: How many days (UTC) the counters cover, today included.

    Raises:
        StateError: the server does not answer.
    """
    with translated():
        seconds, micros = scripts.client.time()
        server = _server(scripts.client)
        now_ms = seconds * 1000 + micros // 1000
        today = now_ms // DAY_MS
        rejected, last_rejected, contacts, stored = _read_named(scripts.client, keys, today)
        control, record = _texts(stored[f"{keys.control}sending"]), _texts(stored[keys.deployment])
        number = int(record.get(RECORDED, 1))
        sweep = _texts(stored[keys.sweep])
        trails = [Trail.read(sweep.get(f"trail.{place}")) for place in range(number)]
        length, pending, oldest_ms = _read_streams(
            scripts.client, Streams(scripts, keys).several(number), now_ms, trails
        )
        unheard = _unheard(scripts.client, [keys.events_of(place) for place in range(number, MOST_STREAMS)])
    orders = read_flow(_texts(stored[keys.orders]))
    put_back_ms = min(now_ms, int(control.get("put_back", 0)))
    arguments = (days, *range(today, today - days, -1), *lanes)
    parts = scripts.run_many("overview", [(keys.partition(number), arguments) for number in range(PARTITIONS)])
    return Overview(
        now_ms=now_ms,
        server=server,
        events=Events(number, length, pending, oldest_ms, unheard, rejected, _past(_arrival(last_rejected), now_ms)),
        lanes=_lanes(parts, lanes),
        earliest_ms=_earliest(parts, lanes),
        progress=read_progress(_texts(stored[keys.progress]), now_ms),
        outbox=_outbox(parts),
        counters=_counters(parts),
        heartbeats={role: _living(stored[keys.heartbeat(role)], now_ms, put_back_ms) for role in ROLES},
        problems=_texts(stored[keys.problems]),
        deployment=record,
        swept_ms=_time(sweep.get("last")),
        sweep_interval_ms=_time(sweep.get("interval")),
        reopened_ms=_time(sweep.get("reopened")),
        stream_faults=Faults.read(sweep),
        silent_since_ms=_time(sweep.get("silent")),
        sending=read_sending(control, now_ms=now_ms, contacts_today=contacts, orders=orders),
        orders=orders,
        backlog=read_held(_texts(stored[keys.backlog])),
        refused=read_refusals(_texts(stored[keys.refused])),
        without_key={role: _living(stored[without_key(keys, role)], now_ms, put_back_ms) for role in PERSONAL_ROLES},
        foreign_ms=_time(_texts(stored[keys.foreign]).get("at")),
        announced={role: _announced(stored[keys.announced(role)], now_ms, put_back_ms) for role in ROLES},
    )


def listpack_bytes(scripts: Scripts) -> int | None:
    """Return the longest field that a hash keeps in its compact form; None when the server does not say."""
    try:
        with translated():
            found: Mapping[str, str] = scripts.client.config_get("hash-max-listpack-value")
    except ServerUnavailableError:
        raise
    except StateError:
        return None  # managed servers forbid CONFIG
    return int(found["hash-max-listpack-value"]) if found else None


def _server(client: Any) -> Server:  # noqa: ANN401 - one client or the other; their stubs differ
    nodes = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(client, RedisCluster) else {}
    found = client.info("memory", "persistence", "replication", **nodes)
    # A cluster of several primaries answers by node; of one, as a single server does.
    every = [found] if "used_memory" in found else list(found.values())
    fullest = max(every, key=lambda info: (_share(info), info.get("used_memory", 0)))
    policies = [info.get("maxmemory_policy") for info in every]
    kept = [info.get("aof_enabled") for info in every]
    return Server(
        used_bytes=int(fullest.get("used_memory", 0)),
        max_bytes=int(fullest.get("maxmemory", 0)),
        eviction=next((policy for policy in policies if policy != NO_EVICTION), NO_EVICTION),
        append_only=None if None in kept else all(kept),
        writes_fail=any(info.get("aof_last_write_status", "ok") != "ok" for info in every),
        replica=any(info.get("role") == "slave" for info in every),
    )


def _share(info: Mapping[str, Any]) -> float:
    return int(info.get("used_memory", 0)) / (int(info.get("maxmemory", 0)) or float("inf"))


def _read_named(client: Any, keys: Keys, today: int) -> tuple[int, Any, int, dict[str, Mapping[bytes, bytes]]]:  # noqa: ANN401 - as above
    """Read what has one key each: entries set aside, the last of them, contacts of today, and all hashes by key."""
    pipe = client.pipeline(transaction=False)
    pipe.xlen(keys.rejected)
    pipe.execute_command("XREVRANGE", keys.rejected, "+", "-", "COUNT", 1)
    pipe.hlen(f"{keys.control}contacts:{today}")
    hashes = (
        f"{keys.control}sending",
        keys.orders,
        keys.sweep,
        keys.problems,
        keys.deployment,
        keys.progress,
        keys.backlog,
        keys.refused,
        keys.foreign,
        *map(keys.heartbeat, ROLES),
        *map(keys.announced, ROLES),
        *(without_key(keys, role) for role in PERSONAL_ROLES),
    )
    for key in hashes:
        pipe.hgetall(key)
    rejected, last_rejected, contacts, *found = pipe.execute()
    return rejected, last_rejected, contacts, dict(zip(hashes, found, strict=True))


def _read_streams(
    client: Any,  # noqa: ANN401 - as above
    streams: Sequence[Stream],
    now_ms: int,
    trails: Sequence[Trail | None],
) -> tuple[int, int, int | None]:
    """Read how much waits in the streams, how much of it is in hand, and when the oldest of it arrived (Unix ms).

    The first entry is read after the clock, and after it how many there are. Of an entry whose id lies in the future,
    `trails` say since when it may have been there.
    """
    pipe = client.pipeline(transaction=False)
    for stream in streams:
        pipe.execute_command("XRANGE", stream.key, "-", "+", "COUNT", 1)
        pipe.xlen(stream.key)
        pipe.execute_command("XPENDING", stream.key, GROUP)
    replies: list[Any] = pipe.execute(raise_on_error=False)
    for place, reply in enumerate(replies):
        if isinstance(reply, ResponseError) and "NOGROUP" in str(reply):
            replies[place] = {"pending": 0}  # nobody has read from it yet
        elif isinstance(reply, Exception):
            raise reply
    arrivals = [
        now_ms if arrival > now_ms + AHEAD_MS and trail is None else measured_until(now_ms, f"{arrival}-0", trail)
        for first, trail in zip(replies[::3], trails, strict=True)
        if (arrival := _arrival(first)) is not None
    ]
    return sum(replies[1::3]), sum(found["pending"] for found in replies[2::3]), min(arrivals, default=None)


def _unheard(client: Any, keys: Sequence[str]) -> Sequence[str]:  # noqa: ANN401 - as above
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.xlen(key)
    return tuple(key for key, length in zip(keys, pipe.execute(), strict=True) if length)


def _outbox(parts: Sequence[Any]) -> OutboxTotals:
    first = min((int(float(part[2])) for part in parts if part[2]), default=None)
    due, due_now, leased, dead, unknown = (sum(part[place] for part in parts) for place in (0, 1, 3, 4, 5))
    first_lease = min((int(float(part[8])) for part in parts if part[8]), default=None)
    return OutboxTotals(due, due_now, first, leased, dead, unknown, first_lease)


def _lanes(parts: Sequence[Any], names: Sequence[str]) -> dict[str, int]:
    waiting: Counter[int] = Counter()
    for part in parts:
        for place, count, _ in _triples(part[6]):
            waiting[place] += count
    return {name: waiting[place] for place, name in enumerate(names) if place in waiting}


def _earliest(parts: Sequence[Any], names: Sequence[str]) -> dict[str, int]:
    earliest: dict[int, int] = {}
    for place, _, score in (triple for part in parts for triple in _triples(part[6])):
        earliest[place] = min(int(float(score)), earliest.get(place, int(float(score))))
    return {name: earliest[place] for place, name in enumerate(names) if place in earliest}


def _counters(parts: Sequence[Any]) -> Counters:
    totals: Counter[str] = Counter()
    for part in parts:
        for field, count in _pairs(part[7]):
            # Where in the shop it was is of interest to the report alone.
            totals[field.decode().partition("@")[0]] += int(count)
    silent: dict[str, int] = {}
    outcomes: dict[str, dict[str, int]] = {}
    for field, count in sorted(totals.items()):
        name, _, rest = field.partition(".")
        if count and name == "silent":
            silent[rest] = count
        elif count and name in OUTCOMES:
            outcomes.setdefault(name, {})[rest] = count
    return Counters(silent, outcomes)


def _living(found: Mapping[bytes, bytes], now_ms: int, put_back_ms: int) -> tuple[Heartbeat, ...]:
    """Return signs of life of the last day. One from the future is from before the clock was put back (Unix ms)."""
    times = {process.decode(): int(at) for process, at in found.items()}
    beats = [Heartbeat(process, put_back_ms if at > now_ms + CLOCKS_DIFFER_MS else at) for process, at in times.items()]
    recent = [beat for beat in beats if now_ms - beat.at_ms < HEARTBEAT_TTL_MS]
    return tuple(sorted(recent, key=lambda beat: beat.at_ms, reverse=True))


def _announced(found: Mapping[bytes, bytes], now_ms: int, put_back_ms: int) -> tuple[Announcement, ...]:
    """Return what processes announced; one from the future is from before the clock was put back (Unix ms)."""
    return tuple(
        replace(one, at_ms=put_back_ms) if one.at_ms > now_ms + CLOCKS_DIFFER_MS else one
        for one in read_announcements(found)
    )


def _arrival(entries: Sequence[Any]) -> int | None:
    return entry_ms(entries[0][0]) if entries else None


def _past(arrival_ms: int | None, now_ms: int) -> int | None:
    """Return when something arrived; an id in the future says nothing better than now."""
    return None if arrival_ms is None else min(arrival_ms, now_ms)


def _time(stored: str | None) -> int | None:
    return None if stored is None else int(stored)


def _texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): text.decode() for name, text in found.items()}


def _triples(flat: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    return zip(flat[::3], flat[1::3], flat[2::3], strict=True)


def _pairs(flat: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)
