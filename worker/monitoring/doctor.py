"""All checks of `winback doctor`, one finding each. They only read, and send no request to Yuno."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from redis import RedisCluster

from detectors.lanes import LANES, milliseconds
from state import deployment, overview
from state.connection import require_suitable
from state.errors import StateError
from state.optouts import OptOuts
from state.partitions import PARTITIONS
from state.refused_logins import refused_logins
from state.sample import waiting_sessions
from state.server_info import listpack_bytes
from state.session_record import Session
from worker import runtime
from worker.errors import StartError
from worker.monitoring import health, reach
from worker.monitoring.checks import law, logins, registers, secrets, thresholds
from worker.monitoring.finding import Finding, span
from worker.server_errors import PATIENCE_S, UnusableServerError, address, call_with_timeout, reason, run_in_thread
from worker.settings import Settings, require
from worker.settings.detection_sources import detection_sources
from worker.settings.generated_secrets import with_kept_secret
from worker.settings.partial import load_lenient

CLOCKS_APART, CLOCKS_FAR_APART = timedelta(seconds=2), timedelta(seconds=60)
COMPACT_BYTES = 1024
"""`hash-max-listpack-value`. A cart is one field; up to this size its session stays one compact block."""


def examine() -> list[Finding]:
    """Run all checks. If servers don't answer, this takes about 10 s."""
    try:
        settings, broken = load_lenient(drop_variables=True)
    except StartError as problem:
        return [*_problems("settings", problem), _not_checked("without settings, nothing else could be checked")]
    settings, kept = with_kept_secret(settings)
    # All at the same time: each may have to wait for a timeout.
    ends = time.monotonic() + PATIENCE_S
    broker, endpoint = run_in_thread(lambda: reach.broker(settings)), run_in_thread(lambda: reach.endpoint(settings))
    state = run_in_thread(lambda: _state(settings, usable=not broken))
    answers = state.result()
    found = [
        *(_problems("settings", StartError(broken)) if broken else [_settings_are_fine(settings)]),
        *secrets.findings(settings, answers.record, kept=kept),
        _result(broker, ends, reach.broker_is_away(settings), partial(reach.broker_problem, settings)),
        _result(endpoint, ends, reach.endpoint_is_away(settings), partial(reach.endpoint_problem, settings)),
        *answers.findings,
    ]
    return _in_force(found) if broken else found


def _in_force(found: list[Finding]) -> list[Finding]:
    """Leave out good results about settings, because some of those in force are unknown."""
    left_out = {secrets.NAME, "law"}
    kept = [finding for finding in found if finding.mark != "ok" or finding.name not in left_out]
    return [*kept, _not_checked("secrets and law: these need valid settings")]


def _problems(name: str, problem: StartError) -> list[Finding]:
    return [Finding(name, "fail", line) for line in str(problem).splitlines()]


def _not_checked(text: str) -> Finding:
    return Finding("not checked", "note", text)


def _settings_are_fine(settings: Settings) -> Finding:
    file = str(settings.config) if settings.config.exists() else f"no {settings.config}, environment and defaults"
    return Finding("settings", "ok", f"{file}; mode {settings.delivery.mode}, namespace {settings.namespace}")


class _Answers(NamedTuple):
    """The findings about the server."""

    findings: list[Finding]
    record: Mapping[str, str] | None
    """The deployment's record; None: the server didn't answer."""


def _state(settings: Settings, *, usable: bool) -> _Answers:
    """Check the server, and all data that is read from it."""
    try:
        require(settings, "redis_url")
        return call_with_timeout(settings, lambda: _ask_server(settings, usable=usable))
    except StartError as problem:
        shown = _problems("server", problem)
        if isinstance(problem, UnusableServerError):
            shown = [Finding("server", "fail", problem.problem, problem.hint)]
        left_out = "memory, persistence, clock, deployment and the roles: these need the server"
        return _Answers([*shown, _not_checked(left_out)], None)


def _ask_server(settings: Settings, *, usable: bool) -> _Answers:
    state = runtime.open_state(settings)
    name = require_suitable(state.client)
    before_ms = time.time_ns() // 1_000_000
    found = overview.read(state.scripts, state.keys, [lane.name for lane in LANES])
    after_ms, where = time.time_ns() // 1_000_000, address(settings.redis_url or "")
    checked = [
        Finding("server", "ok", f"{name} at {where}"),
        _clock(max(0, found.now_ms - after_ms, before_ms - found.now_ms)),
        _compact(listpack_bytes(state.scripts)),
        _deployment(found, state, settings),
        _encryption(deployment.key_ids_in(found.deployment), state.cipher.ids),
        *_streams(state, found.events.streams),
        logins.finding(refused_logins(state.scripts)),
        *registers.findings(OptOuts(state.scripts, state.keys).registers(), found.now_ms),
        *law.findings(settings.contact, _sample(state), datetime.now(UTC).date()),
        *thresholds.findings(found, settings.detection if usable else None, detection_sources(settings.config)),
        *health.findings(found, settings),
    ]
    return _Answers(checked, found.deployment)


