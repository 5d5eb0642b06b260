"""How often a person may be contacted, as the scripts take it. Settings read it without loading the Redis client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` contacts of a person in any `period_ms`, wherever that begins."""

    count: int
    period_ms: int
