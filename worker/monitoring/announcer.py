"""The data that a process announces with its heartbeats, so that others detect a process with different settings."""

import json
from collections.abc import Mapping
from hashlib import sha256

from detectors.settings import DetectionSettings
from state import deployment
from worker.server_errors import address
from worker.settings import Settings

_SHORT = 8
"""Characters of a fingerprint: enough to distinguish settings."""
_OWN = frozenset({"mode", "endpoint", "public_api_key", "private_secret_key"})
"""Keys of `[delivery]` that are compared separately or are secrets."""
_detection: list[DetectionSettings] = []


def now_detects_by(settings: DetectionSettings) -> None:
    """Record the thresholds that this process uses: they can change while it runs."""
    _detection[:] = [settings]


def about(settings: Settings) -> Mapping[str, str]:
    """Return this process's settings as names and fingerprints, without secrets or personal data."""
    delivery = settings.delivery
    found = {
        "namespace": settings.namespace,
        "schema": str(deployment.SCHEMA_VERSION),
        "mode": delivery.mode,
        "endpoint": address(delivery.endpoint),
        "sending_mode": sending_mode(settings),
        "contact": _fingerprint(settings.contact.model_dump(mode="json")),
        "delivery": _fingerprint(delivery.model_dump(mode="json", exclude=set(_OWN))),
        "detection": _fingerprint((_detection or [settings.detection])[0].model_dump(mode="json")),
    }
    if identity := _identity(settings):
        found["identity"] = identity
    return found


def sending_mode(settings: Settings) -> str:
    """Return a worker's way of sending, to compare it with others: the mode, and a fingerprint of the rest.

    In shadow mode the endpoint doesn't matter.
    """
    live = settings.delivery.mode == "live"
    rest = [deployment.SCHEMA_VERSION, _identity(settings), settings.delivery.endpoint if live else ""]
    return f"{settings.delivery.mode} {_fingerprint(rest)}"


def _identity(settings: Settings) -> str:
    secret = settings.identity_secret
    return deployment.fingerprint(secret.get_secret_value().encode()) if secret else ""


def _fingerprint(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()[:_SHORT]
