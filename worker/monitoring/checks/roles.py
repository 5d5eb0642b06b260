"""Findings about the roles: whether they run, whether sweeps begin, and whether each has the keys. Pure."""

from collections.abc import Iterator

from detectors.lanes import milliseconds
from state.deployment import key_ids_in
from state.event_streams import SHORTEST_GAP_MS, TIMES_TO_A_GAP
from state.overview import Overview
from worker.monitoring.finding import Finding, span
from worker.monitoring.heartbeats import MISSED_HEARTBEATS, interval_ms, liveness
from worker.settings import Settings

_IMPACT = {
    "ingest": "events aren't applied, so no session is declared silent",
    "sweep": "abandoned sessions aren't detected, and no work is dispatched",
    "recover": "nothing is sent",
    "beat": "no sweep is started",
}
_START = "start it (docker compose, systemd or winback up) and check its log"


def running(role: str, overview: Overview, settings: Settings) -> Finding:
    """Report the state of one role."""
    found = liveness(role, overview, settings)
    if found.ago_ms is None:
        return Finding(role, "fail", f"not seen within a day: {_IMPACT[role]}", _START)
    if found.state == "silent":
        return Finding(role, "fail", f"silent for {span(found.ago_ms)}: {_IMPACT[role]}", _START)
    processes = "1 process" if found.processes == 1 else f"{found.processes} processes"
    text = f"{processes}, last heartbeat {span(found.ago_ms)} ago"
    return Finding(role, "ok" if found.state == "alive" else "warn", text)


def sweeps(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Report that no sweeps begin although sweep and beat run: the messages don't get through."""
    if any(liveness(role, overview, settings).state in {"silent", "never"} for role in ("sweep", "beat")):
        return
    interval = overview.sweep_interval_ms or milliseconds(settings.detection.sweep_interval)
    longest = max(TIMES_TO_A_GAP * interval, SHORTEST_GAP_MS)
    ago = None if overview.swept_ms is None else overview.now_ms - overview.swept_ms
    if ago is None or ago > longest:
        since = "no sweep has ever begun" if ago is None else f"no sweep has begun for {span(ago)}"
        text = f"{since}, though sweep and beat run"
        yield Finding("sweeps", "fail", text, "check whether both use the same broker, and the log of sweep")
    else:
        yield Finding("sweeps", "ok", f"the last one began {span(ago)} ago")


def missing_key(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Report processes without a key that the data needs.

    They started before encryption was enabled, or before the key was added. The finding ends when they stop.
    """
    for role, signs in overview.missing_key.items():
        longest = MISSED_HEARTBEATS * interval_ms(role, settings, overview.sweep_interval_ms)
        lately = [sign.process for sign in signs if overview.now_ms - sign.at_ms <= longest]
        if lately:
            key_ids = ", ".join(key_ids_in(overview.deployment))
            text = (
                f"{role} runs without a key that the data needs ({', '.join(lately)}; keys in use: {key_ids}): "
                "it can't read the data of the others, and its own data isn't encrypted as configured"
            )
            hint = f"restart {role} with WINBACK_ENCRYPTION_KEYS, then winback rotate-keys"
            yield Finding("encryption", "fail", text, hint)
