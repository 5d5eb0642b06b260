"""Answers to browsers that ask whether a page of another origin can send events, and to senders of CloudEvents."""

import re
from collections.abc import Mapping

from worker.collector.answers import Headers

_ALLOWED = "authorization, content-type, content-encoding, x-retry-count, anonymousid, sentat"
"""Headers that SDKs send. `*` would not cover Authorization."""
_NAMES = re.compile(r"[A-Za-z0-9-]+(?: *, *[A-Za-z0-9-]+)*")
_MOST_NAMES = 1000
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


def preflight_headers(headers: Mapping[str, str], method: str = "POST") -> Headers:
    """Return the headers that answer OPTIONS. A page can send every header that it asks for: none has an effect."""
    found = [(b"allow", f"{method}, OPTIONS".encode())]
    asked = headers.get("access-control-request-headers", "").strip()
    is_usable = len(asked) <= _MOST_NAMES and _NAMES.fullmatch(asked)
    if "access-control-request-method" in headers:
        found += [
            (b"access-control-allow-methods", method.encode()),
            (b"access-control-allow-headers", (f"{_ALLOWED}, {asked}" if is_usable else _ALLOWED).encode()),
            (b"access-control-max-age", _DAY),
        ]
    if sender := headers.get("webhook-request-origin", ""):
        found += [(b"webhook-allowed-origin", sender.encode("latin-1")), (b"webhook-allowed-rate", b"*")]
    return [*found, *origin_headers(headers)]
