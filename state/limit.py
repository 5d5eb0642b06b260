"""How often a person can be contacted, in the form of the scripts.

Settings read it without loading the Redis client.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` contacts of a person in any period of `period_ms`."""

    count: int
    period_ms: int
