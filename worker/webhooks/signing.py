"""Signatures of webhooks as Standard Webhooks 1.0 defines them. Pure."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256


def headers(identifier: str, timestamp: int, body: str, keys: Iterable[bytes]) -> Mapping[str, str]:
    """Return the three headers of a request, with a signature by each key.

    Args:
        identifier: The same for each repetition, so that the receiver recognises one.
        timestamp: When this request is made (Unix s).
        body: The exact body.
        keys: The bytes of the secrets. A receiver accepts one signature of several, so two keys allow a rotation.
    """
    signed = f"{identifier}.{timestamp}.{body}".encode()
    signatures = [f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}" for key in keys]
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
