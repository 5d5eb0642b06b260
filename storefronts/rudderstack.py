"""RudderStack: the calls are Segment's, with `originalTimestamp` in place of `timestamp`."""

from storefronts.segment import read
from storefronts.source import Source

RUDDERSTACK = Source("rudderstack", read)
