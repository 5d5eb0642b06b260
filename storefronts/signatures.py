"""Signatures of webhooks: over the raw body, compared in constant time, with each of a source's secrets.

An empty secret signs nothing: every sender can make its signature. No scheme but Standard Webhooks signs a
time, so a replay is stopped by the dedupe key and by the order of the events, not here.
"""

import base64
import binascii
import hashlib
import hmac
import html
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Literal

from storefronts.delivery import Delivery
from storefronts.json_bodies import elements

Signed = Literal["nothing", "first", "all"]
"""How much of a body is signed: nothing that can be verified, the first item of its list, or all of it."""
Scheme = Callable[[Delivery, Iterable[str]], Signed]

TOLERANCE = timedelta(minutes=5)
"""How far the signed time can be from the arrival, both ways."""
_MOST_SIGNATURES = 16


def base64_sha256(*headers: str) -> Scheme:
    """Return the scheme of an HMAC-SHA256 of the body, as Base64 in the first of some headers that is there."""

    def verify(delivery: Delivery, secrets: Iterable[str]) -> Signed:
        expected = (
            base64.b64encode(_hmac(secret.encode(), delivery.body, "sha256")).decode() for secret in _usable(secrets)
        )
        return "all" if _matches(delivery.header(*headers), expected) else "nothing"

    return verify


shopify = base64_sha256("x-shopify-hmac-sha256", "shopify-hmac-sha256")
"""The second header is that of the newer kind of delivery."""
yuno = base64_sha256("x-hmac-signature")
_woocommerce = base64_sha256("x-wc-webhook-signature")


def woocommerce(delivery: Delivery, secrets: Iterable[str]) -> Signed:
    """Verify `X-WC-Webhook-Signature`. WooCommerce decodes HTML entities in the secret."""
    return _woocommerce(delivery, [form for secret in secrets for form in (secret, html.unescape(secret))])


def segment_webhook(delivery: Delivery, secrets: Iterable[str]) -> Signed:
    """Verify `X-Signature`: hexadecimal HMAC-SHA1 of the body, or of the first item if the body is a list."""
    body = delivery.body.strip()
    is_list = body.startswith(b"[")
    signed = next(elements(body, 1), b"") if is_list else delivery.body
    expected = (_hmac(secret.encode(), signed, "sha1").hex() for secret in _usable(secrets))
    if not _matches(delivery.header("x-signature").lower(), expected):
        return "nothing"
    return "first" if is_list else "all"


def standard_webhooks(delivery: Delivery, secrets: Iterable[str]) -> Signed:
    """Verify `webhook-signature`, one of several in version 1, and that its time is near the arrival."""
    identifier, timestamp = delivery.header("webhook-id"), delivery.header("webhook-timestamp")
    if not identifier or not is_near(timestamp, delivery):
        return "nothing"
    message = b".".join((identifier.encode(), timestamp.encode(), delivery.body))
    expected = [
        base64.b64encode(_hmac(key, message, "sha256")).decode() for key in map(_standard_key, _usable(secrets)) if key
    ]
    stated = delivery.header("webhook-signature").split()[:_MOST_SIGNATURES]
    found = [_matches(one.removeprefix("v1,"), expected) for one in stated if one.startswith("v1,")]
    return "all" if any(found) else "nothing"


def _hmac(key: bytes, message: bytes, algorithm: str) -> bytes:
    return hmac.digest(key, message, getattr(hashlib, algorithm))


def _usable(secrets: Iterable[str]) -> Iterator[str]:
    return (secret for secret in secrets if secret.strip())


def _matches(stated: str, expected: Iterable[str]) -> bool:
    """Compare with every signature, also after one that is equal."""
    given = stated.encode(errors="replace")
    return True in [hmac.compare_digest(given, one.encode()) for one in expected]


def is_near(timestamp: str, delivery: Delivery) -> bool:
    """Whether a signed time (Unix seconds) is near the arrival."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    away = abs(delivery.received.timestamp() - int(timestamp[:20]))
    return away <= TOLERANCE.total_seconds()


def _standard_key(secret: str) -> bytes:
    """Return the bytes of a secret; b"" if it isn't Base64."""
    try:
        return base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
