"""How many privacy requests are open, and since when. For the overview; reads nothing personal."""

from dataclasses import dataclass, field, fields

from state.driver import Client
from state.keys import Keys
from state.privacy_keys import privacy_prefix


@dataclass(frozen=True, slots=True)
class OpenSet:
    """The open requests of one kind."""

    number: int = 0
    first_ms: int | None = None
    """When the first of them was received (Unix ms)."""


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """All open privacy requests."""

    erasures: OpenSet = field(default_factory=OpenSet)
    shops: OpenSet = field(default_factory=OpenSet)
    data: OpenSet = field(default_factory=OpenSet)
    failed: OpenSet = field(default_factory=OpenSet)
    """Erasures that fail. `first_ms`: since when the first of them has."""

    @property
    def number(self) -> int:
        """How many there are."""
        return self.erasures.number + self.shops.number + self.data.number


def read_open_requests(client: Client, keys: Keys) -> OpenRequests:
    """Return the open privacy requests, in one round trip."""
    names = [each.name for each in fields(OpenRequests)]
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.zcard(f"{privacy_prefix(keys)}open:{name}")
        pipe.zrange(f"{privacy_prefix(keys)}open:{name}", 0, 0, withscores=True)
    replies = iter(pipe.execute())
    found = [
        OpenSet(number, int(first[0][1]) if first else None) for number, first in zip(replies, replies, strict=True)
    ]
    return OpenRequests(*found)
