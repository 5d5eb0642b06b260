"""Answers to browsers that ask whether a page of another origin can send events, and to senders of CloudEvents."""

from collections.abc import Mapping

from worker.collector.answers import Headers

_ALLOWED = "authorization, content-type"
"""Headers that a page can send if its browser names none. `*` would not cover Authorization."""
_EXPOSED = b"retry-after, x-ratelimit-reset"
"""Headers of an answer that an SDK reads, besides those that every page can read."""
_DAY = b"86400"


def origin_headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers that let a page read an answer; none if no page asks.

    Every origin is permitted: a key is what a request needs, and no cookie counts.
    """
    origin = headers.get("origin", "")
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]


def preflight_headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers that answer OPTIONS.

    Every header is permitted: a new version of an SDK can send further ones, such as those about its repeats.
    """
    found = [(b"allow", b"POST, OPTIONS")]
    if "access-control-request-method" in headers:
        wanted = headers.get("access-control-request-headers", "").strip() or _ALLOWED
        found += [
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", wanted.encode("latin-1")),
            (b"access-control-max-age", _DAY),
        ]
    if sender := headers.get("webhook-request-origin", ""):
        found += [(b"webhook-allowed-origin", sender.encode("latin-1")), (b"webhook-allowed-rate", b"*")]
    return [*found, *origin_headers(headers)]