def _sample(state: runtime.State) -> list[Session]:
    """Return a sample of the waiting sessions."""
    lanes = [lane.name for lane in LANES if lane.name.endswith(".idle")]
    return state.sessions.read(waiting_sessions(state.scripts, state.keys, lanes))


def _clock(apart_ms: int) -> Finding:
    if apart_ms <= milliseconds(CLOCKS_APART):
        return Finding("clock", "ok", "this host and the server agree on the time")
    text = f"this host's clock and the server's are {span(apart_ms)} apart"
    far = apart_ms > milliseconds(CLOCKS_FAR_APART)
    return Finding("clock", "fail" if far else "warn", text, "run a time service (chrony, systemd-timesyncd) on both")


def _compact(limit: int | None) -> Finding:
    name, option = "compact", "hash-max-listpack-value"
    if limit is None:
        text = f"{option} could not be read: sessions may take more memory than necessary"
        return Finding(name, "note", text, f"set it to {COMPACT_BYTES} if the provider allows it")
    if limit < COMPACT_BYTES:
        text = f"{option} is {limit}: sessions with a cart take more memory than necessary"
        return Finding(name, "note", text, f"CONFIG SET {option} {COMPACT_BYTES}, and in its configuration file")
    return Finding(name, "ok", f"sessions are kept in their compact form ({option} {limit})")


def _deployment(found: overview.Overview, state: runtime.State, settings: Settings) -> Finding:
    record = found.deployment
    if not {"schema", "partitions"} <= record.keys():
        return Finding("deployment", "ok", "nothing is recorded yet; the first role that starts records it")
    # Only the recorded values are compared: checking the others would record them, and doctor only reads.
    secret = runtime.identity_secret(settings) if "identity" in record else b""
    mine = {"schema": str(deployment.SCHEMA_VERSION), "partitions": str(PARTITIONS)}
    if secret:
        mine["identity"] = deployment.fingerprint(secret)
    if mine.items() <= record.items():
        return Finding("deployment", "ok", f"the data is this deployment's (namespace {settings.namespace})")
    try:
        deployment.check(state.scripts, state.keys, secret or None, None)
    except StateError as problem:
        return Finding("deployment", "fail", str(problem))
    raise AssertionError("a record that differs passed its check")


def _streams(state: runtime.State, number: int) -> Iterator[Finding]:
    """Report on how many nodes of a cluster the streams are: their names don't prevent several on one node."""
    if number == 1 or not isinstance(state.client, RedisCluster):
        return
    nodes: dict[str, list[str]] = {}
    for stream in state.streams.first_streams(number):
        nodes.setdefault(state.client.get_node_from_key(stream.key).name, []).append(stream.key)  # type: ignore[no-untyped-call]
    could = min(number, len(state.client.get_primaries()))  # type: ignore[no-untyped-call]
    if len(nodes) == could:
        yield Finding("streams", "ok", f"{number} streams are on {could} nodes")
        return
    crowded = "; ".join(f"{name} has {', '.join(keys)}" for name, keys in nodes.items() if keys[1:])
    text = f"{number} streams are on {len(nodes)} nodes and could be on {could}: {crowded}"
    yield Finding("streams", "note", text, "move the slot of one (see CLUSTER KEYSLOT) to a node without a stream")


def _encryption(recorded: Sequence[str], ours: Sequence[str]) -> Finding:
    missing = [key_id for key_id in recorded if key_id not in ours]
    if missing:
        text = f"personal data is encrypted under a key that is missing here ({', '.join(missing)})"
        return Finding("encryption", "fail", text, "add it to WINBACK_ENCRYPTION_KEYS: no role starts without it")
    if not ours:
        return Finding("encryption", "ok", "off: personal data is stored in clear text (encryption_keys)")
    others = f", {len(ours) - 1} more for older data" if ours[1:] else ""
    return Finding("encryption", "ok", f"on: personal data is encrypted under key {ours[0]}{others}")


def _result(
    check: "Future[Finding]", ends: float, away: Finding, explain: Callable[[Exception], Finding | None]
) -> Finding:
    """Return a check's finding if it ends in time (monotonic, s), else that of `explain` for the error, or `away`."""
    try:
        return check.result(max(0.0, ends - time.monotonic()))
    except Exception as problem:  # noqa: BLE001 - each broker's client has its own errors
        return explain(problem) or replace(away, text=f"{away.text}: {reason(problem)}")
