"""What a process announces with its signs of life, so that the others notice one that was started differently."""

import json
from collections.abc import Mapping
from hashlib import sha256

from detectors.settings import DetectionSettings
from state import deployment
from worker.server_errors import address
from worker.settings import Settings

_SHORT = 8
"""Characters of a fingerprint: enough to tell settings apart."""
_OWN = frozenset({"mode", "endpoint", "public_api_key", "private_secret_key"})
"""Of `[delivery]`, what is compared by itself, or is a secret."""
_detection: list[DetectionSettings] = []


def now_detects_by(settings: DetectionSettings) -> None:
    """Note the thresholds that this process uses: they change while it runs."""
    _detection[:] = [settings]


def about(settings: Settings) -> Mapping[str, str]:
    """Return what this process runs with, as names and fingerprints: no secret, and no setting of a person."""
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
    """Return in which way a worker sends, so that two ways can be compared: the mode, and a fingerprint of the rest.

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
