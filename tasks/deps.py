"""What the tasks need, built once per worker process and handed to them; tasks never import the worker."""

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
from state.orders import Orders
from state.outbox import Outbox
from state.people import People
from state.progress_stamps import Stamps
from state.sending_control import Control
from state.sessions import Sessions
from tasks.delivery.settings import DeliverySettings
from tasks.policy.blocklist import Blocklist
from tasks.policy.settings import ContactSettings

if TYPE_CHECKING:
    from tasks.delivery.yuno import YunoClient


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that a sweep or an attempt touches."""

    sessions: Sessions
    outbox: Outbox
    people: People
    streams: Streams
    control: Control
    attribution: Attribution
    orders: Orders
    stamps: Stamps
    alarms: Alarms
    client: YunoClient | None
    """None in shadow mode: nothing there can send."""
    delivery: DeliverySettings
    contact: ContactSettings
    blocklist: Blocklist
    """Compiled from `contact.block`."""
    detection: Callable[[], DetectionSettings]
    """The settings of detection as they are now; asked once per sweep."""
    identity_secret: bytes
    in_flight: int
    """How many outreaches may be leased at a time."""
    heartbeat: Callable[[str], None]
    """Say that this role is alive."""
    prepare: Callable[[], None] = lambda: None
    """Called before each attempt: loads, the first time, what takes long to load."""
    report: Callable[[str, str], None] = lambda _about, _problem: None
    """Record what is wrong with something, for `winback status`; an empty text: nothing any more."""
    record_thresholds: Callable[[DetectionSettings], None] = lambda _settings: None
    """Record the settings that a sweep applies. It never raises an error of the server."""
    backlog: Callable[[int], None] = lambda _length: None
    """Record how many messages hold dispatch back; 0: none do."""
    flooded: Callable[[int], None] = lambda _messages: None
    """Record that a queue was emptied of so many messages."""
    replication: Callable[[Literal["well", "failing"]], None] = lambda _how: None
    """Say whether enough replicas knew of an attempt in time."""
    monotonic: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Random = field(default_factory=Random)


class NotReadyError(RuntimeError):
    """A task ran in a process that was not set up for it."""


_installed: list[Deps] = []


def install(deps: Deps) -> None:
    """Make `deps` what the tasks of this process use."""
    _installed[:] = [deps]


def current() -> Deps:
    """Return what was installed; raises NotReadyError before that."""
    if not _installed:
        raise NotReadyError("no dependencies are installed in this process")
    return _installed[0]
