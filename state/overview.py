"""An overview of the data in Redis. Read-only; a server that is out of memory answers too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from state.announcements import Announcement
from state.applied_thresholds import AppliedThresholds, read_applied
from state.backlog import DispatchHold, read_dispatch_hold
from state.calls import monitoring as lua
from state.collectors import CollectorMark, read_marks
from state.day_zone import DayZone, read_day_zone
from state.deliveries import Delivery, read_deliveries
from state.deployment import PERSONAL_ROLES, Heartbeat, missing_key
from state.event_flow import EventFlow, read_event_flow
from state.event_streams import RECORDED, Streams
from state.hash_fields import time_of
from state.keys import MOST_STREAMS, Keys
from state.open_requests import OpenRequests, read_open_requests
from state.orders import OrderFlow, read_flow
from state.outcome_status import FeedStatus, WebhookStatus
from state.partition_totals import (
    Counters,
    OutboxTotals,
    counters,
    earliest_by_lane,
    outbox_totals,
    waiting_by_lane,
)
from state.partitions import PARTITIONS
from state.progress_stamps import Progress, read_progress
from state.recorder_status import RecorderStatus
from state.refusals import Refusals, read_refusals
from state.scripts import Scripts
from state.sending_status import Sending, read_sending
from state.server_errors import driver_errors
from state.server_info import Server, read_server
from state.stored_records import ROLES, StoredRecords, read_records
from state.waiting_events import Events, read_streams, read_unread
from state.watermark import Faults, Trail


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at one moment (`now_ms`, Unix ms of the server)."""

    now_ms: int
    server: Server
    events: Events
    lanes: Mapping[str, int]
    """Waiting sessions by lane; empty lanes are left out."""
    outbox: OutboxTotals
    counters: Counters
    day_zone: DayZone
    """The zone of the days of `counters`."""
    heartbeats: Mapping[str, Sequence[Heartbeat]]
    """For each role, the heartbeats of the last day, latest first."""
    problems: Mapping[str, str]
    """Problems that processes reported."""
    deployment: Mapping[str, str]
    """The deployment's record; empty before the first start."""
    swept_ms: int | None
    """When the last sweep began."""
    sweep_interval_ms: int | None
    """The sweep interval in force."""
    reopened_ms: int | None
    """When the last gap ended."""
    stream_faults: Faults
    """Faults that sweeps found in the streams."""
    silent_since_ms: int | None
    """When the last event arrived, if the whole shop has been silent for too long; otherwise None."""
    sending: Sending
    orders: OrderFlow
    missing_key: Mapping[str, Sequence[Heartbeat]]
    """For each role that needs encryption keys, the processes that lack one, latest first."""
    progress: Progress
    earliest_ms: Mapping[str, int]
    """By lane, the earliest time since when its first session has been silent. It can have been active since."""
    foreign_ms: int | None
    """When a worker last got an outreach of another namespace, within minutes."""
    announced: Mapping[str, Sequence[Announcement]]
    """For each role, the settings that its processes announced, latest first."""
    backlog: DispatchHold | None
    """Messages that block dispatch; None: none do."""
    thresholds: AppliedThresholds | None
    """The settings of detection that the sweep applies; None: no sweep has recorded any."""
    collectors: Sequence[CollectorMark]
    refused: Refusals
    """Messages and commands of the broker that workers refused."""
    deliveries: Sequence[Delivery] = ()
    """The last requests to collectors, by source."""
    outcome_feed: FeedStatus | None = None
    """None: no outcome has been moved."""
    webhooks: WebhookStatus | None = None
    """None: no sender has run."""
    recorder: RecorderStatus | None = None
    """None: no recorder has run."""
    flow: EventFlow = field(default_factory=EventFlow)
    """What arrived lately."""
    requests: OpenRequests = field(default_factory=OpenRequests)
    """Open privacy requests."""

    @property
    def lag_ms(self) -> int:
        """The lag of the streams: silence is known up to this long ago (ms)."""
        return max(0, self.now_ms - self.events.oldest_ms) if self.events.oldest_ms is not None else 0


