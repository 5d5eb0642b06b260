"""The tasks' dependencies, built once per worker process. Tasks never import the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal

from detectors.settings import DetectionSettings
from state.alarms import Alarms
from state.attribution import Attribution
from state.event_streams import Streams
from state.experiments import Experiments
from state.orders import Orders
from state.outbox import Outbox
from state.people import People
from state.progress_stamps import Stamps
from state.sending_control import Control
from state.sessions import Sessions
from state.tracing import Trace, no_trace
from tasks.delivery.settings import DeliverySettings
from tasks.erasure.stores import ErasureStores
from tasks.outcomes.relay import Relay
from tasks.policy.blocklist import Blocklist
from tasks.policy.experiment import ExperimentSettings
from tasks.policy.settings import ContactSettings

if TYPE_CHECKING:
    from tasks.delivery.yuno import YunoClient


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that a sweep or an attempt uses."""

    sessions: Sessions
    outbox: Outbox
    people: People
    streams: Streams
    control: Control
    attribution: Attribution
    experiments: Experiments
    orders: Orders
    relay: Relay
    stamps: Stamps
    alarms: Alarms
    client: YunoClient | None
    """None in shadow mode, where nothing can be sent."""
    delivery: DeliverySettings
    contact: ContactSettings
    experiment: ExperimentSettings
    blocklist: Blocklist
    """Compiled from `contact.block`."""
    detection: Callable[[], DetectionSettings]
    """The current settings of detection; read once per sweep."""
    identity_secret: bytes
    erasure: ErasureStores
    in_flight: int
    """How many outreaches can be leased at a time."""
    heartbeat: Callable[[str], None]
    """Record a heartbeat of a role."""
    prepare: Callable[[], None] = lambda: None
    """Called before each attempt. The first call loads data that takes long to load."""
    report: Callable[[str, str], None] = lambda _about, _problem: None
    """Record a problem with something, for `winback status`; an empty text: resolved."""
    record_thresholds: Callable[[DetectionSettings], None] = lambda _settings: None
    """Record the settings that a sweep applies. It never raises an error of the server."""
    record_day_zone: Callable[[], None] = lambda: None
    """Record the zone of the counters. It never raises an error of the server."""
    record_silences: Callable[[DetectionSettings], None] = lambda _settings: None
    """Record how silences are counted. It never raises an error of the server."""
    trace: Trace = no_trace
    """Report what an attempt or a sweep does as spans."""
    backlog: Callable[[int], None] = lambda _length: None
    """Record how many messages block dispatch; 0: none do."""
    flooded: Callable[[int], None] = lambda _messages: None
    """Record that a queue was emptied of this many messages."""
    replication: Callable[[Literal["well", "failing"]], None] = lambda _how: None
    """Record whether enough replicas acknowledged an attempt in time."""
    monotonic: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Random = field(default_factory=Random)


class NotReadyError(RuntimeError):
    """A task ran in a process that wasn't set up for it."""


_installed: list[Deps] = []


def install(deps: Deps) -> None:
    """Install the dependencies of this process's tasks."""
    _installed[:] = [deps]


def current() -> Deps:
    """Return the installed dependencies. Raises NotReadyError if there are none."""
    if not _installed:
        raise NotReadyError("no dependencies are installed in this process")
    return _installed[0]
