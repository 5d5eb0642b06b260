"""The thresholds that the sweep applies, as it records them for `winback status`, `doctor` and `explain`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from state.announcements import this_process
from state.calls import monitoring as lua
from state.keys import Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class AppliedThresholds:
    """The settings of detection that a sweep last applied. Times are Unix ms of the server."""

    settings: Mapping[str, str]
    """Name → value, as `winback.toml` writes both."""
    sources: Mapping[str, str]
    """Name → the environment variable or file of the sweep; a setting with its default is left out."""
    process: str
    """Host and process id of the sweep that recorded them last."""
    since_ms: int
    """When a sweep first applied these values."""
    at_ms: int
    """When they were recorded last. A sweep does so once a minute."""


def digest(settings: Mapping[str, str]) -> str:
    """Return a short text that differs when any setting does."""
    return sha256(_json(settings).encode()).hexdigest()[:_DIGEST_LENGTH]


def record(
    scripts: Scripts, keys: Keys, settings: Mapping[str, str], sources: Mapping[str, str]
) -> Mapping[str, str] | None:
    """Record what this process applies; return the settings recorded before if they differ, else None.

    Raises:
        StateError: The server doesn't answer, or is full.
    """
    call = lua.record_thresholds(keys.control, digest(settings), _json(settings), _json(sources), this_process())
    before = scripts.run(call)
    return _mapping(before) if before else None


def read(scripts: Scripts, keys: Keys, now_ms: int) -> AppliedThresholds | None:
    """Read the record; None before the first sweep.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        stored: Mapping[bytes, bytes] = scripts.client.hgetall(keys.thresholds)
    return read_applied({name.decode(): text.decode(errors="replace") for name, text in stored.items()}, now_ms)


def read_applied(stored: Mapping[str, str], now_ms: int) -> AppliedThresholds | None:
    """Read the record, from its hash; None before the first sweep. A time in the future is read as now."""
    settings = _mapping(stored.get("settings", ""))
    if not settings:
        return None
    since_ms, at_ms = (min(now_ms, int(stored.get(name, 0))) for name in ("since", "at"))
    return AppliedThresholds(settings, _mapping(stored.get("sources", "")), stored.get("process", ""), since_ms, at_ms)


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(values, separators=(",", ":"))


def _mapping(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