def read(scripts: Scripts, keys: Keys, lanes: Sequence[str], *, days: int = 1) -> Overview:
    """Return everything, in eight round trips whose cost doesn't grow with the number of sessions.

    Args:
        scripts: The server.
        keys: The namespace.
        lanes: The names of the lanes to count.
        days: How many days the counters cover, including today.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        server = read_server(scripts.driver)
        stored = read_records(scripts, keys)
        events = _read_events(scripts, keys, stored)
        flow = read_event_flow(scripts.client, keys, stored.now_ms)
        requests = read_open_requests(scripts.client, keys)
    today = read_day_zone(stored.texts(keys.clock(0))).day(stored.now_ms)
    arguments = (*range(today, today - days, -1), *lanes)
    parts = scripts.run_many([lua.overview(keys.partition(number), days, *arguments) for number in range(PARTITIONS)])
    totals = _Totals(
        lanes=waiting_by_lane(parts, lanes),
        earliest_ms=earliest_by_lane(parts, lanes),
        outbox=outbox_totals(parts),
        counters=counters(parts),
    )
    return replace(_joined(keys, server, events, totals, stored), flow=flow, requests=requests)


class _Totals(NamedTuple):
    lanes: Mapping[str, int]
    earliest_ms: Mapping[str, int]
    outbox: OutboxTotals
    counters: Counters


def _joined(keys: Keys, server: Server, events: Events, totals: _Totals, stored: StoredRecords) -> Overview:
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
        day_zone=read_day_zone(stored.texts(keys.clock(0))),
        progress=read_progress(stored.texts(keys.progress), now_ms),
        heartbeats={role: stored.heartbeats(keys.heartbeat(role)) for role in ROLES},
        problems=stored.texts(keys.problems),
        deployment=stored.texts(keys.deployment),
        swept_ms=time_of(sweep.get("last")),
        sweep_interval_ms=time_of(sweep.get("interval")),
        reopened_ms=time_of(sweep.get("reopened")),
        stream_faults=Faults.read(sweep),
        silent_since_ms=time_of(sweep.get("silent")),
        sending=read_sending(control, now_ms=now_ms, contacts_today=stored.contacts_today, orders=orders),
        orders=orders,
        backlog=read_dispatch_hold(stored.texts(keys.backlog)),
        thresholds=read_applied(stored.texts(keys.thresholds), now_ms),
        collectors=read_marks(stored.texts(keys.collectors)),
        deliveries=read_deliveries(stored.texts(keys.deliveries)),
        refused=read_refusals(stored.texts(keys.refused)),
        missing_key={role: stored.heartbeats(missing_key(keys, role)) for role in PERSONAL_ROLES},
        outcome_feed=FeedStatus.read(stored.texts(keys.feed)),
        webhooks=WebhookStatus.read(stored.texts(keys.webhooks)),
        recorder=RecorderStatus.read(stored.texts(keys.recorder)),
        foreign_ms=time_of(stored.texts(keys.foreign).get("at")),
        announced={role: stored.announced(keys.announced(role)) for role in ROLES},
    )


def _read_events(scripts: Scripts, keys: Keys, stored: StoredRecords) -> Events:
    number = int(stored.texts(keys.deployment).get(RECORDED, 1))
    sweep = stored.texts(keys.sweep)
    trails = [Trail.read(sweep.get(f"trail.{index}")) for index in range(number)]
    length, pending, oldest_ms = read_streams(
        scripts.client, Streams(scripts, keys).first_streams(number), stored.now_ms, trails
    )
    unread_streams = read_unread(scripts.client, [keys.events_of(index) for index in range(number, MOST_STREAMS)])
    return Events(number, length, pending, oldest_ms, unread_streams, stored.rejected, stored.last_rejected_ms)
