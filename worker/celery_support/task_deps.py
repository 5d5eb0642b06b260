"""The tasks' dependencies in one process, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Literal

from detectors.lanes import LANES_BY_NAME
from state import deployment, refusals
from state.alarms import Alarms
from state.backlog import Backlog
from state.collectors import Collectors
from state.erasure import Erasure
from state.errors import StateError
from state.optouts import OptOuts
from state.outcome_feed import OutcomeFeed
from state.progress_stamps import Stamps
from state.replication import NONE, Replicas
from tasks.deps import Deps
from tasks.erasure.stores import ErasureStores
from tasks.outcomes.relay import Relay
from tasks.policy import blocklist
from worker.monitoring import announcer
from worker.monitoring.day_zone_recorder import DayZoneRecorder
from worker.monitoring.silence_recorder import SilenceRecorder
from worker.monitoring.threshold_recorder import ThresholdRecorder
from worker.runtime import State, identity_secret, open_state
from worker.settings import Settings
from worker.settings.detection_sources import detection_sources
from worker.settings.reload import DetectionReader
from worker.tracing import trace_of

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

    from detectors.settings import DetectionSettings
    from tasks.delivery.yuno import YunoClient

NOT_REPLICATED = (
    "too few replicas of Redis acknowledge, so nothing is sent: bring them back, or set redis_replicas to their number"
)


def build_deps(settings: Settings, *, sends: bool, replicas: Replicas = NONE) -> Deps:
    """Return the tasks' dependencies of one process. `sends`: it makes attempts, so in live mode it gets a client."""
    state = open_state(settings, connections=2 * settings.worker.concurrency + 16, replicas=replicas, sends=sends)
    live = sends and settings.delivery.mode == "live"
    return Deps(
        sessions=state.sessions,
        outbox=state.outbox,
        people=state.people,
        streams=state.streams,
        control=state.control,
        attribution=state.attribution,
        experiments=state.experiments,
        orders=state.orders,
        relay=Relay(OutcomeFeed(state.scripts, state.keys), settings.outcomes, identity_secret(settings), monotonic),
        stamps=Stamps(state.scripts, state.keys),
        alarms=Alarms(state.scripts, state.keys),
        client=_client(settings) if live else None,
        delivery=settings.delivery,
        contact=settings.contact,
        experiment=settings.experiment,
        blocklist=blocklist.compiled(settings.contact.block, rehearsal=settings.delivery.rehearses),
        detection=_detection(state, settings),
        record_thresholds=ThresholdRecorder(
            state.scripts, state.keys, lambda: detection_sources(settings.config).origins
        ),
        record_day_zone=DayZoneRecorder(state.scripts, state.keys, settings.report.time_zone),
        record_silences=SilenceRecorder(state.scripts, state.keys, settings.tuning, settings.contact),
        identity_secret=identity_secret(settings),
        erasure=erasure_stores(state),
        in_flight=settings.in_flight,
        heartbeat=state.heartbeat,
        replication=_report_replication(state),
        trace=trace_of("recover" if sends else "sweep"),
        backlog=Backlog(state.scripts, state.keys).note,
        flooded=lambda messages: refusals.add(state.scripts, state.keys, {"flood": messages}),
        report=lambda about, problem: deployment.report(state.scripts, state.keys, about, problem),
    )


def erasure_stores(state: State) -> ErasureStores:
    """Return the parts of the state that erasures use."""
    return ErasureStores(
        Erasure(state.scripts, state.keys, list(LANES_BY_NAME), state.cipher),
        OptOuts(state.scripts, state.keys),
        Collectors(state.scripts, state.keys),
    )


def _client(settings: Settings) -> YunoClient:
    from tasks.delivery.yuno import YunoClient

    return YunoClient(settings.delivery, max_connections=settings.worker.concurrency)


def _detection(state: State, settings: Settings) -> Callable[[], DetectionSettings]:
    reader, said = DetectionReader(settings), ["never said anything"]

    def detection() -> DetectionSettings:
        current, problem = reader()
        announcer.now_detects_by(current)
        # Once for each version of a broken file, not at every sweep.
        if (problem or "") != said[0]:
            deployment.report(state.scripts, state.keys, "detection", problem or "")
            said[0] = problem or ""  # not earlier: a server that was down gets it at the next sweep
            if problem:
                _log().error("detection_settings_unusable", kept="the earlier ones", problem=problem)
        return current

    return detection


def _report_replication(state: State) -> Callable[[Literal["well", "failing"]], None]:
    last, reporting = "well", Lock()

    def replication(how: Literal["well", "failing"]) -> None:
        nonlocal last
        # In a pool of threads, a report must neither overtake another one nor wait for it, because Redis can be slow.
        # After a skipped report, `last` stays unchanged, so the next attempt reports.
        if how == last == "well" or not reporting.acquire(blocking=False):
            return
        try:
            last = how
            with suppress(StateError):
                deployment.report(state.scripts, state.keys, "replication", "" if how == "well" else NOT_REPLICATED)
        finally:
            reporting.release()

    return replication


def _log() -> BoundLogger:
    import structlog

    return structlog.stdlib.get_logger("winback.runtime")
