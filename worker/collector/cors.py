"""Answers to browsers that ask whether a page of another origin can send events, and to senders of CloudEvents."""

from collections.abc import Mapping

from worker.collector.answers import Headers

_ALLOWED = b"authorization, content-type, content-encoding, x-retry-count, anonymousid"
"""Headers that SDKs send. `*` would not cover Authorization."""
_DAY = b"86400"


def origin_headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers that let a page read an answer; none if no page asks.

    Every origin is permitted: a key is what a request needs, and no cookie counts.
    """
    origin = headers.get("origin", "")
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")] if origin else []


def preflight_headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers that answer OPTIONS."""
    found = [(b"allow", b"POST, OPTIONS")]
    if "access-control-request-method" in headers:
        found += [
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", _ALLOWED),
            (b"access-control-max-age", _DAY),
        ]
    if sender := headers.get("webhook-request-origin", ""):
        found += [(b"webhook-allowed-origin", sender.encode("latin-1")), (b"webhook-allowed-rate", b"*")]
    return [*found, *origin_headers(headers)]
