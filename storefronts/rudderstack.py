"""RudderStack: the calls are Segment's, with `originalTimestamp` in place of `timestamp`."""

import re

from storefronts.segment import read
from storefronts.source import Source

_SEARCHED_BYTES = 64 * 1024
_LIBRARY = re.compile(
    rb"""
    "library" \s{0,9} : \s{0,9} \{ [^{}]{0,300}?
    "name" \s{0,9} : \s{0,9} " [^"]{0,60}? [Rr]udder
    """,
    re.VERBOSE,
)
"""`context.library.name`, such as `RudderLabs JavaScript SDK`, or `rudder-ios-library`."""

RUDDERSTACK = Source("rudderstack", read)


def name_of(body: bytes) -> str:
    """Return the source of a body that arrives at a path of both: its first calls name the SDK's library."""
    return "rudderstack" if _LIBRARY.search(body, 0, _SEARCHED_BYTES) else "segment"


SEGMENT_OR_RUDDERSTACK = Source("segment", read, name_of=name_of)
"""The sources of the path `/v1`, which the SDKs of both use."""
