"""What is in Redis at a glance, for people to look at. Reads, and nothing but reads; a full server answers too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from state.announcements import Announcement, read_announcements
from state.backlog import DispatchHold, read_dispatch_hold
from state.calls import monitoring as lua
from state.collectors import CollectorMark, read_marks
from state.deployment import PERSONAL_ROLES, Heartbeat, missing_key
from state.event_stream import Item
from state.event_streams import RECORDED, Streams
from state.keys import DAY_MS, HEARTBEAT_TTL_MS, MOST_STREAMS, PARTITIONS, Keys
from state.orders import OrderFlow, read_flow
from state.partition_totals import (
    Counters,
    OutboxTotals,
    counters,
    earliest_by_lane,
    outbox_totals,
    waiting_by_lane,
)
from state.progress_stamps import Progress, read_progress
from state.refusals import Refusals, read_refusals
from state.scripts import Scripts
from state.sending_control import CLOCKS_DIFFER_MS
from state.sending_status import Sending, read_sending
from state.server_errors import driver_errors
from state.server_info import Server, read_server
from state.waiting_events import Events, arrival, read_streams, read_unread
from state.watermark import Faults, Trail

ROLES = ("ingest", "sweep", "recover", "beat")
"""Those that leave a sign of life in Redis."""


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
    missing_key: Mapping[str, Sequence[Heartbeat]]
    """Of each role that needs the keys of encryption, the processes that said they lack one; the latest first."""
    progress: Progress
    earliest_ms: Mapping[str, int]
    """By lane, since when its first session has been silent, at the earliest: it may have been active since."""
    foreign_ms: int | None
    """When a worker was last handed an outreach of another namespace, within minutes."""
    announced: Mapping[str, Sequence[Announcement]]
    """Of each role, what its processes announced of their settings; the latest first."""
    backlog: DispatchHold | None
    """Messages that hold dispatch back; None: none do."""
    collectors: Sequence[CollectorMark]
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
    with driver_errors():
        server = read_server(scripts.driver)
        stored = _read_stored(scripts, keys)
        events = _read_events(scripts, keys, stored)
    today = stored.now_ms // DAY_MS
    arguments = (*range(today, today - days, -1), *lanes)
    parts = scripts.run_many([lua.overview(keys.partition(number), days, *arguments) for number in range(PARTITIONS)])
    totals = _Totals(
        lanes=waiting_by_lane(parts, lanes),
        earliest_ms=earliest_by_lane(parts, lanes),
        outbox=outbox_totals(parts),
        counters=counters(parts),
    )
    return _joined(keys, server, events, totals, stored)


class _Totals(NamedTuple):
    lanes: Mapping[str, int]
    earliest_ms: Mapping[str, int]
    outbox: OutboxTotals
    counters: Counters


def _joined(keys: Keys, server: Server, events: Events, totals: _Totals, stored: "_Stored") -> Overview:
    now_ms, sweep = stored.now_ms, stored.texts(keys.sweep)
    orders, control = read_flow(stored.texts(keys.orders)), stored.texts(f"{keys.control}sending")
    return Overview(
        now_ms=now_ms,
        server=server,
        events=events,
        lanes=totals.lanes,
        earliest_ms=totals.earliest_ms,
        outbox=totals.outbox,
        counters=totals.counters,
        progress=read_progress(stored.texts(keys.progress), now_ms),
        heartbeats={role: stored.heartbeats(keys.heartbeat(role)) for role in ROLES},
        problems=stored.texts(keys.problems),
        deployment=stored.texts(keys.deployment),
        swept_ms=_time(sweep.get("last")),
        sweep_interval_ms=_time(sweep.get("interval")),
        reopened_ms=_time(sweep.get("reopened")),
        stream_faults=Faults.read(sweep),
        silent_since_ms=_time(sweep.get("silent")),
        sending=read_sending(control, now_ms=now_ms, contacts_today=stored.contacts_today, orders=orders),
        orders=orders,
        backlog=read_dispatch_hold(stored.texts(keys.backlog)),
        collectors=read_marks(stored.texts(keys.collectors)),
        refused=read_refusals(stored.texts(keys.refused)),
        missing_key={role: stored.heartbeats(missing_key(keys, role)) for role in PERSONAL_ROLES},
        foreign_ms=_time(stored.texts(keys.foreign).get("at")),
        announced={role: stored.announced(keys.announced(role)) for role in ROLES},
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    """What has one key each. Times are Unix ms of the server."""

    now_ms: int
    rejected: int
    last_rejected_ms: int | None
    contacts_today: int
    hashes: Mapping[str, Mapping[str, str]]
    """By key."""
    put_back_ms: int
    """When the clock was last put back; 0: never."""

    def texts(self, key: str) -> Mapping[str, str]:
        """Return a hash."""
        return self.hashes[key]

    def heartbeats(self, key: str) -> tuple[Heartbeat, ...]:
        """Return signs of life of the last day, the latest first."""
        beats = [Heartbeat(process, self._past(int(at))) for process, at in self.hashes[key].items()]
        recent = [beat for beat in beats if self.now_ms - beat.at_ms < HEARTBEAT_TTL_MS]
        return tuple(sorted(recent, key=lambda beat: beat.at_ms, reverse=True))

    def announced(self, key: str) -> tuple[Announcement, ...]:
        """Return what processes announced."""
        return tuple(replace(one, at_ms=self._past(one.at_ms)) for one in read_announcements(self.hashes[key]))

    def _past(self, at_ms: int) -> int:
        """Return a time; one in the future is from before the clock was put back."""
        return self.put_back_ms if at_ms > self.now_ms + CLOCKS_DIFFER_MS else at_ms


def _read_stored(scripts: Scripts, keys: Keys) -> _Stored:
    """Read what has one key each: the clock, entries set aside, contacts of today, and all hashes."""
    seconds, micros = scripts.client.time()
    now_ms = seconds * 1000 + micros // 1000
    pipe = scripts.client.pipeline(transaction=False)
    pipe.xlen(keys.rejected)
    pipe.execute_command("XREVRANGE", keys.rejected, "+", "-", "COUNT", 1)
    pipe.hlen(f"{keys.control}daily_contacts:{now_ms // DAY_MS}")
    names = _hashes(keys)
    for key in names:
        pipe.hgetall(key)
    replies = pipe.execute()
    rejected: int = replies[0]
    last_rejected: Sequence[Item] = replies[1]
    contacts_today: int = replies[2]
    found: list[Mapping[bytes, bytes]] = replies[3:]
    hashes = {key: _texts(stored) for key, stored in zip(names, found, strict=True)}
    last_ms = arrival(last_rejected)
    return _Stored(
        now_ms=now_ms,
        rejected=rejected,
        # An id in the future says nothing better than now.
        last_rejected_ms=None if last_ms is None else min(last_ms, now_ms),
        contacts_today=contacts_today,
        hashes=hashes,
        put_back_ms=min(now_ms, int(hashes[f"{keys.control}sending"].get("put_back", 0))),
    )


def _hashes(keys: Keys) -> tuple[str, ...]:
    return (
        f"{keys.control}sending",
        keys.orders,
        keys.sweep,
        keys.problems,
        keys.deployment,
        keys.progress,
        keys.backlog,
        keys.refused,
        keys.collectors,
        keys.foreign,
        *map(keys.heartbeat, ROLES),
        *map(keys.announced, ROLES),
        *(missing_key(keys, role) for role in PERSONAL_ROLES),
    )


def _read_events(scripts: Scripts, keys: Keys, stored: _Stored) -> Events:
    number = int(stored.texts(keys.deployment).get(RECORDED, 1))
    sweep = stored.texts(keys.sweep)
    trails = [Trail.read(sweep.get(f"trail.{index}")) for index in range(number)]
    length, pending, oldest_ms = read_streams(
        scripts.client, Streams(scripts, keys).first_streams(number), stored.now_ms, trails
    )
    unread_streams = read_unread(scripts.client, [keys.events_of(index) for index in range(number, MOST_STREAMS)])
    return Events(number, length, pending, oldest_ms, unread_streams, stored.rejected, stored.last_rejected_ms)


def _texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(errors="replace"): text.decode(errors="replace") for name, text in found.items()}


def _time(stored: str | None) -> int | None:
    return None if stored is None else int(stored)
