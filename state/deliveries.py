"""The last request of each source that collectors accepted, and the requests that they refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from state.calls import collectors as lua
from state.keys import DAY_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

DELIVERIES_TTL_MS = 30 * DAY_MS
PAUSE_MS = DAY_MS
"""Refusals after this time without one are counted from one again."""
_ACCEPTED, _REFUSED = "accepted", "refused"


class DeliveryNote(NamedTuple):
    """What a collector reports of one source since its last report. It holds no personal data."""

    source: str
    """Such as `yuno` or `shopify/shop-a`: one of the settings, so that their number is bounded."""
    became: str
    """What an accepted request became; "" if none was accepted."""
    refusals: int = 0
    cause: str = ""
    """The cause of the last refusal."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The deliveries of one source. Times are Unix ms of the server; None: never."""

    source: str
    accepted_ms: int | None = None
    became: str = ""
    refused_ms: int | None = None
    refused_since_ms: int | None = None
    """The first refusal that `refusals` counts."""
    refusals: int = 0
    cause: str = ""


class Deliveries:
    """The hash of deliveries."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def note(self, notes: Sequence[DeliveryNote]) -> None:
        """Record requests.

        Raises:
            StateError: the server doesn't answer.
        """
        if notes:
            words = [word for note in notes for word in note]
            self._scripts.run(lua.note_deliveries(self._keys.deliveries, PAUSE_MS, DELIVERIES_TTL_MS, *words))

    def read(self) -> tuple[Delivery, ...]:
        """Return the deliveries of all sources by name.

        Raises:
            StateError: the server doesn't answer.
        """
        with driver_errors():
            found = self._scripts.client.hgetall(self._keys.deliveries)
        return read_deliveries({name.decode(): text.decode() for name, text in found.items()})


def read_deliveries(stored: Mapping[str, str]) -> tuple[Delivery, ...]:
    """Read the hash."""
    found: dict[str, Delivery] = {}
    for field, text in sorted(stored.items()):
        source, _, outcome = field.rpartition(" ")
        delivery = found.get(source, Delivery(source))
        if outcome == _ACCEPTED:
            at, _, became = text.partition(" ")
            found[source] = replace(delivery, accepted_ms=int(at), became=became)
        elif outcome == _REFUSED:
            at, since, count, cause = text.split(" ", 3)
            found[source] = replace(
                delivery, refused_ms=int(at), refused_since_ms=int(since), refusals=int(count), cause=cause
            )
    return tuple(found.values())
