"""Whether one role runs on this host: a health check that takes a second and needs no secret."""

import http.client
import socket
from datetime import timedelta
from typing import NamedTuple

from detectors.lanes import milliseconds
from state import deployment
from state.connection import connect
from state.keys import Keys
from state.scripts import Scripts
from state.sending_control import CLOCKS_DIFFER_MS
from state.server_errors import driver_errors
from worker.errors import StartError
from worker.monitoring.finding import Finding, span
from worker.monitoring.heartbeats import MISSED_HEARTBEATS
from worker.server_errors import call_with_timeout, reason
from worker.settings import Settings, require
from worker.settings.partial import load_lenient

MAX_HEARTBEAT_AGE = timedelta(seconds=30)
_FLOWER_S = 4.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the addresses to query, no binding


class _Heartbeats(NamedTuple):
    """When the processes of a role on this host last sent a heartbeat (Unix ms), and the server's time."""

    now_ms: int
    at_ms: list[int]


def check_role(role: str, *, server_may_be_away: bool = False) -> Finding:
    """Return whether a role of this host has sent a heartbeat within 30 s, or three sweeps. Flower itself is queried.

    `server_may_be_away`: while the server is down, that isn't a failure of the role.
    """
    try:
        # A broken edit of the settings must not make roles with the previous settings look unhealthy.
        settings, _ = load_lenient()
        if role == "flower":
            return flower_answers(settings)
        require(settings, "redis_url")
    except StartError as problem:
        return Finding(role, "fail", str(problem))
    try:
        return _check_heartbeat(role, settings)
    except StartError as problem:
        return Finding(role, "warn" if server_may_be_away else "fail", str(problem))


def _check_heartbeat(role: str, settings: Settings) -> Finding:
    here = socket.gethostname()

    def read() -> _Heartbeats:
        scripts = Scripts(connect(settings.redis_url or "", max_connections=2))
        with driver_errors():
            seconds, micros = scripts.client.time()
        beats = deployment.heartbeats(scripts, Keys(settings.namespace), role)
        own = [beat.at_ms for beat in beats if beat.process.rpartition(":")[0] == here]
        return _Heartbeats(seconds * 1000 + micros // 1000, own)

    now_ms, found = call_with_timeout(settings, read)
    # A heartbeat from the future is from before the clock was put back: a running process soon sends the next.
    signs = [sign for sign in found if sign <= now_ms + CLOCKS_DIFFER_MS]
    if not signs:
        return Finding(role, "fail", f"no heartbeat from this host ({here}) within a day")
    ago_ms = max(0, now_ms - max(signs))
    sweeps = MISSED_HEARTBEATS * settings.detection.sweep_interval if role == "sweep" else MAX_HEARTBEAT_AGE
    if ago_ms > milliseconds(max(sweeps, MAX_HEARTBEAT_AGE)):
        return Finding(role, "fail", f"no heartbeat from this host ({here}) for {span(ago_ms)}")
    return Finding(role, "ok", f"alive on this host ({here}), last heartbeat {span(ago_ms)} ago")


def flower_answers(settings: Settings) -> Finding:
    """Return whether Flower answers at its address."""
    host, port = _EVERYWHERE.get(settings.flower.address, settings.flower.address), settings.flower.port
    flower = http.client.HTTPConnection(host, port, timeout=_FLOWER_S)
    try:
        flower.request("GET", "/healthcheck")
        status = flower.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        return Finding("flower", "fail", f"{host}:{port}: {reason(problem)}")
    finally:
        flower.close()
    if status != http.HTTPStatus.OK:
        return Finding(
            "flower", "fail", f"{host}:{port} answers {status}: another program uses the port, or Flower is unhealthy"
        )
    return Finding("flower", "ok", f"alive, answers on {host}:{port}")
